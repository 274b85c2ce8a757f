"""The demonstration writes one page that is whole without script or network."""

from __future__ import annotations

import json
import re
from pathlib import Path

from typer.testing import CliRunner

from brainscan.cli.app import app


def test_the_demo_writes_its_page_and_json(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    done = CliRunner().invoke(app, ["superposition", "demo", "--quick", "--json", "--html", str(page)])
    assert done.exit_code == 0, done.output
    shown = json.loads(done.output)
    assert {row["reader"] for row in shown["found"]} >= {"topk dictionary", "batchtopk dictionary"}
    text = page.read_text()
    for part in ("stored", "phase", "geometry", "found"):
        assert f'<section id="{part}">' in text
    assert text.count("<svg") >= 8
    assert not re.search(r"(?:src|href)=\"https?:", text)
    assert "style=" not in text.replace("<style>", "")
