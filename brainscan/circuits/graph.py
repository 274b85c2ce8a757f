"""The record of a circuit: nodes, edges, scores and what edits have shown. No algorithm and no torch.

An edge weight is the direct effect of its source on its target in the frozen model, in the target's own unit: a
neuron's or feature's activation, a logit (centred over the vocabulary), a logit difference or a projection. Weights
into one node add up to its value, biases apart.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError, model_validator

from brainscan.core.errors import RecordError
from brainscan.core.evidence import Finite, Record, Status, said_of
from brainscan.core.files import write_atomic
from brainscan.core.provenance import Versions

SCHEMA = "brainscan.circuit/1"
MOST_BYTES = 200_000_000
"""A larger file is no circuit of ours."""

NodeKind = Literal["neuron", "feature", "error", "token", "outcome"]


class EditTest(Record):
    """One claim of the graph, tested by an edit of the model."""

    what: Literal["ablate", "clamp", "swap"]
    predicted: Finite
    """Change of the target that the frozen model says, in the target's unit."""
    measured: Finite
    """Change of the target in the model with its attention patterns held. For a node all else is free; for an edge
    every MLP but the target's is held too, because an edge claims a direct effect."""
    control: Finite
    """Largest change, without sign, by random vectors of the same norm at the same place."""
    controls: int
    """How many random vectors."""
    held: bool | None
    """True: measured has the predicted sign, at least half its size and at most twice, and is above the control. False: it
    is not so. None: cannot tell, because prediction and measurement are both below the control."""
    predicted_by: Literal["graph", "gradient"] = "graph"
    """gradient: the model's own derivative predicted, and the graph had no part in it."""

    @property
    def status(self) -> Status:
        """What the claim of the graph is after this test; a derivative that holds confirms the edit, not the graph."""
        if not self.held:
            return Status.ATTRIBUTED
        return Status.VALIDATED if self.predicted_by == "graph" else Status.INTERVENED


class HeadShare(Record):
    """How much of an edge went through one attention head."""

    layer: int
    head: int
    query: int
    """Position that the head wrote to."""
    key: int
    """Position that it read the source from."""
    weight: Finite
    """The part of the edge's weight that passed here."""


class LookPart(Record):
    """One node's part in an attention score."""

    node: str
    weight: Finite


class Look(Record):
    """Why one head, at one query, looked at one key."""

    layer: int
    head: int
    query: int
    """Position that looked."""
    key: int
    """Position that was looked at."""
    probability: Finite
    """How much of its attention went there, 0 to 1."""
    score: Finite
    """What the softmax read."""
    query_side: tuple[LookPart, ...]
    """What at the query asked for it, strongest first; with the key held. Parts, biases too, add up to the score."""
    key_side: tuple[LookPart, ...]
    """What at the key answered; with the query held."""


class Node(Record):
    """One part of the model at one position of the prompt."""

    id: str
    kind: NodeKind
    layer: int
    """-1 for tokens, the number of layers for outcomes."""
    position: int
    index: int
    """Neuron, feature or token id; the outcome's place for outcomes; -1 for errors."""
    activation: Finite = 0.0
    """Activation; for an outcome its probability, or its value where it has none."""
    influence: Finite = 0.0
    """Share of all influence on the outcome that arrives here, 0 to 1; paths overlap, so shares do not add up to 1."""
    cumulative: Finite = 1.0
    """Influence of this node and of all above it, as a share of all nodes' before pruning: low is important."""
    label: str = ""
    promotes: tuple[str, ...] = ()
    """Tokens that it makes more likely when read straight by the unembedding, strongest first."""
    effect: Finite | None = None
    """Predicted change of the outcome when this node is taken away, over all paths of the frozen model."""
    test: EditTest | None = None

    @property
    def status(self) -> Status:
        """Attributed, or what an edit has made of it."""
        return Status.ATTRIBUTED if self.test is None else self.test.status


class Edge(Record):
    """What a source adds to a target, straight."""

    source: str
    target: str
    weight: Finite
    share: Finite = 0.0
    """|weight| as a share of all that enters the target, 0 to 1, sign left out."""
    heads: tuple[HeadShare, ...] = ()
    test: EditTest | None = None

    @property
    def status(self) -> Status:
        """Attributed, or what an edit has made of it."""
        return Status.ATTRIBUTED if self.test is None else self.test.status


class Supernode(Record):
    """Nodes that act as one."""

    id: str
    name: str
    members: tuple[str, ...]
    influence: Finite = 0.0
    """Sum over members, as a share of the sum over all neurons and features of the graph; errors are in no group."""


class Story(Record):
    """The circuit in one line."""

    line: str
    """For example "Dallas -> [Texas] -> Austin"."""
    path: tuple[str, ...]
    """Ids of the token, the supernodes and the outcome on the line."""
    explained: Finite
    """Influence of the story's members, as a share of the influence of the graph's neurons and features."""
    random: Finite
    """The same when nodes are dealt at random to groups of the same sizes, on average."""
    draws: int


class Scores(Record):
    """How much of the computation runs through nodes that say something; 1 is all. Source: circuit-tracer, graph.py."""

    replacement: Finite
    """Token influence / (token + error influence)."""
    completeness: Finite
    """Share of each node's input that is not error, weighted by the node's influence."""


class Validation(Record):
    """How the edits went, all together."""

    nodes: int
    nodes_held: int
    edges: int
    edges_held: int
    nodes_r: Finite | None
    """Pearson correlation of predicted and measured over the nodes tested; None for fewer than three."""
    edges_r: Finite | None
    factor: Finite
    """What each activation was multiplied by: 0 ablates."""
    hold: Literal["patterns", "scales", "nothing", "mlps", "all"] = "patterns"
    """What was held while nodes were tested; see ``brainscan.circuits.play``."""


class Counts(Record):
    """What was there, and what is shown."""

    candidates: int
    """Active neurons or features that were considered."""
    attributed: int
    """Nodes whose inputs were computed."""
    nodes_before: int
    edges_before: int
    """Before pruning, weights of exactly 0 left out."""
    inner_influence: Finite
    """Influence of all neurons, features and errors before pruning, summed."""
    influence_kept: Finite
    """Share of the edges' influence that the edges shown carry."""


class Settings(Record):
    """What the graph was made with."""

    basis: str = "neurons"
    nodes: int = Field(default=2000, ge=1, le=100_000)
    """Neurons or features whose inputs are computed, picked by influence."""
    node_threshold: Finite = Field(default=0.8, ge=0, le=1)
    edge_threshold: Finite = Field(default=0.98, ge=0, le=1)
    most_outcomes: int = Field(default=10, ge=1, le=100)
    outcome_probability: Finite = Field(default=0.95, ge=0, le=1)
    rule: Literal["secant", "tangent"] = "secant"
    """Neurons only: how a non-linearity is frozen. secant: at its gain output / input, halved between the two factors of a
    gated MLP (RelP, arXiv 2508.21258), so that inputs add up to the activation. tangent: at its derivative."""
    lump_rest: bool = True
    """Active candidates that were not picked count as error of their layer and position; False leaves them out, as
    circuit-tracer does."""
    skip_first: bool = True
    """Nothing at position 0 is a node: activations there are outsized and say little (circuit-tracer's default)."""
    seed: int = 0


class Graph(Record):
    """A pruned attribution graph of one prompt and one outcome."""

    schema_: Literal["brainscan.circuit/1"] = Field(default=SCHEMA, alias="schema")
    subject: str
    weights_sha256: str = ""
    n_layers: int
    prompt: str
    tokens: tuple[str, ...]
    token_ids: tuple[int, ...]
    outcome: str
    """In words, for example 'the next token is " Austin"'."""
    settings: Settings
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    scores: Scores
    counts: Counts
    supernodes: tuple[Supernode, ...] = ()
    looks: tuple[Look, ...] = ()
    """Why the heads that carried most looked where they looked; nodes here need not be nodes of the graph."""
    story: Story | None = None
    validation: Validation | None = None
    notes: tuple[str, ...] = ()
    command: str = ""
    versions: Versions | None = None

    model_config = {**Record.model_config, "populate_by_name": True}

    @model_validator(mode="after")
    def _ids_are_sound(self) -> Graph:
        ids = [node.id for node in self.nodes]
        known = set(ids)
        if len(known) < len(ids):
            raise ValueError("two nodes have the same id")
        if any(edge.source not in known or edge.target not in known for edge in self.edges):
            raise ValueError("an edge names a node that is not there")
        if len({(edge.source, edge.target) for edge in self.edges}) < len(self.edges):
            raise ValueError("two edges join the same nodes")
        if any(member not in known for group in self.supernodes for member in group.members):
            raise ValueError("a supernode names a node that is not there")
        if any(not -1 <= node.position < len(self.tokens) for node in self.nodes):
            raise ValueError("a node stands outside the prompt")
        return self

    def node(self, id: str) -> Node:
        """The node of that id.

        Raises:
            RecordError: there is none.
        """
        for node in self.nodes:
            if node.id == id:
                return node
        raise RecordError(f"The circuit has no node {id!r}.", "brainscan circuit show lists its nodes.")

    def inputs(self, id: str) -> tuple[Edge, ...]:
        """Edges into a node, the strongest first."""
        return strongest(edge for edge in self.edges if edge.target == id)

    def outputs(self, id: str) -> tuple[Edge, ...]:
        """Edges out of a node, the strongest first."""
        return strongest(edge for edge in self.edges if edge.source == id)

    @property
    def outcomes(self) -> tuple[Node, ...]:
        """The outcome nodes, in their order."""
        return tuple(node for node in self.nodes if node.kind == "outcome")

    @property
    def inner(self) -> tuple[Node, ...]:
        """Neurons and features, the most influential first."""
        found = (node for node in self.nodes if node.kind in ("neuron", "feature"))
        return tuple(sorted(found, key=lambda node: (-node.influence, node.id)))


def strongest(edges: Iterable[Edge]) -> tuple[Edge, ...]:
    """Edges by size of weight, largest first; ties by name."""
    return tuple(sorted(edges, key=lambda edge: (-abs(edge.weight), edge.source, edge.target)))


def write_graph(path: Path, graph: Record) -> None:
    """Write a circuit, an aggregate or a difference as JSON, whole or not at all.

    Raises:
        StorageError: the disk refused.
    """
    write_atomic(path, graph.model_dump_json(by_alias=True, indent=1) + "\n")


def read_graph(path: Path) -> Graph:
    """Read a circuit that ``write_graph`` has written.

    Raises:
        RecordError: there is none, or it is not sound.
    """
    try:
        return Graph.model_validate(read_json(path))
    except ValidationError as error:
        raise RecordError(
            f"{path} is not a circuit of brainscan: {said_of(error)}.",
            "Trace it again, or read foreign graphs with brainscan circuit show.",
        ) from error


def read_json(path: Path) -> dict[str, object]:
    """A JSON object from a file of sane size.

    Raises:
        RecordError: there is none, it is too large, or it is not a JSON object.
    """
    try:
        if path.stat().st_size > MOST_BYTES:
            raise RecordError(f"{path} is larger than any circuit.", "Prune it before writing it.")
        value = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise RecordError(
            f"{path} cannot be read: {error.strerror}.", "Name a file that circuit trace wrote."
        ) from error
    except (ValueError, RecursionError) as error:
        raise RecordError(f"{path} is not JSON.", "Name a file that circuit trace wrote.") from error
    if not isinstance(value, dict):
        raise RecordError(f"{path} holds no graph.", "Name a file that circuit trace wrote.")
    return value
