"""Records of what is done with circuits: laid over each other, set side by side, a concept swapped. No torch."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from brainscan.core.evidence import Finite, Interval, Record


class StableItem(Record):
    """A node or an edge over many graphs."""

    id: str
    """Without position: neuron 12.345, or source -> target."""
    graphs: int
    """Graphs in which it is kept after pruning."""
    n: int
    rate: Finite
    interval: Interval
    mean: Finite
    """Mean influence (node) or mean weight (edge) over the graphs that have it."""
    mean_interval: Interval
    label: str = ""


class Aggregate(Record):
    """Circuits of many prompts and seeds, laid over each other."""

    schema_: Literal["brainscan.circuits/1"] = Field(default="brainscan.circuits/1", alias="schema")
    subject: str
    prompts: tuple[str, ...]
    n: int
    nodes: tuple[StableItem, ...]
    edges: tuple[StableItem, ...]
    replacement: Interval
    completeness: Interval
    jaccard: Finite
    """Mean overlap of node sets between pairs of graphs, 0 (nothing shared) to 1."""
    least: Finite
    """Items below this rate are left out of the lists."""

    model_config = {**Record.model_config, "populate_by_name": True}


class Change(Record):
    """One node or edge in two circuits."""

    id: str
    before: Finite | None
    """Influence or weight in the first; None where it is not there."""
    after: Finite | None
    difference: Finite
    label: str = ""


class Difference(Record):
    """What two circuits share and where they part."""

    schema_: Literal["brainscan.circuit-diff/1"] = Field(default="brainscan.circuit-diff/1", alias="schema")
    before: str
    after: str
    shared: int
    nodes: tuple[Change, ...]
    edges: tuple[Change, ...]
    jaccard: Finite
    notes: tuple[str, ...] = ()

    model_config = {**Record.model_config, "populate_by_name": True}


class Said(Record):
    """One next token and its probability."""

    token: str
    probability: Finite


class SwappedNode(Record):
    """One node of a swap."""

    id: str
    """Without position: neuron 12.345."""
    change: Finite
    """What its activation was moved by."""
    effect: Finite
    """What that should do to the outcome's logit difference, by the gradient."""


class Swap(Record):
    """One concept replaced by another, and what the model then says."""

    schema_: Literal["brainscan.swap/1"] = Field(default="brainscan.swap/1", alias="schema")
    subject: str
    prompt: str
    """The prompt whose answer is changed."""
    made_from: tuple[str, str]
    """The two prompts whose nodes differ: the concept that goes, the concept that comes."""
    position: int
    dose: Finite
    nodes: tuple[SwappedNode, ...]
    before: tuple[Said, ...]
    after: tuple[Said, ...]
    control: tuple[Said, ...]
    """After the same edit by as many random nodes of the same layers and, layer by layer, the same norm."""
    wanted: str
    """The answer that the swap should bring."""
    wanted_before: Finite
    wanted_after: Finite
    wanted_control: Finite
    """Probability of the wanted answer."""
    swapped: bool
    """The wanted answer is the most likely one after the swap."""

    model_config = {**Record.model_config, "populate_by_name": True}
