"""Answer or abstain: a guarantee fitted on questions with known answers, and what it does to an answer.

The signal reads the last token of the prompt and the last of the answer at a few layers, with the answer's
log-probabilities beside. An answer under a guarantee is held back until it is whole: only then is there a doubt.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from brainscan.core.address import Site
from brainscan.core.errors import InputError, UsageError
from brainscan.monitor.guarantee import (
    LEAST,
    PENALTY,
    Bound,
    Doubt,
    Floats,
    calibrate,
    check_labels,
    folds,
    grid,
    guarantee_of,
    plain_numbers,
)
from brainscan.monitor.panel import Panel
from brainscan.monitor.reader import arrays_of
from brainscan.monitor.record import Arrays, Guarantee, Monitor, Rule, Verdict, sealed
from brainscan.monitor.run import Run, batches
from brainscan.subject.generate import Decoding
from brainscan.subject.language import LanguageSubject

NAME = "guarantee"
"""Prefix of the guarantee's arrays; no rule may be called so."""

ABSTAINED = "I do not know."
"""Said in the place of an answer that is too doubtful."""

_LAYERS = 5
_LEARN = 0.5
"""Share of the questions that the signal and the thresholds are learned on."""


@dataclass(frozen=True)
class Asked:
    """One question with the answers that count as right."""

    prompt: list[int]
    answers: tuple[str, ...]

    def is_right(self, said: str) -> bool:
        """Whether an accepted answer stands in what was said, as whole words, case aside."""
        words = f" {_plain(said)} "
        return any(f" {_plain(answer)} " in words for answer in self.answers)


def with_guarantee(
    subject: LanguageSubject,
    monitor: Monitor,
    arrays: Arrays,
    asked: Sequence[Asked],
    bound: Bound,
    progress: Callable[[float, str], None] = lambda fraction, words: None,
) -> tuple[Monitor, Arrays]:
    """Answer the questions, learn doubt on one half, test thresholds on the other; the monitor comes back sealed.

    Raises:
        InputError: too few questions, or too few of them answered rightly or wrongly.
        UsageError: a rule has the guarantee's name.
    """
    check_asked(monitor.rules, asked)
    sites = signal_sites(subject)
    x, numbers, wrong = _answer(subject, monitor, asked, sites, progress)
    order = np.random.default_rng([monitor.seed, 2]).permutation(len(asked))
    learn, test = order[: int(_LEARN * len(asked))], order[int(_LEARN * len(asked)) :]
    doubt = Doubt().fit(x[learn], numbers[learn], wrong[learn])
    limits = grid(crossed(x[learn], numbers[learn], wrong[learn]), wrong[learn], bound, len(test))
    scores = doubt.score(x[test], numbers[test])
    kept = calibrate(scores, wrong[test], limits, bound)
    named = ", ".join(map(str, sites))
    record = guarantee_of(
        scores, wrong[test], kept, bound, monitor.promise.answer_tokens, f"activations at {named}; {NUMBERS_TEXT}"
    )
    held = {**arrays, **{f"{NAME}.{key}": value for key, value in doubt.arrays().items()}}
    return sealed(monitor.model_copy(update={"guarantee": record}), held), held


def check_asked(rules: Sequence[Rule], asked: Sequence[Asked]) -> None:
    """A guarantee can be fitted beside these rules, on so many questions: asked before anything is learned.

    Raises:
        UsageError: a rule has the guarantee's name. InputError: there are too few questions.
    """
    if any(rule.name == NAME for rule in rules):
        raise UsageError(f"A rule is called {NAME}, which is the guarantee's name.", "Give the rule another.")
    if int(_LEARN * len(asked)) < LEAST:
        raise InputError(
            f"{len(asked)} questions are too few to learn doubt from and to test it on.",
            f"Give at least {round(LEAST / _LEARN)}, some that the model answers rightly and some wrongly.",
        )


NUMBERS_TEXT = "log-probabilities, entropy and length of the answer"


def crossed(x: Floats, numbers: Floats, wrong: np.ndarray, c: float = PENALTY) -> Floats:
    """Doubts [n] of answers by signals that never met them."""
    check_labels(wrong)
    out = np.empty(wrong.size)
    for held in folds(wrong.size):
        out[held] = Doubt(c).fit(x[~held], numbers[~held], wrong[~held]).score(x[held], numbers[held])
    return out


def signal_sites(subject: LanguageSubject) -> tuple[Site, ...]:
    """Where the signal of doubt is read."""
    return tuple(Site("resid_post", layer) for layer in subject.spread_layers(_LAYERS)[-3:])


class Abstainer:
    """Judges finished answers under a monitor's guarantee.

    Args:
        monitor: with a guarantee.
        arrays: its arrays.
        subject: who speaks.
    """

    def __init__(self, monitor: Monitor, arrays: Arrays, subject: LanguageSubject) -> None:
        assert monitor.guarantee is not None
        self.guarantee: Guarantee = monitor.guarantee
        self.sites = signal_sites(subject)
        self.doubt = Doubt.of(arrays_of(NAME, arrays))

    def judged(self, run: Run, i: int = 0) -> tuple[Verdict, bool]:
        """The verdict on row ``i`` with its doubt, and whether the answer may be given.

        Answers that are longer than those that the guarantee was tested on, or drawn in another way, are never given.
        """
        x, numbers = signal(run, i)
        doubt = float(self.doubt.score(x[None], np.array([numbers]))[0])
        limit = self.guarantee.threshold
        short = len(run.rows[i].chosen) <= self.guarantee.answer_tokens
        tested = short and run.watched.drawn == self.guarantee.drawn
        given = limit is not None and doubt <= limit and tested
        verdict = run.verdict(i).model_copy(update={"doubt": doubt})
        if not given and verdict.outcome in ("clear", "logged", "warned"):
            verdict = verdict.model_copy(update={"outcome": "abstained"})
        return verdict, given


def signal(run: Run, i: int) -> tuple[Floats, list[float]]:
    """What doubt is read from: activations [w] and plain numbers of a finished row of a recorded run."""
    assert run.recorder is not None
    tokens = run.recorder.tokens(i).double().numpy()  # [token, site, d]
    return np.concatenate([tokens[0].ravel(), tokens[-1].ravel()]), plain_numbers(run.rows[i])


def _answer(
    subject: LanguageSubject,
    monitor: Monitor,
    asked: Sequence[Asked],
    sites: tuple[Site, ...],
    progress: Callable[[float, str], None],
) -> tuple[Floats, Floats, np.ndarray]:
    """Signals [n, w], [n, 4] and whether each greedy answer is wrong [n]."""
    panel = Panel(monitor.model_copy(update={"rules": ()}), {})
    decoding = Decoding(max_new=monitor.promise.answer_tokens)
    found: dict[int, tuple[Floats, list[float], bool]] = {}
    for run, places in batches(subject, panel, [each.prompt for each in asked], decoding, enforce=False, record=sites):
        for row, i in enumerate(places):
            x, numbers = signal(run, row)
            found[i] = x, numbers, not asked[i].is_right(subject.text(run.rows[row].answer))
        progress(len(found) / len(asked), f"{len(found)} of {len(asked)} questions answered")
    rows = [found[i] for i in range(len(asked))]
    return np.stack([r[0] for r in rows]), np.array([r[1] for r in rows]), np.array([r[2] for r in rows])


def _plain(text: str) -> str:
    return " ".join("".join(c if c.isalnum() else " " for c in text.casefold()).split())
