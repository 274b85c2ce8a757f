"""What every kind of dictionary promises, as a check that the author of a new kind can run.

from brainscan.dictionary.conformance import check_dictionary_kind
assert check_dictionary_kind(MyKind) == ()
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np
import torch

from brainscan.dictionary.dense import DenseLearner
from brainscan.dictionary.dictionary import Dictionary, DictionarySet
from brainscan.dictionary.pool import Pool
from brainscan.dictionary.protocol import Kind, Learner, Shape, Task
from brainscan.dictionary.quality import explained_variance
from brainscan.dictionary.settings import Settings
from brainscan.dictionary.sparse import SparseLearner
from brainscan.dictionary.synthetic import FeatureWorld, World

KindFactory = Callable[[], Kind]

_D, _FEATURES, _K, _STEPS, _RATE = 16, 48, 3, 120, 1e-2


def check_dictionary_kind(factory: KindFactory) -> tuple[str, ...]:
    """Broken promises, one sentence each; empty when the kind keeps them all. Takes about two seconds.

    Args:
        factory: makes the kind; called several times.
    """
    kind = factory()
    broken: list[str] = []
    for engine in ("dense", "sparse") if kind.selection else ("dense",):
        learner = _learner(factory, engine)
        first = learner.step(*_batch(factory, 0), _RATE)
        for i in range(1, 3):
            learner.step(*_batch(factory, i), _RATE)
        last = first
        middle = learner.state()
        frozen = {name: np.array(v, copy=True) if isinstance(v, np.ndarray) else v for name, v in middle.items()}
        for i in range(3, _STEPS):
            last = learner.step(*_batch(factory, i), _RATE)
        if not last.squared_error < 0.8 * first.squared_error:
            broken.append(f"The {engine} engine does not lower its error by a fifth in {_STEPS} steps.")
        broken += _resumes(factory, engine, learner, frozen)
        broken += _made(factory, learner.dictionary())
    return tuple(dict.fromkeys(broken))


def _resumes(factory: KindFactory, engine: str, whole: Learner, frozen: Mapping[str, object]) -> Iterator[str]:
    other = _learner(factory, engine)
    other.restore(frozen)
    for i in range(3, _STEPS):
        other.step(*_batch(factory, i), _RATE)
    a, b = whole.state(), other.state()
    if any(not np.array_equal(a[name], b[name]) for name in a):
        yield f"The {engine} engine does not resume bit for bit from its state."


def _made(factory: KindFactory, made: Dictionary | DictionarySet) -> Iterator[str]:
    kind, (x, y) = factory(), _batch(factory, 1000)
    shape = _shape(factory)
    if isinstance(made, DictionarySet):
        sites = dict(zip(shape.reads, x.chunk(len(shape.reads), 1), strict=True))
        written = torch.cat([made.forward(sites)[site] for site in shape.writes], 1)
        codes = torch.cat(made.encode(sites), 1)
        names = {made.kind, *(part.kind for part in made.parts)}
    else:
        codes, written, names = made.encode(x), made.forward(x), {made.kind}
        if not torch.allclose(made.decode(made.encode_sparse(x), x), written, atol=1e-4):
            yield "Sparse codes decode to something else than dense ones."
    if names != {kind.name}:
        yield f"The dictionary is called {sorted(names)} instead of {kind.name!r}."
    if codes.min() < 0 or not torch.isfinite(written).all():
        yield "A code is negative or a value is not finite."
    if (l0 := float((codes > 0).sum(1).float().mean())) > codes.shape[1] / 2:
        yield f"Codes are not sparse: {l0:.1f} of {codes.shape[1]} features are active."
    if explained_variance(y, written) < 0.3:
        yield "The dictionary explains less than 0.3 of the variance of an easy phantom."


def _shape(factory: KindFactory) -> Shape:
    kind = factory()
    if kind.centre:
        return Shape(("resid_post.0",), ("resid_post.0",), _D, _D)
    if "cross" in kind.name:
        return Shape(("mlp_in.0", "mlp_in.1"), ("mlp_out.0", "mlp_out.1"), 2 * _D, 2 * _D)
    return Shape(("mlp_in.0",), ("mlp_out.0",), _D, _D)


def _learner(factory: KindFactory, engine: str) -> Learner:
    kind = factory()
    settings = Settings(kind=kind.name, n_features=_FEATURES, k=_K, seed=1, bandwidth=0.5)
    task = Task(kind, _shape(factory), settings, patience=1500)
    y = _batch(factory, 0)[1]
    return SparseLearner(task, y, Pool(1)) if engine == "sparse" else DenseLearner(task, y)


def _batch(factory: KindFactory, i: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Synthetic activations; what is written elsewhere is another mix of the same features."""
    shape = _shape(factory)
    world = FeatureWorld(World(n_features=24, d=_D, rate=0.08, seed=3))
    drawn = world.draw(128, i)
    if shape.reads == shape.writes:
        return drawn.x, drawn.x
    other = FeatureWorld(World(n_features=24, d=_D, seed=4)).directions
    sites = len(shape.reads)
    return torch.cat([drawn.x] * sites, 1), torch.cat([drawn.codes @ other] * sites, 1)
