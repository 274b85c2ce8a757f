"""Attribution: which parts of a frozen model led to an outcome, and by how much, straight and step by step.

1. freeze the subject around the prompt (``freeze``)
2. choose the outcome (``targets``) and the candidates (``basis``)
3. direct effects on the outcome's targets, by a batched backward pass
4. direct effects on the most influential candidates so far, batch by batch, until the node budget is used
5. pack: what was not picked becomes error of its layer and position

Influence follows circuit-tracer: rows of |direct effect| made to sum to 1, summed over all paths from the outcome.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby

import torch

from brainscan.circuits.basis import Basis, Candidates
from brainscan.circuits.freeze import EMBEDDING, Frozen, freeze
from brainscan.circuits.graph import Settings
from brainscan.circuits.passage import Passage, passage
from brainscan.circuits.targets import Outcome, Target, top_logits
from brainscan.core.address import Site
from brainscan.core.errors import UsageError
from brainscan.subject.language import LanguageSubject

Progress = Callable[[float, str], None]
Choose = Callable[[LanguageSubject, torch.Tensor, int], Outcome]
"""(subject, logits [vocab], position) -> what to explain."""

POOL = 16_384
"""Candidates considered, or the node budget where it is larger: so memory grows with the nodes, not with their square."""
BATCH = 64
BUDGET_BYTES = 256_000_000
"""Gradients held at once; a longer prompt gets smaller batches."""
WALKED = 48
"""Candidates that go back together: fewer share their last position more nearly, more keep the matrices busier."""
_RANKINGS = 8
"""How often the candidates are ranked anew before the budget is used, at least."""


@dataclass(frozen=True, eq=False)
class Traced:
    """A whole attribution graph, before pruning. Columns are sources: [picked | errors, layer by layer | tokens]."""

    frozen: Frozen
    outcome: Outcome
    candidates: Candidates
    picked: torch.Tensor  # [k] candidates, ascending
    rows: torch.Tensor  # [k + targets, columns] direct effects on picked candidates, then on the outcome's targets
    settings: Settings

    @property
    def n_layers(self) -> int:
        """Blocks of the subject."""
        return len(self.frozen.acts)

    @property
    def weights(self) -> torch.Tensor:
        """[targets]: share of each target in the outcome."""
        return torch.tensor([target.weight for target in self.outcome.targets], device=self.rows.device)


def trace(
    subject: LanguageSubject,
    ids: Sequence[int],
    basis: Basis,
    settings: Settings,
    choose: Choose | None = None,
    progress: Progress = lambda fraction, words: None,
) -> Traced:
    """The attribution graph of a prompt; see the phases above.

    Args:
        choose: what to explain; None for the most likely next tokens.

    Raises:
        SiteUnavailable: the model lacks a port. SelfCheckFailed: it cannot be frozen exactly. InputError: the prompt.
    """
    progress(0.0, "freezing the model")
    frozen = freeze(subject, ids, basis.sites, rule=settings.rule, straight=basis.straight)  # 1
    outcome = choose(subject, frozen.logits, frozen.n - 1) if choose else most_likely(frozen, settings)  # 2
    if any(target.site not in frozen.tensors for target in outcome.targets):
        more = (*basis.sites, *(target.site for target in outcome.targets))
        frozen = freeze(subject, ids, more, rule=settings.rule, straight=basis.straight)
    progress(0.05, "choosing candidates")
    candidates = basis.candidates(frozen, outcome, max(POOL, settings.nodes), skip_first=settings.skip_first)
    if not len(candidates):
        raise UsageError(
            "Nothing is active on this prompt that could be a node.", "Give a prompt of two tokens or more."
        )
    effects = Effects(frozen, candidates, keep_first=settings.lump_rest or not settings.skip_first)
    rows = effects.of_targets(outcome.targets)  # 3
    picked, rows = _pick(effects, outcome, rows, settings, progress)  # 4
    return _pack(frozen, outcome, candidates, picked, rows, settings)  # 5


def most_likely(frozen: Frozen, settings: Settings) -> Outcome:
    """The default outcome."""
    place = frozen.n - 1
    return top_logits(
        frozen.subject, frozen.logits, place, most=settings.most_outcomes, mass=settings.outcome_probability
    )


@dataclass(frozen=True, eq=False)
class _Group:
    """Candidates that write at one layer and position."""

    position: int
    who: torch.Tensor
    vectors: torch.Tensor  # [n, d]


class Effects:
    """Direct effects of every candidate, error and token on targets, by batched backward passes.

    Args:
        keep_first: errors at position 0 count; circuit-tracer leaves them out.
    """

    def __init__(self, frozen: Frozen, candidates: Candidates, *, keep_first: bool) -> None:
        self.frozen, self.candidates = frozen, candidates
        self._groups = {}
        for write in candidates.writes:
            self._groups.setdefault(write.layer, []).extend(_grouped(write.who, write.vectors, candidates))
        self._errors = candidates.errors.clone()
        if not keep_first:
            self._errors[:, 0] = 0
        self._tokens = frozen.token_vectors()
        self.columns = len(candidates) + self._errors.shape[0] * frozen.n + frozen.n

    @cached_property
    def passage(self) -> Passage | None:
        """The short way back, where candidates listen to what MLPs read and nothing lies beside the MLPs."""
        listening = {site.point for site in self.candidates.reads.values()} == {"mlp_in"}
        return passage(self.frozen) if listening else None

    def of_targets(self, targets: Sequence[Target]) -> torch.Tensor:
        """[targets, columns]."""
        at = torch.tensor([target.position for target in targets], device=self.frozen.device)
        vectors = torch.stack([target.vector for target in targets])
        return self._rows([target.site for target in targets], at, vectors)

    def of_candidates(self, ids: torch.Tensor) -> torch.Tensor:
        """[n, columns], rows in the order of ``ids``."""
        row = torch.zeros(len(ids), self.columns, device=self.frozen.device)
        way = self.passage if len(ids) * self.frozen.n >= self.frozen.subject.d_model else None  # probing has its price
        for some in self._parts(ids, together=way is None):
            layers = self.candidates.layer[ids[some]].tolist()
            vectors = torch.cat([self.candidates.encode(ids[some][torch.tensor(mine)]) for mine in _runs(layers)])
            positions = self.candidates.position[ids[some]]
            if way:
                row[some] = self._read(len(some), way.walk(layers, positions, vectors))
            else:
                row[some] = self._rows([self.candidates.reads[layer] for layer in layers], positions, vectors)
        return row

    def _parts(self, ids: torch.Tensor, *, together: bool) -> Iterator[torch.Tensor]:
        """Places in ``ids`` that go back at once, the highest layer first: all, or those whose last positions are alike."""
        order = self.candidates.layer[ids].argsort(stable=True, descending=True)
        if together:
            yield order
            return
        order = order[self.candidates.position[ids[order]].argsort(stable=True)]
        for part in order.split(min(WALKED, self._most(1))):
            yield part[self.candidates.layer[ids[part]].argsort(stable=True, descending=True)]

    def _most(self, leaves: int) -> int:
        """Targets whose gradients fit in the budget."""
        return max(1, BUDGET_BYTES // (self.frozen.leaves[EMBEDDING].numel() * 4 * leaves))

    def _rows(self, sites: Sequence[Site], positions: torch.Tensor, vectors: torch.Tensor) -> torch.Tensor:
        size = min(BATCH, self._most(len(self.frozen.leaves)))
        parts = []
        for start in range(0, len(positions), size):
            some = slice(start, start + size)
            found = self.frozen.adjoint(sites[some], positions[some], vectors[some])
            back = ((leaf, gradient.transpose(0, 1)) for leaf, gradient in found.items())
            parts.append(self._read(len(vectors[some]), back))
        return torch.cat(parts)

    def _read(self, rows: int, back: Iterable[tuple[Site, torch.Tensor]]) -> torch.Tensor:
        """[rows, columns] from gradients at leaves, each [pos, so many first rows, d]; what is left out is 0."""
        row = torch.zeros(rows, self.columns, device=self.frozen.device)
        n, candidates = self.frozen.n, len(self.candidates)
        for leaf, gradient in back:
            m, k = gradient.shape[:2]
            if leaf == EMBEDDING:
                row[:k, self.columns - n : self.columns - n + m] = torch.einsum(
                    "pnd,pd->np", gradient, self._tokens[:m]
                )
                continue
            layer = int(leaf.layer or 0)
            for group in self._groups.get(layer, ()):
                if group.position < m:
                    row[:k, group.who] += gradient[group.position] @ group.vectors.T
            start = candidates + layer * n
            row[:k, start : start + m] = torch.einsum("pnd,pd->np", gradient, self._errors[layer, :m])
        return row


def _runs(layers: Sequence[int]) -> Iterator[list[int]]:
    """Places of equal neighbours, run by run."""
    for _, run in groupby(range(len(layers)), key=layers.__getitem__):
        yield list(run)


def _grouped(who: torch.Tensor, vectors: torch.Tensor, candidates: Candidates) -> Iterator[_Group]:
    positions = candidates.position[who]
    for position in positions.unique().tolist():
        mine = positions == position
        yield _Group(position, who[mine], vectors[mine])


def _pick(
    effects: Effects, outcome: Outcome, first: torch.Tensor, settings: Settings, progress: Progress
) -> tuple[torch.Tensor, torch.Tensor]:
    """Greedy choice by influence: picked candidates in the order of choice, and rows [targets + picked, columns]."""
    total = len(effects.candidates)
    budget = min(settings.nodes, total)
    queue = max(1, budget // _RANKINGS)
    weights = torch.tensor([target.weight for target in outcome.targets], device=first.device)
    rows = torch.zeros(len(first) + budget, effects.columns, device=first.device)
    rows[: len(first)] = first
    picked = torch.zeros(0, dtype=torch.long, device=first.device)
    while len(picked) < budget:
        done = len(first) + len(picked)
        if budget == total:
            pending = torch.arange(total, device=first.device)
        else:
            influence = partial_influence(rows[:done], weights, picked)[:total]
            influence[picked] = 0
            pending = influence.topk(min(queue, budget - len(picked))).indices
            pending = pending[influence[pending] > 0]
            if not len(pending):
                break
        for some in pending.split(max(queue, BATCH)):
            rows[done : done + len(some)] = effects.of_candidates(some)
            done += len(some)
            picked = torch.cat([picked, some])
            progress(0.1 + 0.85 * len(picked) / budget, f"{len(picked):,} of {budget:,} nodes attributed")
    return picked, rows[: len(first) + len(picked)]


def partial_influence(rows: torch.Tensor, weights: torch.Tensor, picked: torch.Tensor) -> torch.Tensor:
    """Influence [columns] of every source on the outcome, over the paths whose rows are known.

    Args:
        rows: [targets + picked, columns].
        weights: [targets].
        picked: [picked] column of each row after the targets.
    """
    share = rows.abs()
    share /= share.sum(1, keepdim=True).clamp(min=1e-10)
    targets = len(weights)
    influence = weights @ share[:targets]
    if not len(picked):
        return influence
    inner = share[targets:, picked]  # paths run through picked columns alone, so only they are followed
    arriving = influence[picked]
    reached = arriving.clone()
    while bool(arriving.any()):  # the graph has no cycle, so this ends
        arriving = arriving @ inner
        reached += arriving
    return influence + reached @ share[targets:]


def _pack(
    frozen: Frozen,
    outcome: Outcome,
    candidates: Candidates,
    picked: torch.Tensor,
    rows: torch.Tensor,
    settings: Settings,
) -> Traced:
    order = picked.argsort()
    kept, n_targets, n = picked[order], len(outcome.targets), len(candidates)
    rows = torch.cat([rows[n_targets:][order], rows[:n_targets]])
    rest = torch.ones(n, dtype=torch.bool, device=rows.device)
    rest[kept] = False
    others = rows[:, n:].clone()
    if settings.lump_rest and bool(rest.any()):
        column = candidates.layer[rest] * frozen.n + candidates.position[rest]
        others.index_add_(1, column, rows[:, :n][:, rest])
    return Traced(frozen, outcome, candidates, kept, torch.cat([rows[:, kept], others], 1), settings)
