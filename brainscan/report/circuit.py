"""A circuit as one HTML file that opens from disk, as a standing SVG, and on a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from markupsafe import Markup
from rich.console import Console
from rich.text import Text

from brainscan.circuits.graph import Edge, EditTest, Graph, Node
from brainscan.core.visible import visible
from brainscan.report.figures import svg
from brainscan.report.figures.circuit_graph import Drawn, anchor, circuit_drawing, mark_of
from brainscan.report.page import assemble, data_block
from brainscan.report.words import ascii_numbers, number

MOST_CARDS, MOST_ROWS, MOST_FLOWS = 60, 200, 6
MARKS = {"held": "held", "failed": "failed", "unsure": "cannot tell", "untested": "not tested"}
HELD: dict[str, str] = {
    "patterns": "attention patterns held",
    "scales": "attention patterns and norms held",
    "nothing": "nothing held",
}


@dataclass(frozen=True)
class Flow:
    """One edge of a card."""

    other: str
    href: str
    edge: Edge
    mark: str


@dataclass(frozen=True)
class Card:
    """A group (or a node alone) with all that is known of it."""

    id: str
    name: str
    place: str
    nodes: tuple[Node, ...]
    influence: float
    inputs: tuple[Flow, ...]
    outputs: tuple[Flow, ...]


def circuit_html(graph: Graph) -> str:
    """The whole page: drawing, words, cards, tables, and the record itself as data."""
    drawn = circuit_drawing(graph)
    cards = _cards(graph)
    return assemble(
        "circuit.html.j2",
        styles=("page.css", "circuit.css"),
        graph=graph,
        drawn=drawn,
        cards=cards[:MOST_CARDS],
        more_cards=max(0, len(cards) - MOST_CARDS),
        ends=[_end_card(graph, node) for node in graph.nodes if node.kind in ("token", "outcome")],
        rows=[(edge, mark_of(edge)) for edge in _by_score(graph)[:MOST_ROWS]],
        more_rows=max(0, len(graph.edges) - MOST_ROWS),
        bar=_bar(graph),
        tested=words_of_tests(graph),
        held=HELD.get(graph.validation.hold if graph.validation else "patterns", ""),
        called=_Names(graph),
        anchor=anchor,
        marks=MARKS,
        verdict=mark_of_test,
        data=data_block(graph.model_dump(mode="json", by_alias=True)),
    )


def circuit_svg(graph: Graph) -> str:
    """The drawing alone, as a file that stands by itself: light colours, no link leads out of it."""
    drawn = circuit_drawing(graph)
    style = svg.tag("style", Markup(_standing_style()))
    whole = str(drawn.markup).replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1)
    head = whole.index("</desc>") + len("</desc>")
    return whole[:head] + str(style) + whole[head:] + "\n"


def print_circuit(console: Console, graph: Graph, most: int = 12) -> None:
    """The circuit on a terminal: story, scores, main nodes with their tests."""
    lines = [
        (f"{graph.subject}: {graph.outcome}", "bold"),
        (f"replacement {number(graph.scores.replacement)}, completeness {number(graph.scores.completeness)}; "
         f"{len(graph.nodes)} nodes and {len(graph.edges)} edges of {graph.counts.nodes_before:,} and "
         f"{graph.counts.edges_before:,}", ""),
        (words_of_tests(graph), ""),
    ]  # fmt: skip
    if graph.story is not None:
        told = f"{graph.story.explained:.0%} of the nodes' influence; randomly grouped {graph.story.random:.0%}"
        lines.insert(1, (f"{graph.story.line}   ({told})", ""))
    for words, style in lines:
        console.print(Text(ascii_numbers(visible(words, keep="")), style), soft_wrap=True)
    for node in graph.inner[:most]:
        token = visible(graph.tokens[node.position], keep="").strip() or "_"
        words = f"  {node.id:<16} {node.influence:5.2f}  at {token:<14} {visible(node.label, keep=''):<28} {_tested(node.test)}"
        console.print(Text(ascii_numbers(words)), soft_wrap=True)
    if len(graph.inner) > most:
        console.print(Text(f"  and {len(graph.inner) - most} more nodes"))


def words_of_tests(graph: Graph) -> str:
    """For example "40 claims tested by edits: 31 held, 6 failed, 3 cannot tell"."""
    tests = [item.test for item in (*graph.nodes, *graph.edges) if item.test is not None]
    if not tests:
        return "No claim was tested by an edit: everything here is attributed, nothing validated."
    counts = {word: sum(test.held is value for test in tests) for word, value in
              (("held", True), ("failed", False), ("cannot tell", None))}  # fmt: skip
    said = ", ".join(f"{n} {word}" for word, n in counts.items())
    checked = graph.validation
    r = f"; r = {checked.nodes_r:.2f} over {checked.nodes} nodes" if checked and checked.nodes_r is not None else ""
    other = any(test.predicted_by == "gradient" for test in tests)
    aside = (
        " What nodes do was predicted by the model's own derivative, which says nothing of the graph." if other else ""
    )
    return f"{len(tests)} claims tested by edits: {said}{r}.{aside}"


def _tested(test: EditTest | None) -> str:
    if test is None:
        return "attributed"
    return f"{MARKS[mark_of_test(test)]}: {number(test.measured, signed=True)} ({number(test.predicted, signed=True)} predicted)"


def mark_of_test(test: EditTest | None) -> str:
    """held, failed, unsure or untested."""
    if test is None:
        return "untested"
    return {True: "held", False: "failed", None: "unsure"}[test.held]


class _Names:
    """What nodes are called in words."""

    def __init__(self, graph: Graph) -> None:
        self.tokens = graph.tokens
        self.by_id = {node.id: node for node in graph.nodes}
        self.home = {member: group for group in graph.supernodes for member in group.members}

    def __call__(self, id: str) -> str:
        if id not in self.by_id:
            return self._elsewhere(id)
        node = self.by_id[id]
        if node.kind == "token":
            return f'token {node.position} "{node.label}"'
        if node.kind == "outcome":
            return f'outcome "{node.label}"'
        if node.kind == "error":
            return f"not explained, layer {node.layer}, token {node.position}"
        return f"{node.kind} {node.layer}.{node.index} at token {node.position}"

    def _elsewhere(self, id: str) -> str:
        """A node that pruning left out."""
        if id.startswith("t"):
            return f'token {id[1:]} "{self.tokens[int(id[1:])]}"'
        layer, position = id[1:].split("@")
        kind = {"n": "neuron", "f": "feature"}.get(id[0], "not explained, layer")
        return f"{kind} {layer} at token {position}"

    def href(self, id: str) -> str:
        """The card that a node is on."""
        return anchor(self.home[id].id if id in self.home else id)


def _cards(graph: Graph) -> list[Card]:
    names = _Names(graph)
    groups = [(group.id, group.name, [names.by_id[m] for m in group.members]) for group in graph.supernodes]
    alone = [node for node in graph.inner if node.id not in names.home]
    groups += [(node.id, node.label, [node]) for node in alone]
    groups += [(node.id, "not explained", [node]) for node in graph.nodes if node.kind == "error"]
    cards = [_card(graph, names, *group) for group in groups]
    return sorted(cards, key=lambda card: (-card.influence, card.id))


def _card(graph: Graph, names: _Names, id: str, name: str, nodes: Sequence[Node]) -> Card:
    inside = {node.id for node in nodes}
    token = graph.tokens[nodes[0].position]
    layers = sorted({node.layer for node in nodes})
    span = f"layer {layers[0]}" if len(layers) == 1 else f"layers {layers[0]} to {layers[-1]}"
    return Card(
        anchor(id), name, f'{span}, at token {nodes[0].position} "{token}"',
        tuple(sorted(nodes, key=lambda node: -node.influence)), sum(node.influence for node in nodes),
        _flows(names, [e for e in graph.edges if e.target in inside and e.source not in inside], "source"),
        _flows(names, [e for e in graph.edges if e.source in inside and e.target not in inside], "target"),
    )  # fmt: skip


def _end_card(graph: Graph, node: Node) -> Card:
    names = _Names(graph)
    return _card(graph, names, node.id, names(node.id), [node])


def _flows(names: _Names, edges: Sequence[Edge], side: str) -> tuple[Flow, ...]:
    flows = []
    for edge in sorted(edges, key=lambda edge: -edge.share)[:MOST_FLOWS]:
        id = getattr(edge, side)
        group = names.home.get(id)
        words = f"{group.name} ({names(id)})" if group else names(id)
        flows.append(Flow(words, names.href(id), edge, mark_of(edge)))
    return tuple(flows)


def _by_score(graph: Graph) -> list[Edge]:
    reached = {node.id: node.influence for node in graph.nodes}
    return sorted(graph.edges, key=lambda edge: (-edge.share * reached[edge.target], edge.source, edge.target))


def _bar(graph: Graph) -> Markup:
    """Explained against not explained, as a bar of two parts."""
    share = graph.scores.completeness
    parts = (svg.box(0, 0, 100 * share, 14, "part-said"), svg.box(100 * share, 0, 100 * (1 - share), 14, "part-not"))
    return svg.tag(
        "svg",
        svg.tag("title", f"explained {share:.0%}"),
        *parts,
        viewBox="0 0 100 14",
        preserveAspectRatio="none",
        role="img",
    )


@cache
def _standing_style() -> str:
    folder = Path(__file__).parent / "templates"
    page, own = (folder / "page.css").read_text(encoding="utf-8"), (folder / "circuit.css").read_text(encoding="utf-8")
    colours = page[: page.index("}") + 1]
    return colours + own[own.index("svg.circuit{") : own.index("a.box{")]


__all__ = ["Card", "Drawn", "Flow", "circuit_html", "circuit_svg", "print_circuit", "words_of_tests"]
