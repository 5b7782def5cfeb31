"""Ruckig's own failures do not come through."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruckig import ControlInterface, InputParameter, Ruckig, RuckigError, Trajectory

from listener_head.robot.profiles import plan

# From rest to rest over 2 a^3 / j^2 full acceleration is just reached.
EDGE = 0.02
JERK = 10.0


def parameters(position: float) -> InputParameter:
    given = InputParameter(1)
    given.current_position, given.target_position = [position], [0.0]
    given.max_velocity, given.max_acceleration, given.max_jerk = [0.3], [1.0], [JERK]
    return given


def test_a_distance_that_ruckig_trips_over_is_planned() -> None:
    given, profile = parameters(0.02000000000000002), Trajectory(1)
    with pytest.raises(RuckigError):
        Ruckig(1).calculate(given, profile)
    assert plan(Ruckig(1), given, profile)
    assert profile.duration == pytest.approx(0.4, rel=1e-3)
    assert profile.at_time(profile.duration)[0][0] == pytest.approx(0.0, abs=1e-9)
    assert given.max_jerk == [JERK]


@settings(max_examples=500, deadline=None)
@given(steps=st.integers(-1000, 1000))
def test_every_distance_around_the_edge_is_planned(steps: int) -> None:
    profile = Trajectory(1)
    assert plan(Ruckig(1), parameters(EDGE + steps * 3.5e-18), profile)
    assert profile.duration == pytest.approx(0.4, rel=1e-3)


@settings(max_examples=500, deadline=None)
@given(velocity=st.floats(-3.0, 3.0), acceleration=st.floats(-10.0, 10.0), share=st.sampled_from([0.5, 1.0]))
def test_every_stop_is_planned(velocity: float, acceleration: float, share: float) -> None:
    given, profile = InputParameter(1), Trajectory(1)
    given.control_interface = ControlInterface.Velocity
    # The edge of a stop: the speed that bringing the acceleration to zero and back just takes.
    given.current_velocity = [share * velocity if share < 1 else acceleration * abs(acceleration) / 200.0]
    given.current_acceleration = [acceleration]
    given.target_velocity = [0.0]
    given.max_velocity, given.max_acceleration, given.max_jerk = [4.0], [10.0], [100.0]
    assert plan(Ruckig(1), given, profile)
