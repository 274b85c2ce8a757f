"""A stream of activations: several sites in one forward pass, shuffled, within a given memory, resumable exactly.

Numbered phases of a block: 1) take shuffled rows of tokens from the packer, 2) run them and copy what
the mask keeps into one buffer a site, 3) hand out the buffer's rows in a seeded order. The next block
begins when the buffer is used up. A block is a pure function of where it begins, so a state is a few
numbers and a resumed stream goes on with the same bits (on one machine with as many threads).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch

from brainscan.activations.contexts import Cursor, Packer, Packing, Rows
from brainscan.activations.sources import TextSource
from brainscan.core.address import Site
from brainscan.core.errors import RecordError, UsageError
from brainscan.core.evidence import Record
from brainscan.core.provenance import sha256_of_json
from brainscan.subject.language import LanguageSubject

MEGABYTE = 1 << 20
_MOST_ROWS = 16
_NO_WIDTH = {"attn_probs"}


class StreamConfig(Record):
    """What a stream hands out, and how much memory it may take."""

    sites: tuple[str, ...]
    context: int = 128
    """Tokens a row."""
    bos: bool | None = None
    """Begin rows with BOS; None: if the tokenizer does so itself."""
    batch: int = 2048
    """Rows of activations (tokens) a batch."""
    memory: int = 512 * MEGABYTE
    """Bytes for buffer, batch and the forward pass together; the model's weights are not in it."""
    skip: int = 1
    """First positions of each row that are left out: the first token of a row is an attention sink, of huge norm."""
    drop_special: bool = True
    """Leave out the tokenizer's special tokens."""
    window: int = 4096
    """Rows of tokens that are shuffled together before they run."""
    seed: int = 0
    passes: int | None = 1
    """Times that the source is read; None for as often as asked."""


class StreamState(Record):
    """Where a stream stands: give it to a new stream to go on with the same rows."""

    identity: str
    """Hash of source, subject and config: a state fits no other stream."""
    cursor: Cursor = Cursor()
    """Where the block's window of tokens begins."""
    row: int = 0
    """Rows of that window that earlier blocks used."""
    batch: int = 0
    """Batches of this block that were handed out."""


@dataclass(frozen=True)
class ActivationBatch:
    """Rows of activations of several sites; row i is the same token everywhere."""

    values: Mapping[Site, torch.Tensor]  # site -> [batch, d] float32
    tokens: torch.Tensor  # [batch] int32 token ids


class Stream(Protocol):
    """What a trainer reads: a live stream or one from disk."""

    identity: str
    """Hash of everything that decides the batches."""
    widths: Mapping[Site, int]
    """Site -> d."""
    batch: int
    """Rows a batch; only the last batch may have fewer."""

    def __iter__(self) -> Iterator[ActivationBatch]:
        """Batches from the present state on."""
        ...

    def state(self) -> Record:
        """Where it stands, after the batch that was handed out last."""
        ...


@dataclass(frozen=True)
class _Sizes:
    """How a memory budget is spent."""

    rows: int
    """Rows of tokens a block."""
    at_once: int
    """Rows of tokens a forward pass."""


class ActivationStream:
    """A live stream over a source of texts.

    Rows that do not fill a batch at a block's end are left out and counted in ``dropped``, except at the
    end of the stream, where they come as one short batch.

    Args:
        subject: the model; its weights and tokenizer are part of the identity.
        source: where the texts come from.
        config: sites, sizes, seed.
        state: where to go on, from ``state()`` of an earlier stream.

    Raises:
        SiteUnavailable: the subject lacks a site.
        UsageError: the memory is too small for a single batch, or a site has no rows.
        RecordError: the state is of another stream.
    """

    def __init__(
        self,
        subject: LanguageSubject,
        source: TextSource,
        config: StreamConfig,
        *,
        state: StreamState | None = None,
    ) -> None:
        self.subject, self.source, self.config = subject, source, config
        sites = tuple(subject.check(site) for site in config.sites)
        if not sites or any(site.point in _NO_WIDTH for site in sites):
            raise UsageError("A stream needs sites with a row for each token.", "Ask for resid_post, mlp_out, ...")
        packing = Packing(config.context, config.bos, config.window, config.seed, config.passes)
        self.packer = Packer(source, subject, packing)
        self.widths: Mapping[Site, int] = site_widths(subject, sites)
        self.batch = config.batch
        self.dropped = 0
        self.watch: Callable[[str], None] = lambda words: None
        """Is told in words how far a block has been read, which takes minutes on a slow machine."""
        card = subject.card
        self.identity = sha256_of_json(
            [config.model_dump(mode="json"), source.identity(), card.weights_sha256, card.tokenizer_sha256]
        )
        if state is not None and state.identity != self.identity:
            raise RecordError(
                "This state is of another stream: the texts, the model or the settings have changed.",
                "Use the same ones to resume, or start anew.",
            )
        self._state = state or StreamState(identity=self.identity)
        self._sizes = _sizes(subject, config, sum(self.widths.values()))
        self._special = torch.tensor(sorted(set(subject.tokenizer.all_special_ids)), dtype=torch.long)

    def state(self) -> StreamState:
        """Where the stream stands, after the batch that was handed out last."""
        return self._state

    def __iter__(self) -> Iterator[ActivationBatch]:
        """Batches from the present state on, float32 on the CPU."""
        buffer = _Buffer(self.widths, self._sizes.rows * self.config.context)
        for window in self.packer.windows(self._state.cursor):
            while self._state.row < len(window.rows):
                rows = window.rows[self._state.row : self._state.row + self._sizes.rows]  # phase 1
                self._run(rows, buffer)
                end = self._state.row + len(rows)
                yield from self._hand_out(buffer, last=window.exhausted and end == len(window.rows))
                self._state = self._state.model_copy(update={"row": end, "batch": 0})
            self._state = StreamState(identity=self.identity, cursor=window.after)

    def _run(self, rows: Rows, buffer: _Buffer) -> None:
        """Phase 2: run rows and keep what the mask allows."""
        buffer.clear()
        for start in range(0, len(rows), self._sizes.at_once):
            part = rows[start : start + self._sizes.at_once]
            batch = self.subject.batch(part.tolist())
            keep = self._mask(torch.from_numpy(part)).flatten().nonzero().squeeze(1)
            buffer.add_tokens(torch.from_numpy(part).flatten()[keep])

            def collect(site: Site, x: torch.Tensor, keep: torch.Tensor = keep) -> None:
                buffer.add(site, x, keep)

            self.subject.inspect(batch, dict.fromkeys(self.widths, collect))
            done = (start + len(part)) * self.config.context
            self.watch(f"read {done:,} of {len(rows) * self.config.context:,} tokens")

    def _mask(self, ids: torch.Tensor) -> torch.Tensor:
        """[row, pos] bool: the tokens that count."""
        mask = torch.ones(ids.shape, dtype=torch.bool)
        mask[:, : self.config.skip] = False
        return mask & ~torch.isin(ids, self._special) if self.config.drop_special else mask

    def _hand_out(self, buffer: _Buffer, *, last: bool) -> Iterator[ActivationBatch]:
        """Phase 3: batches in a seeded order, from the state's batch on."""
        seed = [self.config.seed, self._state.cursor.window, self._state.row]
        order = torch.from_numpy(np.random.default_rng(seed).permutation(buffer.filled))
        size = self.config.batch
        whole = -(-buffer.filled // size) if last else buffer.filled // size
        self.dropped += max(0, buffer.filled - whole * size)
        for number in range(self._state.batch, whole):
            picked = buffer.pick(order[number * size : (number + 1) * size])
            self._state = self._state.model_copy(update={"batch": number + 1})
            yield picked


class _Buffer:
    """Rows of all sites for one block, allocated once."""

    def __init__(self, widths: Mapping[Site, int], capacity: int) -> None:
        self.values = {site: torch.empty((capacity, d)) for site, d in widths.items()}
        self.tokens = torch.empty(capacity, dtype=torch.int32)
        self._begin = self.filled = 0

    def clear(self) -> None:
        self._begin = self.filled = 0

    def add_tokens(self, tokens: torch.Tensor) -> None:
        """Tokens come first: they say where the sites' rows go."""
        self._begin, self.filled = self.filled, self.filled + len(tokens)
        self.tokens[self._begin : self.filled] = tokens

    def add(self, site: Site, x: torch.Tensor, keep: torch.Tensor) -> None:
        """Copy the kept rows of [batch, pos, ...] behind the others."""
        flat = x.reshape(x.shape[0] * x.shape[1], -1)
        rows = self.values[site][self._begin : self.filled]
        if flat.dtype == rows.dtype and flat.device == rows.device:
            torch.index_select(flat, 0, keep, out=rows)
        else:
            rows.copy_(flat[keep.to(flat.device)])

    def pick(self, rows: torch.Tensor) -> ActivationBatch:
        return ActivationBatch({site: x[rows] for site, x in self.values.items()}, self.tokens[rows])


def site_widths(subject: LanguageSubject, sites: Sequence[Site]) -> dict[Site, int]:
    """Width of each site, seen in a run of one token: no table of families to keep in step."""
    widths: dict[Site, int] = {}

    def collect(site: Site, x: torch.Tensor) -> None:
        widths[site] = x[0, 0].numel()

    subject.inspect(subject.batch([[0]]), dict.fromkeys(sites, collect))
    return {site: widths[site] for site in dict.fromkeys(sites)}


def _sizes(subject: LanguageSubject, config: StreamConfig, width: int) -> _Sizes:
    """Half of the memory or less for the forward pass, then batch and window, and the buffer gets the rest."""
    card = subject.card
    a_token = 4 * (10 * card.d_model + 4 * card.d_mlp + card.n_heads * config.context)
    at_once = max(1, min(_MOST_ROWS, config.memory // 2 // (a_token * config.context)))
    window = config.window * config.context * 40  # Python lists of ints while packing
    left = config.memory - at_once * config.context * a_token - 2 * config.batch * (4 * width + 12) - window
    rows = min(config.window, left // (config.context * (4 * width + 12)))
    if rows < 1 or rows * config.context < config.batch:
        need = config.memory - left + config.batch * (4 * width + 12) + config.context * (4 * width + 12)
        raise UsageError(
            f"{config.memory / MEGABYTE:.0f} MB are too little for batches of {config.batch} tokens at these sites.",
            f"Give about {-(-2 * need // MEGABYTE)} MB with --memory, or ask for fewer sites or a smaller window.",
        )
    return _Sizes(int(rows), int(at_once))
