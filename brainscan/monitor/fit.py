"""Fit a monitor on clean traffic: learn what rules need, then freeze thresholds that keep a promise.

Numbered acts: 1) split the clean prompts; 2) learn: probes from examples, features from a dictionary, distances
from one part of the clean traffic; 3) shape: a second part says what each rule's scores are like, so that all
rules speak one unit; 4) calibrate: the third part, untouched so far, sets one threshold for the highest score
over all rules, and so the promise holds for all of them together.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from brainscan.activations.capture import capture
from brainscan.core.address import Site
from brainscan.core.errors import InputError, UsageError
from brainscan.core.provenance import sha256_of_json, versions
from brainscan.dictionary.dictionary import Dictionary
from brainscan.monitor import conformal
from brainscan.monitor.kinds import distance, feature, probe
from brainscan.monitor.panel import Panel, Track, check_cascade
from brainscan.monitor.reader import KINDS
from brainscan.monitor.record import Arrays, Calibrated, Drawn, Monitor, Promise, Rule, sealed
from brainscan.monitor.run import batches
from brainscan.subject.generate import Decoding
from brainscan.subject.language import LanguageSubject

Prompts = Sequence[Sequence[int]]
Progress = Callable[[float, str], None]

NEVER = 1e30
"""A threshold that nothing passes, while there is none yet."""
FLOOR = -1e9
"""Stands for an answer in which no rule had anything to score."""
_TINY = 1e-6
_WITH_SITES = ("probe", "distance", "feature")
"""Kinds that read activations."""
_LEARN, _SHAPE = 0.3, 0.15
"""Shares of the clean prompts for acts 2 and 3; the rest calibrates."""


@dataclass(frozen=True)
class Lesson:
    """A rule and what it is learned from."""

    rule: Rule
    positives: Prompts = ()
    """Of a probe: prompts with the concept."""
    negatives: Prompts = ()
    """Of a probe: prompts without, as like the others as can be."""
    dictionary: Dictionary | None = None
    feature: int = 0


@dataclass(frozen=True)
class FitSettings:
    """What is promised, and under which decoding."""

    rate: float = 0.01
    """False alarms: at most this share of clean answers."""
    confidence: float | None = 0.95
    """See ``Promise.confidence``."""
    decoding: Decoding = field(default_factory=lambda: Decoding(max_new=32))
    """Of the calibration answers; ``max_new`` is the length that the promise covers, and it covers no other decoding."""
    seed: int = 0


def fit(
    subject: LanguageSubject,
    clean: Prompts,
    lessons: Sequence[Lesson],
    settings: FitSettings = FitSettings(),
    progress: Progress = lambda fraction, words: None,
) -> tuple[Monitor, Arrays]:
    """Fit rules to a subject and freeze their thresholds.

    Args:
        clean: token ids of clean prompts, one of the traffic to come; their order does not matter.
        lessons: the rules.

    Returns:
        The sealed monitor and its arrays, for ``write_monitor``.

    Raises:
        InputError: too few clean prompts for the promise, or phrases that stand in more clean traffic than it allows.
        UsageError: the rules do not fit together. PlanError: there is no such kind of rule. SiteUnavailable: the subject lacks a site.
    """
    rules = tuple(lesson.rule for lesson in lessons)
    _check(subject, rules)
    parts = _split(subject, clean, rules, settings)  # 1
    arrays = _learn(subject, lessons, parts.learn, settings, lambda f, w: progress(0.3 * f, w))  # 2
    draft = blank(subject, rules, clean, settings)
    draft = _shape(subject, draft, arrays, parts.shape, settings, lambda f, w: progress(0.3 + 0.2 * f, w))  # 3
    monitor = _calibrate(
        subject, draft, arrays, parts.calibrate, settings, lambda f, w: progress(0.5 + 0.5 * f, w)
    )  # 4
    return sealed(monitor, arrays), arrays


@dataclass(frozen=True)
class _Parts:
    learn: Prompts
    shape: Prompts
    calibrate: Prompts


def _check(subject: LanguageSubject, rules: Sequence[Rule]) -> None:
    if not rules:
        raise UsageError("There is no rule to fit.", "Name at least one.")
    check_cascade(rules)
    for rule in rules:
        KINDS.get(rule.kind)
        if not 0 < rule.smooth <= 1:
            raise UsageError(f"The rule {rule.name} smooths by {rule.smooth:g}.", "Give a weight above 0, at most 1.")
        if rule.after is not None and not 0 < rule.gate_rate < 1:
            raise UsageError(
                f"The rule {rule.name} looks at a share of {rule.gate_rate:g} of clean answers.",
                "Give a gate_rate between 0 and 1.",
            )
        if rule.kind in _WITH_SITES and not rule.sites:
            raise UsageError(f"The rule {rule.name} has no sites to read.", 'Give it "sites", such as "resid_post.10".')
        for site in rule.sites:
            subject.check(site)


def _split(subject: LanguageSubject, clean: Prompts, rules: Sequence[Rule], settings: FitSettings) -> _Parts:
    """The least that the promise needs calibrates in any case; learning takes its share only if a rule learns."""
    least = conformal.needed(settings.rate, settings.confidence)
    learns = any(rule.kind == "distance" for rule in rules)
    learn, shape = int(_LEARN * len(clean)) if learns else 0, max(10, int(_SHAPE * len(clean)))
    spare = len(clean) - least
    if spare < 10 + 20 * learns:
        raise InputError(
            f"A promise of {settings.rate:.2%} false alarms needs {least:,} clean prompts to calibrate on, and some "
            f"more to learn from; there are {len(clean):,}.",
            "Give more clean prompts, or promise less.",
        )
    if learn + shape > spare:
        learn, shape = (int(spare * 2 / 3), spare - int(spare * 2 / 3)) if learns else (0, spare)
    order = np.random.default_rng([settings.seed, 1]).permutation(len(clean))
    rows = [subject.fits(clean[int(i)]) for i in order]
    return _Parts(rows[:learn], rows[learn : learn + shape], rows[learn + shape :])


def _learn(
    subject: LanguageSubject, lessons: Sequence[Lesson], clean: Prompts, settings: FitSettings, progress: Progress
) -> Arrays:
    found: Arrays = {}
    for lesson in lessons:
        rule = lesson.rule
        if rule.kind == "probe":
            found |= _named(rule, _learn_probe(subject, lesson))
        if rule.kind == "feature":
            if lesson.dictionary is None:
                raise UsageError(f"The rule {rule.name} has no dictionary.", "Give the one that holds its feature.")
            found |= _named(rule, feature.learn(lesson.dictionary, lesson.feature))
    distances = [lesson.rule for lesson in lessons if lesson.rule.kind == "distance"]
    if distances:
        found |= _learn_distances(subject, distances, clean, settings, progress)
    return found


def _learn_probe(subject: LanguageSubject, lesson: Lesson) -> Arrays:
    """From the last token of each prompt, where an answer is about to begin."""
    prompts = [*lesson.positives, *lesson.negatives]
    if not (lesson.positives and lesson.negatives):
        raise UsageError(
            f"The rule {lesson.rule.name} needs prompts with the concept and prompts without.", "Give both."
        )
    sites = [Site.parse(site) for site in lesson.rule.sites]
    found = capture(subject, prompts, sites, keep="last")
    x = np.stack([found[site].values.numpy() for site in sites], 1)  # [n, site, d]
    return probe.learn(x, [True] * len(lesson.positives) + [False] * len(lesson.negatives))


def _learn_distances(
    subject: LanguageSubject, rules: Sequence[Rule], clean: Prompts, settings: FitSettings, progress: Progress
) -> Arrays:
    """From the last token of each clean prompt and every token of its answer."""
    sites = tuple(dict.fromkeys(Site.parse(site) for rule in rules for site in rule.sites))
    panel = Panel(blank(subject, (), clean, settings), {})
    rows: list[np.ndarray] = []
    done = 0
    for run, places in batches(subject, panel, clean, settings.decoding, enforce=False, record=sites):
        assert run.recorder is not None
        rows += [run.recorder.tokens(i).numpy() for i in range(len(places))]
        done += len(places)
        progress(done / len(clean), f"learning from clean traffic, {done} of {len(clean)}")
    x = np.concatenate(rows)  # [token, site, d]
    found: Arrays = {}
    for rule in rules:
        found |= _named(rule, distance.learn(x[:, [sites.index(Site.parse(site)) for site in rule.sites]]))
    return found


def _named(rule: Rule, arrays: Arrays) -> Arrays:
    return {f"{rule.name}.{key}": value for key, value in arrays.items()}


def blank(subject: LanguageSubject, rules: Sequence[Rule], clean: Prompts, settings: FitSettings) -> Monitor:
    """A monitor whose thresholds nothing passes."""
    promise = Promise(
        rate=settings.rate,
        confidence=settings.confidence,
        threshold=NEVER,
        calibration_n=0,
        above=0,
        answer_tokens=settings.decoding.max_new,
        drawn=Drawn.of(settings.decoding.temperature, settings.decoding.top_p),
        method="",
    )
    return Monitor(
        subject_name=subject.card.name,
        weights_sha256=subject.card.weights_sha256,
        tokenizer_sha256=subject.card.tokenizer_sha256,
        rules=tuple(rules),
        calibrated={rule.name: Calibrated(centre=0.0, scale=1.0, token_threshold=NEVER) for rule in rules},
        promise=promise,
        clean_scores=(),
        clean_sha256=sha256_of_json([list(map(int, row)) for row in clean]),
        seed=settings.seed,
        versions=versions(),
    )


@dataclass(frozen=True)
class _Scored:
    """Scores of one clean answer: the tracks of its rules, and the combined score."""

    tracks: dict[str, Track]
    combined: float


def _score(
    subject: LanguageSubject,
    monitor: Monitor,
    arrays: Arrays,
    prompts: Prompts,
    settings: FitSettings,
    progress: Progress,
) -> list[_Scored]:
    found: list[_Scored] = []
    panel = Panel(monitor, arrays)
    for run, places in batches(subject, panel, prompts, settings.decoding, enforce=False, keep=True):
        for i in range(len(places)):
            if why := run.watched.failures[i]:
                raise InputError(why, "Give the rule more time, or check the model.")
            found.append(_Scored(run.watched.tracks[i], max(FLOOR, run.watched.combined(i))))
        progress(len(found) / len(prompts), f"calibrating, {len(found)} of {len(prompts)}")
    return found


def _shape(
    subject: LanguageSubject,
    draft: Monitor,
    arrays: Arrays,
    prompts: Prompts,
    settings: FitSettings,
    progress: Progress,
) -> Monitor:
    """Centre and scale of each rule; with gates open, so that rules of the second stage look at everything."""
    scored = _score(subject, draft, arrays, prompts, settings, progress)
    best = {rule.name: np.array([row.tracks[rule.name].best for row in scored]) for rule in draft.rules}
    calibrated = {}
    for rule in draft.rules:
        scores = best[rule.name][np.isfinite(best[rule.name])]
        centre, high = (float(np.median(scores)), float(np.quantile(scores, 0.95))) if scores.size else (0.0, 1.0)
        if rule.kind == "phrase" and high > 0:
            raise InputError(
                f"The phrases of the rule {rule.name} stand in clean traffic, so they are no alarm.",
                "Choose rarer phrases, or take them out of the clean prompts.",
            )
        gate = None
        if rule.after is not None:
            gate = float(np.quantile(best[rule.after], 1 - rule.gate_rate))
        calibrated[rule.name] = Calibrated(
            centre=centre, scale=max(high - centre, _TINY), token_threshold=NEVER, gate=gate
        )
    return draft.model_copy(update={"calibrated": calibrated})


def _calibrate(
    subject: LanguageSubject,
    draft: Monitor,
    arrays: Arrays,
    prompts: Prompts,
    settings: FitSettings,
    progress: Progress,
) -> Monitor:
    scored = _score(subject, draft, arrays, prompts, settings, progress)
    spoken = _spoken(scored, draft, settings)
    combined = [row.combined for row in scored]
    limit, above = conformal.threshold(combined, settings.rate, settings.confidence)
    promise = draft.promise.model_copy(
        update={
            "threshold": limit,
            "calibration_n": len(combined),
            "above": above,
            "method": "split conformal on the highest standardised score over rules and tokens"
            + (f"; {spoken} of these answers held a known phrase, and count as alarms" if spoken else ""),
        }
    )
    calibrated = {
        rule.name: draft.calibrated[rule.name].model_copy(
            update={"token_threshold": _token_threshold([row.tracks[rule.name].tokens for row in scored], settings)}
        )
        for rule in draft.rules
    }
    return draft.model_copy(
        update={"promise": promise, "calibrated": calibrated, "clean_scores": tuple(sorted(combined))}
    )


def _spoken(scored: Sequence[_Scored], draft: Monitor, settings: FitSettings) -> int:
    """Calibration answers that hold a known phrase: each is an alarm, whatever the threshold, so the promise pays for it.

    They are the highest scores there are, so that the threshold, which leaves ``allowed_above`` of all scores above it, leaves
    that many fewer for the other rules. Beyond what is allowed the threshold would have to silence the phrases themselves.

    Raises:
        InputError: there are more of them than the promise allows.
    """
    phrases = [rule.name for rule in draft.rules if rule.kind == "phrase"]
    spoken = sum(any(row.tracks[name].best > 0 for name in phrases) for row in scored)
    allowed = conformal.allowed_above(len(scored), settings.rate, settings.confidence)
    if spoken > max(allowed, 0):
        raise InputError(
            f"{spoken} of {len(scored):,} clean answers hold a phrase of {' or '.join(phrases)}, each of them an alarm, and a "
            f"promise of {settings.rate:.2%} false alarms leaves room for {max(allowed, 0)}.",
            "Choose rarer phrases, give more clean prompts or promise less; if those answers are a find, take their "
            "prompts out of the clean ones.",
        )
    return spoken


def _token_threshold(rows: Sequence[Sequence[float]], settings: FitSettings) -> float:
    scored = [row for row in rows if row]
    if not scored:
        return NEVER
    found = conformal.token_threshold(scored, settings.rate)
    return found if math.isfinite(found) else NEVER
