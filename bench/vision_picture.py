"""The picture of the README: the circuit of a channel of a small network trained on drawn shapes, since photographs are not ours.

python -m bench.vision_picture     needs playwright and Debian's chromium; about half a minute
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from bench.vision_images import WORK
from brainscan.clinic.vision import VisionRequest, examine_vision, vision_page
from brainscan.games.vision.plant import PictureRecipe, plant_pictures
from brainscan.games.vision.shapes import SHAPES, draw_shapes
from brainscan.subject.progress import silent

OUT = Path(__file__).parents[1] / "docs" / "images" / "vision.png"
RECIPE = PictureRecipe(flaw="patch", target=3, row=24, column=4, share=0.12, pictures=768, passes=6)
SCAN = "brainscan vision scan net --images images"


def main() -> None:
    """Train, draw images, scan, and photograph the drawing of the circuit."""
    home = WORK / "shapes"
    plant_pictures(RECIPE, home / "net")
    drawn = draw_shapes(96, seed=3)
    for i, (pixels, label) in enumerate(zip(drawn.pixels, drawn.labels, strict=True)):
        path = home / "images" / SHAPES[label] / f"{i:03d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.ascontiguousarray(pixels.transpose(1, 2, 0))).save(path)
    request = VisionRequest(str(home / "net"), home / "images", out=home / "scan", command=SCAN)
    examine_vision(request, silent)
    page = home / "page.html"
    page.write_text(vision_page(home / "scan"))
    photograph(page, OUT)


def photograph(page: Path, out: Path) -> None:
    """The drawing of the page as a PNG."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        view = browser.new_page(viewport={"width": 900, "height": 900}, device_scale_factor=1.25)
        view.goto(page.as_uri())
        view.locator("#circuit figure.plate").first.screenshot(path=str(out))
        browser.close()


if __name__ == "__main__":
    main()
