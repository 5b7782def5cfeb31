"""The table of the tracker's errors, and how it is measured."""

import numpy as np
import pytest

from listener_head.coefficients import LAYOUTS
from listener_head.face.measure_tracking_error import error_of, make_motion
from listener_head.face.tracking_error import load_tracking_error

LAYOUT = LAYOUTS["arkit52"]


@pytest.mark.parametrize("delay", [0, 3])
def test_error_of_known_distortion_is_found(delay):
    random = np.random.default_rng(0)
    true = np.convolve(random.normal(size=2000), np.ones(8) / 8, "same")
    perceived = 0.1 + 0.7 * np.roll(true, delay) + 0.02 * random.normal(size=2000)
    error = error_of(true[20:], perceived[20:])
    assert error["delay"] == delay
    assert error["gain"] == pytest.approx(0.7, abs=0.01)
    assert error["offset"] == pytest.approx(0.1, abs=0.01)
    assert error["noise"] == pytest.approx(0.02, rel=0.1)
    assert abs(error["noise_memory"]) < 0.1


def test_motion_moves_every_number_after_a_second_of_rest():
    motion = make_motion(1800, seed=5)
    assert motion.shape == (1800, LAYOUT.size)
    np.testing.assert_array_equal(motion[:30], np.tile(LAYOUT.neutral(), (30, 1)))
    assert (motion.std(axis=0) > 0.001).all()
    expression = motion[:, LAYOUT.expression]
    assert expression.min() >= 0.0 and expression.max() <= 1.0
    np.testing.assert_array_equal(motion, make_motion(1800, seed=5))


def test_shipped_table_describes_a_tracker_that_follows():
    error = load_tracking_error()
    for column in vars(error).values():
        assert column.shape == (LAYOUT.size,) and np.isfinite(column).all()
    heard = [LAYOUT.index(name) for name in ("mouthSmileLeft", "browInnerUp", "jawOpen", "eyeBlinkRight")]
    for column in (0, 1, 2, *heard):
        assert 0.6 < error.gain[column] < 1.3
        assert error.delay[column] <= 1
    assert np.degrees(error.noise[LAYOUT.rotation]).max() < 2.0
    assert error.noise[LAYOUT.expression].max() < 0.25
