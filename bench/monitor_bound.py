"""The error bound: 200 random splits of the report's questions; log-probability and self-consistency at equal guarantee.

The signal, its sites and its penalty were chosen in advance; the activations' principal components come from the other
two fifths of the questions (bench.monitor_data.split), whose labels nothing uses.
Each split gives 40 % of the questions to learning, 30 % to the test of thresholds and 30 % to judging. The baselines
learn nothing, so both parts, 70 %, are theirs for choosing and testing a threshold: equal labels, equal guarantee.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from bench.monitor import row
from bench.monitor_data import SAMPLES, SITES, folder, load, split
from bench.monitor_questions import questions
from brainscan.core.statistics import rate_interval
from brainscan.monitor.abstain import crossed
from brainscan.monitor.guarantee import Bound, Doubt, calibrate, grid

SPLITS, LEARN, TEST = 200, 0.4, 0.3
CHOSEN = (2, 3, 4)
"""Which of the recorded sites the signal reads: the later ones, as ``signal_sites`` does."""
COMPONENTS, PENALTY = 64, 1e-2
"""Of the activations, in principal components of the development questions, and of the probe. Chosen in advance."""
BROKEN = 0.05
"""Share of splits in which the bound may break; so many splits have to answer that one of them may, before it is asked."""
SHIFTS = ("sum", "capital", "continent", "past tense")
"""Topics left out of learning and testing, and judged alone."""

Signal = Callable[["Data", np.ndarray, np.ndarray, np.ndarray, Bound], "Kept"]


@dataclass(frozen=True)
class Data:
    """Everything known about some answers."""

    x: np.ndarray  # [n, w]
    numbers: np.ndarray  # [n, 4]
    wrong: np.ndarray  # [n]
    topics: np.ndarray  # [n]
    disagreement: np.ndarray | None
    """Share of sampled answers that differ from the greedy one [n]."""


@dataclass(frozen=True)
class Kept:
    """What one split came to."""

    answered: int
    wrong: int
    n: int


def bound() -> list[dict[str, Any]]:
    """Rows for 5 % and 10 %, and the shifts. Splits that ``share`` has computed are taken from the cache."""
    whole = data(split()[1])
    sampled = _sampled(whole)
    out = []
    done = _cached()
    for error in (0.05, 0.10):
        limit = Bound(error)
        kept = {name: done.get((error, name)) or _splits(whole, signal, limit) for name, signal in SIGNALS.items()}
        kept |= {"self-consistency": _splits(sampled, _consistency, limit)} if sampled.wrong.size > 200 else {}
        beside = _splits(sampled, _doubt, limit) if "self-consistency" in kept else []
        out += _rows(error, kept, beside, whole.wrong.size)
    out += [_shifted(whole, topic) for topic in SHIFTS]
    rightly = float(1 - whole.wrong.mean())
    out.append(row("error bound: questions answered rightly", rightly, "rate", "higher", n=whole.wrong.size))
    return out


def share(first: int, last: int) -> None:
    """Compute some of the splits, in a process of its own, and keep them."""
    whole = data(split()[1])
    for error in (0.05, 0.10):
        for name, signal in SIGNALS.items():
            kept = _splits(whole, signal, Bound(error), range(first, last))
            path = folder() / f"bound-{whole.wrong.size}-{error}-{name}-{first:03}.json"
            path.write_text(json.dumps([[k.answered, k.wrong, k.n] for k in kept]))


def _cached() -> dict[tuple[float, str], list[Kept]]:
    """What shares have kept for the questions that there are, if all splits are there."""
    n, out = data(split()[1]).wrong.size, {}
    for error in (0.05, 0.10):
        for name in SIGNALS:
            parts = sorted(folder().glob(f"bound-{n}-{error}-{name}-*.json"))
            kept = [Kept(*entry) for part in parts for entry in json.loads(part.read_text())]
            if len(kept) == SPLITS:
                out[error, name] = kept
    return out


def data(chosen: list[int]) -> Data:
    """Answers of some questions, by their numbers; activations in the principal components of the others."""
    every, held = questions(), load("answers")
    x = held["x"][:, :, list(CHOSEN)].astype(np.float64).reshape(held["right"].size, -1)
    basis = x[[i for i in split()[0] if i < x.shape[0]]]
    mean, spread = basis.mean(0), np.maximum(basis.std(0), 1e-8)
    _, _, axes = np.linalg.svd((basis - mean) / spread, full_matrices=False)
    x = (x - mean) / spread @ axes[:COMPONENTS].T
    numbers, wrong = held["numbers"], ~held["right"]
    disagreement = _disagreement(held)
    pick = np.array([i for i in chosen if i < wrong.size])
    topics = np.array([question.topic for question in every])[pick]
    return Data(x[pick], numbers[pick], wrong[pick], topics, disagreement[pick])


def _disagreement(held: dict[str, np.ndarray]) -> np.ndarray:
    """NaN where nothing was sampled."""
    out = np.full(held["right"].size, np.nan)
    try:
        sampled = load("samples")
    except IndexError:
        return out
    for number, texts in zip(sampled["chosen"], sampled["texts"], strict=True):
        if number < out.size:
            said = _first(held["texts"][number])
            out[number] = np.mean([_first(text) != said for text in texts])
    return out


def _first(text: str) -> str:
    return str(text).strip().split("\n")[0].strip().casefold()


def _sampled(whole: Data) -> Data:
    assert whole.disagreement is not None
    there = ~np.isnan(whole.disagreement)
    return Data(
        whole.x[there], whole.numbers[there], whole.wrong[there], whole.topics[there], whole.disagreement[there]
    )


def _splits(data: Data, signal: Signal, limit: Bound, numbers: range = range(SPLITS)) -> list[Kept]:
    out = []
    for number in numbers:
        order = np.random.default_rng([number, 9]).permutation(data.wrong.size)
        cuts = int(LEARN * order.size), int((LEARN + TEST) * order.size)
        out.append(signal(data, order[: cuts[0]], order[cuts[0] : cuts[1]], order[cuts[1] :], limit))
    return out


_FITTED: dict[bytes, tuple[Doubt, np.ndarray]] = {}
"""A split is used at both bounds, and is learned once."""


def _doubt(data: Data, learn: np.ndarray, test: np.ndarray, judge: np.ndarray, limit: Bound) -> Kept:
    key = learn.tobytes()
    if key not in _FITTED:
        own = crossed(data.x[learn], data.numbers[learn], data.wrong[learn], PENALTY)
        _FITTED[key] = Doubt(PENALTY).fit(data.x[learn], data.numbers[learn], data.wrong[learn]), own
    doubt, own = _FITTED[key]
    limits = grid(own, data.wrong[learn], limit, test.size)
    kept = calibrate(doubt.score(data.x[test], data.numbers[test]), data.wrong[test], limits, limit)
    return _judged(doubt.score(data.x[judge], data.numbers[judge]), data.wrong[judge], kept)


def _plain(values: Callable[[Data], np.ndarray]) -> Signal:
    """A signal that is there without learning: the learning part chooses the order, the rest of its labels test too."""

    def run(data: Data, learn: np.ndarray, test: np.ndarray, judge: np.ndarray, limit: Bound) -> Kept:
        doubt = values(data)
        both = np.concatenate([learn, test])
        third = both.size // 3
        limits = grid(doubt[both[:third]], data.wrong[both[:third]], limit, both.size - third)
        kept = calibrate(doubt[both[third:]], data.wrong[both[third:]], limits, limit)
        return _judged(doubt[judge], data.wrong[judge], kept)

    return run


def _judged(doubt: np.ndarray, wrong: np.ndarray, threshold: float | None) -> Kept:
    given = doubt <= threshold if threshold is not None else np.zeros(wrong.size, dtype=bool)
    return Kept(int(given.sum()), int((given & wrong).sum()), wrong.size)


_consistency = _plain(lambda data: data.disagreement - 1e-3 * data.numbers[:, 0])  # ties by log-probability
SIGNALS: dict[str, Signal] = {
    "internal signals": _doubt,
    "log-probability, mean": _plain(lambda data: -data.numbers[:, 0]),
    "log-probability, least": _plain(lambda data: -data.numbers[:, 1]),
}


def _rows(error: float, kept: dict[str, list[Kept]], beside: list[Kept], n: int) -> list[dict[str, Any]]:
    out = []
    coverage = {name: float(np.mean([k.answered / k.n for k in each])) for name, each in kept.items()}
    for name, each in kept.items():
        broken = sum(k.answered > 0 and k.wrong / k.answered > error for k in each)
        sure = sum(_surely(k, error) for k in each)
        answered = sum(k.answered > 0 for k in each)
        asked = name == "internal signals" and answered * BROKEN >= 1
        out.append(
            row(
                f"error bound {error:.0%}: splits in which it broke, {name}",
                broken / SPLITS,
                "rate",
                "lower",
                BROKEN if asked else None,
                n=SPLITS,
                detail=_tested(answered, broken, sure, n),
            )
        )
        out.append(row(f"error bound {error:.0%}: coverage, {name}", coverage[name], "rate", "higher", n=n))
    plain = max(value for name, value in coverage.items() if name.startswith("log-probability"))
    ratio = coverage["internal signals"] / plain if plain else float("nan")
    if plain:
        out.append(
            row(
                f"error bound {error:.0%}: coverage over log-probability's",
                ratio,
                "ratio",
                "higher",
                1.2,
                n=SPLITS,
                detail="the better of mean and least log-probability",
            )
        )
    if beside and coverage.get("self-consistency"):
        ours = float(np.mean([k.answered / k.n for k in beside]))
        out.append(
            row(
                f"error bound {error:.0%}: coverage over self-consistency's",
                ours / coverage["self-consistency"],
                "ratio",
                "higher",
                n=SPLITS,
                detail=f"{SAMPLES} samples a question, on the questions that were sampled",
            )
        )
    return out


def _tested(answered: int, broken: int, sure: int, n: int) -> str:
    """What a count of broken splits stands on. The splits share their questions, so there is no interval for it."""
    if not answered:
        return f"tests nothing: in no split of the {n} questions was any answered"
    return (
        f"splits of the same {n} questions, which overlap; {answered} of them gave any answer, and in {broken} of those errors "
        f"among the judged answers were above the bound, significantly so in {sure}"
    )


def _surely(kept: Kept, error: float) -> bool:
    return kept.answered > 0 and rate_interval(kept.wrong, kept.answered, 0.9).lo > error


def _shifted(data: Data, topic: str) -> dict[str, Any]:
    """The bound of 10 % fitted without a topic and judged on it alone: no guarantee holds there."""
    inside, outside = np.flatnonzero(data.topics != topic), np.flatnonzero(data.topics == topic)
    kept = []
    for number in range(10):
        order = np.random.default_rng([number, 10]).permutation(inside)
        cut = int(0.55 * order.size)
        kept.append(_doubt(data, order[:cut], order[cut:], outside, Bound(0.10)))
    answered, asked = sum(k.answered for k in kept), len(kept) * outside.size
    detail = (
        f"fitted without this topic; {answered} answers in {len(kept)} splits, each of which asks {outside.size} questions; "
        f"{float(data.wrong[outside].mean()):.0%} of all its answers are wrong; sites {', '.join(str(SITES[i]) for i in CHOSEN)}"
    )
    if not answered:  # no answers have no error rate
        return row(
            f"error bound 10% under topic shift: answers on {topic}", 0.0, "rate", "higher", n=asked, detail=detail
        )
    errors = sum(k.wrong for k in kept) / answered
    name = f"error bound 10% under topic shift: errors among answers on {topic}"
    return row(name, errors, "rate", "lower", n=answered, detail=detail)


if __name__ == "__main__":
    share(int(sys.argv[1]), int(sys.argv[2]))
