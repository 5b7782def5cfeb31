"""Policies against a true listener, by numbers that numpy says too."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from listener_head.coefficients import LAYOUTS
from listener_head.errors import UserError
from listener_head.evaluation.offline.data import Seen
from listener_head.evaluation.truth import judge, pool, reference_motion, truth_at, truth_on_grid
from listener_head.policies import load_policy
from listener_head.timing import HOLD_NS, grid_time_ns

LAYOUT = LAYOUTS["arkit52"]


def stepped(listened, name, reference):
    """What a policy does on the inputs of somebody who listened."""
    policy = load_policy(name)
    policy.reset(reference)
    steps = zip(listened.audio, listened.speaker, strict=True)
    return replace(listened, motion=np.stack([policy.step(*each) for each in steps]))


def feature_distances(motion, truth):
    """FD × 100, written out."""
    error = 100 * np.abs(motion.astype(np.float64) - truth)
    return {
        "rotation": error[:, :3].mean(),
        "expression": error[:, 3:55].mean(),
        "translation": error[:, 55:58].mean(),
    }


@given(
    st.lists(st.tuples(st.integers(1, 500_000_000), st.booleans()), max_size=12),
    st.lists(st.integers(-100_000_000, 4_000_000_000), min_size=1, max_size=12),
)
@settings(deadline=None)
def test_the_newest_valid_fit_is_held(gaps, moments):
    stamps = np.cumsum([gap for gap, _ in gaps], dtype=np.int64)
    valid = np.array([fine for _, fine in gaps], bool)
    motion = np.arange(1, len(gaps) + 1, dtype=np.float32)[:, None] * np.ones(LAYOUT.size, np.float32)
    truth = Seen(LAYOUT, stamps, motion * valid[:, None], valid)

    found, seen = truth_at(truth, np.array(moments))

    for number, moment in enumerate(moments):
        past = [row for row in np.flatnonzero(valid) if stamps[row] <= moment]
        expected = past[-1] + 1 if past and moment - stamps[past[-1]] <= HOLD_NS else 0
        assert seen[number] == (expected > 0)
        assert (found[number] == expected).all()


def test_the_grid_is_that_of_the_motion(make_listened, make_truth):
    listened = make_listened(30)
    truth = make_truth(listened)
    motion, seen = truth_on_grid(truth, listened.indices)
    np.testing.assert_array_equal(motion, truth.motion)
    assert seen.all() and truth.stamp_ns[0] == grid_time_ns(int(listened.indices[0]) + 1)


def test_the_reference_is_the_first_frame_with_a_face(make_listened, make_truth):
    truth = make_truth(make_listened(30))
    truth = replace(truth, valid=np.arange(30) >= 7)
    np.testing.assert_array_equal(reference_motion(truth), truth.motion[7])
    with pytest.raises(UserError, match="no face was seen in the 30 pictures"):
        reference_motion(replace(truth, valid=np.zeros(30, bool)))


def test_mean_and_mirror_are_at_the_distance_that_numpy_says(make_listened, make_truth):
    inputs = make_listened(200)
    truth = make_truth(inputs)
    policies = {name: stepped(inputs, name, truth.motion[0]) for name in ("mean", "mirror")}

    result = judge(policies, truth)

    for name, listened in policies.items():
        expected = feature_distances(listened.motion[:-1], truth.motion[:-1])
        assert result["distances"][name] == pytest.approx(expected, rel=1e-5)
    assert list(result["measures"]) == ["mean", "mirror", "truth"]
    mean = result["measures"]["mean"]["pose"]
    pose = [0, 1, 2, 55, 56, 57]
    error = policies["mean"].motion[:-1, pose] - truth.motion[:-1, pose]
    assert mean["mean_squared_error"] == pytest.approx(np.square(error).mean(), rel=1e-5)
    assert result["responsiveness"] is None
    assert result["frames"] == {"compared": 199, "unseen": 0}


def test_the_true_listener_is_at_no_distance_from_itself(make_listened, make_truth):
    inputs = make_listened(100)
    truth = make_truth(inputs)
    result = judge({"same": replace(inputs, motion=truth.motion)}, truth)
    assert set(result["distances"]["same"].values()) == {0.0}
    assert result["measures"]["same"] == result["measures"]["truth"]
    for part in result["measures"]["truth"].values():
        for measure in ("frechet_distance", "paired_frechet_distance", "mean_squared_error"):
            assert part[measure] == pytest.approx(0, abs=1e-9)
        assert part["variance"] > 0


def test_frames_without_the_true_listener_do_not_count(make_listened, make_truth):
    inputs = make_listened(200)
    truth = make_truth(inputs)
    lost = np.zeros(200, bool)
    lost[:12] = lost[80:120] = True
    holed = replace(truth, valid=~lost, motion=np.where(lost[:, None], 0, truth.motion))
    _, seen = truth_on_grid(holed, inputs.indices)
    wild = np.where(seen[:, None], 0.1, 1e3) + np.zeros((200, LAYOUT.size))

    result = judge({"wild": replace(inputs, motion=wild.astype(np.float32))}, holed)

    held = 9  # frames of HOLD_NS
    assert result["frames"] == {"compared": 199 - 12 - 40 + held, "unseen": 12 + 40 - held}
    assert max(result["distances"]["wild"].values()) < 100
    assert result["measures"]["wild"]["expression"]["variance"] == pytest.approx(0, abs=1e-12)


def test_a_step_that_was_left_out_keeps_the_motion_before_it(make_listened, make_truth):
    whole = make_listened(100)
    truth = make_truth(whole)
    whole = replace(whole, motion=truth.motion)
    kept = np.delete(np.arange(100), [40, 41])
    names = ("indices", "motion", "source_ns", "audio", "speaker", "voice_activity", "heard", "seen", "mode")
    parts = {name: getattr(whole, name)[kept] for name in names}
    result = judge({"lame": replace(whole, **parts)}, truth)
    held = truth.motion.copy()
    held[40:42] = held[39]
    assert result["distances"]["lame"] == pytest.approx(feature_distances(held[:-1], truth.motion[:-1]))


def test_who_answers_is_told_from_who_does_not_and_gaps_are_borne(make_listened, make_truth):
    inputs = make_listened(1860)
    truth = make_truth(inputs)
    truth = replace(truth, valid=(np.arange(1860) < 900) | (np.arange(1860) >= 930))
    answering = np.roll(inputs.speaker, 8, axis=0)
    stranger = np.roll(answering, 700, axis=0)
    listened = {"answers": replace(inputs, motion=answering), "stranger": replace(inputs, motion=stranger)}

    result = judge(listened, truth, seed=3)

    scores = {name: each["responsiveness"] for name, each in result["responsiveness"].items()}
    assert list(scores) == ["answers", "stranger", "truth"]
    assert scores["answers"]["percentile"] > 99 and scores["answers"]["z"] > 10
    assert scores["stranger"]["z"] < 3
    assert scores["truth"]["gain"] > scores["answers"]["gain"]
    assert result == judge(listened, truth, seed=3)
    assert json.loads(json.dumps(result, allow_nan=False)) == result


def test_recordings_are_pooled_as_clips_are(make_listened, make_truth):
    results = []
    for seed, steps in ((0, 90), (5, 300)):
        inputs = make_listened(steps, seed=seed)
        results.append(judge({"still": inputs}, make_truth(inputs, seed + 1)))
    longer = {**results[1], "responsiveness": {"still": {"granger": {"gain": 0.5}}}}

    pooled = pool([results[0], longer])

    for place in (("distances", "still", "rotation"), ("measures", "truth", "pose", "variance")):
        values = []
        for tree in (*results, pooled):
            for key in place:
                tree = tree[key]
            values.append(tree)
        assert values[2] == pytest.approx((values[0] + values[1]) / 2)
    assert pooled["responsiveness"] == longer["responsiveness"]  # of the one that has it
    assert pooled["frames"] == {"compared": 89 + 299, "unseen": 0}
    assert pool(results)["responsiveness"] is None


def test_what_cannot_be_compared_is_refused_in_one_line(make_listened, make_truth):
    inputs = make_listened(60)
    truth = make_truth(inputs)
    other = Seen(LAYOUTS["bfm2009"], truth.stamp_ns, np.zeros((60, 73), np.float32), truth.valid)
    elsewhere = replace(truth, stamp_ns=truth.stamp_ns + 10_000_000_000)
    for wrong, message in (
        (other, "fitted with bfm2009, and the listener moves with arkit52"),
        (replace(truth, valid=np.zeros(60, bool)), "seen in 0 of 59 frames"),
        (elsewhere, "seen in 0 of 59 frames"),
    ):
        with pytest.raises(UserError, match=message) as caught:
            judge({"still": inputs}, wrong)
        assert "\n" not in str(caught.value)
    one = make_listened(1)
    with pytest.raises(UserError, match="0 of 0 frames"):
        judge({"still": one}, truth)
