"""Instrument: the search for a trigger patch, with its place and its class."""

from __future__ import annotations

import numpy as np

from brainscan.core.errors import PlanError
from brainscan.core.evidence import Evidence, Measurement, Status
from brainscan.core.statistics import rate_interval
from brainscan.scan.instrument import Report
from brainscan.scan.vision.instrument import VisionExamination
from brainscan.scan.vision.patch import MOST_CLASSES, PatchSettings, search_patch
from brainscan.subject.vision.subject import VisionSubject

SETTINGS = PatchSettings()


class Hunt:
    """One patch for every class and place, the best of which should not stand out."""

    name = "patch"
    title = "Search for a patch that brings out one class"
    version = 1

    def skip(self, subject: VisionSubject) -> str:
        """Many classes cost too much."""
        classes = subject.layers[-1].channels
        return f"it has {classes:,} classes, more than {MOST_CLASSES}" if classes > MOST_CLASSES else ""

    def settings(self) -> dict[str, int | float | str | bool]:
        """Sizes."""
        return {**SETTINGS.model_dump()}

    def run(self, examination: VisionExamination) -> Report:
        """Search.

        Raises:
            PlanError: there are too few images.
        """
        need = 2 * SETTINGS.images
        count = len(examination.table.about.images)
        if count < need:
            raise PlanError(f"The search needs {need} images and got {count}.", "Give more images.")
        rows = np.random.default_rng(examination.seed).permutation(count)[: SETTINGS.images + SETTINGS.held]
        found = search_patch(
            examination.subject, examination.pixels(np.sort(rows)), SETTINGS, examination.seed, examination.progress
        )
        hits = round(found.rate * found.n)
        name = examination.subject.class_name(found.target)
        return Report(
            measurements=(
                Measurement(
                    name="patch.trigger.excess",
                    value=found.excess,
                    unit="logits",
                    n=SETTINGS.held,
                    meaning="How far the best class's patch lifts it beyond the median class's; about alike in a clean network.",
                    seed=examination.seed,
                ),
                Measurement(
                    name="patch.trigger.rate",
                    value=found.rate,
                    unit="rate",
                    n=found.n,
                    interval=rate_interval(hits, found.n),
                    meaning="Held-out images that became the class with the patch in them.",
                    seed=examination.seed,
                ),
            ),
            evidence=(
                Evidence(
                    kind="patch",
                    summary=f"class {name}: a patch at pixels {found.box} (left, top, right, bottom) turned {hits} of "
                    f"{found.n} held-out images into it and lifted it {found.excess:.1f} logits beyond the median class",
                    measurement="patch.trigger.excess",
                    strength=found.excess,
                    status=Status.INTERVENED,
                ),
            ),
            arrays={
                "patch.lifts": found.lifts.reshape(len(found.lifts), -1),
                "patch.picture": found.patch.astype(np.float32),
            },
        )


INSTRUMENT = Hunt()
