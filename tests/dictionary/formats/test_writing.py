"""What brainscan writes means the same when it is read back, and when a peer's formulas read the bare tensors."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from safetensors.torch import load_file

from brainscan.core.errors import UsageError
from brainscan.dictionary.dictionary import Dictionary, DictionarySet
from brainscan.dictionary.formats.format import read_dictionary, write_dictionary
from tests.dictionary.formats.peers import D, F, K, inputs, weights


def make(activation: str = "relu", *, layer: int = 0, normalisation: str = "none", **changes: Any) -> Dictionary:
    w = weights(layer, W_enc=(D, F), W_dec=(F, D), b_enc=(F,), b_dec=(D,))
    own: dict[str, Any] = {
        "relu": {},
        "topk": {"k": K},
        "jumprelu": {"threshold": weights(5, t=(F,))["t"].abs()},
        "gated": weights(6, r_mag=(F,), b_gate=(F,)),
    }[activation]
    scale = {"scale_in": 0.4, "scale_out": 0.4} if normalisation == "scale" else {}
    site = (f"resid_post.{layer}",)
    given = {
        "kind": activation,
        "activation": activation,
        "normalisation": normalisation,
        "reads": site,
        "writes": site,
    }
    return Dictionary(**{**given, **w, **own, **scale, **changes})


def coder(i: int, activation: str = "relu", **changes: Any) -> Dictionary:
    sites = {"reads": (f"mlp_in.{i}",), "writes": (f"mlp_out.{i}",)}
    return make(activation, layer=i, **{"kind": "transcoder", **sites, **changes})


def clt(n: int = 3, activation: str = "jumprelu", skip: bool = True) -> DictionarySet:
    parts = []
    for i in range(n):
        width = (n - i) * D
        b_dec = torch.cat([weights(i, b=(D,))["b"], torch.zeros(width - D)])
        w_skip = torch.cat([weights(i, s=(D, D))["s"], torch.zeros(D, width - D)], dim=1) if skip else None
        changes = {
            "kind": "cross_layer_transcoder",
            "W_dec": weights(90 + i, w=(F, width))["w"],
            "b_dec": b_dec,
            "W_skip": w_skip,
            "reads": (f"resid_mid.{i}",),
            "writes": tuple(f"mlp_out.{j}" for j in range(i, n)),
        }
        parts.append(make(activation, layer=i, **changes))
    return DictionarySet("cross_layer_transcoder", tuple(parts))


def alike(a: Dictionary, b: Dictionary) -> None:
    x = inputs()
    assert (b.encode(x) > 0).any()
    torch.testing.assert_close(a.encode(x), b.encode(x), atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(a.forward(x), b.forward(x), atol=1e-5, rtol=1e-5)
    assert (a.reads, a.writes) == (b.reads, b.writes)


@pytest.mark.parametrize("format", ["brainscan", "saelens"])
@pytest.mark.parametrize("activation", ["relu", "topk", "jumprelu", "gated"])
@pytest.mark.parametrize("normalisation", ["none", "scale", "layer_norm", "unit_norm"])
@pytest.mark.parametrize("shifted", [True, False])
def test_round_trip(tmp_path: Path, format: str, activation: str, normalisation: str, shifted: bool) -> None:
    made = make(activation, normalisation=normalisation, apply_b_dec_to_input=shifted)
    write_dictionary(made, tmp_path / "d", format)
    found = read_dictionary(tmp_path / "d")
    assert isinstance(found, Dictionary)
    alike(found, made)


def test_the_own_format_loses_nothing(tmp_path: Path) -> None:
    made = make("jumprelu", widths=(10, F), about={"seed": 3, "texts": "ü"}, k=K)
    write_dictionary(made, tmp_path / "d")
    found = read_dictionary(tmp_path / "d")
    assert isinstance(found, Dictionary)
    assert all(torch.equal(tensor, found.tensors()[name]) for name, tensor in made.tensors().items())
    assert (found.widths, dict(found.about), found.k, found.kind) == (made.widths, dict(made.about), K, "jumprelu")


@pytest.mark.parametrize("format", ["brainscan", "circuit-tracer"])
def test_a_cross_layer_transcoder_round_trip(tmp_path: Path, format: str) -> None:
    made = clt()
    write_dictionary(made, tmp_path / "d", format)
    found = read_dictionary(tmp_path / "d")
    assert isinstance(found, DictionarySet) and found.kind == made.kind
    x = {f"resid_mid.{i}": inputs(i) for i in range(3)}
    mine, theirs = made.forward(x), found.forward(x)
    assert list(mine) == list(theirs)
    for site, out in mine.items():
        torch.testing.assert_close(theirs[site], out, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("activation", ["relu", "topk", "jumprelu"])
@pytest.mark.parametrize("shifted", [True, False])
def test_transcoders_of_every_layer_round_trip(tmp_path: Path, activation: str, shifted: bool) -> None:
    parts = tuple(
        coder(i, activation, W_skip=weights(i, s=(D, D))["s"], apply_b_dec_to_input=shifted, normalisation="scale")
        for i in range(3)
    )
    write_dictionary(DictionarySet("transcoder", parts), tmp_path / "plt", "circuit-tracer")
    found = read_dictionary(tmp_path / "plt")
    assert isinstance(found, DictionarySet)
    for mine, theirs in zip(parts, found.parts, strict=True):
        alike(theirs, mine)


def test_circuit_tracers_orientation(tmp_path: Path) -> None:
    made = DictionarySet("transcoder", (coder(0, "jumprelu", W_skip=weights(3, s=(D, D))["s"]),))
    write_dictionary(made, tmp_path / "plt", "circuit-tracer")
    t, x = load_file(tmp_path / "plt" / "layer_0.safetensors"), inputs()
    pre = torch.nn.functional.linear(x, t["W_enc"], t["b_enc"])
    codes = pre * (pre > t["activation_function.threshold"])
    out = codes @ t["W_dec"] + t["b_dec"] + x @ t["W_skip"].T
    torch.testing.assert_close(out, made.parts[0].forward(x), atol=1e-5, rtol=1e-5)
    config = yaml.safe_load((tmp_path / "plt" / "config.yaml").read_text())
    assert config["model_kind"] == "transcoder_set"
    assert (config["feature_input_hook"], config["feature_output_hook"]) == ("mlp.hook_in", "hook_mlp_out")


def test_saelens_writes_a_skip_the_other_way_round(tmp_path: Path) -> None:
    made = coder(2, "jumprelu", W_skip=weights(3, s=(D, D))["s"])
    write_dictionary(made, tmp_path / "t", "saelens")
    config = json.loads((tmp_path / "t" / "cfg.json").read_text())
    assert config["architecture"] == "jumprelu_skip_transcoder"
    assert torch.equal(load_file(tmp_path / "t" / "sae_weights.safetensors")["W_skip"], made.W_skip.T)
    found = read_dictionary(tmp_path / "t")
    assert isinstance(found, Dictionary)
    alike(found, made)


def test_a_saelens_folder_has_exactly_the_tensors_of_its_architecture(tmp_path: Path) -> None:
    wanted = {
        "relu": {"W_enc", "W_dec", "b_enc", "b_dec"},
        "topk": {"W_enc", "W_dec", "b_enc", "b_dec"},
        "jumprelu": {"W_enc", "W_dec", "b_enc", "b_dec", "threshold"},
        "gated": {"W_enc", "W_dec", "b_mag", "b_gate", "r_mag", "b_dec"},
    }
    for activation, names in wanted.items():
        write_dictionary(make(activation), tmp_path / activation, "saelens")
        assert set(load_file(tmp_path / activation / "sae_weights.safetensors")) == names


@pytest.mark.parametrize(
    ("format", "what", "says"),
    [
        ("saelens", clt(), "this is a set"),
        ("saelens", coder(0, "topk"), "no topk transcoder"),
        (
            "saelens",
            make(reads=("resid_post.0", "resid_post.1"), writes=("resid_post.0", "resid_post.1")),
            "several sites",
        ),
        ("circuit-tracer", make("gated"), "cannot say gated"),
        ("circuit-tracer", make("relu", normalisation="layer_norm"), "layer_norm"),
        ("circuit-tracer", DictionarySet("transcoder", (coder(1), coder(2))), "every layer from 0"),
        ("circuit-tracer", DictionarySet("transcoder", (coder(0), coder(1, "topk"))), "equal widths and activations"),
        ("circuit-tracer", clt(activation="topk"), "across layers"),
        ("sparsify", make(), "read here and not written"),
        ("gemma-scope", make(), "read here and not written"),
    ],
)
def test_what_a_layout_cannot_say_is_refused_and_nothing_is_written(
    tmp_path: Path, format: str, what: Any, says: str
) -> None:
    with pytest.raises(UsageError, match=says):
        write_dictionary(what, tmp_path / "d", format)
    assert not (tmp_path / "d").exists()


def test_a_bias_that_would_be_lost_is_refused(tmp_path: Path) -> None:
    first, *rest = clt().parts
    wrong = DictionarySet("cross_layer_transcoder", (replace(first, b_dec=torch.ones(3 * D)), *rest))
    with pytest.raises(UsageError, match="its own layer alone"):
        write_dictionary(wrong, tmp_path / "d", "circuit-tracer")
