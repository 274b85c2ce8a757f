"""The page of ``brainscan superposition demo``: toy models drawn, and a dictionary scored on known features."""

from __future__ import annotations

from brainscan.core.evidence import Finite, Record
from brainscan.core.provenance import brainscan_version
from brainscan.report.figures.toys import draw_dimensions, draw_geometry, draw_phase, draw_stored
from brainscan.report.page import assemble


class Sweep(Record):
    """One toy model a density."""

    n_hidden: int
    densities: tuple[Finite, ...]
    norms: tuple[tuple[Finite, ...], ...]
    """[density][feature] squared norm, 0 for a feature that is not stored."""
    shared: tuple[tuple[bool, ...], ...]
    """[density][feature] whether it shares its direction with others."""
    dimensions_per_feature: tuple[Finite, ...]


class Phases(Record):
    """What becomes of the second of two features in one dimension."""

    densities: tuple[Finite, ...]
    importances: tuple[Finite, ...]
    outcome: tuple[tuple[str, ...], ...]
    """[importance][density] absent, alone or shared."""


class Geometry(Record):
    """Features in two dimensions."""

    titles: tuple[str, ...]
    vectors: tuple[tuple[tuple[Finite, Finite], ...], ...]


class Found(Record):
    """How well one way of reading found the true features of one synthetic world."""

    world: str
    reader: str
    max_cosine: Finite
    f1: Finite | None
    """None for a reader that is scored by direction alone."""


class SuperpositionShown(Record):
    """Everything that the page draws."""

    sweep: Sweep
    phases: Phases
    geometry: Geometry
    found: tuple[Found, ...]
    seed: int


def superposition_html(shown: SuperpositionShown) -> str:
    """The whole page."""
    sweep, phases = shown.sweep, shown.phases
    return assemble(
        "superposition.html.j2",
        shown=shown,
        stored=draw_stored(sweep.densities, sweep.norms, sweep.shared),
        dimensions=draw_dimensions(sweep.densities, sweep.dimensions_per_feature),
        phase=draw_phase(phases.densities, phases.importances, phases.outcome),
        geometry=draw_geometry(shown.geometry.titles, shown.geometry.vectors),
        version=brainscan_version(),
    )
