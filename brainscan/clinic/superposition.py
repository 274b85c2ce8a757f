"""The verbs on superposition: toys and known features on one page, and neurons beside the features of a real dictionary."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from brainscan.core.files import write_atomic
from brainscan.report.superposition import Found, Geometry, Phases, SuperpositionShown, Sweep, superposition_html

if TYPE_CHECKING:
    from brainscan.dictionary.synthetic import World
    from brainscan.features.polysemanticity import Polysemanticity

Progress = Callable[[float, str], None]

DENSITIES = (1.0, 0.3, 0.1, 0.03, 0.01)
PHASE_DENSITIES = (1.0, 0.5, 0.2, 0.1, 0.05, 0.02)
IMPORTANCES = (0.1, 0.3, 1.0, 3.0, 10.0)
GEOMETRY = {"always there": 1.0, "there 20%": 0.2, "there 5%": 0.05}
STEPS, BATCH = 400, 512
"""Of the dictionaries."""
_ROWS = 32
"""Rows of a survey on which neurons' thresholds are set."""


def show_superposition(
    path: Path, *, seed: int = 0, quick: bool = False, progress: Progress | None = None
) -> SuperpositionShown:
    """Compute everything, write the page, and return what it shows. About half a minute on one core.

    Args:
        quick: a tenth of the steps, for a look at the page; its numbers are not to be quoted.

    Raises:
        StorageError: the page cannot be written.
    """
    say = progress or (lambda share, words: None)
    share = 10 if quick else 1
    say(0.0, "toy models: sweep of sparsity")
    sweep = _sweep(3000 // share, seed)
    say(0.3, "toy models: phase change")
    phases = _phases(2000 // share, seed)
    say(0.55, "toy models: geometry")
    geometry = _geometry(3000 // share, seed)
    say(0.7, "dictionaries on known features")
    found = _found(STEPS // share, seed)
    shown = SuperpositionShown(sweep=sweep, phases=phases, geometry=geometry, found=found, seed=seed)
    write_atomic(path, superposition_html(shown))
    say(1.0, "done")
    return shown


def compare_neurons(survey: Path, site: str, sample: int, seed: int, progress: Progress) -> Polysemanticity:
    """Neurons of a site beside the features of a survey, on the survey's texts, labelled and scored alike.

    Args:
        survey: folder that ``features survey`` wrote.
        site: whose dimensions are the neurons, as ``mlp_act.15``.
        sample: units drawn at random on either side.

    Raises:
        RecordError: there is no survey, or it does not say of which model. SiteUnavailable: the model lacks the site.
    """
    from brainscan.clinic.features import reopen
    from brainscan.features.index import read_index
    from brainscan.features.polysemanticity import compare, mean_rate, neurons
    from brainscan.features.survey import survey_again

    index = read_index(survey)
    subject = reopen(survey, progress)[0]
    singles = neurons(subject, site, index.tokens[:_ROWS].tolist(), mean_rate(index))
    again = survey_again(index, subject, singles, site, progress=lambda share, words: progress(0.6 * share, words))
    return compare(index, again, sample, seed, lambda share, words: progress(0.6 + 0.4 * share, words))


def _sweep(steps: int, seed: int) -> Sweep:
    from brainscan.dictionary.superposition import ABSENT, ALONE, ToySettings, sparsity_sweep

    settings = ToySettings(steps=steps, seed=seed)
    toys = sparsity_sweep(DENSITIES, settings)
    shared = (toys.interference >= ALONE) & (toys.norms >= ABSENT)
    return Sweep.model_validate(
        {
            "n_hidden": settings.n_hidden,
            "densities": DENSITIES,
            "norms": toys.norms.tolist(),
            "shared": shared.tolist(),
            "dimensions_per_feature": toys.dimensions_per_feature.tolist(),
        }
    )


def _phases(steps: int, seed: int) -> Phases:
    from brainscan.dictionary.superposition import ToySettings, phase_change

    diagram = phase_change(PHASE_DENSITIES, IMPORTANCES, ToySettings(steps=steps, seed=seed))
    return Phases(densities=diagram.densities, importances=diagram.importances, outcome=diagram.outcome)


def _geometry(steps: int, seed: int) -> Geometry:
    import torch

    from brainscan.dictionary.superposition import ToySettings, train_toys

    settings = ToySettings(n_features=5, n_hidden=2, steps=steps, seed=seed)
    toys = train_toys(torch.tensor(list(GEOMETRY.values())), torch.ones(len(GEOMETRY), 5), settings)
    return Geometry.model_validate({"titles": tuple(GEOMETRY), "vectors": toys.W.transpose(1, 2).tolist()})


def _found(steps: int, seed: int) -> tuple[Found, ...]:
    from brainscan.dictionary.synthetic import World

    worlds = {
        "easy: 48 features in 64 dimensions": World(n_features=48, d=64, rate=0.06, offset=1.0, seed=seed),
        "hard: 128 features in 32 dimensions, correlated, a quarter with parents": World(
            n_features=128, d=32, rate=0.04, groups=16, correlation=0.3, children=0.25, noise=0.02, seed=seed
        ),
    }
    return tuple(row for name, world in worlds.items() for row in _readers(name, world, steps, seed))


def _readers(name: str, world: World, steps: int, seed: int) -> list[Found]:
    """Neurons (single dimensions), then a trained dictionary of each of two kinds."""
    import torch

    from brainscan.dictionary.dictionary import Dictionary
    from brainscan.dictionary.recovery import cosines, recovery
    from brainscan.dictionary.settings import Settings
    from brainscan.dictionary.synthetic import FeatureWorld, PhantomStream
    from brainscan.dictionary.train import Request, RunPlan, train

    truth = FeatureWorld(world)
    neurons = float(cosines(truth.directions, torch.eye(world.d)).abs().max(1).values.mean())
    rows = [Found(world=name, reader="single dimensions (neurons)", max_cosine=neurons, f1=None)]
    requests = tuple(
        Request(
            name=kind,
            settings=Settings(kind=kind, n_features=world.n_features, k=4, lr=5e-3, dead_after=5000, seed=seed),
            reads=("resid_post.0",),
        )
        for kind in ("topk", "batchtopk")
    )
    with tempfile.TemporaryDirectory() as folder:
        plan = RunPlan(requests=requests, steps=steps)
        out = train(lambda _: PhantomStream(truth, BATCH, steps), plan, Path(folder))
    drawn = truth.draw(4000, 10**9)
    for kind, made in out.dictionaries.items():
        assert isinstance(made, Dictionary)
        score = recovery(made, truth.directions, drawn)
        rows.append(Found(world=name, reader=f"{kind} dictionary", max_cosine=score.max_cosine, f1=score.f1))
    return rows
