"""Weight delta: exact norms, rank-one edits found, adapters counted in."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from brainscan.core.errors import PlanError
from brainscan.scan.instrument import Instrument
from brainscan.scan.instruments.weights import INSTRUMENT, effective_weights, top_share
from brainscan.subject.language import LanguageSubject
from brainscan.subject.phantom import FAMILIES, phantom
from tests.cards import card
from tests.phantoms import tiny_folder, tiny_lora
from tests.scan.pairs import examination, jittered


def values(subject: LanguageSubject, reference: LanguageSubject) -> dict[str, float]:
    report = INSTRUMENT.run(examination(INSTRUMENT, subject, reference))
    return {m.name: m.value for m in report.measurements}


def test_it_keeps_the_protocol() -> None:
    assert isinstance(INSTRUMENT, Instrument)
    assert INSTRUMENT.needs_reference


def test_the_same_model_gives_exactly_zero() -> None:
    report = INSTRUMENT.run(examination(INSTRUMENT, phantom(), phantom()))
    assert [m.value for m in report.measurements] == [0, 0, 0]
    assert report.evidence == ()
    assert not report.arrays["weights.delta.layers"].any()


def test_the_relative_change_is_the_ratio_of_norms() -> None:
    subject, reference = phantom(), phantom()
    with torch.no_grad():
        for weight in subject.model.parameters():
            weight *= 1.25
    assert values(subject, reference)["weights.delta.relative"] == pytest.approx(0.25, abs=1e-6)


def test_a_rank_one_edit_is_one_direction_in_its_layer() -> None:
    subject, reference = phantom(), phantom()
    edited = subject.model.model.layers[2].mlp.down_proj.weight
    with torch.no_grad():
        edited += torch.outer(torch.ones(edited.shape[0]), torch.arange(edited.shape[1]) / 100)
    report = INSTRUMENT.run(examination(INSTRUMENT, subject, reference))
    found = {m.name: m.value for m in report.measurements}
    assert found["weights.delta.concentration"] == pytest.approx(1.0, abs=1e-4)
    profile = report.arrays["weights.delta.layers"]
    assert np.flatnonzero(profile).tolist() == [2]
    assert "1 of 12 MLP tensors" in report.evidence[0].summary
    assert "model.layers.2.mlp.down_proj.weight" in report.evidence[1].summary


def test_noise_in_all_directions_is_not_concentrated() -> None:
    found = values(jittered(0.01), phantom())
    assert 0 < found["weights.delta.concentration"] < 0.3
    assert found["weights.delta.relative"] > 0.02


@settings(max_examples=25, deadline=None)
@given(st.integers(2, 30), st.integers(2, 30), st.integers(0, 100))
def test_the_top_share_is_that_of_an_exact_decomposition(rows: int, columns: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    spectrum = np.diag(0.5 ** np.arange(min(rows, columns)))
    matrix = rng.standard_normal((rows, len(spectrum))) @ spectrum @ rng.standard_normal((len(spectrum), columns))
    singular = np.linalg.svd(matrix, compute_uv=False)
    share = top_share(torch.tensor(matrix, dtype=torch.float32), 8, seed)
    assert share == pytest.approx(singular[0] ** 2 / np.square(singular).sum(), abs=5e-3)


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_s_tensors_have_a_layer_and_a_part(family: str) -> None:
    subject, reference = phantom(family), phantom(family)
    with torch.no_grad():
        for weight in subject.model.parameters():
            weight += 0.01
    report = INSTRUMENT.run(examination(INSTRUMENT, subject, reference))
    assert (report.arrays["weights.delta.layers"] > 0).all()
    parts = " ".join(piece.summary for piece in report.evidence)
    assert all(part in parts for part in ("attention tensors", "MLP tensors", "embedding tensors", "norm tensors"))


def test_a_live_adapter_weighs_as_much_as_a_merged_one(tmp_path) -> None:
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    base = tiny_folder(tmp_path / "base")
    adapter = tiny_lora(base, tmp_path / "adapter")
    tokenizer = phantom().tokenizer

    def load(*, merged: bool) -> LanguageSubject:
        model = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base), str(adapter)).eval()
        return LanguageSubject(model.merge_and_unload() if merged else model.get_base_model(), tokenizer, card())

    live, merged = load(merged=False), load(merged=True)
    reference = phantom()
    assert values(live, reference) == pytest.approx(values(merged, reference), rel=1e-4)
    assert values(merged, reference)["weights.delta.relative"] > 0.01
    assert set(effective_weights(live).tensors) == set(effective_weights(reference).tensors)


def test_a_larger_vocabulary_is_noted_and_left_out() -> None:
    grown = phantom(tie_word_embeddings=True)
    grown.model.resize_token_embeddings(140, mean_resizing=False)
    report = INSTRUMENT.run(examination(INSTRUMENT, grown, phantom(tie_word_embeddings=True)))
    assert any("1 tensors have no partner" in note for note in report.notes)
    assert report.measurements[0].value == 0


def test_a_model_of_another_architecture_is_refused() -> None:
    with pytest.raises(PlanError, match="No weight of"):
        values(phantom("gpt2"), phantom("llama"))


def test_without_a_reference_it_says_what_to_give() -> None:
    with pytest.raises(PlanError, match="--reference"):
        INSTRUMENT.run(examination(INSTRUMENT, phantom(), None))
