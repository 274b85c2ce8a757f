"""Replace one concept by another inside a running model, and read the new answer.

1. freeze two prompts that differ in the concept (Dallas and Oakland; Texas goes, California comes)
2. rank every neuron or feature at the concept's position by how far the difference of its two activations should move
   the answer from the one to the other (difference times the mean of the gradients in both prompts: what is silent in
   one of them has no slope there), and keep the best ``nodes``
3. in any prompt, add what these nodes would write for the difference, with nothing held
4. the control: as many random nodes of the same layers, scaled layer by layer to the same norm
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch

from brainscan.circuits.basis import Basis
from brainscan.circuits.freeze import Frozen, freeze
from brainscan.circuits.results import Said, Swap, SwappedNode
from brainscan.circuits.targets import logit_difference
from brainscan.circuits.through import output_gradients
from brainscan.core.address import Site
from brainscan.core.errors import UsageError
from brainscan.subject.edit import Edit
from brainscan.subject.language import LanguageSubject

MOST_NODES = 100
TOP = 5


@dataclass(frozen=True)
class Place:
    """A prompt, where its concept stands, and its answer."""

    ids: tuple[int, ...]
    position: int
    answer: int
    """Token id."""


@dataclass(frozen=True, eq=False)
class Transplant:
    """What turns one concept into another, ready to be added to any prompt."""

    nodes: tuple[SwappedNode, ...]
    vectors: Mapping[int, torch.Tensor]
    """Layer -> [d], added to ``mlp_out``."""
    random: Mapping[int, torch.Tensor]
    """The control."""

    def edits(self, position: int, dose: float = 1.0, *, control: bool = False) -> list[Edit]:
        """Edits that put it (or its control) at one position of a prompt."""
        vectors = self.random if control else self.vectors
        return [Edit.add(Site("mlp_out", layer), v, dose=dose, at=position) for layer, v in vectors.items()]


def make_transplant(
    subject: LanguageSubject, old: Place, new: Place, basis: Basis, *, nodes: int = MOST_NODES, seed: int = 0
) -> Transplant:
    """The nodes that turn ``old`` into ``new``; see phases 1 and 2.

    Raises:
        UsageError: both have the same answer, or nothing differs.
    """
    frozen, other = _frozen(subject, old, basis), _frozen(subject, new, basis)  # 1
    gradients = _mean_gradients(((frozen, old), (other, new)), new.answer, old.answer)
    choice = _choose(frozen, other, old.position, new.position, gradients, basis, nodes)  # 2
    if not len(choice.effects):
        raise UsageError("No node tells the two prompts apart in favour of the new answer.", "Choose other prompts.")
    return _transplant(frozen, old.position, choice, basis, seed)


def swap(
    subject: LanguageSubject,
    place: Place,
    transplant: Transplant,
    wanted: int,
    made_from: tuple[str, str],
    dose: float = 1.0,
) -> Swap:
    """Put a transplant into a prompt and read the answer; see phases 3 and 4.

    Args:
        place: the prompt; its answer is not used.
        wanted: the token that should come out.
        made_from: the texts of the two prompts that the transplant was made from.
    """
    before = next_probabilities(subject, place.ids, [])
    after = next_probabilities(subject, place.ids, transplant.edits(place.position, dose))
    control = next_probabilities(subject, place.ids, transplant.edits(place.position, dose, control=True))
    return Swap(
        subject=subject.card.name, prompt=subject.text(place.ids), made_from=made_from, position=place.position,
        dose=dose, nodes=transplant.nodes, before=said(subject, before), after=said(subject, after),
        control=said(subject, control), wanted=subject.pieces([wanted])[0], wanted_before=float(before[wanted]),
        wanted_after=float(after[wanted]), wanted_control=float(control[wanted]), swapped=int(after.argmax()) == wanted,
    )  # fmt: skip


def next_probabilities(subject: LanguageSubject, ids: Sequence[int], edits: Sequence[Edit]) -> torch.Tensor:
    """[vocab] after a prompt."""
    return torch.softmax(subject.logits(subject.batch([list(ids)]), edits=edits)[0, -1].float(), -1)


def said(subject: LanguageSubject, probabilities: torch.Tensor) -> tuple[Said, ...]:
    """The most likely tokens."""
    top = probabilities.topk(TOP)
    words = subject.pieces(top.indices.tolist())
    return tuple(Said(token=word, probability=p) for word, p in zip(words, top.values.tolist(), strict=True))


@dataclass(frozen=True, eq=False)
class _Choice:
    layers: torch.Tensor  # [n] position in the basis's order
    index: torch.Tensor  # [n]
    change: torch.Tensor  # [n]
    effects: torch.Tensor  # [n]


def _frozen(subject: LanguageSubject, place: Place, basis: Basis) -> Frozen:
    return freeze(subject, place.ids, basis.sites, straight=basis.straight)


def _mean_gradients(runs: Sequence[tuple[Frozen, Place]], towards: int, against: int) -> list[torch.Tensor]:
    """Layer by layer [d], at the concept's position, averaged over the runs."""
    total: list[torch.Tensor] = []
    for frozen, place in runs:
        outcome = logit_difference(frozen.subject, frozen.logits, frozen.n - 1, towards, against)
        found = [g[place.position] / len(runs) for g in output_gradients(frozen, outcome, free_scales=True)]
        total = [a + b for a, b in zip(total, found, strict=True)] if total else found
    return total


def _choose(
    frozen: Frozen, other: Frozen, at: int, at_other: int, gradients: list[torch.Tensor], basis: Basis, nodes: int
) -> _Choice:
    columns: list[list[torch.Tensor]] = [[], [], [], []]
    for order, (a, b) in enumerate(zip(basis.standing(frozen, at), basis.standing(other, at_other), strict=True)):
        change = b.activations - a.activations
        pull = sum(vectors @ gradients[layer] for layer, vectors in a.writes.items())
        effect = change * pull
        best = effect.topk(min(nodes, len(effect))).indices
        best = best[effect[best] > 0]
        for column, values in zip(
            columns, (torch.full_like(best, order), best, change[best], effect[best]), strict=True
        ):
            column.append(values)
    layers, index, change, effects = (torch.cat(column) for column in columns)
    best = effects.topk(min(nodes, len(effects))).indices
    return _Choice(layers[best], index[best], change[best], effects[best])


def _transplant(frozen: Frozen, position: int, choice: _Choice, basis: Basis, seed: int) -> Transplant:
    generator = torch.Generator().manual_seed(seed)
    vectors: dict[int, torch.Tensor] = {}
    random: dict[int, torch.Tensor] = {}
    names: dict[int, str] = {}
    for order, standing in enumerate(basis.standing(frozen, position)):
        mine = choice.layers == order
        names[order] = f"{standing.kind} {standing.layer}"
        if not bool(mine.any()):
            continue
        drawn = torch.randperm(len(standing.activations), generator=generator)[: int(mine.sum())]
        for layer, written in standing.writes.items():
            vectors[layer] = vectors.get(layer, 0) + choice.change[mine] @ written[choice.index[mine]]
            random[layer] = random.get(layer, 0) + choice.change[mine] @ written[drawn]
    for layer, vector in vectors.items():
        random[layer] = random[layer] * (vector.norm() / random[layer].norm().clamp(min=1e-12))
    nodes = tuple(
        SwappedNode(id=f"{names[order]}.{index}", change=change, effect=effect)
        for order, index, change, effect in zip(
            choice.layers.tolist(), choice.index.tolist(), choice.change.tolist(), choice.effects.tolist(), strict=True
        )
    )
    return Transplant(nodes, vectors, random)
