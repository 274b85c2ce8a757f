"""The picture of the README: the circuit of the car channel with pictures made by optimisation, since photographs are not ours.

python -m bench.vision_picture     needs the circuit that bench.vision wrote, playwright and Debian's chromium
"""

from __future__ import annotations

import base64
from pathlib import Path

from bench.vision import MODEL
from bench.vision_images import WORK
from brainscan.circuits.parts.graph import PartsCircuit
from brainscan.features.channels.card import Picture
from brainscan.features.channels.pictures import webp
from brainscan.features.channels.visualise import PaintSettings, channel_objective, paint
from brainscan.report.vision import circuit_html
from brainscan.subject.vision.load import load_vision

OUT = Path(__file__).parents[1] / "docs" / "images" / "vision.png"
PARTS = 8
SETTINGS = PaintSettings(steps=160, size=96)


def main() -> None:
    """Paint the channel and its parts, lay out the page, photograph the drawing."""
    circuit = PartsCircuit.model_validate_json((WORK / "circuit.json").read_bytes())
    circuit = circuit.model_copy(update={"parts": circuit.parts[:PARTS]})
    subject = load_vision(MODEL)
    names = [circuit.target, *(part.channel for part in circuit.parts)]
    thumbnails = {}
    for name in names:
        made = paint(subject, [channel_objective(subject, subject.channel(name))], SETTINGS)[0]
        picture = base64.b64encode(webp(made.pictures[0].transpose(1, 2, 0))).decode()
        thumbnails[name] = Picture(webp=picture, alt=f"made by optimisation for {name}")
        print(name, round(made.reached, 2), flush=True)
    page = WORK / "circuit.html"
    page.write_text(circuit_html(circuit, thumbnails))
    photograph(page, OUT)


def photograph(page: Path, out: Path) -> None:
    """The drawing of the page as a PNG."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        view = browser.new_page(viewport={"width": 1280, "height": 900}, device_scale_factor=1.5)
        view.goto(page.as_uri())
        view.locator("figure.plate").first.screenshot(path=str(out))
        browser.close()


if __name__ == "__main__":
    main()
