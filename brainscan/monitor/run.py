"""Generation under watch: the monitors read every token before it is released.

Numbered acts of one ``advance``: 1) push the prompts, or the tokens chosen last, through the model, capturing
on the way; 2) let the rules read what was pushed; 3) release the tokens that they have read, or stop; 4) choose
the next token of each row. A token is therefore released one pass after it was chosen, and the last token of an
answer costs a pass in which it is only read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import torch

from brainscan.core.address import Site
from brainscan.monitor.panel import Panel, Watched
from brainscan.monitor.reader import Seen
from brainscan.monitor.record import Drawn, Verdict
from brainscan.monitor.recorder import Recorder
from brainscan.subject.edit import Layout
from brainscan.subject.generate import Decoding, choose, end_tokens, next_step
from brainscan.subject.language import Batch, LanguageSubject, cache_of

Ended = Literal["", "end", "length", "monitor"]

PLAIN = Decoding()

SHARED = 8
"""Tokens that all prompts must begin with for these to be read once: the opening of a chat template."""


@dataclass
class Row:
    """One answer as it grows."""

    prompt: list[int]
    chosen: list[int] = field(default_factory=list)
    """Tokens of the answer, the newest perhaps not yet read by the monitors."""
    released: int = 0
    """How many of them the monitors have read and let pass."""
    entropies: list[float] = field(default_factory=list)
    log_p: list[float] = field(default_factory=list)
    """Log-probability in nats of each chosen token."""
    ended: Ended = ""

    @property
    def answer(self) -> list[int]:
        """The tokens that may be shown."""
        return self.chosen[: self.released]


class Run:
    """A batch of answers, generated and watched together.

    Args:
        subject: who speaks.
        panel: who watches.
        prompts: token ids.
        decoding: how tokens are chosen.
        keys: as in ``generate``: the draws of a row come from the seed and its key.
        enforce: False lets rows go on whatever the monitors say, as calibration needs.
        keep: keep the score of every token.
        record: sites whose activations are kept, in ``recorder``.

    Raises:
        InputError: a prompt is empty or too long. SiteUnavailable: the subject lacks a rule's site.
    """

    def __init__(
        self,
        subject: LanguageSubject,
        panel: Panel,
        prompts: Sequence[Sequence[int]],
        decoding: Decoding = PLAIN,
        *,
        keys: Sequence[int] | None = None,
        enforce: bool = True,
        keep: bool = False,
        record: Sequence[Site] = (),
    ) -> None:
        self.subject, self.panel, self.decoding, self.enforce = subject, panel, decoding, enforce
        self.sites = tuple(subject.check(site) for site in dict.fromkeys((*panel.sites, *record)))
        self.rows = [Row(subject.fits(prompt)) for prompt in prompts]
        self.watched = Watched(panel, len(self.rows), Drawn.of(decoding.temperature, decoding.top_p), keep=keep)
        self.recorder = Recorder(record, len(self.rows)) if record else None
        self.draws = [np.random.default_rng([decoding.seed, key]) for key in keys or range(len(self.rows))]
        self.ends = end_tokens(subject) if decoding.stop_at_end else frozenset()
        self.cache: Any = None
        self.step: Batch | None = None
        self.lengths = torch.tensor([len(row.prompt) for row in self.rows], device=subject.device)

    @property
    def done(self) -> bool:
        """Every row has ended."""
        return all(row.ended for row in self.rows)

    def verdict(self, i: int) -> Verdict:
        """What the monitors say about row ``i`` so far."""
        return self.watched.verdict(i)

    def advance(self) -> None:
        """One pass; afterwards each row has at most one more token released."""
        if self.step is None:
            self.step = self._begin()
        logits, captured = self._push(self.step)  # 1
        self._read(self.step, captured)  # 2
        self._release()  # 3
        if not self.done:
            self.step = next_step(self.step, self._choose(logits))  # 4

    def close(self, i: int) -> None:
        """Row ``i`` ends from outside, where it is: rules of the second stage look a last time, and may be who ends it."""
        if self.rows[i].ended:
            return
        self.watched.finish(i, self._reread)
        if self.enforce and self.watched.stops(i):
            self.rows[i].ended = "monitor"

    # --- acts -----------------------------------------------------------------------------

    def _begin(self) -> Batch:
        """The prompts as one left-padded batch; what they all begin with is read once, for all."""
        prompts = [row.prompt for row in self.rows]
        shared = common_beginning(prompts) if len(prompts) > 1 else 0
        if shared < SHARED or self._slides():
            return self.subject.batch(prompts, side="left")
        head = self.subject.batch([prompts[0][:shared]])
        _, captured = self._push(head, self.lengths[:1])
        self._read_shared(head, captured)
        self.cache.batch_repeat_interleave(len(prompts))
        tail = self.subject.batch([prompt[shared:] for prompt in prompts], side="left")
        mask = torch.cat([torch.ones_like(tail.mask[:, :1]).expand(-1, shared), tail.mask], 1)
        positions = torch.where(tail.positions >= 0, tail.positions + shared, tail.positions)
        return Batch(tail.ids, mask, positions, self.lengths)

    def _slides(self) -> bool:
        # A cache that has dropped old tokens cannot be handed to rows of other lengths.
        return bool(getattr(self.subject.config, "sliding_window", None))

    def _push(self, step: Batch, lengths: torch.Tensor | None = None) -> tuple[torch.Tensor, dict[Site, torch.Tensor]]:
        captured: dict[Site, torch.Tensor] = {}

        def collect(site: Site, x: torch.Tensor) -> None:
            captured[site] = x.clone()

        layout = Layout(step.positions, self.lengths if lengths is None else lengths)
        out = self.subject.step(step, layout, self.cache, (), dict.fromkeys(self.sites, collect))
        self.cache = cache_of(out)
        return out.logits[:, -1].float(), captured

    def _read(self, step: Batch, captured: dict[Site, torch.Tensor]) -> None:
        texts = [self._text(row) for row in self.rows] if self.panel.reads_words else ()
        seen = Seen(captured, step.positions, self.lengths, [row.entropies for row in self.rows], texts)
        live = [not row.ended for row in self.rows]
        if self.recorder:
            self.recorder.see(captured, live)
        self.watched.see(seen, [len(row.chosen) for row in self.rows], live, self._reread)

    def _read_shared(self, head: Batch, captured: dict[Site, torch.Tensor]) -> None:
        """Let every row's rules read the tokens that all rows begin with."""
        n = len(self.rows)
        wide = {site: x.expand(n, *x.shape[1:]) for site, x in captured.items()}
        seen = Seen(wide, head.positions.expand(n, -1), self.lengths, [[]] * n, [""] * n)
        self.watched.see(seen, [0] * n, [True] * n, None)

    def _release(self) -> None:
        for i, row in enumerate(self.rows):
            if row.ended:
                continue
            if self.enforce and self.watched.stops(i):
                row.ended = "monitor"
                continue
            row.released = len(row.chosen)
            if row.released >= self.decoding.max_new:
                self._end(i, "length")

    def _choose(self, logits: torch.Tensor) -> list[int]:
        log_p = torch.log_softmax(logits, -1)
        chosen, entropies = choose(logits, self.draws, self.decoding)
        for i, (row, token) in enumerate(zip(self.rows, chosen, strict=True)):
            if row.ended:
                continue
            if token in self.ends:
                self._end(i, "end")
                continue
            row.chosen.append(token)
            row.entropies.append(entropies[i])
            row.log_p.append(float(log_p[i, token]))
        return chosen

    def _end(self, i: int, how: Ended) -> None:
        self.watched.finish(i, self._reread)
        self.rows[i].ended = "monitor" if self.enforce and self.watched.stops(i) else how

    def _text(self, row: Row) -> str:
        return self.subject.text(row.prompt) + self.subject.text(row.chosen)

    def _reread(self, i: int, sites: Sequence[Site]) -> Seen:
        """Row ``i`` read again as a whole, for a rule of the second stage: all that the others have read, and no more."""
        row, captured = self.rows[i], {}
        batch = self.subject.batch([[*row.prompt, *row.chosen[: self.watched.read[i]]]])

        def collect(site: Site, x: torch.Tensor) -> None:
            captured[site] = x.clone()

        self.subject.inspect(batch, dict.fromkeys((self.subject.check(site) for site in sites), collect))
        return Seen(captured, batch.positions, self.lengths[i : i + 1])


@dataclass(frozen=True)
class Answer:
    """A finished answer with its verdict."""

    ids: tuple[int, ...]
    text: str
    ended: Ended
    verdict: Verdict
    combined: float
    """Highest standardised score over the rules."""
    row: Row


def watch_all(
    subject: LanguageSubject,
    panel: Panel,
    prompts: Sequence[Sequence[int]],
    decoding: Decoding = PLAIN,
    *,
    enforce: bool = True,
    progress: Callable[[float, str], None] | None = None,
) -> list[Answer]:
    """Answer each prompt under watch, in batches of like length; answers in the order of the prompts.

    Raises:
        InputError: a prompt is empty or too long.
    """
    out: dict[int, Answer] = {}
    for run, rows in batches(subject, panel, prompts, decoding, enforce=enforce):
        for place, i in enumerate(rows):
            row = run.rows[place]
            out[i] = Answer(
                tuple(row.answer),
                subject.text(row.answer),
                row.ended,
                run.verdict(place),
                run.watched.combined(place),
                row,
            )
        if progress:
            progress(len(out) / len(prompts), f"{len(out)} of {len(prompts)} answers")
    return [out[i] for i in range(len(prompts))]


def batches(
    subject: LanguageSubject,
    panel: Panel,
    prompts: Sequence[Sequence[int]],
    decoding: Decoding,
    *,
    enforce: bool = True,
    keep: bool = False,
    record: Sequence[Site] = (),
) -> Iterator[tuple[Run, list[int]]]:
    """Runs over all prompts in batches of like length, with the places of their rows; each has run when it comes."""
    order = sorted(range(len(prompts)), key=lambda i: len(prompts[i]))
    for start in range(0, len(order), decoding.rows):
        rows = order[start : start + decoding.rows]
        given = [prompts[i] for i in rows]
        run = Run(subject, panel, given, decoding, keys=rows, enforce=enforce, keep=keep, record=record)
        while not run.done:
            run.advance()
        yield run, rows


def common_beginning(rows: Sequence[Sequence[int]]) -> int:
    """How many tokens all rows begin with, the last token of each left out."""
    shortest = min(len(row) for row in rows) - 1
    return next((i for i in range(shortest) if len({row[i] for row in rows}) > 1), shortest)
