"""Instrument: which channels answer to which label, picked on one half of the images and scored on the other."""

from __future__ import annotations

from brainscan.core.evidence import Baseline, Evidence, Measurement, Status
from brainscan.features.channels.selectivity import LEAST, SHUFFLES, Selectivity, find_selective, large_labels
from brainscan.scan.instrument import Report
from brainscan.scan.vision.instrument import VisionExamination
from brainscan.subject.vision.subject import VisionSubject


class Channels:
    """Selectivity of channels for the labels of the images."""

    name = "channels"
    title = "Channels that answer to the labels"
    version = 1

    def skip(self, subject: VisionSubject) -> str:
        """It can look at every vision model."""
        return ""

    def settings(self) -> dict[str, int | float | str | bool]:
        """Sizes."""
        return {"least_images": LEAST, "shuffles": SHUFFLES}

    def run(self, examination: VisionExamination) -> Report:
        """Look for the channels of every label with enough images."""
        found = find_selective(examination.table, seed=examination.seed, progress=examination.progress)
        left_out = sorted(set(large_labels(examination.table)) - {each.label for each in found})
        notes = tuple(
            f"{label} was left out: either half of the images needs some of another label." for label in left_out
        )
        if not found and not left_out:
            notes = (f"No label has at least {LEAST} images, so no channel was looked for.",)
        return Report(
            measurements=tuple(_measurement(each) for each in found),
            evidence=tuple(_evidence(each) for each in found),
            notes=notes,
        )


def _measurement(found: Selectivity) -> Measurement:
    best = found.candidates[0]
    return Measurement(
        name=f"channels.{found.label}.auroc",
        value=best.held_out,
        unit="auroc",
        n=found.positives[1] + found.negatives[1],
        higher_is="neither",
        interval=best.interval,
        baselines=(
            Baseline(
                what="shuffled labels, largest of the same search", value=max(found.control), n=len(found.control)
            ),
            Baseline(what="best of all channels, shuffled labels", value=max(found.search), n=len(found.search)),
        ),
        meaning=f"How well {best.channel} tells {found.label} from the other labels on held-out images: 0.5 is chance.",
        seed=found.seed,
    )


def _evidence(found: Selectivity) -> Evidence:
    best = found.candidates[0]
    return Evidence(
        kind="channel",
        summary=f"{best.channel} ({best.path}), {best.statistic} over places, answers to {found.label}: AUROC "
        f"{best.held_out:.3f} on held-out images, p = {found.p_value:.3f}",
        measurement=f"channels.{found.label}.auroc",
        strength=best.held_out,
        status=Status.MEASURED,
        site=best.channel.partition("/")[0],
    )


INSTRUMENT = Channels()
