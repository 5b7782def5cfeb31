"""Windows, their bootstrap, and what the stamps tell of latency."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from listener_head.coefficients import LAYOUTS
from listener_head.evaluation.dyads.metrics import feature_distance
from listener_head.evaluation.motion import bootstrap, latency, windows
from listener_head.evaluation.offline.data import Seen
from listener_head.evaluation.offline.schedule import FIXED, RECORDED, Schedule

LAYOUT = LAYOUTS["arkit52"]


def test_windows_are_means_of_their_time(make_run):
    run = make_run(450)
    run.motion[150:300, LAYOUT.index("mouthSmileLeft")] = 0.6
    run.motion[300:, 0] = np.radians(np.tile([2.0, -2.0], 75))
    run.voice_activity[:75] = 1
    found = windows(run)
    values = found["values"]
    assert found["length_s"] == 5 and found["start_s"] == [0, 5, 10]
    assert values["smile"] == pytest.approx([0, 0.3, 0])
    assert values["speech"] == pytest.approx([0.5, 0, 0])
    assert values["pitch_deviation"] == pytest.approx([0, 0, 2], abs=1e-4)
    assert values["head_speed"][:2] == [0, 0] and values["head_speed"][2] == pytest.approx(120, rel=0.02)


def test_windows_of_which_little_was_listened_in_are_none(make_run):
    mode = np.zeros(640, np.uint8)
    mode[150:250] = 1
    values = windows(make_run(640, mode=mode))["values"]["head_speed"]
    assert [value is None for value in values] == [False, True, False, False, True]


def test_a_gap_leaves_out_the_windows_in_it(make_run):
    indices = 54_000 + np.concatenate([np.arange(150), np.arange(1500, 1650)])
    assert windows(make_run(300, indices=indices))["start_s"] == [0, 50]


def test_distances_to_the_true_listener(make_run, drift):
    run = make_run(300)
    run.motion[:] += 0.1 * drift(0, 300, LAYOUT.size)
    valid = np.arange(300) < 150  # the face is lost then, and held for nine frames
    truth = Seen(LAYOUT, run.stamp_ns, run.speaker, valid)
    values = windows(run, truth)["values"]
    for name, wanted in feature_distance(run.motion[:150], run.speaker[:150], LAYOUT).items():
        assert values[f"distance_{name}"][0] == pytest.approx(wanted, rel=1e-4)
    assert "distance_rotation" not in windows(run)["values"]


def test_the_difference_of_two_runs_and_its_interval():
    rng = np.random.default_rng(0)
    inside = []
    for _ in range(100):
        own, other = rng.standard_normal(60), 0.5 + rng.standard_normal(60)
        found = bootstrap(own, other, paired=False, rounds=400)
        assert found.difference == pytest.approx(other.mean() - own.mean()) and found.n == 60
        inside.append(found.low <= 0.5 <= found.high)
    assert 0.85 <= np.mean(inside) <= 1


def test_neighbours_that_are_alike_widen_the_interval(drift):
    alike = drift(1, 400, 1, 1.0)[:, 0]
    mixed = np.random.default_rng(0).permutation(alike)
    widths = [found.high - found.low for found in (bootstrap(0 * run, run, True) for run in (alike, mixed))]
    assert widths[0] > 1.5 * widths[1]


def test_pairs_of_one_recording_are_surer_than_two_recordings():
    rng = np.random.default_rng(2)
    own = 5 * rng.standard_normal(80)
    other = own + 0.3 + 0.1 * rng.standard_normal(80)
    paired, apart = bootstrap(own, other, True), bootstrap(own, other, False)
    assert 0.2 < paired.low < 0.3 < paired.high < 0.4 and apart.low < 0 < apart.high


@settings(deadline=None, max_examples=100)
@given(
    st.lists(st.one_of(st.none(), st.just(float("nan")), st.floats(-1e6, 1e6)), max_size=40),
    st.lists(st.one_of(st.none(), st.floats(-1e6, 1e6)), max_size=40),
    st.booleans(),
)
def test_any_windows_have_an_interval_or_none(own, other, paired):
    if paired:
        own, other = own[: len(other)], other[: len(own)]
    found = bootstrap(own, other, paired, rounds=50)
    assert found == bootstrap(own, other, paired, rounds=50)
    assert (found.difference is None) == (found.n == 0) and (found.low is None) == (found.n < 2)
    if found.low is not None:
        assert np.isfinite([found.difference, found.low, found.high]).all() and found.low <= found.high


def test_pairs_must_be_as_many():
    with pytest.raises(ValueError, match="2 and 1"):
        bootstrap([1.0, 2.0], [1.0], paired=True)


def schedule_of(run, rule, delay_ns):
    count = len(run.indices)
    flags = np.zeros(count, np.uint8)
    return Schedule(
        rule, run.indices, run.source_ns, run.heard, flags, flags, flags > 0, delay_ns, 12_000_000
    )


def test_age_and_waiting_are_from_the_stamps(make_run):
    run = make_run(100)  # every picture is 5 ms old at its step
    run.source_ns[:50] -= 20_000_000
    run.source_ns[99] = 0
    found = latency(run, schedule_of(run, FIXED, 8_000_000))
    assert found["age_ms"] == pytest.approx({"p50": 25, "p99": 25, "max": 25})
    assert found["waiting_ms"]["max"] == pytest.approx(25 + 12 - 8)
    assert latency(run, schedule_of(run, RECORDED, 0))["waiting_ms"] is None
    run.source_ns[:] = 0
    nobody = latency(run, schedule_of(run, FIXED, 8_000_000))
    assert nobody["age_ms"] == {"p50": None, "p99": None, "max": None}
