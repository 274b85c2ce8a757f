"""The page, the drawing and the terminal: whole without script, hostile text is text, marks are said in words."""

from __future__ import annotations

import io
import json
import re
from xml.etree import ElementTree

from rich.console import Console

from brainscan.circuits.build import build_graph
from brainscan.circuits.graph import Graph
from brainscan.circuits.supernodes import with_supernodes
from brainscan.circuits.validate import validate
from brainscan.report.circuit import circuit_html, circuit_svg, print_circuit, words_of_tests
from brainscan.report.figures.circuit_graph import MOST_BOXES, MOST_LINKS, circuit_drawing
from tests.circuits.small import graph, traced, wired_trace
from tests.circuits.wired import PROMPT

EVIL = '<script>alert(1)</script>\u202e"&'


def whole() -> Graph:
    """The wired circuit, grouped and tested."""
    found = wired_trace()
    return validate(found, with_supernodes(found, build_graph(found, PROMPT)))


def test_every_box_leads_to_a_card_that_is_there() -> None:
    for drawn in (whole(), with_supernodes(traced(nodes=60), graph(nodes=60))):
        page = circuit_html(drawn)
        ids = set(re.findall(r'\bid="([^"]+)"', page))
        links = set(re.findall(r'href="#([^"]+)"', page))
        assert links
        assert links <= ids


def test_the_page_says_what_was_tested() -> None:
    page = circuit_html(whole())
    assert "tested by edits" in page
    assert 'class="test-mark held"' in page
    assert "D → [" in page
    untested = circuit_html(build_graph(wired_trace(), PROMPT))
    assert "No claim was tested by an edit" in untested
    assert 'class="test-mark held"' not in untested


def test_the_data_of_the_page_is_the_circuit() -> None:
    found = whole()
    page = circuit_html(found)
    block = re.search(r'<script type="application/json" id="circuit-data">(.*?)</script>', page, re.DOTALL)
    assert block is not None
    assert Graph.model_validate(json.loads(block[1])) == found


def test_hostile_text_stays_text() -> None:
    found = whole()
    evil = found.model_copy(
        update={
            "tokens": tuple(EVIL for _ in found.tokens),
            "subject": EVIL,
            "outcome": EVIL,
            "command": EVIL,
            "nodes": tuple(node.model_copy(update={"label": EVIL, "promotes": (EVIL,)}) for node in found.nodes),
            "supernodes": tuple(group.model_copy(update={"name": EVIL}) for group in found.supernodes),
        }
    )
    for text in (circuit_html(evil), circuit_svg(evil)):
        assert "<script>alert" not in text
        assert "\u202e" not in text
    out = io.StringIO()
    print_circuit(Console(file=out, width=100), evil)
    assert "\u202e" not in out.getvalue()


def test_the_page_has_no_inline_style_and_no_handler() -> None:
    page = circuit_html(whole())
    assert not re.search(r'<[^>]+\sstyle="', page)
    assert not re.search(r"<[^>]+\son[a-z]+=", page)
    assert "http://" not in page.replace("http://www.w3.org", "")


def test_the_drawing_counts_what_it_leaves_out() -> None:
    found = with_supernodes(traced(nodes=120), graph(nodes=120))
    drawn = circuit_drawing(found)
    assert drawn.boxes <= MOST_BOXES
    assert drawn.links <= MOST_LINKS
    groups = len(found.supernodes) + sum(node.kind == "error" for node in found.nodes)
    assert drawn.boxes + drawn.boxes_left_out == groups
    assert 0 < drawn.influence <= 1


def test_boxes_stay_inside_and_apart() -> None:
    svg = ElementTree.fromstring(circuit_svg(with_supernodes(traced(nodes=120), graph(nodes=120))))
    width, height = float(svg.get("width", 0)), float(svg.get("height", 0))
    boxes = [
        tuple(float(rect.get(key, 0)) for key in ("x", "y", "width", "height"))
        for rect in svg.iter("{http://www.w3.org/2000/svg}rect")
    ]
    assert len(boxes) > 5
    for x, y, w, h in boxes:
        assert x >= 0 and y >= 0 and x + w <= width + 0.1 and y + h <= height
    for i, (x, y, w, h) in enumerate(boxes):
        for a, b, c, d in boxes[i + 1 :]:
            assert x + w <= a + 0.2 or a + c <= x + 0.2 or y + h <= b + 0.2 or b + d <= y + 0.2


def test_the_standing_drawing_is_an_svg_of_its_own() -> None:
    text = circuit_svg(whole())
    svg = ElementTree.fromstring(text)
    assert svg.tag == "{http://www.w3.org/2000/svg}svg"
    assert "--paper" in text


def test_the_terminal_shows_status_and_story() -> None:
    out = io.StringIO()
    print_circuit(Console(file=out, width=100), whole())
    said = out.getvalue()
    assert "held: " in said
    assert "predicted" in said
    assert words_of_tests(whole()).split(":")[0] in said
