"""What the nodes are: MLP neurons, which every model has, or features of transcoders, where a dictionary exists.

A candidate is one neuron or feature at one position, with the vector that it listens to (its activation is linear there,
in the frozen model) and the vectors that it writes. What the candidates of a layer do not write is its error.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import torch

from brainscan.circuits.freeze import Frozen, Straight
from brainscan.circuits.targets import Outcome
from brainscan.circuits.through import feature_gradients, neuron_gradients
from brainscan.core.address import Site
from brainscan.core.errors import UsageError
from brainscan.dictionary.dictionary import Dictionary, DictionarySet


@dataclass(frozen=True, eq=False)
class Write:
    """What candidates write at one layer's ``mlp_out``; activations are part of the vectors."""

    layer: int
    who: torch.Tensor  # [n] candidate
    vectors: torch.Tensor  # [n, d]


@dataclass(frozen=True, eq=False)
class Candidates:
    """Everything that may become a node, in the order of layer, position and index."""

    kind: Literal["neuron", "feature"]
    layer: torch.Tensor  # [n]
    position: torch.Tensor  # [n]
    index: torch.Tensor  # [n]
    activation: torch.Tensor  # [n]
    effect: (
        torch.Tensor
    )  # [n] what the outcome would lose over all paths of the linear model, were the candidate taken away
    reads: Mapping[int, Site]
    """Layer -> the site that its candidates listen to."""
    encode: Callable[[torch.Tensor], torch.Tensor]
    """Candidates of one layer [n] -> [n, d]."""
    writes: tuple[Write, ...]
    errors: torch.Tensor  # [layer, pos, d] what no candidate writes
    active: int
    """How many were active before the choice of candidates."""

    def __len__(self) -> int:
        return len(self.layer)

    def at(self, places: Sequence[int]) -> torch.Tensor:
        """[n] of them, by their places in the list."""
        return torch.tensor(places, device=self.layer.device)

    def outputs(self, chosen: torch.Tensor) -> dict[int, torch.Tensor]:
        """Layer written -> [n, d] of the chosen candidates [n], zeros where one does not write."""
        place = torch.full((len(self),), -1, device=chosen.device)
        place[chosen] = torch.arange(len(chosen), device=chosen.device)
        out = {}
        for write in self.writes:
            mine = place[write.who] >= 0
            if bool(mine.any()):
                vectors = torch.zeros(len(chosen), write.vectors.shape[1], device=chosen.device)
                out[write.layer] = vectors.index_add(0, place[write.who[mine]], write.vectors[mine])
        return out


@dataclass(frozen=True, eq=False)
class Standing:
    """Every neuron or feature of one layer at one position, active or not."""

    kind: Literal["neuron", "feature"]
    layer: int
    activations: torch.Tensor  # [features]
    writes: Callable[[torch.Tensor], Mapping[int, torch.Tensor]]
    """Some of them [n] -> layer written -> [n, d] for an activation of 1."""

    def pull(self, gradients: Sequence[torch.Tensor]) -> torch.Tensor:
        """[features]: what one unit of activation does, given the gradient [d] of something at every layer's ``mlp_out``."""
        written = self.writes(torch.arange(len(self.activations), device=self.activations.device))
        return torch.stack([vectors @ gradients[layer] for layer, vectors in written.items()]).sum(0)


class Basis(Protocol):
    """A way to take MLPs apart."""

    @property
    def name(self) -> str:
        """For records."""
        ...

    @property
    def sites(self) -> tuple[Site, ...]:
        """Sites that it reads, beside ``mlp_in``."""
        ...

    @property
    def straight(self) -> Mapping[int, tuple[Site, Straight]]:
        """Linear paths beside the nodes, as ``freeze`` takes them."""
        ...

    def candidates(self, frozen: Frozen, outcome: Outcome, most: int, *, skip_first: bool) -> Candidates:
        """At most ``most`` candidates, chosen by the size of their total effect on the outcome.

        Args:
            skip_first: nothing at position 0 is a candidate.
        """
        ...

    def standing(self, frozen: Frozen, position: int) -> Iterator[Standing]:
        """Layer by layer, everything at one position."""
        ...


@dataclass(frozen=True)
class Neurons:
    """MLP neurons: nothing to train, and no error but what is left out."""

    name: str = "neurons"

    @property
    def sites(self) -> tuple[Site, ...]:
        """None but ``mlp_in``."""
        return ()

    @property
    def straight(self) -> Mapping[int, tuple[Site, Straight]]:
        """None."""
        return {}

    def candidates(self, frozen: Frozen, outcome: Outcome, most: int, *, skip_first: bool) -> Candidates:
        """See ``Basis``."""
        acts = torch.stack(frozen.acts)  # [layer, pos, d_mlp]
        effects = acts * torch.stack(neuron_gradients(frozen, outcome))
        size = effects.abs()
        if skip_first:
            size[:, 0] = 0
        chosen = size.flatten().topk(min(most, int((size > 0).sum()))).indices.sort().values
        layer, position, index = torch.unravel_index(chosen, acts.shape)
        activation = acts.flatten()[chosen]
        writes, errors = [], []
        for i in range(len(frozen.acts)):
            who = torch.nonzero(layer == i).flatten()
            vectors = activation[who, None] * frozen.decoders(i, position[who], index[who])
            writes.append(Write(i, who, vectors))
            errors.append(frozen.neuron_output(i).index_add(0, position[who], -vectors))

        def encode(ids: torch.Tensor) -> torch.Tensor:
            return frozen.encoders(int(layer[ids[0]]), position[ids], index[ids])

        return Candidates(
            "neuron", layer, position, index, activation, effects.flatten()[chosen],
            {i: Site("mlp_in", i) for i in range(len(frozen.acts))}, encode, tuple(writes), torch.stack(errors),
            int((acts != 0).sum()),
        )  # fmt: skip

    def standing(self, frozen: Frozen, position: int) -> Iterator[Standing]:
        """See ``Basis``."""
        for layer, acts in enumerate(frozen.acts):

            def writes(ids: torch.Tensor, layer: int = layer) -> Mapping[int, torch.Tensor]:
                return {layer: frozen.decoders(layer, torch.full_like(ids, position), ids)}

            yield Standing("neuron", layer, acts[position], writes)


@dataclass(frozen=True, eq=False)
class Features:
    """Features of transcoders, one dictionary a layer, or of a cross-layer transcoder.

    Raises:
        UsageError: a dictionary is no transcoder from one site to ``mlp_out``, or has a form that cannot be frozen.
    """

    dictionary: Dictionary | DictionarySet
    name: str = "features"

    def __post_init__(self) -> None:
        for part in self.parts:
            _check_part(part)

    @property
    def parts(self) -> tuple[Dictionary, ...]:
        """The dictionaries, scales folded into their weights."""
        parts = self.dictionary.parts if isinstance(self.dictionary, DictionarySet) else (self.dictionary,)
        return tuple(part.folded() for part in parts)

    @property
    def sites(self) -> tuple[Site, ...]:
        """What the dictionaries read."""
        return tuple(Site.parse(part.reads[0]) for part in self.parts)

    @property
    def straight(self) -> Mapping[int, tuple[Site, Straight]]:
        """Skip paths, each to its first written layer."""
        found: dict[int, tuple[Site, Straight]] = {}
        for part in self.parts:
            if part.W_skip is not None:
                weight = part.W_skip.chunk(len(part.writes), dim=1)[0]
                found[_written(part)[0]] = (Site.parse(part.reads[0]), lambda x, weight=weight: x @ weight.to(x.device))
        return found

    def candidates(self, frozen: Frozen, outcome: Outcome, most: int, *, skip_first: bool) -> Candidates:
        """See ``Basis``."""
        errors = torch.stack(
            [leaf[0].detach() for site, leaf in frozen.leaves.items() if site.point == "mlp_out"]
        ).clone()
        parts = [part.to(frozen.device) for part in self.parts]
        found = [_active(part, frozen, errors, skip_first=skip_first) for part in parts]
        layer, position, index, activation = (torch.cat([part[name] for part in found]) for name in _COLUMNS)
        encoders = torch.cat([part["encoder"] for part in found])
        writes, start = [], 0
        for part, active in zip(parts, found, strict=True):
            who = start + torch.arange(len(active["layer"]), device=frozen.device)
            for place, vectors in zip(_written(part), active["decoder"].unbind(1), strict=True):
                writes.append(Write(place, who, vectors))
            start += len(who)
        reads = {int(Site.parse(part.reads[0]).layer or 0): Site.parse(part.reads[0]) for part in self.parts}
        whole = Candidates(
            "feature", layer, position, index, activation, torch.zeros(len(layer), device=frozen.device),
            reads, lambda ids: encoders[ids], tuple(writes), errors, len(layer),
        )  # fmt: skip
        return _chosen(whole, frozen, outcome, most)

    def standing(self, frozen: Frozen, position: int) -> Iterator[Standing]:
        """See ``Basis``."""
        for part in (part.to(frozen.device) for part in self.parts):
            site = Site.parse(part.reads[0])
            x = frozen.tensors[site][0, position : position + 1].detach()
            spread = 1.0 if part.normalisation == "none" else float(part._moments(x)[1])

            def writes(
                ids: torch.Tensor, part: Dictionary = part, spread: float = spread
            ) -> Mapping[int, torch.Tensor]:
                vectors = (part.W_dec[ids] * spread).chunk(len(part.writes), dim=1)
                return dict(zip(_written(part), vectors, strict=True))

            yield Standing("feature", int(site.layer or 0), part.encode(x)[0], writes)


_COLUMNS = ("layer", "position", "index", "activation")


def _chosen(whole: Candidates, frozen: Frozen, outcome: Outcome, most: int) -> Candidates:
    """The candidates with the largest total effect; what the others write becomes error."""
    gradient = feature_gradients(frozen, outcome, whole.reads, whole.layer, whole.position, whole.encode, [
        (write.layer, write.who, write.vectors / whole.activation[write.who, None]) for write in whole.writes
    ])  # fmt: skip
    effect = whole.activation * gradient
    keep = effect.abs().topk(min(most, len(whole))).indices.sort().values
    place = torch.full((len(whole),), -1, device=keep.device)
    place[keep] = torch.arange(len(keep), device=keep.device)
    errors, writes = whole.errors.clone(), []
    for write in whole.writes:
        left = place[write.who] < 0
        errors[write.layer].index_add_(0, whole.position[write.who[left]], write.vectors[left])
        writes.append(Write(write.layer, place[write.who[~left]], write.vectors[~left]))
    return Candidates(
        whole.kind, whole.layer[keep], whole.position[keep], whole.index[keep], whole.activation[keep], effect[keep],
        whole.reads, lambda ids: whole.encode(keep[ids]), tuple(writes), errors, whole.active,
    )  # fmt: skip


def _active(part: Dictionary, frozen: Frozen, errors: torch.Tensor, *, skip_first: bool) -> dict[str, torch.Tensor]:
    """Active features of one dictionary, and their reconstruction taken off ``errors`` [layer, pos, d] in place."""
    site = Site.parse(part.reads[0])
    x = frozen.tensors[site][0].detach()
    codes = part.encode(x)
    if skip_first:
        codes[0] = 0
    position, index = torch.nonzero(codes > 0, as_tuple=True)
    activation = codes[position, index]
    encoder, spread = part.W_enc.T[index], torch.ones(len(x), 1, device=x.device)
    if part.r_mag is not None:
        encoder = encoder * part.r_mag.exp()[index, None]
    if part.normalisation != "none":
        spread = part._moments(x)[1]
        encoder = (encoder - encoder.mean(1, keepdim=True) if part.normalisation == "layer_norm" else encoder) / spread[
            position
        ]
    width = part.d_out // len(part.writes)  # spelled out, because nothing may be active
    decoder = (activation[:, None] * part.W_dec[index] * spread[position]).reshape(len(index), len(part.writes), width)
    constant = part.decode(torch.zeros_like(codes), x)
    if part.W_skip is not None:
        constant = constant - x @ part.W_skip  # the leaf has no straight path in it
    for place, flat, fixed in zip(_written(part), decoder.unbind(1), constant.chunk(len(part.writes), 1), strict=True):
        errors[place] -= fixed
        errors[place].index_add_(0, position, -flat)
    layer = torch.full_like(index, int(site.layer or 0))
    return {"layer": layer, "position": position, "index": index, "activation": activation,
            "encoder": encoder, "decoder": decoder}  # fmt: skip


def _written(part: Dictionary) -> tuple[int, ...]:
    return tuple(int(Site.parse(site).layer or 0) for site in part.writes)


def _check_part(part: Dictionary) -> None:
    if len(part.reads) != 1 or not part.writes or any(Site.parse(site).point != "mlp_out" for site in part.writes):
        raise UsageError(
            f"A dictionary that reads {', '.join(part.reads) or 'nothing'} and writes {', '.join(part.writes) or 'nothing'} "
            "does not replace MLPs.",
            "Trace with transcoders (they write mlp_out), or with --basis neurons.",
        )
    if part.W_skip is not None and part.normalisation != "none":
        raise UsageError(
            "A skip path under a normalisation by token is not linear.", "Use a scale or no normalisation."
        )
    if part.apply_b_dec_to_input and part.W_skip is not None:
        raise UsageError("A skip path with a shifted input cannot be frozen.", "Fold the shift into the biases first.")
