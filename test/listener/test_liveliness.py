import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from listener_head.coefficients import LAYOUTS
from listener_head.listener.liveliness import LARGEST_ROTATION, LARGEST_TRANSLATION, Liveliness
from listener_head.timing import RATE_HZ

LAYOUT = LAYOUTS["arkit52"]
STILL = LAYOUT.neutral()
LIDS = [LAYOUT.index("eyeBlinkLeft"), LAYOUT.index("eyeBlinkRight")]
LOOKS = [LAYOUT.index(name) for name in LAYOUT.expression_names if name.startswith("eyeLook")]
POSE = [*range(3), *range(LAYOUT.translation.start, LAYOUT.translation.stop)]
DEGREE = math.pi / 180
TEN_MINUTES = 600 * RATE_HZ


def live(seed, frames, strength=1.0, motion=STILL):
    layer = Liveliness(LAYOUT, seed)
    return np.stack([layer.step(motion, strength) for _ in range(frames)])


@pytest.fixture(scope="module", params=[0, 1, 2])
def lively(request):
    """Ten minutes on a still face."""
    return live(request.param, TEN_MINUTES)


def blinks(motion):
    """First and last frame of each blink of the left lid."""
    shut = np.concatenate([[0], (motion[:, LIDS[0]] > 0.02).astype(int), [0]])
    return np.flatnonzero(np.diff(shut) == 1), np.flatnonzero(np.diff(shut) == -1)


def test_it_blinks_as_people_do(lively):
    first, last = blinks(lively)
    assert 10 <= len(first) / 10 <= 20
    seconds = (last - first) / RATE_HZ
    assert seconds.min() >= 0.1 and seconds.max() <= 0.4
    peaks = [lively[a:b, LIDS[0]].max() for a, b in zip(first, last, strict=True)]
    assert min(peaks) > 0.75
    np.testing.assert_array_equal(lively[:, LIDS[0]], lively[:, LIDS[1]])
    intervals = np.log(np.diff(first) / RATE_HZ)
    assert 0.3 < intervals.std() < 0.7
    # Log-normal: skewed in seconds, hardly so in their logarithms.
    assert abs(np.mean((intervals - intervals.mean()) ** 3)) / intervals.std() ** 3 < 0.5


def test_lids_close_faster_than_they_open(lively):
    first, last = blinks(lively)
    peak = np.array([a + lively[a:b, LIDS[0]].argmax() for a, b in zip(first, last, strict=True)])
    assert (peak - first).mean() < 0.75 * (last - peak).mean()


def test_it_never_moves_far(lively):
    change = np.abs(lively - STILL).max(axis=0)
    assert change[LAYOUT.rotation].max() <= LARGEST_ROTATION
    assert change[LAYOUT.translation].max() <= LARGEST_TRANSLATION
    assert change[LOOKS].max() <= 0.1 + 1e-6
    others = sorted(set(range(LAYOUT.size)) - {*POSE, *LIDS, *LOOKS})
    assert change[others].max() == 0


def test_it_moves_smoothly(lively):
    steps = np.abs(np.diff(np.vstack([STILL, lively]), axis=0)).max(axis=0)
    assert steps[LAYOUT.rotation].max() < 0.08 * DEGREE
    assert steps[LAYOUT.translation].max() < 0.0003
    assert steps[LOOKS].max() <= 0.1


def test_it_is_never_frozen(lively):
    turns = lively[2 * RATE_HZ :, LAYOUT.rotation] / DEGREE
    windows = np.lib.stride_tricks.sliding_window_view(turns, 2 * RATE_HZ, axis=0)
    assert np.ptp(windows, axis=-1).max(axis=1).min() > 0.15


def test_it_breathes_and_drifts_slowly(lively):
    height = lively[:, LAYOUT.translation.start + 1] - STILL[LAYOUT.translation.start + 1]
    frequency = np.fft.rfftfreq(len(height), 1 / RATE_HZ)

    def power(signal):
        return np.abs(np.fft.rfft(signal * np.hanning(len(signal)))) ** 2

    spectrum = power(height)
    breath = (frequency >= 0.2) & (frequency <= 0.3)
    assert spectrum[breath].sum() > 5 * spectrum[frequency > 0.3].sum()
    assert 0.2 <= frequency[breath][spectrum[breath].argmax()] <= 0.3
    yaw = power(lively[:, LAYOUT.rotation.start + 1])
    assert yaw[frequency <= 0.16].sum() > 0.99 * yaw.sum()


def test_a_seed_gives_the_same_and_another_one_another(lively):
    np.testing.assert_array_equal(live(7, 300), live(7, 300))
    assert np.abs(live(7, 300) - live(8, 300)).max() > 1e-3


def test_without_strength_nothing_is_added():
    np.testing.assert_array_equal(live(0, 900, strength=0.0), np.tile(STILL, (900, 1)))


def test_it_comes_to_rest_within_a_second():
    layer = Liveliness(LAYOUT)
    for _ in range(300):
        layer.step(STILL, 1.0)
    resting = np.stack([layer.step(STILL, 0.0) for _ in range(90)])
    assert np.abs(np.diff(resting[:, POSE], axis=0)).max() < 0.1 * DEGREE
    np.testing.assert_array_equal(resting[RATE_HZ + 2 :], np.tile(STILL, (88 - RATE_HZ, 1)))


def test_a_blink_of_its_own_puts_ours_off():
    closed = STILL.copy()
    closed[LIDS] = 0.8
    motion = live(0, 60 * RATE_HZ, motion=closed)
    np.testing.assert_array_equal(motion[:, LIDS], np.full((60 * RATE_HZ, 2), np.float32(0.8)))


def test_bfm2009_gets_pose_alone():
    layout = LAYOUTS["bfm2009"]
    layer, still = Liveliness(layout), layout.neutral()
    change = np.stack([layer.step(still, 1.0) for _ in range(300)]) - still
    assert np.ptp(change[:, layout.rotation]) > 0.1 * DEGREE
    assert np.abs(change[:, layout.expression]).max() == 0 and np.abs(change[:, layout.crop]).max() == 0


@given(seed=st.integers(0, 2**31 - 1), data=st.data())
@settings(deadline=None, max_examples=30)
def test_whatever_it_is_laid_upon_stays_in_bounds(seed, data):
    rng, layer = np.random.default_rng(seed), Liveliness(LAYOUT, seed)
    before = None
    for strength in data.draw(st.lists(st.floats(0, 1), min_size=1, max_size=5)):
        for _ in range(40):
            motion = STILL.copy()
            motion[LAYOUT.expression] = rng.random(52, np.float32)
            given_motion = motion.copy()
            lively = layer.step(motion, strength)
            np.testing.assert_array_equal(motion, given_motion)
            assert lively.dtype == np.float32 and np.isfinite(lively).all()
            assert lively[LAYOUT.expression].min() >= 0 and lively[LAYOUT.expression].max() <= 1
            added = (lively - motion)[LAYOUT.rotation]
            assert before is None or np.abs(added - before).max() < 0.1 * DEGREE
            before = added
