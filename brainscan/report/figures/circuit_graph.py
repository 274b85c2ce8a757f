"""A circuit as a drawing: tokens along the bottom, layers upward, groups as boxes, edges with their sign and their test.

Positions are computed here, so the page needs no layout engine and prints the same. Every box is a link to its card.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from brainscan.circuits.graph import Edge, Graph, Node
from brainscan.report.figures import svg
from brainscan.report.shown import plain_token
from brainscan.report.words import number

MOST_BOXES, MOST_LINKS = 40, 90
WIDTH = 900
_LEFT, _RIGHT, _TOP, _BOX, _GAP, _ROW = 44, 8, 54, 26, 8, 15
_LETTER, _NARROW = 7.2, 16


@dataclass(frozen=True)
class Box:
    """A group, a token or an outcome, drawn."""

    id: str
    kind: str
    label: str
    title: str
    x: float
    """Left edge."""
    y: float
    """Middle."""
    width: float


@dataclass(frozen=True)
class Link:
    """Edges between two boxes, summed with their signs."""

    source: str
    target: str
    weight: float
    strength: float
    """Share of the target's input times the target's influence, summed: what the width shows."""
    mark: str
    """held, failed, unsure or untested: the weakest mark of its edges."""


@dataclass(frozen=True)
class Drawn:
    """The drawing, and what it leaves out."""

    markup: Markup
    boxes: int
    boxes_left_out: int
    links: int
    links_left_out: int
    influence: float
    """Share of the influence of all links between boxes that the drawn links carry."""


def circuit_drawing(graph: Graph) -> Drawn:
    """The whole circuit, at most 40 groups and 90 links."""
    groups = _groups(graph)
    ranked = sorted(groups, key=lambda id: (-_strength(groups[id]), id))
    shown, hidden = ranked[:MOST_BOXES], ranked[MOST_BOXES:]
    home = {node.id: id for id in shown for node in groups[id]}
    home |= {node.id: node.id for node in graph.nodes if node.kind in ("token", "outcome")}
    links = _links(graph, home)
    kept = links[:MOST_LINKS]
    total = sum(link.strength for link in links)
    boxes, height = _place(graph, {id: groups[id] for id in shown}, kept)
    markup = _draw(graph, boxes, kept, height)
    share = sum(link.strength for link in kept) / total if total else 1.0
    return Drawn(markup, len(shown), len(hidden), len(kept), len(links) - len(kept), share)


def mark_of(edge: Edge) -> str:
    """The mark of one edge: held, failed, unsure or untested."""
    if edge.test is None:
        return "untested"
    return {True: "held", False: "failed", None: "unsure"}[edge.test.held]


def _groups(graph: Graph) -> dict[str, list[Node]]:
    by_id = {node.id: node for node in graph.nodes}
    groups = {group.id: [by_id[member] for member in group.members] for group in graph.supernodes}
    inside = {member for group in graph.supernodes for member in group.members}
    groups |= {node.id: [node] for node in graph.inner if node.id not in inside}
    return groups | {node.id: [node] for node in graph.nodes if node.kind == "error"}


def _strength(nodes: Sequence[Node]) -> float:
    return sum(node.influence for node in nodes)


_WEAKEST = ("failed", "unsure", "untested", "held")


def _links(graph: Graph, home: Mapping[str, str]) -> list[Link]:
    reached = {node.id: node.influence for node in graph.nodes}
    joined: dict[tuple[str, str], list[Edge]] = defaultdict(list)
    for edge in graph.edges:
        if edge.source in home and edge.target in home and home[edge.source] != home[edge.target]:
            joined[home[edge.source], home[edge.target]].append(edge)
    links = [
        Link(
            source, target, sum(edge.weight for edge in edges), sum(edge.share * reached[edge.target] for edge in edges),
            min((mark_of(edge) for edge in edges), key=_WEAKEST.index),
        )
        for (source, target), edges in joined.items()
    ]  # fmt: skip
    return sorted(links, key=lambda link: (-link.strength, link.source, link.target))


def _place(graph: Graph, groups: Mapping[str, list[Node]], links: Sequence[Link]) -> tuple[dict[str, Box], float]:
    columns: dict[int, list[str]] = defaultdict(list)
    for id, nodes in groups.items():
        columns[nodes[0].position].append(id)
    outcomes = graph.outcomes
    for node in outcomes:
        columns[node.position].append(node.id)
    lefts, widths = _columns(graph, columns)
    deepest = max((len(ids) for ids in columns.values()), default=1)
    rows = max(graph.n_layers * _ROW, deepest * (_BOX + _GAP), 220)
    height = _TOP + rows + 92
    boxes: dict[str, Box] = {}
    for position, ids in columns.items():
        y = height - 92 + _GAP
        for id in sorted(ids, key=lambda id: (_layer(graph, groups, id), id)):
            layer = _layer(graph, groups, id)
            y = min(y - _BOX - _GAP, _TOP + rows - rows * (layer + 0.5) / (graph.n_layers + 1))
            boxes[id] = _box(graph, groups, id, lefts[position], y, widths[position])
    lowest = min((box.y for box in boxes.values()), default=_TOP)
    if lowest < _TOP - 20:  # a crowded column: everything moves down together
        shift = _TOP - 20 - lowest
        boxes = {id: Box(b.id, b.kind, b.label, b.title, b.x, b.y + shift, b.width) for id, b in boxes.items()}
        height += shift
    for node in graph.nodes:
        if node.kind == "token":
            label = plain_token(node.label, 18)
            left, width = lefts[node.position], widths[node.position]
            boxes[node.id] = Box(node.id, "token", label, f"token {node.position}", left, height - 74, width)
    return boxes, height


def _columns(graph: Graph, columns: Mapping[int, list[str]]) -> tuple[list[float], list[float]]:
    """Left edge and width of every token's column; columns with boxes share the room that the others leave."""
    n = len(graph.tokens)
    filled = [position for position in range(n) if columns.get(position)]
    narrow = max(4.0, min(_NARROW, (WIDTH - _LEFT - _RIGHT) * 0.4 / max(n - len(filled), 1)))
    room = WIDTH - _LEFT - _RIGHT - narrow * (n - len(filled))
    widths = [room / max(len(filled), 1) if position in filled else narrow for position in range(n)]
    lefts = [_LEFT + sum(widths[:position]) for position in range(n)]
    return lefts, widths


def _layer(graph: Graph, groups: Mapping[str, list[Node]], id: str) -> float:
    nodes = groups.get(id)
    if nodes is None:
        return graph.n_layers
    return sum(node.layer for node in nodes) / len(nodes)


def _box(graph: Graph, groups: Mapping[str, list[Node]], id: str, left: float, y: float, width: float) -> Box:
    if id not in groups:
        node = graph.node(id)
        return Box(id, "outcome", plain_token(node.label, _fits(width)), f'outcome "{node.label}"', left, y, width)
    nodes = groups[id]
    name = next((group.name for group in graph.supernodes if group.id == id), nodes[0].label)
    kind = "error" if nodes[0].kind == "error" else "group"
    count = f" ×{len(nodes)}" if len(nodes) > 1 else ""
    words = "not explained" if kind == "error" else name
    label = plain_token(words, max(3, _fits(width) - len(count))) + count
    layers = sorted({node.layer for node in nodes})
    span = f"layer {layers[0]}" if len(layers) == 1 else f"layers {layers[0]} to {layers[-1]}"
    return Box(id, kind, label, f"{words}, {span}, {len(nodes)} nodes", left, y, width)


def _fits(width: float) -> int:
    return max(3, min(24, int((width - 14) / _LETTER)))


def _draw(graph: Graph, boxes: Mapping[str, Box], links: Sequence[Link], height: float) -> Markup:
    strongest = max((link.strength for link in links), default=1.0) or 1.0
    parts = [svg.text(0, _TOP - 30, "outcome", "axis"), svg.text(0, height - 92, "layer 0", "axis")]
    parts += [svg.line((_LEFT, height - 90), (WIDTH, height - 90), "grid")]
    parts += [_curve(boxes[link.source], boxes[link.target], link, strongest) for link in reversed(links)]
    parts += [_shape(box) for box in boxes.values()]
    title = f"Circuit of {graph.outcome}"
    words = "Tokens along the bottom, layers upward. The same is told in words and as tables below."
    return svg.drawing(WIDTH, height, title, words, *parts, class_="circuit")


def _curve(source: Box, target: Box, link: Link, strongest: float) -> Markup:
    x1, y1 = source.x + source.width / 2, source.y - _BOX / 2
    x2, y2 = target.x + target.width / 2, target.y + _BOX / 2
    bend = max(24.0, abs(y1 - y2) * 0.45)
    path = f"M{x1:.1f} {y1:.1f}C{x1:.1f} {y1 - bend:.1f} {x2:.1f} {y2 + bend:.1f} {x2:.1f} {y2:.1f}"
    share = link.strength / strongest
    size = max(1, min(6, round(6 * share**0.5)))
    sign = "plus" if link.weight > 0 else "minus"
    middle = ((x1 + x2) / 2, (y1 + y2) / 2)
    written = svg.tag(
        "title", f"{source.label} to {target.label}: {number(link.weight, signed=True)}, {_MARK_WORDS[link.mark]}"
    )
    parts = [svg.tag("path", written, d=path, class_=f"link {sign} {link.mark} z{size}")]
    if share > 0.12:
        label = number(link.weight, signed=True) + _MARK_SIGNS[link.mark]
        parts.append(svg.text(middle[0], middle[1] + 4, label, f"weight {sign}", "middle"))
    return svg.tag("g", *parts)


_MARK_SIGNS = {"held": " ■", "failed": " ✕", "unsure": " ?", "untested": ""}
_MARK_WORDS = {
    "held": "tested by an edit, held",
    "failed": "tested by an edit, failed",
    "unsure": "tested by an edit, cannot tell",
    "untested": "attributed, not tested",
}


def _shape(box: Box) -> Markup:
    x, middle = box.x + 2, box.x + box.width / 2
    width = max(box.width - 4, 4)
    if box.kind == "token":
        turned = box.width < len(box.label) * _LETTER + 6
        word = svg.text(middle + (4 if turned else 0), box.y + (-4 if turned else 12), box.label, "token",
                        "start" if turned else "middle", turn=90 if turned else 0)  # fmt: skip
        return svg.tag("a", svg.tag("title", box.title), word, href=f"#{box.id}", class_="box token-box")
    radius = {"outcome": 0, "error": 0}.get(box.kind, 7)
    frame = svg.tag("rect", x=x, y=box.y - _BOX / 2, width=width, height=_BOX, rx=radius, class_=f"frame-{box.kind}")
    word = svg.text(middle, box.y + 4.5, box.label, "strong" if box.kind != "error" else "faint", "middle")
    return svg.tag("a", svg.tag("title", box.title), frame, word, href=f"#{anchor(box.id)}", class_="box")


def anchor(id: str) -> str:
    """An id as the page spells its anchor: no character that an address would change."""
    return id.replace("@", "-at-")
