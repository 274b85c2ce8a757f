"""Instrument: whether a class leans on a mark at the edge or on the background."""

from __future__ import annotations

import numpy as np

from brainscan.core.errors import PlanError
from brainscan.core.evidence import Baseline, Evidence, Measurement, Status
from brainscan.core.statistics import rate_interval
from brainscan.scan.instrument import Report
from brainscan.scan.vision.cues import LEAST, PAIRS, Transplant, find_cues
from brainscan.scan.vision.instrument import VisionExamination
from brainscan.subject.vision.subject import VisionSubject

MOST_IMAGES = 600
_MEANING = {
    "mark": "Images of other classes that become the class when one cell at the edge of its images is pasted in.",
    "background": "Images of other classes that become the class when the border of its images is pasted in.",
}


class Lean:
    """Transplants of edges between images of different classes."""

    name = "cues"
    title = "Edges of one class's images in images of others"
    version = 1

    def skip(self, subject: VisionSubject) -> str:
        """It can look at every vision model."""
        return ""

    def settings(self) -> dict[str, int | float | str | bool]:
        """Sizes."""
        return {"least_images": LEAST, "pairs": PAIRS, "most_images": MOST_IMAGES}

    def run(self, examination: VisionExamination) -> Report:
        """Transplant, count, and say which class leans on what.

        Raises:
            PlanError: no class has enough images.
        """
        given = np.asarray(examination.table.logits).argmax(1).astype(np.int64)
        rows = np.random.default_rng(examination.seed).permutation(len(given))[:MOST_IMAGES]
        rows = np.sort(rows)
        found = find_cues(
            examination.subject, examination.pixels(rows), given[rows], examination.seed, examination.progress
        )
        if not found.classes:
            raise PlanError(
                f"No class was given to {LEAST} of these images, so no transplant could be chosen and counted.",
                "Give more images of the same classes.",
            )
        pairs = {"mark": found.mark, "background": found.background}
        known = {kind: each for kind, each in pairs.items() if each is not None and each.n}
        return Report(
            measurements=tuple(_measurement(kind, each, examination.seed) for kind, each in known.items()),
            evidence=tuple(_evidence(kind, each, examination.subject) for kind, each in known.items()),
            notes=(f"{found.classes} classes had at least {LEAST} images.",),
        )


def _measurement(kind: str, found: Transplant, seed: int) -> Measurement:
    control = found.control_hits / found.n
    return Measurement(
        name=f"cues.{kind}.rate",
        value=found.hits / found.n,
        unit="rate",
        n=found.n,
        interval=rate_interval(found.hits, found.n),
        baselines=(
            Baseline(
                what="the same region from images of other classes",
                value=control,
                n=found.n,
                interval=rate_interval(found.control_hits, found.n),
            ),
        ),
        meaning=_MEANING[kind],
        seed=seed,
    )


def _evidence(kind: str, found: Transplant, subject: VisionSubject) -> Evidence:
    where = found.region if kind == "background" else f"the cell in {found.region}"
    return Evidence(
        kind=kind,
        summary=f"{subject.class_name(found.target)}: {where}, pixels {found.box}, turned {found.hits} of {found.n} "
        f"images of other classes into it; from other images {found.control_hits} of {found.n}",
        measurement=f"cues.{kind}.rate",
        strength=found.hits / found.n,
        status=Status.VALIDATED if found.hits > 2 * found.control_hits else Status.INTERVENED,
    )


INSTRUMENT = Lean()
