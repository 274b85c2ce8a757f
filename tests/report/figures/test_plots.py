import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from brainscan.core.evidence import Figure
from brainscan.report.figures import svg
from brainscan.report.figures.dot_plot import draw_dot_plot, interval_strip
from brainscan.report.figures.layer_profile import draw_layer_profile
from tests.samples import reading

PROFILE = Figure(
    kind="layer-profile", title="t", caption="c", measurement="m", array="a", unit="nats", layers=tuple(range(4)),
    band="b", band_label="5th–95th percentile, n = 20",
)  # fmt: skip


def test_a_profile_marks_points_outside_its_band_only() -> None:
    band = np.array([[-1.0] * 4, [1.0] * 4])
    drawn = draw_layer_profile(PROFILE, np.array([0.0, 2.0, -3.0, 0.5]), band).wide
    assert drawn.count('class="point"') == 2
    assert drawn.count('class="edge"') == 2
    assert "−3.00 nats at layer 2" in drawn


def test_a_profile_with_holes_breaks_its_line() -> None:
    drawn = draw_layer_profile(PROFILE, np.array([1.0, np.nan, 2.0, np.inf])).wide
    line = re.search(r'd="([^"]*)" class="series"', drawn)
    assert line
    assert line[1].count("M") == 2
    assert "nan" not in drawn


def test_an_empty_profile_says_so() -> None:
    assert "Nothing was captured." in draw_layer_profile(PROFILE, np.full(4, np.nan)).wide


@given(st.lists(st.floats(-5, 5), min_size=1, max_size=60), st.floats(-5, 5))
def test_every_control_is_one_dot(controls: list[float], value: float) -> None:
    plot = draw_dot_plot(reading("m", value, 0.1, "clear", unit="nats", control_values=controls))
    assert plot.wide.count('class="control"') == plot.narrow.count('class="control"') == len(controls)
    below = sum(value > control for control in controls)
    assert plot.caption.startswith(f"Higher than {below} of {len(controls)} controls; conformal p ")


def test_many_controls_become_a_hundred_dots_and_the_caption_says_so() -> None:
    plot = draw_dot_plot(reading("m", 0.5, 0.1, "clear", unit="nats", control_values=np.linspace(0, 1, 500).tolist()))
    assert plot.wide.count('class="control"') == 100
    assert "Each dot stands for 1% of the controls." in plot.caption


def test_lower_is_worse_is_counted_downwards() -> None:
    plot = draw_dot_plot(
        reading("m", -1.0, 0.0, "flagged", unit="nats", higher_is="better", control_values=(0.5, 0.7, -0.1))
    )
    assert plot.caption.startswith("Lower than 3 of 3 controls")
    assert "1 of 3 controls past it" in plot.wide


def test_a_strip_is_read_as_one_unit() -> None:
    strip = interval_strip(reading("m", 0.9, 0.2, "flagged").measurement, 0.2)
    assert "<title>27/30, 90% [73–98]; threshold 20%</title>" in strip


@pytest.mark.parametrize(("lo", "hi"), [(0, 1), (-3, 7), (0.001, 0.002), (-1e6, 1e6)])
def test_ticks_are_round_few_and_inside(lo: float, hi: float) -> None:
    ticks = svg.Axis(lo, hi, 0, 100).ticks(5)
    assert 1 <= len(ticks) <= 6
    assert all(lo <= tick <= hi for tick in ticks)


def test_an_axis_holds_values_outside_at_its_ends() -> None:
    axis = svg.Axis(0, 1, 10, 20)
    assert (axis(-5), axis(0.5), axis(9)) == (10, 15, 20)
    assert svg.axis_around([2.0, 2.0], 0, 10)(2.0) == pytest.approx(5)


def test_attributes_and_text_are_escaped() -> None:
    assert svg.tag("text", '<b>"', id='"><x') == '<text id="&#34;&gt;&lt;x">&lt;b&gt;&#34;</text>'
