import base64
import re

import numpy as np

from brainscan.core.evidence import Figure
from brainscan.report.figures.ramps import STEPS
from brainscan.report.figures.scan_image import draw_scan_image
from tests.report.figures.reader import read_png


def figure(layers: int, tokens: int, unit: str = "z") -> Figure:
    return Figure(
        kind="scan-image",
        title="t",
        caption="c",
        measurement="m",
        array="a",
        unit=unit,
        layers=tuple(range(layers)),
        tokens=tuple(f"tok{i}" for i in range(tokens)),
    )


def pixels(svg: str) -> np.ndarray:
    found = re.search(r"data:image/png;base64,([^\"]+)", svg)
    assert found
    return read_png(base64.b64decode(found[1]))[0]


def test_layer_zero_is_at_the_bottom_and_tokens_go_down_on_a_phone() -> None:
    values = np.zeros((3, 5))
    values[0, 4] = 6.0
    image = draw_scan_image(figure(3, 5), values)
    wide, narrow = pixels(image.wide), pixels(image.narrow)
    assert wide.shape == (3, 5)
    assert wide[-1, 4] == STEPS + 1
    assert narrow.shape == (5, 3)
    assert narrow[4, 0] == STEPS + 1


def test_what_was_not_captured_is_transparent_and_counted() -> None:
    values = np.ones((2, 3))
    values[1, :2] = np.nan
    values[0, 0] = np.inf
    image = draw_scan_image(figure(2, 3), values)
    assert (pixels(image.wide) == 0).sum() == 3
    assert "3 hatched cells were not captured." in image.notes


def test_long_texts_fold_and_keep_each_peak() -> None:
    values = np.zeros((2, 1024))
    values[1, 777] = -5.0
    image = draw_scan_image(figure(2, 1024), values)
    assert "1,024 tokens folded to 256; each segment shows its strongest value." in image.notes
    assert len(image.tokens) == 256
    assert min(v for v in image.rows[1] if v is not None) == -5.0
    assert (image.strongest[0].position, image.strongest[0].token) == (777, "tok777")


def test_strongest_cells_are_by_size_and_leave_out_what_is_missing() -> None:
    values = np.array([[1.0, -9.0], [np.nan, 3.0]])
    cells = draw_scan_image(figure(2, 2), values).strongest
    assert [cell.value for cell in cells] == [-9.0, 3.0, 1.0]
    assert "1 of 4 cells lie beyond the scale" in draw_scan_image(figure(2, 2), values).notes[0]


def test_an_empty_capture_is_drawn_and_described() -> None:
    image = draw_scan_image(figure(2, 2), np.full((2, 2), np.nan))
    assert "Nothing was captured." in image.wide
    assert image.strongest == ()


def test_missing_token_names_fall_back_to_positions() -> None:
    bare = figure(2, 0)
    assert draw_scan_image(bare, np.zeros((2, 3))).tokens == ("0", "1", "2")
    short = bare.model_copy(update={"tokens": ("a",)})
    assert draw_scan_image(short, np.zeros((2, 3))).tokens == ("a", "1", "2")
