import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from brainscan.report.figures.png import data_uri, indexed_png
from tests.report.figures.reader import read_png

PALETTE = [(0, 0, 0), (255, 0, 0), (0, 128, 255), (7, 8, 9)]


@given(hnp.arrays(np.uint8, hnp.array_shapes(min_dims=2, max_dims=2, max_side=40), elements=st.integers(0, 3)))
def test_a_reader_sees_the_colours_that_were_written(cells: np.ndarray) -> None:
    read, palette = read_png(indexed_png(cells, PALETTE))
    assert np.array_equal(read, cells)
    assert palette[:, :3].tolist() == [list(colour) for colour in PALETTE]
    assert palette[:, 3].tolist() == [0, 255, 255, 255]


@pytest.mark.parametrize("cells", [np.zeros((0, 3), np.uint8), np.zeros(3, np.uint8), np.full((1, 1), 4, np.uint8)])
def test_cells_that_do_not_fit_are_refused(cells: np.ndarray) -> None:
    with pytest.raises(ValueError, match="palette"):
        indexed_png(cells, PALETTE)


def test_the_address_needs_no_network() -> None:
    assert data_uri(b"x") == "data:image/png;base64,eA=="
