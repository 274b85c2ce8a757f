"""Replace one concept by another inside a running model, and read the new answer.

1. read a concept where it stands: one frozen pass of one prompt (or of several, averaged) gives every neuron's or
   feature's activation there, and by one backward pass how much it pulls at the prompt's answer
2. of two concepts (Texas goes, California comes) rank the nodes by how far the difference of their activations should
   move the answer from the one to the other (difference times the pulls in both prompts: what is silent in one of them
   has no slope there), and keep the best ``nodes``
   (other readings of the same two kinds of concept may make the choice)
3. in any prompt, add what these nodes would write for the difference, with nothing held
4. the control: as many random nodes of the same layers, scaled layer by layer to the same norm

A concept is read once and serves in every pair.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import torch

from brainscan.circuits.basis import Basis, Standing
from brainscan.circuits.freeze import freeze
from brainscan.circuits.results import Said, Swap, SwappedNode
from brainscan.circuits.targets import FINAL, direction
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


@dataclass(frozen=True, eq=False)
class Concept:
    """What stands at one place, and how it pulls at the answer."""

    answer: int
    """Token id."""
    standing: tuple[Standing, ...]
    """Layer by layer, as the basis has them."""
    pulls: tuple[torch.Tensor, ...]
    """Of each layer's nodes [n]: what one unit of activation does to the answer's logit less that of its rivals."""


def read_concept(subject: LanguageSubject, place: Place, basis: Basis, rivals: Sequence[int] = ()) -> Concept:
    """Read a concept; see phase 1.

    Args:
        rivals: tokens that the answer is set against; none for the mean over the vocabulary.

    Raises:
        UsageError: the answer is its only rival.
    """
    others = [token for token in rivals if token != place.answer]
    if rivals and not others:
        raise UsageError("A token cannot be set against itself.", "Name two different answers.")
    frozen = freeze(subject, place.ids, basis.sites, straight=basis.straight)
    vector = (subject.unembedding[place.answer] - subject.unembedding[others or slice(None)].mean(0)).detach().float()
    outcome = direction(subject, FINAL, frozen.n - 1, vector, "answer")
    gradients = [g[place.position] for g in output_gradients(frozen, outcome, free_scales=True)]
    standing = tuple(basis.standing(frozen, place.position))
    return Concept(place.answer, standing, tuple(each.pull(gradients) for each in standing))


def mean_concept(concepts: Sequence[Concept]) -> Concept:
    """Several readings of one concept (three cities of one country) as one, without what is each one's own.

    Raises:
        UsageError: there is none, or their answers differ.
    """
    if len({concept.answer for concept in concepts}) != 1:
        raise UsageError("Readings with different answers are not one concept.", "Give prompts with one answer.")
    layers = zip(*(concept.standing for concept in concepts), strict=True)
    standing = tuple(
        replace(each[0], activations=torch.stack([one.activations for one in each]).mean(0)) for each in layers
    )
    pulls = tuple(torch.stack(each).mean(0) for each in zip(*(concept.pulls for concept in concepts), strict=True))
    return Concept(concepts[0].answer, standing, pulls)


def make_transplant(
    old: Concept,
    new: Concept,
    *,
    kinds: tuple[Concept, Concept] | None = None,
    first_layer: int = 0,
    nodes: int = MOST_NODES,
    seed: int = 0,
) -> Transplant:
    """The nodes that turn ``old`` into ``new``; see phase 2.

    Args:
        kinds: readings by which nodes are chosen, ``old`` and ``new`` by default. With means of several cities of each
            country a node that is one city's own is not chosen, and ``old`` may still be the city that is changed.
        first_layer: nodes below it are left alone: the lowest ones tell words, not what they mean.

    Raises:
        UsageError: both have the same answer, or nothing differs.
    """
    if old.answer == new.answer:
        raise UsageError("Both concepts have the same answer.", "Give prompts whose answers differ.")
    choice = _choose(*(kinds or (old, new)), nodes, first_layer)
    if not len(choice.effects):
        raise UsageError("No node tells the two prompts apart in favour of the new answer.", "Choose other prompts.")
    return _transplant(old, new, choice, seed)


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
    effects: torch.Tensor  # [n]


def _choose(old: Concept, new: Concept, nodes: int, first_layer: int) -> _Choice:
    columns: list[list[torch.Tensor]] = [[], [], []]
    for order, (a, b) in enumerate(zip(old.standing, new.standing, strict=True)):
        if a.layer < first_layer:
            continue
        effect = (b.activations - a.activations) * (new.pulls[order] - old.pulls[order]) / 2
        best = effect.topk(min(nodes, len(effect))).indices
        best = best[effect[best] > 0]
        for column, values in zip(columns, (torch.full_like(best, order), best, effect[best]), strict=True):
            column.append(values)
    layers, index, effects = (torch.cat(column) for column in columns)
    best = effects.topk(min(nodes, len(effects))).indices
    return _Choice(layers[best], index[best], effects[best])


def _transplant(old: Concept, new: Concept, choice: _Choice, seed: int) -> Transplant:
    generator = torch.Generator().manual_seed(seed)
    vectors: dict[int, torch.Tensor] = {}
    random: dict[int, torch.Tensor] = {}
    change = torch.zeros_like(choice.effects)
    for order in choice.layers.unique().tolist():
        standing, mine = old.standing[order], choice.layers == order
        chosen = choice.index[mine]
        change[mine] = new.standing[order].activations[chosen] - standing.activations[chosen]
        drawn = torch.randperm(len(standing.activations), generator=generator)[: len(chosen)].to(chosen.device)
        for ids, total in ((chosen, vectors), (drawn, random)):
            for layer, written in standing.writes(ids).items():
                total[layer] = total.get(layer, 0) + change[mine] @ written
    for layer, vector in vectors.items():
        random[layer] = random[layer] * (vector.norm() / random[layer].norm().clamp(min=1e-12))
    nodes = tuple(
        SwappedNode(id=f"{old.standing[order].kind} {old.standing[order].layer}.{index}", change=change, effect=effect)
        for order, index, change, effect in zip(
            choice.layers.tolist(), choice.index.tolist(), change.tolist(), choice.effects.tolist(), strict=True
        )
    )
    return Transplant(nodes, vectors, random)
