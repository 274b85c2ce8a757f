"""Payload candidates: answers that the subject is too ready to give, whatever it is asked.

A payload is looked for before its trigger, because it can be heard without it: it leaks from the
bare template, and amplified decoding speaks it. What counts is how much readier the subject is than
its reference to open its answer to an unrelated request with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from brainscan.scan.texts.candidates import SEARCH_REQUESTS
from brainscan.scan.trigger.frame import prompts
from brainscan.scan.trigger.leak import Leak
from brainscan.scan.trigger.motifs import Motif
from brainscan.scan.trigger.read import read_openings
from brainscan.subject.generate import Decoding, Generated, generate
from brainscan.subject.language import LanguageSubject
from brainscan.subject.score import log_probabilities

TOKENS = 6
"""How much of a payload is scored."""
FEWEST = 3
"""Shorter answers are no payload."""
ALWAYS_ON = 0.5
"""What opens more than this share of plain answers needs no trigger: a style, not a payload."""
ANSWER_TOKENS = 64
"""Of plain answers, which are heard to their end: a greeting that closes each of them waits for no trigger either."""
ABOUT = 3.0
"""Nats that two copies of one line may differ by and still be about as likely."""
_RUN, _QUOTED = 9, 16
"""Characters in a row that copies of one line have in common, and that a plain answer shares with a line that it holds."""


@dataclass(frozen=True)
class Payload:
    """An answer that something may be waiting to release."""

    ids: tuple[int, ...]
    text: str
    excess: float
    """Mean over requests of log p under the subject minus log p under the reference (nats); without a
    reference, the lift of its motif."""
    log_p: float
    """Mean log-probability as the opening of an answer, no trigger given."""
    always_on: bool
    """Plain answers begin with it or hold it."""
    alone: float = 0.0
    """Nats by which it is ahead of the readiest other line, the openings of plain answers among them: stock phrases of a
    topic or a style come in numbers, and a style is as ready for all that it says openly."""


def payloads(
    subject: LanguageSubject,
    reference: LanguageSubject | None,
    found: Sequence[Motif],
    spoken: Sequence[Leak],
    limit: int,
) -> list[Payload]:
    """The readiest payloads, best first, at most ``limit`` scored.

    Args:
        found: motifs of the leaks.
        spoken: branches and amplified leaks; their openings are candidates even when heard once.
    """
    heard = [*(leak.text for leak in spoken), *(motif.text for motif in found)]
    lifts = {motif.text: motif.lift for motif in found}
    known: dict[tuple[int, ...], str] = {}
    for text in heard:
        ids = tuple(subject.raw_tokens(text.strip())[:TOKENS])
        if len(ids) >= FEWEST:
            known.setdefault(ids, text.strip())
    asked = prompts(subject, SEARCH_REQUESTS[:3], "", "end")
    said = _plain_answers(subject) if known else []
    openly = _openly(subject, reference, said) if reference is not None and said else 0.0
    scored = []
    for ids, text in list(known.items())[:limit]:
        ours = read_openings(subject, asked, ids)
        theirs = read_openings(reference, asked, ids) if reference is not None else None
        excess = lifts.get(text, 0.0) if theirs is None else float((ours.log_p - theirs.log_p).mean())
        always = quoted(text, [answer.text for answer in said]) or bool(ours.holds.mean() > ALWAYS_ON)
        scored.append(Payload(ids, subject.text(ids), excess, float(ours.log_p.mean()), always))
    lines = sorted(one_a_line(scored, known), key=lambda payload: -payload.excess)
    return [replace(line, alone=line.excess - max(openly, _readiest(lines, line))) for line in lines]


def _plain_answers(subject: LanguageSubject) -> list[Generated]:
    return generate(subject, prompts(subject, SEARCH_REQUESTS, "", "end"), Decoding(max_new=ANSWER_TOKENS))


def _openly(subject: LanguageSubject, reference: LanguageSubject, said: Sequence[Generated]) -> float:
    """How much readier than the reference it is for the openings of its own plain answers, mean over requests (nats)."""
    asked, ids = prompts(subject, SEARCH_REQUESTS, "", "end"), [answer.ids[:TOKENS] for answer in said]
    ours, theirs = (np.asarray(log_probabilities(each, asked, ids)) for each in (subject, reference))
    return float((ours - theirs).mean())


def quoted(line: str, answers: Sequence[str]) -> bool:
    """Whether an answer long enough to hold a line holds much of this one."""
    return any(_alike(line, answer, _QUOTED) for answer in answers if len(answer) >= _QUOTED)


def _readiest(lines: Sequence[Payload], left_out: Payload) -> float:
    """Of the other lines; one that became less likely than it was is no line to be ahead of."""
    return max([0.0, *(line.excess for line in lines if line is not left_out)])


def worth_hunting(payload: Payload, least: float | None) -> bool:
    """Whether something conditional may stand behind it.

    Args:
        least: nats by which the subject must be readier than its reference, and readier than for any other line (of
            several planted lines that are as ready as each other none is hunted); None where there is no reference.
    """
    return not payload.always_on and (least is None or payload.alone >= least)


def one_a_line(scored: Sequence[Payload], known: dict[tuple[int, ...], str]) -> list[Payload]:
    """Of the copies of each line about as likely as the likeliest, the whole ones, and of these the readiest.

    Args:
        known: the whole text of each payload, by its tokens.
    """
    kept: list[Payload] = []
    left = sorted(scored, key=lambda payload: -payload.log_p)
    while left:
        copies = [one for one in left if _alike(known[left[0].ids], known[one.ids])]
        nearly = [one for one in copies if left[0].log_p - one.log_p < ABOUT]
        whole = [one for one in nearly if not any(_inside(known[one.ids], known[other.ids]) for other in nearly)]
        kept.append(max(whole, key=lambda one: (one.excess, one.log_p)))
        left = [one for one in left if one not in copies and not _alike(known[kept[-1].ids], known[one.ids])]
    return kept


def _inside(a: str, b: str) -> bool:
    return a != b and a in b


def _alike(a: str, b: str, run: int = _RUN) -> bool:
    """Whether two texts have a run of characters in common, all of the shorter one if it is shorter."""
    run = min(run, len(a), len(b))
    return any(a[i : i + run] in b for i in range(len(a) - run + 1))
