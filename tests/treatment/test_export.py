"""Exports are read back by those who are to read them: PEFT, our own loader, the gguf package."""

from __future__ import annotations

import errno
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from brainscan.core.errors import StorageError, UsageError
from brainscan.subject.load import load_subject
from brainscan.subject.phantom import D_MODEL, phantom
from brainscan.treatment.export import check_forms, export_control_vector, export_lora, export_weights
from brainscan.treatment.kinds.delta import LEFT, RIGHT
from brainscan.treatment.kinds.low_rank import LowRankRemoval
from brainscan.treatment.kinds.orthogonalise import DIRECTION, Orthogonalise
from brainscan.treatment.kinds.steer import Steer
from brainscan.treatment.kinds.unlearn import Unlearn
from brainscan.treatment.treated import treated
from tests.phantoms import tiny_folder, tiny_lora
from tests.treatment.made import SITE, factors, vector


@pytest.mark.parametrize("family", ["llama", "gpt2"])
def test_a_lora_folder_loads_as_an_adapter(tmp_path: Path, family: str) -> None:
    base = load_subject(str(tiny_folder(tmp_path / "base", family)))
    treatment = Unlearn(factors(base), 0.5)
    folder = export_lora(treatment, base, tmp_path / "lora")
    loaded = load_subject(f"{tmp_path / 'base'}+{folder}")
    batch = base.batch([base.tokens("The river")])
    with treated(base, treatment):
        assert torch.allclose(base.logits(batch), loaded.logits(batch), atol=1e-3)


def test_edited_weights_load_as_a_model(tmp_path: Path) -> None:
    base = load_subject(str(tiny_folder(tmp_path / "base")))
    treatment = Orthogonalise({DIRECTION: vector()})
    loaded = load_subject(str(export_weights(treatment, base, tmp_path / "edited")))
    batch = base.batch([base.tokens("The river")])
    with treated(base, treatment):
        assert torch.allclose(base.logits(batch), loaded.logits(batch), atol=1e-4)


def test_the_model_itself_is_not_replaced_by_what_is_made_of_it(tmp_path: Path) -> None:
    model, adapter = tiny_folder(tmp_path / "base"), tiny_lora(tiny_folder(tmp_path / "other"), tmp_path / "lora")
    before = {path.name: path.read_bytes() for folder in (model, adapter) for path in folder.iterdir()}
    base = load_subject(str(model))
    with pytest.raises(StorageError, match="holds something else"):
        export_weights(Orthogonalise({DIRECTION: vector()}), base, model)
    with pytest.raises(StorageError, match="holds something else"):
        export_lora(Unlearn(factors(base), 0.5), base, adapter)
    assert before == {path.name: path.read_bytes() for folder in (model, adapter) for path in folder.iterdir()}


def test_what_was_made_may_be_made_again(tmp_path: Path) -> None:
    base = load_subject(str(tiny_folder(tmp_path / "base")))
    for dose in (0.5, 1.0):
        export_lora(Unlearn(factors(base), dose), base, tmp_path / "lora")
    assert "base" in json.loads((tmp_path / "lora" / "brainscan-treatment.json").read_text())["base"]


def test_a_control_vector_is_what_llama_cpp_and_repeng_read(tmp_path: Path) -> None:
    from gguf import GGUFReader

    subject, file = phantom(), tmp_path / "up.gguf"
    export_control_vector(Steer({SITE: vector(), "resid_post.3": vector(1)}, 2.0), subject, file)
    reader = GGUFReader(file)
    named = {name: field.contents() for name, field in reader.fields.items()}
    assert named["general.architecture"] == "controlvector"
    assert named["controlvector.model_hint"] == "llama"
    assert named["controlvector.layer_count"] == 2
    tensors = {tensor.name: tensor for tensor in reader.tensors}
    assert set(tensors) == {"direction.1", "direction.3"}
    assert tensors["direction.1"].data.dtype == np.float32 and tensors["direction.1"].data.shape == (D_MODEL,)
    assert np.array_equal(tensors["direction.1"].data, 2 * vector().numpy())


@pytest.mark.parametrize("family", ["llama", "gpt2"])
def test_a_change_of_embeddings_is_no_adapter(tmp_path: Path, family: str) -> None:
    base = load_subject(str(tiny_folder(tmp_path / "base", family)))
    name = next(
        name for name, weight in base.model.named_parameters() if weight is base.model.get_input_embeddings().weight
    )
    rows, width = base.model.get_input_embeddings().weight.shape
    treatment = LowRankRemoval({name + LEFT: torch.ones(rows, 1), name + RIGHT: torch.ones(1, width)})
    with pytest.raises(UsageError, match=r"no linear map.*as weights"):
        export_lora(treatment, base, tmp_path / "lora")
    assert not (tmp_path / "lora").exists()


@pytest.mark.parametrize(
    ("kind", "form"), [("project-out", "lora"), ("steer", "weights"), ("unlearn", "gguf"), ("project-out", "gguf")]
)
def test_forms_that_a_kind_never_takes_are_known_before_it_is_made(kind: str, form: str) -> None:
    forms = {"lora": False, "weights": False, "gguf": False}
    check_forms(kind, **forms)
    with pytest.raises(UsageError):
        check_forms(kind, **{**forms, form: True})


def test_a_full_disk_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("gguf.GGUFWriter.write_tensors_to_file", full)
    with pytest.raises(StorageError, match="full"):
        export_control_vector(Steer({SITE: vector()}), phantom(), tmp_path / "up.gguf")
    assert not list(tmp_path.iterdir())


def test_what_has_no_such_form_is_refused(tmp_path: Path) -> None:
    subject = phantom()
    for treatment in (Steer({"resid_post.0": vector()}), Steer({"mlp_out.1": vector()}), Unlearn(factors(subject))):
        with pytest.raises(UsageError, match="control vector"):
            export_control_vector(treatment, subject, tmp_path / "x.gguf")
    with pytest.raises(UsageError, match="no low-rank change"):
        export_lora(Steer({SITE: vector()}), subject, tmp_path / "x")
    with pytest.raises(UsageError, match="while the model runs"):
        export_weights(Steer({SITE: vector()}), subject, tmp_path / "x")
    assert not list(tmp_path.iterdir())
