from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from listener_head.timing import (
    grid_time_ns,
    grid_times_ns,
    index_at_or_after,
    index_at_or_before,
    indices_at_or_before,
)

INDICES = st.integers(-(10**6), 10**12)


@given(INDICES)
@settings(deadline=None)
def test_grid_time_is_the_nearest_nanosecond(index):
    exact = Fraction(index * 10**9, 30)
    assert abs(grid_time_ns(index) - exact) <= Fraction(1, 2)


@given(INDICES)
@settings(deadline=None)
def test_a_grid_time_belongs_to_its_own_step(index):
    time_ns = grid_time_ns(index)
    assert index_at_or_before(time_ns) == index_at_or_after(time_ns) == index
    assert index_at_or_before(time_ns - 1) == index - 1
    assert index_at_or_after(time_ns + 1) == index + 1


@given(st.integers(0, 2**62))
@settings(deadline=None)
def test_steps_enclose_any_time(time_ns):
    before, after = index_at_or_before(time_ns), index_at_or_after(time_ns)
    assert grid_time_ns(before) <= time_ns < grid_time_ns(before + 1)
    assert grid_time_ns(after - 1) < time_ns <= grid_time_ns(after)


@given(st.lists(st.integers(-(10**11), 10**11), max_size=20))
@settings(deadline=None)
def test_many_at_once_are_as_each_alone(indices):
    assert grid_times_ns(indices).tolist() == [grid_time_ns(index) for index in indices]
    times = [grid_time_ns(index) + index % 7 - 3 for index in indices]
    assert indices_at_or_before(times).tolist() == [index_at_or_before(time) for time in times]
