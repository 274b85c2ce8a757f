"""Files from strangers: nothing is run, nothing is believed, and every refusal is one sentence."""

from __future__ import annotations

import io
import json
import pickle
import struct
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file

from brainscan.core.errors import BrainscanError, PlanError, RecordError, UnsafeSubject, UsageError
from brainscan.dictionary.formats.format import FORMATS, read_dictionary
from brainscan.dictionary.formats.safe import read_npz
from tests.dictionary.formats import peers


class Bomb:
    """Writes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return (Path.touch, (self.path,))


def test_a_torch_file_that_runs_code_is_refused(tmp_path: Path) -> None:
    torch.save({"W_enc": Bomb(tmp_path / "ran")}, tmp_path / "ae.pt")
    with pytest.raises(UnsafeSubject, match="more than tensors"):
        read_dictionary(tmp_path)
    assert not (tmp_path / "ran").exists()
    pickle.loads(pickle.dumps(Bomb(tmp_path / "ran")))
    assert (tmp_path / "ran").exists(), "the bomb must be real"


def test_a_bare_pickle_is_refused(tmp_path: Path) -> None:
    (tmp_path / "ae.pt").write_bytes(pickle.dumps({"a": Bomb(tmp_path / "ran")}))
    with pytest.raises(UnsafeSubject, match="bare pickle"):
        read_dictionary(tmp_path)
    assert not (tmp_path / "ran").exists()


def test_an_npz_of_objects_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "params.npz", W_enc=np.array([Bomb(tmp_path / "ran")], dtype=object))
    with pytest.raises(UnsafeSubject, match="pickled objects"):
        read_dictionary(tmp_path)
    assert not (tmp_path / "ran").exists()


def test_an_npz_that_unpacks_to_gigabytes_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "params.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("W_enc.npy", b"\0" * (200 << 20))
    with pytest.raises(UnsafeSubject, match="far more than its size"):
        read_dictionary(tmp_path)


def test_an_array_that_claims_more_than_it_holds_is_refused(tmp_path: Path) -> None:
    held = io.BytesIO()
    np.lib.format.write_array_header_1_0(held, {"descr": "<f4", "fortran_order": False, "shape": (10**9, 10**9)})
    with zipfile.ZipFile(tmp_path / "params.npz", "w") as archive:
        archive.writestr("W_enc.npy", held.getvalue() + b"\0" * 64)
    with pytest.raises(RecordError, match="that is not in it"):
        read_npz(tmp_path / "params.npz")


@pytest.mark.parametrize("cut", [1, 64, 100])
def test_an_npz_whose_directory_claims_more_than_it_holds_is_refused(tmp_path: Path, cut: int) -> None:
    whole, data = tmp_path / "whole.npz", np.arange(64, dtype=np.float32)
    np.savez(whole, W_enc=data)
    size = zipfile.ZipFile(whole).infolist()[0].file_size
    with zipfile.ZipFile(whole) as archive:
        raw = archive.read("W_enc.npy")[:-cut]
    with zipfile.ZipFile(tmp_path / "params.npz", "w") as archive:
        archive.writestr("W_enc.npy", raw)
    claimed = (
        (tmp_path / "params.npz")
        .read_bytes()
        .replace(struct.pack("<II", len(raw), len(raw)), struct.pack("<II", len(raw), size))
    )
    (tmp_path / "params.npz").write_bytes(claimed)
    with pytest.raises(RecordError):
        read_npz(tmp_path / "params.npz")


_SAFETENSORS = {
    "saelens": lambda folder: peers.saelens(folder, "jumprelu_skip_transcoder"),
    "plt": lambda folder: [peers.plt_layer(folder, i, activation="jumprelu", skip=True) for i in range(2)],
    "clt": lambda folder: peers.clt(folder, 2, threshold=True, skip=True),
    "sparsify": lambda folder: peers.sparsify(folder, transcode=True, skip=True),
}


@pytest.mark.parametrize("form", _SAFETENSORS)
@pytest.mark.parametrize("wrong", [lambda t: t.flatten(), lambda t: t.sum(), lambda t: t[None, None]])
def test_tensors_of_any_rank_are_read_or_refused_in_words(tmp_path: Path, form: str, wrong: Any) -> None:
    _SAFETENSORS[form](tmp_path / "peer")
    refused = 0
    for file in sorted(tmp_path.rglob("*.safetensors")):
        held, whole = load_file(file), file.read_bytes()
        for name, tensor in held.items():
            save_file({**held, name: wrong(tensor).contiguous()}, file)
            try:
                read_dictionary(tmp_path / "peer")
            except RecordError:
                refused += 1
        file.write_bytes(whole)
    assert refused


def test_fortran_order_and_scalars_are_read_right(tmp_path: Path) -> None:
    x = np.arange(6, dtype=np.float64).reshape(2, 3)
    np.savez(tmp_path / "params.npz", a=np.asfortranarray(x), b=np.float32(2.5), c=x[:, :0])
    found = read_npz(tmp_path / "params.npz")
    np.testing.assert_array_equal(found["a"], x)
    assert float(found["b"]) == 2.5 and found["c"].shape == (2, 0)


def test_a_compressed_torch_file_is_refused(tmp_path: Path) -> None:
    torch.save({"a": torch.zeros(9)}, tmp_path / "plain.pt")
    with (
        zipfile.ZipFile(tmp_path / "plain.pt") as old,
        zipfile.ZipFile(tmp_path / "ae.pt", "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for member in old.infolist():
            new.writestr(member.filename, old.read(member), zipfile.ZIP_DEFLATED)
    with pytest.raises(RecordError, match="compressed"):
        read_dictionary(tmp_path)


@pytest.mark.parametrize("cut", [0, 1, 7, 40, 200])
def test_a_truncated_weights_file_is_one_sentence(tmp_path: Path, cut: int) -> None:
    peers.saelens(tmp_path / "sae", "standard")
    weights = tmp_path / "sae" / "sae_weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:cut])
    with pytest.raises(RecordError, match="safetensors"):
        read_dictionary(tmp_path / "sae")


def test_a_header_longer_than_the_file_is_refused(tmp_path: Path) -> None:
    peers.saelens(tmp_path / "sae", "standard")
    (tmp_path / "sae" / "sae_weights.safetensors").write_bytes(struct.pack("<Q", 1 << 60) + b"{}")
    with pytest.raises(RecordError, match="safetensors"):
        read_dictionary(tmp_path / "sae")


def test_shapes_that_disagree_are_refused(tmp_path: Path) -> None:
    peers.saelens(tmp_path / "sae", "standard")
    wrong = {"W_enc": torch.zeros(4, 8), "W_dec": torch.zeros(4, 8), "b_enc": torch.zeros(8), "b_dec": torch.zeros(4)}
    save_file(wrong, tmp_path / "sae" / "sae_weights.safetensors")
    with pytest.raises(RecordError, match="W_dec"):
        read_dictionary(tmp_path / "sae")


def test_weights_that_are_no_numbers_are_refused(tmp_path: Path) -> None:
    peers.saelens(tmp_path / "sae", "standard")
    file = tmp_path / "sae" / "sae_weights.safetensors"
    tensors = load_file(file)
    tensors["W_dec"][3, 3] = float("nan")
    save_file(tensors, file)
    with pytest.raises(RecordError, match="no numbers"):
        read_dictionary(tmp_path / "sae")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    config=st.dictionaries(
        st.sampled_from(
            ["architecture", "k", "normalize_activations", "metadata", "activation_fn_kwargs", "activation_fn_str"]
        ),
        st.none() | st.integers() | st.text(max_size=8) | st.lists(st.integers(), max_size=2) | st.just({"k": -1}),
    )
)
def test_any_config_is_read_or_refused_in_words(tmp_path: Path, config: dict[str, object]) -> None:
    folder = tmp_path / "sae"
    if not folder.exists():
        peers.saelens(folder, "topk", k=3)
    (folder / "cfg.json").write_text(json.dumps(config))
    try:
        read_dictionary(folder)
    except BrainscanError as error:
        assert error.cause and error.next_step


def test_nothing_there_and_no_such_format_are_said(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="nothing at"):
        read_dictionary(tmp_path / "absent")
    with pytest.raises(RecordError, match="not a dictionary in a known format"):
        read_dictionary(tmp_path)
    with pytest.raises(PlanError, match="Choose one of: brainscan, saelens"):
        read_dictionary(tmp_path, "pickle")


def test_a_config_of_yaml_that_builds_objects_is_refused(tmp_path: Path) -> None:
    peers.plt_layer(tmp_path / "plt", 0, activation="relu", skip=False)
    (tmp_path / "plt" / "config.yaml").write_text("!!python/object/apply:os.system ['true']")
    with pytest.raises(RecordError, match="not YAML"):
        read_dictionary(tmp_path / "plt")


def test_every_format_refuses_what_it_does_not_write(tmp_path: Path) -> None:
    for name in FORMATS:
        if not FORMATS.get(name).writes:
            with pytest.raises(UsageError):
                FORMATS.get(name).write(None, tmp_path)  # type: ignore[arg-type]
