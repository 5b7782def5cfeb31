"""Nods, shakes and blinks that were put into a motion are found, and no others."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from listener_head.coefficients import LAYOUTS
from listener_head.dyads.signals import bump, frame_times, wander
from listener_head.dyads.signals import nods as nodding
from listener_head.dyads.signals import shakes as shaking
from listener_head.evaluation.motion.gestures import blinks, nods, shakes
from listener_head.evaluation.motion.kinematics import angles_deg
from listener_head.evaluation.motion.pieces import named_curve
from listener_head.listener.liveliness import Liveliness

LAYOUT = LAYOUTS["arkit52"]
MINUTES = 5
TIMES = frame_times(MINUTES * 60 * 30)
STARTS = np.arange(2.0, MINUTES * 60 - 3, 5.0)


def alive(seed, frames):
    """Breath, drift and blinks of a listener who does nothing else."""
    life, still = Liveliness(LAYOUT, seed), LAYOUT.neutral()
    return np.stack([life.step(still, 1.0) for _ in range(frames)])


@pytest.fixture(scope="module")
def life():
    return alive(0, len(TIMES))


@pytest.fixture(scope="module")
def living(life):
    """Pitch, yaw, roll [deg] of life, on a posture that wanders by some degrees."""
    rng = np.random.default_rng(3)
    slow = np.stack([wander(len(TIMES), 3.0, 8.0, rng) for _ in range(3)], axis=1)
    return angles_deg(life, LAYOUT) + slow


@pytest.mark.parametrize(
    ("frequency", "cycles"), [(0.7, 1), (0.7, 2), (1.5, 1), (1.5, 2), (1.5, 3), (3, 1), (3, 3), (5, 2)]
)
def test_nods_are_found_with_their_rate_frequency_and_size(living, frequency, cycles):
    angles = living.copy()
    for start in STARTS:
        angles[:, 0] += 5 * nodding(TIMES, start, cycles, frequency)
    found = nods(angles)
    assert len(found) == pytest.approx(len(STARTS), rel=0.1)
    assert np.median([nod.frequency_hz for nod in found]) == pytest.approx(frequency, rel=0.1)
    assert np.median([nod.size_deg for nod in found]) == pytest.approx(4.2, abs=1.1)
    begun = np.array([nod.start for nod in found]) / 30
    assert np.median(np.abs(begun[:, None] - STARTS).min(axis=1)) < 0.15


@pytest.mark.parametrize("seed", range(4))
def test_life_alone_holds_no_nod_and_no_shake(seed):
    angles = angles_deg(alive(seed, 5400), LAYOUT)
    assert nods(angles) == [] and shakes(angles) == []


def test_life_on_a_wandering_posture_hardly_nods(living):
    assert len(nods(living)) + len(shakes(living)) <= 0.5 * MINUTES


def test_a_change_of_posture_is_no_nod():
    angles = np.zeros((len(TIMES), 3))
    for start in STARTS[::2]:
        angles[:, 0] += 10 * bump(TIMES, start, 0.4, 0.4, hold=2.0)  # down, stay, up
    for start in STARTS[1::2]:
        angles[:, 0] += 8 * bump(TIMES, start, 0.3, 3.0)  # down at once, up slowly
    assert nods(angles) == []


def test_small_and_fast_trembling_is_no_nod():
    angles = np.zeros((600, 3))
    angles[:, 0] = 0.7 * np.sin(2 * np.pi * 2 * frame_times(600))
    assert nods(angles) == []
    angles[:, 0] = 5 * np.sin(2 * np.pi * 9 * frame_times(600))
    assert nods(angles) == []


def test_shakes_are_no_nods_and_nods_no_shakes(living):
    angles = living.copy()
    for start in STARTS:
        angles[:, 1] += 6 * shaking(TIMES, start, 2, 1.5)
        angles[:, 0] += 2 * shaking(TIMES, start, 2, 1.5)  # the neck is not quite upright
    assert len(shakes(angles)) == pytest.approx(len(STARTS), rel=0.1)
    assert len(nods(angles)) <= 0.5 * MINUTES
    turned = angles[:, [1, 0, 2]]
    assert len(shakes(turned)) <= 0.5 * MINUTES


def test_a_glance_to_the_side_is_no_shake():
    angles = np.zeros((600, 3))
    angles[:, 1] = 12 * bump(frame_times(600), 5, 0.3, 0.3, hold=0.2)
    assert shakes(angles) == []


def test_every_blink_of_life_is_found(life):
    lids = named_curve(life, LAYOUT, "blink")
    closed = lids > 0.6
    found = blinks(lids)
    assert len(found) == np.count_nonzero(closed[1:] & ~closed[:-1]) > 15 * MINUTES / 2
    assert 0.1 < np.median([blink.duration_s for blink in found]) < 0.36


@pytest.mark.parametrize("open_lids", [0.0, 0.4])
@pytest.mark.parametrize("seconds", [0.15, 0.3, 0.5])
def test_blinks_and_their_duration(seconds, open_lids):
    lids = np.full(len(TIMES), open_lids)
    for start in STARTS:
        lids += (1 - open_lids) * bump(TIMES, start, 0.4 * seconds, 0.6 * seconds)
    found = blinks(lids)
    assert len(found) == len(STARTS)
    assert np.median([blink.duration_s for blink in found]) == pytest.approx(0.7 * seconds, abs=0.05)


def test_eyes_that_are_kept_closed_do_not_blink():
    assert blinks(bump(TIMES, 5, 0.2, 0.2, hold=2.0)) == []
    assert blinks(np.ones(100)) == []


def two_fast_swings_before_two_slow_ones():
    angles = np.full((43, 3), 1.5)
    angles[[7, 13, 42], 0] = 0
    return angles


@settings(deadline=None)
@example(two_fast_swings_before_two_slow_ones())
@given(
    hnp.arrays(
        np.float64,
        st.tuples(st.integers(1, 80), st.just(3)),
        elements=st.one_of(st.sampled_from([0.0, 1.5, -1.5, 40.0]), st.floats(-90, 90)),
    )
)
def test_any_motion_has_gestures_in_order_and_in_the_band(angles):
    for found in (nods(angles), shakes(angles)):
        for gesture in found:
            assert 0 <= gesture.start < gesture.end <= len(angles) - 1
            assert 0.5 <= gesture.frequency_hz <= 6.51 and gesture.size_deg >= 1.5
        assert all(before.end <= after.start for before, after in pairwise(found))
    for blink in blinks(np.abs(angles[:, 2]) / 90):
        assert 0 < blink.duration_s <= 1
