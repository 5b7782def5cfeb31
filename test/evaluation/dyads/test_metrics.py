"""The measures against numbers made by hand, against scipy and in their limits."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.linalg import sqrtm

from listener_head.coefficients import LAYOUTS
from listener_head.evaluation.dyads.metrics import (
    Diversity,
    feature_distance,
    frechet_distance,
    mean_squared_error,
    paired_frechet_distance,
    part_of,
    residual_correlation,
    variance,
)

LAYOUT = LAYOUTS["bfm2009"]


def test_feature_distance_is_the_mean_absolute_difference_of_each_part_times_100():
    truth = np.zeros((4, LAYOUT.size), np.float32)
    predicted = truth.copy()
    predicted[:, LAYOUT.rotation] = (0.1, -0.2, 0.3)
    predicted[0, LAYOUT.expression] = 1.0
    predicted[:, LAYOUT.translation] = -0.5
    predicted[:, LAYOUT.crop] = 99.0
    distance = feature_distance(predicted, truth, LAYOUT)
    assert distance == pytest.approx({"rotation": 20, "expression": 25, "translation": 50})


def test_parts_are_expression_and_pose():
    motion = np.arange(LAYOUT.size, dtype=np.float32)[None]
    np.testing.assert_array_equal(part_of(motion, LAYOUT, "pose"), [[0, 1, 2, 67, 68, 69]])
    np.testing.assert_array_equal(part_of(motion, LAYOUT, "expression"), [np.arange(3, 67)])


def test_frechet_distance_equals_the_textbook_formula():
    rng = np.random.default_rng(0)
    one = rng.standard_normal((300, 5)) @ rng.standard_normal((5, 5)) + 1
    other = rng.standard_normal((200, 5)) @ rng.standard_normal((5, 5))
    first, second = np.cov(one.T), np.cov(other.T)
    expected = np.square(one.mean(axis=0) - other.mean(axis=0)).sum()
    expected += np.trace(first + second - 2 * sqrtm(first @ second).real)
    assert frechet_distance(one, other) == pytest.approx(expected, rel=1e-9)
    assert frechet_distance(other, one) == pytest.approx(expected, rel=1e-9)


def test_frechet_distance_of_one_number_is_that_of_means_and_deviations():
    one, other = np.array([[0.0], [2.0], [4.0]]), np.array([[10.0], [11.0], [12.0]])
    assert frechet_distance(one, other) == pytest.approx((11 - 2) ** 2 + (2 - 1) ** 2)


def test_frechet_distance_of_the_same_is_zero_and_moves_with_the_mean_alone():
    clip = np.random.default_rng(0).standard_normal((50, 8))
    assert frechet_distance(clip, clip) == pytest.approx(0, abs=1e-9)
    assert frechet_distance(clip, clip[::-1]) == pytest.approx(0, abs=1e-9)
    assert frechet_distance(clip, clip + 2) == pytest.approx(8 * 4)


def test_paired_frechet_distance_sees_an_answer_at_the_wrong_time():
    rng = np.random.default_rng(0)
    speaker = rng.standard_normal((500, 3))
    truth = speaker + 0.1 * rng.standard_normal((500, 3))
    late = np.roll(truth, 100, axis=0)
    assert frechet_distance(late, truth) == pytest.approx(0, abs=1e-9)
    assert paired_frechet_distance(truth, truth, speaker) == pytest.approx(0, abs=1e-9)
    assert paired_frechet_distance(late, truth, speaker) > 1


def test_error_and_variance_by_hand():
    one = np.array([[0.0, 0.0], [2.0, 4.0]])
    assert mean_squared_error(one, np.zeros((2, 2))) == pytest.approx((4 + 16) / 4)
    assert variance(one) == pytest.approx((1 + 4) / 2)
    assert variance(one + 7) == pytest.approx((1 + 4) / 2)


def test_residual_correlation_by_hand():
    speaker, truth = [np.array([[0.0, 1.0], [2.0, 3.0]])], [np.array([[0.0, 2.0], [4.0, 6.0]])]
    assert residual_correlation(truth, truth, speaker) == 0
    assert residual_correlation([-truth[0]], truth, speaker) == pytest.approx(2)
    assert residual_correlation([np.ones((2, 2))], truth, speaker) == pytest.approx(1)


def test_diversity_is_the_entropy_of_the_true_listeners_clusters():
    corners = np.array([[0, 0], [0, 9], [9, 0], [9, 9]], np.float32)
    truth = np.repeat(corners, 25, axis=0)
    diversity = Diversity([truth[:60], truth[60:]], clusters=4)
    assert diversity.index([truth]) == pytest.approx(2)
    assert diversity.index([truth[:50] + 0.1]) == pytest.approx(1)
    assert diversity.index([truth[:25], truth[:25]]) == 0
    assert Diversity([truth], clusters=40).index([truth]) == pytest.approx(2)


_clips = arrays(np.float32, (6, 4), elements=st.floats(-1e4, 1e4, width=32))


@settings(deadline=None, max_examples=60)
@given(one=_clips, other=_clips, speaker=_clips)
def test_every_measure_of_any_clips_is_finite_and_not_negative(one, other, speaker):
    values = [
        frechet_distance(one, other),
        frechet_distance(one[:1], other),
        paired_frechet_distance(one, other, speaker),
        mean_squared_error(one, other),
        variance(one),
        residual_correlation([one], [other], [speaker]),
        Diversity([other], 3).index([one]),
    ]
    assert np.isfinite(values).all() and min(values) >= 0
