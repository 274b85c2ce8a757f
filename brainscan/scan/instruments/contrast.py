"""Contrast probes: how readable a concept is inside the subject, and whether the subject moved towards it.

Numbered acts: 1) read both arms and the topical controls of every concept; 2) judge mean-difference
probes on wordings that they never met, beside their nulls and baselines; 3) with a reference, project
both models' neutral requests on the reference's directions.

An AUROC says how readable a concept is. It is no diagnosis: a model that is never dishonest can
represent dishonesty well, and a small one that lies may represent it badly.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from brainscan.core.evidence import Evidence, Exchange, Measurement, Status
from brainscan.scan.contrast.beside import Beside, Neutral, look_beside, read_neutral
from brainscan.scan.contrast.judge import judge
from brainscan.scan.contrast.measure import measurements
from brainscan.scan.contrast.picture import Picture, picture
from brainscan.scan.contrast.reading import items_of, read_means
from brainscan.scan.instrument import Examination, Report, Workload
from brainscan.scan.texts.contrasts import CONCEPTS, Concept
from brainscan.scan.texts.neutral import NEUTRAL_REQUESTS

_TOKENS_AN_ITEM = 44
_ITEMS_A_CONTENT = 22
"""Two arms of eight wordings, and six topical controls."""
_TOKENS_A_REQUEST = 40

HONEST_NOTES = (
    "An AUROC says how readable a concept is, not that the model behaves that way; published probes for trained-in "
    "lying fell to chance although they read instructed lying well (arXiv 2606.12618).",
    "Models of a few hundred million parameters hold such concepts weakly; a low AUROC there is no sign of safety "
    "(arXiv 2604.13386).",
    "Where the whole prompt's words alone separate the arms as well as the probe does, the probe may be reading how "
    "the instruction is worded; the instruction's own tokens are masked, what the answer takes from them is not.",
)


@dataclass(frozen=True)
class _Looked:
    """One concept, looked at."""

    concept: Concept
    measurements: tuple[Measurement, ...]
    picture: Picture
    beside: Beside | None


class Contrast:
    """Probes for deception, power-seeking, sycophancy, malice and evaluation awareness."""

    name = "contrast"
    title = "Contrast probes: what is readable inside, with nulls and topical controls"
    needs_reference = False
    version = 1

    def settings(self, plan: str) -> dict[str, int | float | str | bool] | None:
        """Sizes under a plan."""
        sizes = {"quick": (2, 24, 199), "standard": (6, 48, 199), "full": (8, 72, 999)}
        contents, requests, draws = sizes.get(plan, sizes["standard"])
        return {"contents": contents, "requests": requests, "draws": draws}

    def texts(self) -> tuple[str, ...]:
        """The concepts' texts and the neutral requests."""
        return (*(text for concept in CONCEPTS for text in concept.texts()), *NEUTRAL_REQUESTS)

    def workload(self, settings: dict[str, int | float | str | bool]) -> Workload:
        """Every item once; the neutral requests, which only a comparison needs, count half a model."""
        items = len(CONCEPTS) * _ITEMS_A_CONTENT * int(settings["contents"])
        return Workload(tokens_read=items * _TOKENS_AN_ITEM + int(settings["requests"]) * _TOKENS_A_REQUEST // 2)

    def run(self, examination: Examination) -> Report:
        """Look.

        Raises:
            InputError: the subject cannot read texts of a hundred tokens.
        """
        neutral = _neutral(examination)
        looked = [_look(examination, at, neutral) for at in range(len(CONCEPTS))]
        unlike = examination.reference is not None and neutral is None
        return Report(
            measurements=tuple(m for one in looked for m in one.measurements),
            evidence=(*(e for one in looked for e in one.picture.evidence), *_moved(examination, looked)),
            figures=tuple(f for one in looked for f in one.picture.figures),
            arrays={name: array for one in looked for name, array in one.picture.arrays.items()},
            notes=(*HONEST_NOTES, *([_UNLIKE] if unlike else [])),
        )


_UNLIKE = "The reference has another depth or width, so no shift towards a concept could be measured."


def _neutral(examination: Examination) -> Neutral | None:
    if examination.reference is None:
        return None
    examination.progress(0.0, "neutral requests")
    return read_neutral(examination.subject, examination.reference, _asked(examination), examination.step.layers)


def _look(examination: Examination, at: int, neutral: Neutral | None) -> _Looked:
    """Acts 1 to 3 for one concept."""
    concept, subject, reference = CONCEPTS[at], examination.subject, examination.reference
    contents, draws = (int(examination.step.settings[key]) for key in ("contents", "draws"))
    items, models = items_of(concept, contents), 1 + (reference is not None)

    def tell(fraction: float, words: str, model: int = 0) -> None:
        examination.progress((at + (model + fraction) / models) / len(CONCEPTS), f"{concept.words}, {words}")

    votes = examination.step.layers
    layers = range(max(votes) + 1)  # blocks after the last voting layer are not run
    x = read_means(subject, items, layers, tell)
    judged = judge(items, x, layers, votes, draws, examination.rng(concept.name, "nulls"))
    beside = None
    if reference is not None:
        rng = examination.rng(concept.name, "directions")
        beside = look_beside(reference, items, neutral, draws, rng, lambda f, w: tell(f, w, 1))
    return _Looked(concept, measurements(concept, judged, beside), picture(subject, concept, judged), beside)


def _moved(examination: Examination, looked: Sequence[_Looked]) -> tuple[Evidence, ...]:
    """The request that moved most, for the two concepts towards which the subject moved further than at random."""
    shifts = [(one.concept, one.beside.shift) for one in looked if one.beside and one.beside.shift]
    shifts.sort(key=lambda pair: -pair[1].value)
    return tuple(
        Evidence(
            kind="shifted-request",
            summary=f"Before answering this neutral request the subject lies {shift.moved[at]:+.2f} of the reference's "
            f"spreads from it along the direction of {concept.words}; over {shift.moved.size} requests the mean is "
            f"{shift.value:+.2f}, and 95 % of random directions moved less than {shift.usual:.2f}.",
            measurement=f"contrast.{concept.name}.shift",
            strength=float(shift.moved[at]),
            status=Status.MEASURED,
            exchange=Exchange(prompt=_asked(examination)[at], answer=""),
        )
        for concept, shift in shifts[:2]
        if shift.value > shift.usual
        for at in [int(shift.moved.argmax())]
    )


def _asked(examination: Examination) -> tuple[str, ...]:
    return NEUTRAL_REQUESTS[: int(examination.step.settings["requests"])]


INSTRUMENT = Contrast()
