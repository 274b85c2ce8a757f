import numpy as np

from brainscan.report.figures.ramps import DIVERGING, SEQUENTIAL, STEPS, scale_for


def test_a_z_score_is_clipped_at_six_and_the_clipped_are_counted() -> None:
    values = np.array([[0.0, 6.5, -7.0, np.nan, 5.9]])
    scale = scale_for(values, "z")
    assert (scale.ramp, scale.lo, scale.hi, scale.clipped) == (DIVERGING, -6.0, 6.0, 2)
    assert scale.index(values).tolist() == [[1 + STEPS // 2, 1 + STEPS, 1, 0, 1 + round(STEPS * 11.9 / 12)]]


def test_magnitudes_get_the_sequential_ramp_and_signs_the_diverging_one() -> None:
    assert scale_for(np.array([0.0, 2.0]), "nats").ramp is SEQUENTIAL
    assert scale_for(np.array([-1.0, 2.0]), "nats").ramp is DIVERGING
    assert scale_for(np.array([-1.0, 2.0]), "nats").lo == -2.0


def test_an_empty_picture_has_a_scale() -> None:
    scale = scale_for(np.array([[np.nan]]), "nats")
    assert scale.index(np.array([[np.nan]])).tolist() == [[0]]


def test_both_dresses_end_in_their_stops_and_keep_index_zero_free() -> None:
    for ramp in (DIVERGING, SEQUENTIAL):
        for dark, stops in ((False, ramp.light), (True, ramp.dark)):
            palette = ramp.palette(dark=dark)
            assert len(palette) == STEPS + 2
            assert "#{:02X}{:02X}{:02X}".format(*palette[1]) == stops[0]
            assert "#{:02X}{:02X}{:02X}".format(*palette[-1]) == stops[-1]
