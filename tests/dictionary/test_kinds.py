"""Built-in kinds keep the promises, the check catches kinds that do not, and each kind does what it is for."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from brainscan.core.errors import UsageError
from brainscan.dictionary.conformance import check_dictionary_kind
from brainscan.dictionary.dense import DenseLearner
from brainscan.dictionary.dictionary import Dictionary, DictionarySet
from brainscan.dictionary.kinds import KINDS
from brainscan.dictionary.kinds.cross_layer_transcoder import CrossLayerTranscoder
from brainscan.dictionary.kinds.crosscoder import site_norms
from brainscan.dictionary.kinds.jumprelu import step
from brainscan.dictionary.kinds.relu import Relu
from brainscan.dictionary.kinds.topk import TopK
from brainscan.dictionary.protocol import Kind, Shape
from brainscan.dictionary.selecting import SelectingKind
from brainscan.dictionary.settings import Settings
from tests.dictionary.tasks import batch, task
from tests.house.pretend import Pretended


@pytest.mark.parametrize("name", KINDS.names())
def test_a_built_in_kind_conforms(name: str) -> None:
    kind = KINDS.get(name)
    assert isinstance(kind(), Kind)
    assert check_dictionary_kind(kind) == ()


class Mislabelled(TopK):
    name = "topk"

    def finish(self, p, settings, running):  # type: ignore[no-untyped-def]
        return super().finish(p, settings.model_copy(update={"kind": "other"}), running)


class Dense(Relu):
    def loss(self, p, x, y, settings, running):  # type: ignore[no-untyped-def]
        return super().loss(p, x, y, settings, replace(running, pressure=-1.0))


class Stuck(Relu):
    def loss(self, p, x, y, settings, running):  # type: ignore[no-untyped-def]
        found = super().loss(p, x, y, settings, running)
        found.total.mul_(0)
        return found


@pytest.mark.parametrize(("kind", "word"), [(Mislabelled, "called"), (Dense, "not sparse"), (Stuck, "lower its error")])
def test_a_broken_kind_is_named(kind: type, word: str) -> None:
    assert any(word in sentence for sentence in check_dictionary_kind(kind))


@pytest.mark.parametrize("shift", [0.0, -3.0], ids=["many", "few"])
@pytest.mark.parametrize("kind", ["jumprelu", "relu", "gated"])
def test_the_l0_moves_both_ways(kind: str, shift: float) -> None:
    """From far above k and from far below, L0 comes near k: thresholds that freeze fail here (SAELens #494, #728)."""
    k = 8
    job = task(kind, n_features=64, k=k, bandwidth=0.5, revival="none")
    learner = DenseLearner(job, batch(job, 0)[1])
    name, sign = {"jumprelu": ("threshold", -1), "relu": ("b_enc", 1), "gated": ("b_gate", 1)}[kind]
    with torch.no_grad():
        learner.p[name] += sign * shift
    start, first = learner.p[name].detach().clone(), learner.step(*batch(job, 0), 1e-2).l0
    seen = [learner.step(*batch(job, i % 20), 1e-2).l0 for i in range(500)]
    assert first > 2 * k if shift == 0 else first < k / 2
    assert k / 2 < sum(seen[-20:]) / 20 < 2 * k
    moved = sign * float((learner.p[name].detach() - start).mean())
    assert moved < -0.1 if shift == 0 else moved > 0.1


def test_the_threshold_feels_the_window_alone() -> None:
    threshold = torch.tensor([1.0, 1.0, 1.0], requires_grad=True)
    step(torch.tensor([[0.9, 1.1, 1.4]]), threshold, 0.5).sum().backward()
    assert threshold.grad is not None
    assert threshold.grad.tolist() == [-2.0, -2.0, 0.0]


def test_matryoshka_prefixes_reconstruct_by_themselves() -> None:
    errors = {}
    for kind in ("matryoshka", "batchtopk"):
        job = task(kind)
        learner = DenseLearner(job, batch(job, 0)[1])
        for i in range(150):
            learner.step(*batch(job, i % 20), 1e-2)
        made, (x, y) = learner.dictionary(), batch(job, 99)
        assert isinstance(made, Dictionary)
        codes = made.encode(x)
        codes[:, 12:] = 0
        errors[kind] = float((made.decode(codes) - y).square().sum())
    assert errors["matryoshka"] < 0.8 * errors["batchtopk"]


def test_a_crosscoder_tells_shared_features_from_those_of_one_subject() -> None:
    W_dec = torch.tensor([[1.0, 0, 1, 0], [0, 1, 0, 0], [0, 0, 0, 2]])
    made = Dictionary("crosscoder", "relu", torch.zeros(4, 3), W_dec, torch.zeros(3), torch.zeros(4), writes=("a", "b"))
    assert site_norms(made).tolist() == [[1, 1], [1, 0], [0, 2]]


def test_a_cross_layer_transcoder_writes_forward_only() -> None:
    shape = Shape(("mlp_in.0", "mlp_in.1", "mlp_in.2"), ("mlp_out.0", "mlp_out.1", "mlp_out.2"), 12, 12)
    settings = Settings(kind="cross_layer_transcoder", n_features=30, k=2)
    p = CrossLayerTranscoder().begin(shape, settings, torch.randn(5, 12), torch.Generator().manual_seed(0))
    assert p["W_dec"][10:20, :4].abs().sum() == 0 != p["W_dec"][10:20, 4:].abs().sum()
    assert p["W_enc"][4:8, :10].abs().sum() == 0 != p["W_enc"][4:8, 10:20].abs().sum()
    with pytest.raises(UsageError, match="31 features"):
        CrossLayerTranscoder().begin(
            shape, settings.model_copy(update={"n_features": 31}), torch.randn(5, 12), torch.Generator()
        )


def test_selecting_kinds_are_told_apart_by_facts() -> None:
    facts = {n: (k.selection, k.centre, k.skip) for n in KINDS.names() if issubclass(k := KINDS.get(n), SelectingKind)}
    assert facts["topk"] == ("token", True, False)
    assert facts["skip_transcoder"] == ("batch", False, True)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_dictionary_that_was_trained_on_an_accelerator_lies_on_it_whole(kind: str) -> None:
    with Pretended():
        learner = DenseLearner(task(kind), batch(task(kind), 0)[1], "cuda")
        learner.step(*batch(task(kind), 0), 1e-3)
        made = learner.dictionary()
    parts = made.parts if isinstance(made, DictionarySet) else (made,)
    with Pretended():
        assert {str(tensor.device) for part in parts for tensor in part.tensors().values()} == {"cuda"}


@pytest.mark.parametrize("kind", ["relu", "jumprelu", "gated", "topk"])
def test_dead_features_learn_the_residual_when_the_settings_say_so(kind: str) -> None:
    job = task(kind)
    learner = DenseLearner(job, batch(job, 0)[1])
    x = batch(job, 0)[0]
    dead = torch.zeros(job.settings.n_features, dtype=torch.bool)
    dead[:8] = True
    running = replace(learner.running(), dead=dead)
    losses = [
        float(
            job.kind.loss(learner.p, x, x, job.settings.model_copy(update={"revival": revival}), running).total.detach()
        )
        for revival in ("aux", "none")
    ]
    assert losses[0] > losses[1]


def test_a_gate_that_shut_opens_again_when_its_feature_restarts() -> None:
    job = task("gated", patience=600, revival="resample")
    learner = DenseLearner(job, batch(job, 0)[1])
    with torch.no_grad():
        learner.p["b_gate"][:8] = -100.0
        learner.p["r_mag"][:8] = -3.0
    for i in range(3):  # 900 tokens: the first eight are dead at the first multiple of the patience after 600
        learner.step(*batch(job, i), 0.0)
    for i in range(3, 5):
        learner.step(*batch(job, i), 0.0)
    assert float(learner.p["b_gate"][:8].min().detach()) == 0 and float(learner.p["r_mag"][:8].min().detach()) == 0
