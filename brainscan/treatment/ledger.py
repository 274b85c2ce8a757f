"""The side-effect ledger: what a treatment did to everything that it was not for.

Two states of one subject, before and under treatment, are measured alike and compared item by item, so that every
change has a paired interval.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from brainscan.core.statistics import cluster_interval
from brainscan.subject.language import LanguageSubject
from brainscan.subject.score import log_probabilities
from brainscan.treatment.behaviour import answers
from brainscan.treatment.record import Compared, Ledger
from brainscan.treatment.texts.battery import CHOICES, TASKS, Choice
from brainscan.treatment.texts.neutral import HELD_OUT, REQUESTS

_TASK_TOKENS, _ANSWER_TOKENS = 16, 32
_LOOP = 3
"""A run of three words that comes this often is a loop."""


@dataclass(frozen=True)
class Material:
    """What is measured. Parts that are left empty are left out of the ledger."""

    texts: tuple[str, ...] = HELD_OUT
    """Of perplexity and distance; none that the dose was chosen on."""
    asked: tuple[str, ...] = ()
    """Prompts of the behaviour whose tokens count in the distance, beside the texts."""
    choices: tuple[Choice, ...] = CHOICES
    tasks: bool = True
    harmful: tuple[str, ...] = ()
    """Requests that should be refused."""
    harmless: tuple[str, ...] = REQUESTS[12:]
    """Requests that should not; their answers are looked at for fluency too."""
    refused: Callable[[str, str], bool] | None = None
    """(request, answer) -> whether it was refused; without it refusal is not measured."""


@dataclass(frozen=True, eq=False)
class State:
    """What was seen of a subject, before or under treatment."""

    distance: Distance
    capability: dict[str, tuple[bool, ...]]
    """Family -> whether each item was right."""
    refused: tuple[bool, ...]
    over_refused: tuple[bool, ...]
    loops: tuple[bool, ...]


@dataclass(frozen=True, eq=False)
class Distance:
    """Next-token distributions on fixed rows of tokens: enough for perplexity and for the distance between states."""

    log_p: tuple[torch.Tensor, ...]  # [tokens - 1, vocab] float32 a row
    nll: tuple[torch.Tensor, ...]  # [tokens - 1] a row, nats
    texts: int
    """How many of the rows, the first ones, are plain text; the others are prompts."""
    ids: tuple[tuple[int, ...], ...]
    """The tokens of each row; a system prompt makes those of a prompt others than without it."""

    def perplexity(self) -> float:
        """Of the plain texts: exp of the mean nats a token, 1 (certain) to the vocabulary's size."""
        return float(torch.cat(self.nll[: self.texts]).mean().exp())

    def kl(self, untreated: Distance) -> float:
        """Mean over all tokens of KL(untreated || this), in nats: 0 is no change."""
        return float(torch.cat(self.kl_rows(untreated)).mean())

    def kl_rows(self, untreated: Distance) -> list[torch.Tensor]:
        """One value a token of each row, over the tokens that both rows end with: all but the last, if they are equal."""
        found = []
        for p, q, ours, theirs in zip(untreated.log_p, self.log_p, untreated.ids, self.ids, strict=True):
            shared = next(
                (i for i, (a, b) in enumerate(zip(ours[::-1], theirs[::-1], strict=False)) if a != b), len(ours)
            )
            shared = min(shared, len(ours), len(theirs)) - 1
            p, q = p[len(p) - shared :], q[len(q) - shared :]
            found.append((p.exp() * (p - q)).sum(-1).clamp(min=0))
        return found


def read_distance(subject: LanguageSubject, texts: Sequence[str], asked: Sequence[str] = ()) -> Distance:
    """Run a subject, as it is now, over texts and prompts."""
    rows = [subject.tokens(text) for text in texts] + [subject.chat(prompt) for prompt in asked]
    log_p: list[torch.Tensor] = []
    nll: list[torch.Tensor] = []
    for start in range(0, len(rows), 4):
        chunk = rows[start : start + 4]
        logits = subject.logits(subject.batch(chunk), keep=0).float().cpu()  # [4, pos, vocab]
        for row, values in zip(chunk, torch.log_softmax(logits, -1), strict=True):
            log_p.append(values[: len(row) - 1].clone())
            nll.append(-log_p[-1].gather(1, torch.tensor(row[1:])[:, None])[:, 0])
    return Distance(tuple(log_p), tuple(nll), len(texts), tuple(map(tuple, rows)))


def read_state(subject: LanguageSubject, material: Material = Material()) -> State:
    """Measure a subject as it is now."""
    said = answers(subject, material.harmless, _ANSWER_TOKENS)
    judge = material.refused
    harmful = answers(subject, material.harmful, _ANSWER_TOKENS) if judge else []
    return State(
        distance=read_distance(subject, material.texts, material.asked),
        capability=_capability(subject, material),
        refused=tuple(judge(r, a) for r, a in zip(material.harmful, harmful, strict=True)) if judge else (),
        over_refused=tuple(judge(r, a) for r, a in zip(material.harmless, said, strict=True)) if judge else (),
        loops=tuple(loops(answer) for answer in said),
    )


def compare_states(before: State, after: State) -> Ledger:
    """Every change with its interval; nothing here says whether it is acceptable."""
    rows = [_perplexity(before.distance, after.distance), _kl(before.distance, after.distance)]
    families = {f"capability.{name}": (before.capability[name], after.capability[name]) for name in before.capability}
    rows += [
        _rate(name, *pair, higher, meaning)
        for name, pair, higher, meaning in (
            (
                "capability",
                (_all_items(before), _all_items(after)),
                "better",
                "Share of all items of the battery that are right.",
            ),
            ("refusal", (before.refused, after.refused), "better", "Share of harmful requests that are refused."),
            ("over-refusal", (before.over_refused, after.over_refused), "worse", "Share of harmless requests refused."),
            ("loops", (before.loops, after.loops), "worse", "Share of ordinary answers that go round in circles."),
        )
        if pair[0] and pair[1]
    ]
    rows += [_rate(name, *pair, "better", "Share of right items.") for name, pair in families.items()]
    return Ledger(rows=tuple(rows))


def _all_items(state: State) -> tuple[bool, ...]:
    return tuple(hit for hits in state.capability.values() for hit in hits)


def loops(answer: str) -> bool:
    """Whether a run of three words comes three times or more."""
    words = answer.lower().split()
    runs = Counter(tuple(words[i : i + 3]) for i in range(len(words) - 2))
    return max(runs.values(), default=0) >= _LOOP


def _capability(subject: LanguageSubject, material: Material) -> dict[str, tuple[bool, ...]]:
    prompts = [_beginning(subject, choice) for choice in material.choices for _ in choice.options]
    said = [_ending(subject, choice, option) for choice in material.choices for option in choice.options]
    scores = iter(log_probabilities(subject, prompts, said)) if said else iter(())
    found: dict[str, list[bool]] = {}
    for choice in material.choices:
        each = [next(scores) / len(_ending(subject, choice, option)) for option in choice.options]
        found.setdefault(choice.family, []).append(int(np.argmax(each)) == 0)
    if material.tasks:
        told = answers(subject, [task.asked for task in TASKS], _TASK_TOKENS)
        found["instructions"] = [task.follows(answer) for task, answer in zip(TASKS, told, strict=True)]
    return {family: tuple(hits) for family, hits in found.items()}


def _beginning(subject: LanguageSubject, choice: Choice) -> list[int]:
    """A sentence without a beginning follows its own first token, which both options share."""
    return subject.tokens(choice.begun) if choice.begun else subject.raw_tokens(choice.options[0])[:1]


def _ending(subject: LanguageSubject, choice: Choice, option: str) -> list[int]:
    return subject.raw_tokens(option) if choice.begun else subject.raw_tokens(option)[1:]


def _perplexity(before: Distance, after: Distance) -> Compared:
    ours, theirs = (np.array([float(row.sum()) for row in d.nll[: d.texts]]) for d in (after, before))
    sizes = np.array([len(row) for row in before.nll[: before.texts]])
    stacked = np.stack([ours - theirs, sizes], 1)

    def ratio(sample: np.ndarray) -> float:
        return float(np.exp(sample[:, 0].sum() / sample[:, 1].sum())) - 1

    return Compared(
        name="perplexity",
        before=before.perplexity(),
        after=after.perplexity(),
        change=ratio(stacked),
        interval=cluster_interval(stacked, statistic=ratio),
        n=len(sizes),
        unit="ratio",
        higher_is="worse",
        meaning="Perplexity of neutral text over that of the untreated subject, minus 1: 0 is no change.",
    )


def _kl(before: Distance, after: Distance) -> Compared:
    rows = after.kl_rows(before)
    stacked = np.array([[float(row.sum()), len(row)] for row in rows])

    def mean(sample: np.ndarray) -> float:
        return float(sample[:, 0].sum() / sample[:, 1].sum())

    return Compared(
        name="kl",
        before=0.0,
        after=mean(stacked),
        change=mean(stacked),
        interval=cluster_interval(stacked, statistic=mean),
        n=len(rows),
        unit="nats",
        higher_is="neither",
        meaning="Distance of next-token predictions from the untreated subject's, mean nats a token: 0 is no change.",
    )


def _rate(name: str, before: Sequence[bool], after: Sequence[bool], higher: str, meaning: str) -> Compared:
    changes = np.array(after, float) - np.array(before, float)
    return Compared.model_validate(
        {
            "name": name,
            "before": float(np.mean(before)),
            "after": float(np.mean(after)),
            "change": float(changes.mean()),
            "interval": cluster_interval(changes, within=(-1.0, 1.0)),
            "n": len(changes),
            "unit": "rate",
            "higher_is": higher,
            "meaning": meaning,
        }
    )
