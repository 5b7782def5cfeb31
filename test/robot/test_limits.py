"""The joints never leave their limits, whatever comes in.

Positions are compared with the limits as they are. Derivatives are divided differences of the sampled
positions (mean values of the true derivative over the samples' span, so they obey the same bound); the
tolerance is what the rounding of positions can add, carried through the differences.
"""

from dataclasses import dataclass

import numpy as np
import pytest
import ruckig
from hypothesis import given, settings
from hypothesis import strategies as st

from listener_head.coefficients import LAYOUTS, Coefficients
from listener_head.robot import JointMapper, Robot, load_robot
from listener_head.robot.tracker import turning_point

ROBOTS = {name: load_robot(name) for name in ("generic", "tiago")}
ROUNDING = 4 * np.finfo(float).eps


@dataclass
class Event:
    """What happens in one 30th of a second: frames of the listener and the samples of the controller."""

    kind: str
    size: float


def angle(limit: float) -> st.SearchStrategy[float]:
    return st.floats(-limit, limit, allow_nan=False)


EVENTS = st.one_of(
    st.builds(Event, st.just("jump"), angle(3.0)),
    st.builds(Event, st.just("nudge"), angle(0.1)),
    st.builds(Event, st.just("nod"), st.floats(0.5, 4.0)),
    st.builds(Event, st.just("nan"), st.sampled_from([np.nan, np.inf, -np.inf])),
    st.builds(Event, st.just("invalid"), st.just(0.0)),
    st.builds(Event, st.just("no input"), st.floats(0.05, 3.0)),
    st.builds(Event, st.just("burst"), angle(1.0)),
    st.builds(Event, st.just("clock back"), st.floats(0.001, 50.0)),
    st.builds(Event, st.just("late sample"), st.floats(0.02, 2.0)),
    st.builds(Event, st.just("quick samples"), st.floats(0.001, 0.009)),
)


class Stream:
    """Plays events into a mapper and records real time between samples and the positions."""

    def __init__(self, robot: Robot, start: list[float]):
        self.mapper = JointMapper(robot)
        self.mapper.start(start, 100.0)
        self.t = 100.0
        self.rotation = np.zeros(3)
        self.steps: list[float] = []
        self.positions = [np.array(start)]
        self.reported = [(np.zeros(len(start)), np.zeros(len(start)))]

    def feed(self, rotation: np.ndarray, t: float) -> None:
        motion = LAYOUTS["arkit52"].neutral()
        motion[:3] = rotation
        self.mapper.update(Coefficients.from_motion("arkit52", motion), t)

    def sample(self, dt: float, back: float = 0.0) -> None:
        self.t += -back if back else dt
        target = self.mapper.sample(self.t)
        self.steps.append(1 / self.mapper.robot.rate if back else dt)
        self.positions.append(target.positions)
        self.reported.append((target.velocities, target.accelerations))

    def frame(self, rotation: np.ndarray) -> None:
        self.feed(rotation, self.t)
        for _ in range(3):
            self.sample(0.01)

    def play(self, event: Event) -> None:
        direction = np.array([1.0, -0.7, 0.4])
        if event.kind in ("jump", "nudge"):
            self.rotation = (self.rotation if event.kind == "nudge" else 0.0) + event.size * direction
            self.frame(self.rotation)
        elif event.kind == "nod":
            for k in range(30):
                self.frame(self.rotation + 0.3 * direction * np.sin(2 * np.pi * event.size * k / 30))
        elif event.kind == "nan":
            self.frame(np.array([0.1, event.size, 0.0]))
        elif event.kind == "invalid":
            self.mapper.update(Coefficients.invalid("arkit52", "no face"), self.t)
            self.sample(0.01)
        elif event.kind == "no input":
            for _ in range(int(event.size * 100)):
                self.sample(0.01)
        elif event.kind == "burst":
            for k in range(5):
                self.feed(event.size * direction * (-1) ** k, self.t + k * 1e-4)
            self.sample(0.01)
        elif event.kind == "clock back":
            self.sample(0.01, back=event.size)
        elif event.kind == "late sample":
            self.sample(event.size)
        elif event.kind == "quick samples":
            for _ in range(10):
                self.sample(event.size)


def divided_differences(positions: np.ndarray, steps: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """Velocity, acceleration and jerk by divided differences, each with the bound of its rounding error."""
    times = np.concatenate([[0.0], np.cumsum(steps)])
    found, difference, error = [], positions, np.full(len(positions), ROUNDING)
    for order in (1, 2, 3):
        span = times[order:] - times[:-order]
        difference = order * np.diff(difference, axis=0) / span[:, None]
        error = order * (error[1:] + error[:-1]) / span
        found.append((difference, error))
    return found


def check_limits(stream: Stream) -> None:
    positions, steps = np.array(stream.positions), np.array(stream.steps)
    limits = [joint.limits for joint in stream.mapper.robot.joints]
    assert np.isfinite(positions).all()
    assert (positions >= [limit.position.min for limit in limits]).all()
    assert (positions <= [limit.position.max for limit in limits]).all()
    bounds = [
        [limit.velocity.max for limit in limits],
        [limit.acceleration.max for limit in limits],
        [limit.jerk.max for limit in limits],
    ]
    for (values, error), bound in zip(divided_differences(positions, steps), bounds, strict=True):
        assert (np.abs(values) <= np.array(bound) + error[:, None]).all()
    for values, bound in zip(zip(*stream.reported, strict=True), bounds[:2], strict=True):
        assert (np.abs(np.array(values)) <= bound).all()


@pytest.mark.parametrize("name", ROBOTS)
@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_no_input_takes_a_joint_beyond_its_limits(name: str, data: st.DataObject) -> None:
    robot = ROBOTS[name]
    start = [data.draw(st.floats(j.limits.position.min, j.limits.position.max)) for j in robot.joints]
    stream = Stream(robot, start)
    for event in data.draw(st.lists(EVENTS, min_size=1, max_size=25)):
        stream.play(event)
    check_limits(stream)


@settings(max_examples=60, deadline=None)
@given(
    limits=st.tuples(st.floats(0.05, 10.0), st.floats(0.1, 100.0), st.floats(0.5, 5000.0)),
    half_range=st.floats(0.01, 3.0),
    events=st.lists(EVENTS, min_size=1, max_size=15),
)
def test_any_limits_are_kept(
    limits: tuple[float, float, float], half_range: float, events: list[Event]
) -> None:
    stream = Stream(with_limits(half_range, limits), [0.0, 0.0])
    for event in events:
        stream.play(event)
    check_limits(stream)


@settings(max_examples=60, deadline=None)
@given(
    half_range=st.floats(0.01, 0.5),
    nods=st.lists(st.tuples(st.floats(0.3, 2.0), st.floats(0.03, 2.0)), min_size=1, max_size=5),
)
def test_nods_larger_than_the_range_stop_inside_it(
    half_range: float, nods: list[tuple[float, float]]
) -> None:
    stream = Stream(with_limits(half_range, (3.0, 8.0, 80.0)), [0.0, 0.0])
    for frequency, amplitude in nods:
        for k in range(45):
            swing = amplitude * np.sin(2 * np.pi * frequency * k / 30)
            stream.frame(swing * np.array([1.0, -0.7, 0.4]))
    check_limits(stream)


def with_limits(half_range: float, limits: tuple[float, float, float]) -> Robot:
    """TIAGo's head with other limits of position, velocity, acceleration and jerk."""
    data = ROBOTS["tiago"].model_dump()
    for joint in data["joints"]:
        joint["limits"]["position"].update(min=-half_range, max=half_range)
        for quantity, value in zip(("velocity", "acceleration", "jerk"), limits, strict=True):
            joint["limits"][quantity]["max"] = value
    return Robot.model_validate(data)


@settings(max_examples=300, deadline=None)
@given(velocity=st.floats(-3.0, 3.0), acceleration=st.floats(-10.0, 10.0))
def test_the_turning_point_of_a_stop_is_its_farthest_point(velocity: float, acceleration: float) -> None:
    stop, parameters = ruckig.Trajectory(1), ruckig.InputParameter(1)
    parameters.control_interface = ruckig.ControlInterface.Velocity
    parameters.max_velocity, parameters.max_acceleration, parameters.max_jerk = [9.0], [10.0], [100.0]
    parameters.current_velocity, parameters.current_acceleration = [velocity], [acceleration]
    ruckig.Ruckig(1).calculate(parameters, stop)
    path = [stop.at_time(time)[0][0] for time in np.linspace(0.0, stop.duration, 400)]
    turn = turning_point((0.0, velocity, acceleration), 100.0)
    assert min(0.0, path[-1], turn) == pytest.approx(min(path), abs=1e-5)
    assert max(0.0, path[-1], turn) == pytest.approx(max(path), abs=1e-5)
