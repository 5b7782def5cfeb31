import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from listener_head.ros.sender_clock import WINDOW, SenderClock
from listener_head.timing import NS_PER_S, grid_time_ns, index_at_or_before

NOW_NS = 1_700_000_000 * NS_PER_S
PERIOD_NS = NS_PER_S // 30


def send(clock, difference_s, messages=2 * WINDOW, delays_s=(0.01,), first=0):
    """Local stamps of a sender whose clock is ``difference_s`` ahead, and the arrivals [ns]."""
    local, arrivals = [], []
    for i in range(first, first + messages):
        sent_ns = NOW_NS + i * PERIOD_NS
        arrivals.append(sent_ns + round(delays_s[i % len(delays_s)] * NS_PER_S))
        local.append(clock.local_ns(sent_ns + round(difference_s * NS_PER_S), arrivals[-1]))
    return np.array(local), np.array(arrivals)


@pytest.mark.parametrize("difference_s", [0.0, 0.05, -0.3, -0.9])
def test_clocks_that_agree_well_enough_are_left_alone(difference_s):
    clock = SenderClock()
    local, _ = send(clock, difference_s)
    sent = NOW_NS + np.arange(2 * WINDOW) * PERIOD_NS + round(difference_s * NS_PER_S)
    assert np.array_equal(local, sent)
    assert clock.shift_ns == 0 and not clock.explanation(False)


@settings(deadline=None)
@given(
    st.one_of(st.floats(0.15, 1e9), st.floats(-1e9, -1.1)),
    st.lists(st.floats(0, 0.04), min_size=1, max_size=9),
)
def test_stamps_of_another_clock_come_to_lie_shortly_before_their_arrival(difference_s, delays_s):
    clock = SenderClock()
    local, arrivals = send(clock, difference_s, delays_s=delays_s)
    ages = (arrivals - local)[WINDOW:] / NS_PER_S
    assert ages.min() > -0.05 and ages.max() < 0.15
    # Shifted all alike.
    assert len(set(np.diff(local[WINDOW:]))) == 1


def test_stamps_of_the_grid_stay_on_it():
    clock = SenderClock()
    for i in range(3 * WINDOW):
        index = 51_000_000_000 + i
        local_ns = clock.local_ns(grid_time_ns(index) + 0, grid_time_ns(index) + 7 * NS_PER_S)
        if clock.shift_ns:
            assert local_ns == grid_time_ns(index_at_or_before(local_ns))
    assert clock.shift_ns == 7 * NS_PER_S


def test_the_line_says_how_much_which_way_and_the_fix():
    clock = SenderClock()
    send(clock, 5.0)
    assert "4.99 s ahead of" in clock.explanation(False) and "chrony" in clock.explanation(False)
    clock = SenderClock()
    send(clock, -3e6)
    assert "s behind" in clock.explanation(False)
    assert "play it with --clock and set use_sim_time:=true here" in clock.explanation(False)
    assert "set use_sim_time:=true there" in clock.explanation(True)


def test_clocks_that_come_to_agree_are_left_alone_again():
    clock = SenderClock()
    send(clock, 5.0)
    assert clock.shift_ns
    send(clock, 0.0, first=2 * WINDOW)
    assert clock.shift_ns == 0


def test_a_sender_that_does_not_keep_real_time_tells_nothing():
    clock = SenderClock()
    for i in range(5 * WINDOW):  # ten times as fast
        assert clock.local_ns(i * PERIOD_NS + 1, NOW_NS + i * PERIOD_NS // 10) == i * PERIOD_NS + 1


def test_a_message_without_a_stamp_has_that_of_its_arrival():
    assert SenderClock().local_ns(0, NOW_NS) == NOW_NS


def test_before_simulated_time_begins_nothing_is_judged():
    clock = SenderClock()
    assert {clock.local_ns(NOW_NS, 0) for _ in range(2 * WINDOW)} == {NOW_NS}
    assert clock.shift_ns == 0


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(-(2**62), 2**62), st.integers(0, 2**62)), max_size=200))
def test_any_stamps_do(pairs):
    clock = SenderClock()
    for stamp_ns, now_ns in pairs:
        assert isinstance(clock.local_ns(stamp_ns, now_ns), int)
    clock.explanation(False)
