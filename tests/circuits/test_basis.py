"""Dictionaries as nodes: errors close every sum, in all forms that can be frozen."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from brainscan.circuits.attribute import trace
from brainscan.circuits.basis import Features
from brainscan.circuits.build import build_graph
from brainscan.circuits.graph import Settings
from brainscan.circuits.play import play
from brainscan.core.errors import UsageError
from brainscan.dictionary.dictionary import Dictionary, DictionarySet
from brainscan.subject.phantom import D_MODEL, N_LAYERS, phantom
from tests.circuits.small import TEXT

WIDTH = 24


def transcoders(point: str = "mlp_in", **options: object) -> DictionarySet:
    """Random transcoders, one a layer."""
    generator = torch.Generator().manual_seed(3)

    def draw(*shape: int) -> torch.Tensor:
        return 0.3 * torch.randn(*shape, generator=generator)

    parts = [
        Dictionary(
            "transcoder", "relu", draw(D_MODEL, WIDTH), draw(WIDTH, D_MODEL), draw(WIDTH), draw(D_MODEL),
            W_skip=draw(D_MODEL, D_MODEL) if options.get("skip") else None,
            reads=(f"{point}.{layer}",), writes=(f"mlp_out.{layer}",),
        )
        for layer in range(N_LAYERS)
    ]  # fmt: skip
    changes = {key: value for key, value in options.items() if key != "skip"}
    return DictionarySet("transcoder", tuple(replace(part, **changes) for part in parts))  # type: ignore[arg-type]


def cross_layer() -> DictionarySet:
    """A random cross-layer transcoder."""
    generator = torch.Generator().manual_seed(4)
    parts = []
    for layer in range(N_LAYERS):
        width = (N_LAYERS - layer) * D_MODEL
        bias = torch.zeros(width)
        bias[:D_MODEL] = 0.1
        parts.append(
            Dictionary(
                "cross_layer_transcoder", "jumprelu",
                0.3 * torch.randn(D_MODEL, WIDTH, generator=generator), 0.3 * torch.randn(WIDTH, width, generator=generator),
                torch.zeros(WIDTH), bias, threshold=torch.full((WIDTH,), 0.2),
                reads=(f"resid_mid.{layer}",), writes=tuple(f"mlp_out.{i}" for i in range(layer, N_LAYERS)),
            )
        )  # fmt: skip
    return DictionarySet("cross_layer_transcoder", tuple(parts))


FORMS = {
    "plain": transcoders(),
    "resid_mid": transcoders("resid_mid"),
    "skip": transcoders(skip=True),
    "scaled": transcoders(normalisation="scale", scale_in=0.5, scale_out=2.0),
    "layer_norm": transcoders("resid_mid", normalisation="layer_norm"),
    "unit_norm": transcoders("resid_mid", normalisation="unit_norm"),
    "topk": transcoders(activation="topk", k=5),
    "cross-layer": cross_layer(),
}


@pytest.mark.parametrize("form", FORMS)
def test_features_errors_and_tokens_add_up(form: str) -> None:
    subject = phantom("llama")
    basis = Features(FORMS[form])
    found = trace(subject, subject.tokens(TEXT), basis, Settings(nodes=5000))
    k = len(found.picked)
    bias = torch.cat([part.b_enc for part in basis.parts])[found.candidates.layer * WIDTH + found.candidates.index]
    inputs = found.rows.sum(1)
    constant = _constants(found, basis)
    torch.testing.assert_close(inputs[:k] + constant[:k] + bias, found.candidates.activation, atol=1e-3, rtol=1e-3)


def _constants(found: object, basis: Features) -> torch.Tensor:
    """What decoder biases add to every node: the leaf's gradient times what is neither feature nor error."""
    from brainscan.circuits.attribute import Effects, Traced

    assert isinstance(found, Traced)
    whole = Effects(found.frozen, found.candidates, keep_first=True)
    leaves = torch.stack([leaf[0].detach() for site, leaf in found.frozen.leaves.items() if site.point == "mlp_out"])
    written = torch.zeros_like(leaves)
    for write in found.candidates.writes:
        written[write.layer].index_add_(0, found.candidates.position[write.who], write.vectors)
    whole._errors = leaves - found.candidates.errors - written
    rows = whole.of_candidates(found.picked)
    n = len(found.candidates)
    return rows[:, n : n + N_LAYERS * found.frozen.n].sum(1)


def test_circuit_tracers_rules_leave_the_rest_out() -> None:
    subject = phantom("llama")
    found = trace(subject, subject.tokens(TEXT), Features(transcoders()), Settings(nodes=10, lump_rest=False))
    k, n = len(found.picked), found.frozen.n
    errors = found.rows[:, k : k + N_LAYERS * n].reshape(-1, N_LAYERS, n)
    assert bool((errors[:, :, 0] == 0).all())
    assert build_graph(found, TEXT).nodes[0].kind == "feature"


def test_a_skip_path_stays_open_when_played() -> None:
    subject = phantom("llama")
    found = trace(subject, subject.tokens(TEXT), Features(transcoders(skip=True)), Settings(nodes=10))
    site = found.outcome.targets[0].site
    still = play(found.frozen, {0: torch.zeros(1, *found.frozen.outputs[0].shape)}, [site], "mlps")[site]
    torch.testing.assert_close(still, found.frozen.tensors[site].detach(), atol=1e-4, rtol=1e-4)


def test_what_is_no_transcoder_is_refused() -> None:
    part = transcoders().parts[0]
    with pytest.raises(UsageError, match="does not replace MLPs"):
        Features(replace(part, writes=("resid_post.0",)))
    with pytest.raises(UsageError, match="not linear"):
        Features(replace(transcoders(skip=True).parts[0], normalisation="layer_norm"))


def test_a_layer_where_nothing_is_active_is_all_error() -> None:
    parts = transcoders().parts
    silent = replace(parts[1], b_enc=torch.full((WIDTH,), -1e6))
    subject = phantom("llama")
    found = trace(
        subject,
        subject.tokens(TEXT),
        Features(DictionarySet("transcoder", (parts[0], silent, *parts[2:]))),
        Settings(nodes=50),
    )
    assert 1 not in found.candidates.layer.tolist()
    assert float(found.candidates.errors[1].norm()) > 0
