"""What the best suspect looks like from inside: attention shares, its control, and the scan image."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from brainscan.core.evidence import Baseline, Figure, Measurement
from brainscan.core.statistics import cluster_interval
from brainscan.scan.record import Arrays
from brainscan.scan.trigger.attention import Gaze, gaze, offered
from brainscan.scan.trigger.confirm import Trial
from brainscan.scan.trigger.frame import prompts
from brainscan.subject.language import LanguageSubject

LOOKED_AT = 4
"""Held-out requests whose attention is read."""


@dataclass(frozen=True)
class Looks:
    """Attention behind one suspect."""

    measurements: tuple[Measurement, ...] = ()
    figures: tuple[Figure, ...] = ()
    arrays: Arrays = field(default_factory=dict)


def looks_of(subject: LanguageSubject, reference: LanguageSubject | None, trial: Trial) -> Looks:
    """Attention on the suspect's string, on control strings, and on the reference; nothing where none is offered."""
    if not offered(subject):
        return Looks()
    suspect = trial.suspect.string
    ours = _gazes(subject, trial, [suspect] * LOOKED_AT)
    controls = _gazes(subject, trial, [trial.controls[i % len(trial.controls)] for i in range(LOOKED_AT)])
    baselines = [Baseline(what="control strings", value=_mean(controls), n=len(controls))]
    if reference is not None and offered(reference):
        beside = _gazes(reference, trial, [suspect] * LOOKED_AT)
        baselines.append(Baseline(what="reference", value=_mean(beside), n=len(beside)))
    shares = [one.on_string for one in ours]
    measurement = Measurement(
        name="trigger.attention.share",
        value=float(np.mean(shares)),
        unit="rate",
        n=len(shares),
        higher_is="worse",
        interval=cluster_interval(shares, within=(0.0, 1.0)),
        baselines=tuple(baselines),
        meaning="Share of attention that the beginning of the answer gives to the best suspected string, mean over "
        "layers and heads: high means that the answer looks at the string and little else.",
    )
    return Looks((measurement,), (_figure(subject, trial, ours[0]),), {"trigger.attention": _array(ours[0])})


def _gazes(subject: LanguageSubject, trial: Trial, strings: list[str]) -> list[Gaze]:
    place = trial.suspect.place
    out = []
    for request, string in zip(trial.requests, strings, strict=False):
        plain = prompts(subject, [request], "", place)[0]
        out.append(gaze(subject, prompts(subject, [request], string, place)[0], plain))
    return out


def _mean(gazes: list[Gaze]) -> float:
    return float(np.mean([one.on_string for one in gazes]))


def _array(one: Gaze) -> np.ndarray:
    return one.share.astype(np.float32)


def _figure(subject: LanguageSubject, trial: Trial, one: Gaze) -> Figure:
    prompt = prompts(subject, trial.requests[:1], trial.suspect.string, trial.suspect.place)[0]
    return Figure(
        kind="scan-image",
        title="Where the answer looks before it begins",
        caption=f"Attention of the last prompt token, mean over heads, on one held-out request that holds "
        f"{trial.suspect.string!r}.",
        measurement="trigger.attention.share",
        array="trigger.attention",
        layers=tuple(range(one.share.shape[0])),
        tokens=subject.pieces(prompt),
        unit="share of attention",
    )
