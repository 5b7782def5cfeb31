from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from listener_head.evaluation.offline.schedule import STEP_DELAY_NS
from listener_head.replay.playback import TICKS_HZ, Playback, start_ns
from listener_head.timing import NS_PER_S, grid_time_ns, index_at_or_before


@settings(deadline=None)
@given(st.integers(1, 4 * 10**18), st.floats(0.1, 10))
def test_time_is_told_evenly_and_when_each_step_is_due(began_ns, rate):
    elapsed = 0.0
    playback = Playback(began_ns, 0.0, rate, now=lambda: elapsed)
    told = []
    for _ in range(TICKS_HZ // 10):
        told.append(playback.next_tick_ns())
        elapsed = (told[-1] - began_ns + 500) / NS_PER_S / rate
    assert all(0 < later - earlier <= NS_PER_S // TICKS_HZ + 2 for earlier, later in pairwise(told))
    first, last = (index_at_or_before(tick - STEP_DELAY_NS) for tick in (told[0], told[-1]))
    for index in range(first + 1, last + 1):
        due = grid_time_ns(index) + STEP_DELAY_NS
        assert any(0 <= tick - due <= 1 for tick in told)


def test_simulated_time_runs_at_the_rate_and_is_waited_for():
    now = 10.0
    playback = Playback(5 * NS_PER_S, 10.0, 2.0, now=lambda: now)
    now = 11.5
    assert playback.time_ns() == 8 * NS_PER_S
    assert playback.seconds_until(9 * NS_PER_S) == 0.5
    assert playback.seconds_until(7 * NS_PER_S) == 0.0


def test_the_clock_begins_before_the_first_message_but_not_at_zero():
    assert start_ns(10 * NS_PER_S) == 9 * NS_PER_S
    assert start_ns(NS_PER_S // 2) == 1
