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

MOST_BOXES, MOST_ERRORS, MOST_LINKS = 32, 6, 70
_LABELLED = 10
"""Links with their weight printed; all have it in their title and in the tables."""
WIDTH = 900
_LEFT, _RIGHT, _TOP, _FOOT = 8, 8, 20, 104
_BOX, _GAP, _BAND_GAP, _EMPTY = 26, 7, 34, 6
_LETTER, _NARROW, _SMALLEST = 7.2, 17, 74
_BANDS = 8
"""Rows of boxes between tokens and outcomes; each stands for as many layers as any other."""


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
    """The whole circuit, at most 32 groups and 70 links."""
    groups = _groups(graph)
    ranked = sorted(groups, key=lambda id: (-_strength(groups[id]), id))
    errors = [id for id in ranked if groups[id][0].kind == "error"][:MOST_ERRORS]
    shown = [id for id in ranked if groups[id][0].kind != "error" or id in errors][:MOST_BOXES]
    hidden = len(ranked) - len(shown)
    home = {node.id: id for id in shown for node in groups[id]}
    home |= {node.id: node.id for node in graph.nodes if node.kind in ("token", "outcome")}
    links = _links(graph, home)
    kept = links[:MOST_LINKS]
    total = sum(link.strength for link in links)
    boxes, height = _place(graph, {id: groups[id] for id in shown})
    markup = _draw(graph, boxes, kept, height)
    share = sum(link.strength for link in kept) / total if total else 1.0
    return Drawn(markup, len(shown), hidden, len(kept), len(links) - len(kept), share)


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


def _place(graph: Graph, groups: Mapping[str, list[Node]]) -> tuple[dict[str, Box], float]:
    """Boxes in a grid: a column a token, a band of layers a row, several boxes of a cell side by side, then stacked."""
    cells: dict[tuple[int, int], list[str]] = defaultdict(list)
    for id in sorted(groups, key=lambda id: (_layer(graph, groups, id), id)):
        band = min(_BANDS - 1, int(_BANDS * _layer(graph, groups, id) / graph.n_layers))
        cells[groups[id][0].position, band].append(id)
    for node in graph.outcomes:
        cells[node.position, _BANDS].append(node.id)
    slots = _slots({at: len(ids) for at, ids in cells.items()})
    lefts, widths = _columns(len(graph.tokens), slots)
    lines = [max((-(-len(ids) // slots[at]) for (at, b), ids in cells.items() if b == band), default=0)
             for band in range(_BANDS + 1)]  # fmt: skip
    floors = [_FOOT + sum(_room(n) for n in lines[:band]) for band in range(_BANDS + 1)]
    height = _TOP + _FOOT + sum(map(_room, lines))
    boxes: dict[str, Box] = {}
    for (position, band), ids in cells.items():
        each = widths[position] / slots[position]
        for i, id in enumerate(ids):
            line, slot = divmod(i, slots[position])
            y = height - floors[band] - _BOX / 2 - line * (_BOX + _GAP)
            boxes[id] = _box(graph, groups, id, lefts[position] + slot * each, y, each)
    for node in graph.nodes:
        if node.kind == "token":
            label = plain_token(node.label, 18)
            left, width = lefts[node.position], widths[node.position]
            boxes[node.id] = Box(node.id, "token", label, f"token {node.position}", left, height - 74, width)
    return boxes, height


def _room(lines: int) -> float:
    return lines * (_BOX + _GAP) + _BAND_GAP if lines else _EMPTY


def _slots(counts: Mapping[tuple[int, int], int]) -> dict[int, int]:
    """Boxes side by side in each column: the most crowded column is widened as long as there is room."""
    slots = {position: 1 for position, _ in counts}
    most = int((WIDTH - _LEFT - _RIGHT) * 0.8 / _SMALLEST)
    while sum(slots.values()) < most:
        lines, position = max((-(-n // slots[at]), at) for (at, _), n in counts.items())
        if lines == 1:
            break
        slots[position] += 1
    return slots


def _columns(n: int, slots: Mapping[int, int]) -> tuple[list[float], list[float]]:
    """Left edge and width of every token's column; columns with boxes share the room that the others leave."""
    empty = n - len(slots)
    narrow = max(4.0, min(_NARROW, (WIDTH - _LEFT - _RIGHT) * 0.3 / max(empty, 1)))
    each = (WIDTH - _LEFT - _RIGHT - narrow * empty) / max(sum(slots.values()), 1)
    widths = [each * slots[position] if position in slots else narrow for position in range(n)]
    return [_LEFT + sum(widths[:position]) for position in range(n)], widths


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
    words = "error" if kind == "error" else name
    short = f"−{words.removeprefix('against ')}" if words.startswith("against ") else words
    label = plain_token(short, max(3, _fits(width) - len(count))) + count
    layers = sorted({node.layer for node in nodes})
    span = f"layer {layers[0]}" if len(layers) == 1 else f"layers {layers[0]} to {layers[-1]}"
    return Box(id, kind, label, f"{words}, {span}, {len(nodes)} nodes", left, y, width)


def _fits(width: float) -> int:
    return max(3, min(24, int((width - 14) / _LETTER)))


def _draw(graph: Graph, boxes: Mapping[str, Box], links: Sequence[Link], height: float) -> Markup:
    strongest = max((link.strength for link in links), default=1.0) or 1.0
    parts = [svg.line((_LEFT, height - 90), (WIDTH - _RIGHT, height - 90), "grid")]
    for rank in reversed(range(len(links))):
        link = links[rank]
        parts.append(_curve(boxes[link.source], boxes[link.target], link, strongest, labelled=rank < _LABELLED))
    parts += [_shape(box) for box in boxes.values()]
    title = f"Circuit of {graph.outcome}"
    words = "Tokens along the bottom, layers upward. The same is told in words and as tables below."
    return svg.drawing(WIDTH, height, title, words, *parts, class_="circuit")


def _curve(source: Box, target: Box, link: Link, strongest: float, *, labelled: bool) -> Markup:
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
    if labelled:
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
