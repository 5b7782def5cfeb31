"""Live answers brought to the recording's time, and held against offline ones."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from listener_head.coefficients import LAYOUTS
from listener_head.evaluation.offline.data import Listened
from listener_head.evaluation.tracks import CoefficientTrack
from listener_head.replay.agreement import agreement
from listener_head.replay.passes import Pass, passes_of
from listener_head.replay.unrolled import unrolled
from listener_head.timing import NS_PER_S, grid_time_ns

LAYOUT = LAYOUTS["arkit52"]
MS = 1_000_000
WALL_NS = 1_800_000_000 * NS_PER_S
FIRST = 51_000_000_000  # a step of 2023


@settings(deadline=None)
@given(
    st.lists(st.integers(2, 40), min_size=1, max_size=4),
    st.integers(1, 10**18),
    st.randoms(use_true_random=False),
)
def test_each_pass_is_found_with_its_offset_however_late_ticks_come(lengths, start_ns, random):
    received, told, truth, now = [], [], [], WALL_NS
    for length in lengths:
        truth.append((len(received), start_ns - now))
        for tick in range(length):
            # One tick of each pass comes at once.
            late = 0 if tick == length // 2 else random.randrange(3 * MS)
            received.append(now + 10 * MS * tick + late)
            told.append(start_ns + 10 * MS * tick)
        now += 10 * MS * length + random.randrange(NS_PER_S)
    passes = passes_of(np.array(received), np.array(told))
    assert [one.began_ns for one in passes] == [received[first] for first, _ in truth]
    assert [one.offset_ns for one in passes] == [offset for _, offset in truth]
    assert [one.ended_ns for one in passes[:-1]] == [one.began_ns for one in passes[1:]]


def live(steps, received_ns, motion) -> CoefficientTrack:
    stamps = np.array([grid_time_ns(step + 1) for step in steps.tolist()])
    return CoefficientTrack(
        np.asarray(received_ns),
        stamps,
        stamps - 50 * MS,
        LAYOUT,
        motion[:, LAYOUT.rotation],
        motion[:, LAYOUT.expression],
        motion[:, LAYOUT.translation],
        np.ones(len(stamps), bool),
        np.ones(len(stamps), np.float32),
    )


def offline(steps, motion) -> Listened:
    count = len(steps)
    nothing, flags = np.zeros((count, 1), np.float32), np.zeros(count, np.uint8)
    no, none = np.zeros(count, bool), np.zeros(count, np.float32)
    indices = np.asarray(steps)
    args = ("network", "name", "hash", "neutral", LAYOUT, indices, motion, indices * 0, nothing, nothing)
    return Listened(*args, none, no, no, flags, flags, none)


@pytest.fixture
def motion():
    return np.random.default_rng(0).normal(0, 0.1, (20, LAYOUT.size)).astype(np.float32)


def test_the_largest_difference_of_common_frames_counts(motion):
    steps = np.arange(FIRST, FIRST + 20)
    other = motion.copy()
    other[7, LAYOUT.expression.start + 3] += 0.25
    found = agreement(live(steps[2:], steps[2:], motion[2:]), offline(steps[:18], other[:18]))
    assert found.largest == pytest.approx(0.25, abs=1e-6)
    assert (found.compared, found.missing, found.extra) == (16, 2, 2)
    assert 0 < found.mean < 0.001


def test_frames_that_are_not_valid_are_not_compared(motion):
    steps = np.arange(FIRST, FIRST + 20)
    track = live(steps, steps, motion + 1)
    none = replace(track, valid=np.zeros(20, bool))
    assert agreement(none, offline(steps, motion)).largest is None


def test_passes_that_repeat_their_stamps_are_told_apart(motion):
    once = np.arange(FIRST, FIRST + 10)
    steps, received = np.concatenate([once, once]), WALL_NS + np.arange(20) * MS
    passes = [Pass(WALL_NS, WALL_NS + 10 * MS, 0), Pass(WALL_NS + 10 * MS, 2**62, 0)]
    order = np.argsort(steps, kind="stable")  # as tracks are
    track = live(steps[order], received[order], motion[order])
    period_ns = 4 * NS_PER_S
    found = unrolled(track, passes, period_ns)
    assert (np.diff(found.stamp_ns) > 0).all()
    assert (found.stamp_ns - found.source_ns == 50 * MS).all()
    expected = np.concatenate([once, once + 4 * 30])
    assert agreement(found, offline(expected, motion)).largest == 0
