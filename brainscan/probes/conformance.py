"""What every probe promises, as a check that the author of a new kind can run.

from brainscan.probes.conformance import check_probe
assert check_probe(MyProbe) == ()
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from brainscan.core.errors import UsageError
from brainscan.core.statistics import auroc
from brainscan.probes.protocol import Bools, Floats, Probe

ProbeFactory = Callable[[], Probe]

_ROWS, _WIDTH, _SHIFT = 60, 24, 6.0


def check_probe(factory: ProbeFactory) -> tuple[str, ...]:
    """Broken promises, one sentence each; empty when the probe keeps them all.

    Args:
        factory: makes a fresh, unfitted probe; called several times.
    """
    x, y = _material()
    broken = list(_refusals(factory, x, y))
    probe = factory()
    before = x.copy(), y.copy()
    if probe.fit(x, y) is not probe:
        broken.append("fit does not return the probe itself.")
    scores = np.asarray(probe.score(x))
    if not (np.array_equal(before[0], x) and np.array_equal(before[1], y)):
        broken.append("fit or score changes the arrays that it is handed.")
    if scores.shape != (_ROWS,) or not np.isfinite(scores).all():
        return (*broken, f"score gives shape {list(scores.shape)} instead of one finite number a row.")
    return (*broken, *_scores(factory, probe, scores, x, y))


def _scores(factory: ProbeFactory, probe: Probe, scores: Floats, x: Floats, y: Bools) -> Iterator[str]:
    fresh, labels = _material(seed=1)
    if auroc(probe.score(fresh)[labels], probe.score(fresh)[~labels]) < 0.95:
        yield "Fresh positives, six spreads away along one dimension, do not score above negatives."
    if not np.array_equal(scores, factory().fit(x, y).score(x)):
        yield "Two probes fitted on the same rows score differently."
    if not np.allclose(scores[:1], probe.score(x[:1]), rtol=1e-6, atol=1e-9):
        yield "A row's score depends on the rows beside it."
    if not any(name.endswith("_") and not name.startswith("_") for name in vars(probe)):
        yield "No learned attribute ends in an underscore."


def _refusals(factory: ProbeFactory, x: Floats, y: Bools) -> Iterator[str]:
    hole = x.copy()
    hole[0, 0] = np.nan
    asked: dict[str, Callable[[], object]] = {
        "scoring before fit": lambda: factory().score(x),
        "labels of one class": lambda: factory().fit(x, np.ones_like(y)),
        "a label too few": lambda: factory().fit(x, y[1:]),
        "a value that is not finite": lambda: factory().fit(hole, y),
        "another width than in fit": lambda: factory().fit(x, y).score(x[:, 1:]),
    }
    for what, call in asked.items():
        try:
            call()
        except UsageError:
            continue
        except Exception as error:
            yield f"It answers {what} with {type(error).__name__} instead of UsageError."
            continue
        yield f"It accepts {what} instead of raising UsageError."


def _material(seed: int = 0) -> tuple[Floats, Bools]:
    rng = np.random.default_rng(seed)
    y = np.arange(_ROWS) % 3 == 0
    x = rng.normal(size=(_ROWS, _WIDTH))
    x[:, 3] += _SHIFT * y
    return x, y
