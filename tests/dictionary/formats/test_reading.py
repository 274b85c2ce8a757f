"""What brainscan reads runs as the peer's own formulas say: codes and outputs equal to 1e-5."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from brainscan.dictionary.dictionary import Dictionary, DictionarySet
from brainscan.dictionary.formats.format import read_dictionary, sniff
from tests.dictionary.formats import peers
from tests.dictionary.formats.peers import D, F, K, N, Run, inputs, weights


def same(found: Dictionary, run: Run) -> None:
    x = inputs()
    codes, out = run(x)
    assert 0 < (codes > 0).float().mean() < 0.95, "the example must be neither silent nor dense"
    torch.testing.assert_close(found.encode(x), codes, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(found.forward(x), out, atol=1e-5, rtol=1e-5)


def single(path: Path) -> Dictionary:
    found = read_dictionary(path)
    assert isinstance(found, Dictionary)
    return found


@pytest.mark.parametrize("architecture", ["standard", "topk", "jumprelu", "gated"])
@pytest.mark.parametrize("normalise", ["none", "constant_norm_rescale", "layer_norm", "expected_average_only_in"])
def test_saelens_autoencoders(tmp_path: Path, architecture: str, normalise: str) -> None:
    extra = {"k": K} if architecture == "topk" else {}
    run = peers.saelens(tmp_path / "sae", architecture, normalise, **extra)
    assert sniff(tmp_path / "sae").name == "saelens"
    found = single(tmp_path / "sae")
    assert found.reads == found.writes == ("resid_post.3",)
    if normalise == "layer_norm":  # SAELens divides by spread + 1e-5 and multiplies by spread
        x = inputs()
        torch.testing.assert_close(found.encode(x), run(x)[0], atol=1e-5, rtol=1e-5)
        torch.testing.assert_close(found.forward(x), run(x)[1], atol=1e-4, rtol=1e-4)
    else:
        same(found, run)


def test_saelens_topk_that_selects_by_decoder_norm(tmp_path: Path) -> None:
    run = peers.saelens(tmp_path / "sae", "topk", k=K, rescale_acts_by_decoder_norm=True)
    same(single(tmp_path / "sae"), run)


@pytest.mark.parametrize(
    "architecture", ["transcoder", "skip_transcoder", "jumprelu_transcoder", "jumprelu_skip_transcoder"]
)
def test_saelens_transcoders(tmp_path: Path, architecture: str) -> None:
    run = peers.saelens(tmp_path / "sae", architecture)
    found = single(tmp_path / "sae")
    assert (found.reads, found.writes) == (("resid_post.3",), ("mlp_out.3",))
    same(found, run)


def test_saelens_factor_of_a_checkpoint_is_applied(tmp_path: Path) -> None:
    run = peers.saelens(tmp_path / "sae", "standard", "expected_average_only_in")
    (tmp_path / "sae" / "activation_scaler.json").write_text(json.dumps({"scaling_factor": 0.25}))
    found, x = single(tmp_path / "sae"), inputs()
    codes, out = run(0.25 * x)
    torch.testing.assert_close(found.encode(x), codes, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(found.forward(x), out / 0.25, atol=1e-5, rtol=1e-5)


def test_saelens_before_version_6(tmp_path: Path) -> None:
    run = peers.saelens(tmp_path / "sae", "topk", k=K)
    config = {
        "architecture": "standard",
        "activation_fn_str": "topk",
        "activation_fn_kwargs": {"k": K},
        "hook_point": "blocks.7.hook_resid_pre",
        "apply_b_dec_to_input": True,
        "d_in": D,
        "d_sae": F,
    }
    (tmp_path / "sae" / "cfg.json").write_text(json.dumps(config))
    found = single(tmp_path / "sae")
    assert found.reads == ("resid_pre.7",)
    same(found, run)


CLASSES = ("AutoEncoder", "AutoEncoderNew", "GatedAutoEncoder", "JumpReluAutoEncoder", "AutoEncoderTopK")
BATCH = ("BatchTopKSAE", "MatryoshkaBatchTopKSAE")


@pytest.mark.parametrize("named", [*CLASSES, *BATCH])
def test_dictionary_learning(tmp_path: Path, named: str) -> None:
    run = peers.learned(tmp_path / "trainer_0", named)
    found = single(tmp_path / "trainer_0")
    assert found.reads == ("resid_post.8",)
    same(found, run)


@pytest.mark.parametrize("named", ["AutoEncoder", "AutoEncoderNew", "GatedAutoEncoder", "JumpReluAutoEncoder"])
def test_dictionary_learning_without_its_config_is_known_by_its_tensors(tmp_path: Path, named: str) -> None:
    run = peers.learned(tmp_path / "trainer_0", named, config=False)
    same(single(tmp_path / "trainer_0"), run)


def test_matryoshka_groups_become_nested_widths(tmp_path: Path) -> None:
    peers.learned(tmp_path / "t", "MatryoshkaBatchTopKSAE")
    assert single(tmp_path / "t").widths == (10, 40)


@pytest.mark.parametrize(("transcode", "skip"), [(False, False), (True, False), (True, True)])
def test_sparsify(tmp_path: Path, transcode: bool, skip: bool) -> None:
    name = "layers.10.mlp" if transcode else "layers.10"
    run = peers.sparsify(tmp_path / name, transcode=transcode, skip=skip)
    found = single(tmp_path / name)
    assert found.writes == (("mlp_out.10",) if transcode else ("resid_post.10",))
    same(found, run)


@pytest.mark.parametrize("upper", [True, False])
@pytest.mark.parametrize("kind", ["npz", "safetensors"])
def test_gemma_scope(tmp_path: Path, kind: str, upper: bool) -> None:
    w = weights(11, W_enc=(D, F), W_dec=(F, D), b_enc=(F,), b_dec=(D,))
    w["threshold"] = weights(12, t=(F,))["t"].abs()
    folder = tmp_path / "gemma-scope-2b-pt-res" / "layer_12" / "width_16k" / "average_l0_82"
    folder.mkdir(parents=True)
    named = {name if upper else name.lower(): tensor for name, tensor in w.items()}
    if kind == "npz":
        np.savez(folder / "params.npz", **{name: tensor.numpy() for name, tensor in named.items()})
    else:
        from safetensors.torch import save_file

        save_file(named, folder / "params.safetensors")

    def run(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        pre = x @ w["W_enc"] + w["b_enc"]
        codes = (pre > w["threshold"]) * pre.relu()
        return codes, codes @ w["W_dec"] + w["b_dec"]

    found = single(folder)
    assert found.reads == found.writes == ("resid_post.12",)
    same(found, run)


@pytest.mark.parametrize("activation", ["relu", "topk", "jumprelu"])
@pytest.mark.parametrize("skip", [False, True])
def test_circuit_tracer_plt(tmp_path: Path, activation: str, skip: bool) -> None:
    runs = [peers.plt_layer(tmp_path / "plt", i, activation=activation, skip=skip) for i in range(3)]
    named = f"activation: topk\nk: {K}\n" if activation == "topk" else ""
    (tmp_path / "plt" / "config.yaml").write_text(
        f"feature_input_hook: mlp.hook_in\nfeature_output_hook: hook_mlp_out\n{named}"
    )
    found = read_dictionary(tmp_path / "plt")
    assert isinstance(found, DictionarySet)
    assert [(p.reads, p.writes) for p in found.parts] == [((f"mlp_in.{i}",), (f"mlp_out.{i}",)) for i in range(3)]
    for part, run in zip(found.parts, runs, strict=True):
        same(part, run)


@pytest.mark.parametrize("threshold", [False, True])
@pytest.mark.parametrize("skip", [False, True])
def test_circuit_tracer_clt(tmp_path: Path, threshold: bool, skip: bool) -> None:
    run = peers.clt(tmp_path / "clt", 3, threshold=threshold, skip=skip)
    found = read_dictionary(tmp_path / "clt")
    assert isinstance(found, DictionarySet) and found.kind == "cross_layer_transcoder"
    x = torch.stack([inputs(i) for i in range(3)])  # [layer, n, d]
    codes, out = run(x)
    named = {f"resid_mid.{i}": x[i] for i in range(3)}
    for i, mine in enumerate(found.encode(named)):
        torch.testing.assert_close(mine, codes[i], atol=1e-5, rtol=1e-5)
    written = found.forward(named)
    assert list(written) == ["mlp_out.0", "mlp_out.1", "mlp_out.2"]
    for i in range(3):
        assert written[f"mlp_out.{i}"].shape == (N, D)
        torch.testing.assert_close(written[f"mlp_out.{i}"], out[i], atol=2e-5, rtol=1e-5)
