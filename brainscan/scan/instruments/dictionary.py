"""Dictionary features that differ between subject and reference, labelled, beside the plain mean difference.

Numbered acts: 1) both models read the same neutral texts and the dictionary's codes are averaged over
each text; 2) features whose codes changed stand out of a null that flips the sign of whole frames of
texts; 3) the most changed feature, chosen on half of the frames, sorts the models on the other half,
beside the mean difference of activations and random features. It takes a dictionary, so it is
lent to the registry by whoever has one (``brainscan scan --dictionary``); no plan runs it by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray

from brainscan.activations.capture import capture
from brainscan.core.errors import PlanError
from brainscan.core.evidence import Baseline, Evidence, Measurement, Status
from brainscan.core.statistics import auroc, auroc_interval
from brainscan.dictionary.dictionary import Dictionary, side_by_side
from brainscan.scan.instrument import Examination, Report, Workload
from brainscan.scan.pair import NEUTRAL_FRAMES, reference_of, same_shape
from brainscan.scan.texts.neutral import NEUTRAL_TEXTS
from brainscan.subject.language import LanguageSubject

CHANGED, BEST = "dictionary.features.changed", "dictionary.best_feature.auroc"
_TOKENS_A_TEXT = 16
_SHOWN = 8
_RANDOM = 20

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class _Read:
    """One model's reading of all texts."""

    codes: Floats  # [text, n_features] mean over tokens, the first left out
    activations: Floats  # [text, d_in] likewise
    strongest: NDArray[np.int64]  # [text, n_features] token of the largest code, counted without the first


@dataclass(frozen=True, eq=False)
class _Difference:
    """What changed, with its null."""

    z: Floats  # [n_features] mean difference over its standard error, clusters ignored; 0 where nothing changed
    threshold: float
    """95th percentile of the largest absolute z under random signs of whole frames."""


@dataclass(eq=False)
class DictionaryInstrument:
    """Looks at one site through one dictionary; a benign fine-tune changes features too."""

    dictionary: Dictionary
    sha256: str
    """Of the dictionary's weights, so that a plan names what it looked through."""
    labels: Mapping[int, str] = field(default_factory=dict)
    """Feature -> label, with its score in words."""
    name: str = "dictionary"
    title: str = "Dictionary features that differ between the models"
    needs_reference: bool = True
    version: int = 1

    def settings(self, plan: str) -> dict[str, int | float | str | bool] | None:
        """Sizes under a plan."""
        texts = {"quick": 84, "standard": 210, "full": 210}.get(plan)
        return None if texts is None else {"texts": texts, "draws": 400, "dictionary": self.sha256[:12]}

    def texts(self) -> tuple[str, ...]:
        """The neutral texts."""
        return NEUTRAL_TEXTS

    def workload(self, settings: dict[str, int | float | str | bool]) -> Workload:
        """Both models read the texts once."""
        return Workload(tokens_read=2 * int(settings["texts"]) * _TOKENS_A_TEXT)

    def run(self, examination: Examination) -> Report:
        """Look.

        Raises:
            PlanError: no reference, one of another shape, or a dictionary that does not fit them.
        """
        subject, reference = examination.subject, reference_of(examination)
        same_shape(subject, reference)
        texts = NEUTRAL_TEXTS[: int(examination.step.settings["texts"])]
        frames = np.arange(len(texts)) % NEUTRAL_FRAMES
        ours = self._read(subject, texts)  # act 1
        examination.progress(0.45, "subject read")
        theirs = self._read(reference, texts)
        examination.progress(0.9, "reference read")
        draws = int(examination.step.settings["draws"])
        change = _difference(ours.codes, theirs.codes, frames, draws, examination.rng("signs"))  # act 2
        return Report(
            measurements=(
                _changed(change, len(texts)),
                _best(ours, theirs, frames, examination),  # act 3
            ),
            evidence=tuple(self._evidence(change, ours, theirs, texts, subject)),
            notes=("Any fine-tune changes features; calibrated benign ones say how many is usual.",),
        )

    def _read(self, subject: LanguageSubject, texts: tuple[str, ...]) -> _Read:
        captured = capture(subject, texts, self.dictionary.reads)
        codes, means, strongest = [], [], []
        for i in range(len(texts)):
            x = side_by_side({str(s): a.rows[i].flatten(1) for s, a in captured.items()}, self.dictionary.reads)[1:]
            if x.shape[1] != self.dictionary.d_in:
                raise PlanError("The dictionary does not fit this model.", "Give one that was trained on it.")
            with torch.no_grad():
                held = self.dictionary.encode(x)  # [tokens, n_features]
            codes.append(held.mean(0).double().numpy())
            means.append(x.mean(0).double().numpy())
            strongest.append(held.argmax(0).numpy())
        return _Read(np.stack(codes), np.stack(means), np.stack(strongest))

    def _evidence(
        self, change: _Difference, ours: _Read, theirs: _Read, texts: tuple[str, ...], subject: LanguageSubject
    ) -> list[Evidence]:
        found = []
        for f in np.argsort(-np.abs(change.z), kind="stable")[:_SHOWN]:
            if abs(change.z[f]) <= change.threshold:
                break
            gap = ours.codes[:, f] - theirs.codes[:, f]
            text = int(np.abs(gap).argmax())
            pieces = subject.pieces(subject.tokens(texts[text]))
            weights = [0.0] * len(pieces)
            weights[1 + int((ours if gap[text] > 0 else theirs).strongest[text, f])] = 1.0
            label = f' ("{self.labels[int(f)]}")' if int(f) in self.labels else ""
            found.append(
                Evidence(
                    kind="feature",
                    summary=f"Feature {f}{label} of {', '.join(self.dictionary.reads)}: mean code "
                    f"{ours.codes[:, f].mean():.3g} in the subject, {theirs.codes[:, f].mean():.3g} in the reference "
                    f"(z {change.z[f]:+.1f}; random signs reach {change.threshold:.1f}).",
                    measurement=CHANGED,
                    strength=float(abs(change.z[f])),
                    status=Status.MEASURED,
                    site=self.dictionary.reads[0],
                    tokens=tuple(pieces),
                    weights=tuple(weights),
                )
            )
        return found


def _difference(
    ours: Floats, theirs: Floats, frames: NDArray[np.int64], draws: int, rng: np.random.Generator
) -> _Difference:
    """Paired z of each feature from codes [text, n_features]; the sign of a frame's texts is flipped together.

    A standard error below a thousandth of the changes, or a ten-thousandth of the codes, is raised to that:
    a change that never varies is not infinitely sure, and rounding is no change.
    """
    gaps = ours - theirs
    n = len(gaps)
    squares = np.square(gaps).mean(0)
    floor = 1e-3 * np.sqrt(squares) + 1e-4 * np.sqrt(np.square(theirs).mean(0))

    def z(means: Floats) -> Floats:
        spread = np.maximum(np.sqrt(np.maximum(squares - np.square(means), 0)), floor) / np.sqrt(max(n - 1, 1))
        return np.divide(means, spread, out=np.zeros_like(means), where=squares > 0)

    signs = rng.choice([-1.0, 1.0], size=(draws, frames.max() + 1))[:, frames]
    null = np.abs(z(signs @ gaps / n)).max(1)
    return _Difference(z(gaps.mean(0)), float(np.quantile(null, 0.95)))


def _changed(change: _Difference, texts: int) -> Measurement:
    hits = int((np.abs(change.z) > change.threshold).sum()) if change.z.any() else 0
    return Measurement(
        name=CHANGED,
        value=hits / len(change.z),
        unit="share",
        n=texts,
        baselines=(Baseline(what="random signs, one draw in twenty has any", value=0.0, n=texts),),
        meaning="Share of features whose mean code on neutral texts differs past what random signs of whole frames "
        "reach anywhere: 0 is none; any fine-tune changes some.",
    )


def _best(ours: _Read, theirs: _Read, frames: NDArray[np.int64], examination: Examination) -> Measurement:
    """Chosen on even frames, tested on odd ones."""
    learn, test = frames % 2 == 0, frames % 2 == 1
    gaps = (ours.codes - theirs.codes)[learn]
    spread = np.maximum(gaps.std(0), 1e-12 + 1e-3 * np.sqrt(np.square(gaps).mean(0)))
    best = int(np.abs(gaps.mean(0) / spread).argmax())
    direction = (ours.activations - theirs.activations)[learn].mean(0)
    sign = 1.0 if gaps[:, best].mean() >= 0 else -1.0

    mine, other = sign * ours.codes[test, best], sign * theirs.codes[test, best]
    alive = np.flatnonzero((ours.codes + theirs.codes).any(0))
    rng = examination.rng("features")
    drawn = rng.choice(alive, min(_RANDOM, len(alive)), replace=False) if len(alive) else np.zeros(0, int)
    chance = [auroc(ours.codes[test, f], theirs.codes[test, f]) for f in drawn]
    plain = auroc(ours.activations[test] @ direction, theirs.activations[test] @ direction)
    area, independent = auroc(mine, other), len(np.unique(frames[test]))  # texts of one frame are not
    return Measurement(
        name=BEST,
        value=area,
        unit="auroc",
        n=int(test.sum()),
        interval=auroc_interval(area, independent, independent),
        baselines=(
            Baseline(what="mean difference of activations, same halves", value=plain, n=int(test.sum())),
            Baseline(what=f"{len(drawn)} random features, mean", value=float(np.mean(chance)) if chance else 0.5),
        ),
        meaning=f"How well feature {best}, the most changed one on half of the texts, tells the subject's reading of "
        "the other half from the reference's: 0.5 not at all, 1 always. Read it beside the mean difference, which "
        "needs no dictionary.",
    )
