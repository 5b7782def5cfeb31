"""The joints of every robot that ships never leave their limits, whatever comes in.

Positions are compared with the limits as they are. Derivatives are divided differences of the sampled
positions (mean values of the true derivative over the samples' span, so they obey the same bound); the
tolerance is what the rounding of positions can add, carried through the differences. The head rests before
each start and after each stop, so the samples there are continued by standstill.
"""

from dataclasses import dataclass, field

import numpy as np
import pytest
import ruckig
from hypothesis import given, settings
from hypothesis import strategies as st

from listener_head.coefficients import LAYOUTS, Coefficients
from listener_head.robot import HeadControl, HeadState, JointTarget, Robot, SimulatedHead
from listener_head.robot.robot_file import read_robot, robot_files
from listener_head.robot.tracker import turning_point

ROBOTS = {path.stem: read_robot(path) for path in robot_files()}
STREAMS = 2000  # in all, over all robots
ROUNDING = 4 * np.finfo(float).eps
DIRECTION = np.array([1.0, -0.7, 0.4])
STANDSTILL = 3  # samples: the span of a third difference


@dataclass
class Event:
    """What happens in a short time: frames of the listener and samples of the controller."""

    kind: str
    size: float


def event(kind: str, low: float, high: float) -> st.SearchStrategy[Event]:
    return st.builds(Event, st.just(kind), st.floats(low, high))


EVENTS = st.one_of(
    event("jump", -3.0, 3.0),
    event("nudge", -0.1, 0.1),
    event("nod", 0.5, 4.0),
    event("face", 0.0, 1.5),
    st.builds(Event, st.just("nan"), st.sampled_from([np.nan, np.inf, -np.inf])),
    event("invalid", 0.0, 0.0),
    event("no input", 0.05, 0.9),
    event("burst", -1.0, 1.0),
    event("clock back", 0.001, 50.0),
    event("late sample", 0.02, 2.0),
    event("quick samples", 0.001, 0.009),
    event("speaker", -1.5, 1.5),
    # Above 1 nobody ends it.
    event("emergency stop", 0.0, 1.2),
    event("release", 0.0, 1.2),
    event("stuck", 0.0, 1.2),
    event("no joint states", 0.0, 1.2),
)
STREAM = st.lists(EVENTS, min_size=5, max_size=16)


@dataclass
class Segment:
    """Samples from one start to the stop: real time before each [s], and what was commanded then."""

    steps: list[float] = field(default_factory=list)
    targets: list[JointTarget] = field(default_factory=list)


class Stream:
    """Plays events into a HeadControl with a simulated head and records what it commands."""

    def __init__(self, robot: Robot, start: list[float], wait: bool = True):
        self.robot = robot
        self.period = 1.0 / robot.rate
        can_look = bool(robot.chain) or robot.platform is not None
        self.control = HeadControl(robot, gaze=can_look, wait_for_joint_states=wait)
        self.head = SimulatedHead(robot)
        self.head.positions = np.array(start)
        self.head.command(start)
        self.low = np.array([joint.limits.position.min for joint in robot.joints])
        self.high = np.array([joint.limits.position.max for joint in robot.joints])
        self.stuck = self.silent = False
        self.t = 100.0
        self.rotation = np.zeros(3)
        self.segments: list[Segment] = []
        self.is_sending = False
        self.wait(0.15)

    def feed(self, rotation: np.ndarray, t: float, expression: float = 0.0) -> None:
        layout = LAYOUTS["arkit52"]
        motion = layout.neutral()
        motion[layout.rotation] = rotation
        motion[layout.expression] = expression
        self.control.update(Coefficients.from_motion("arkit52", motion), t)

    def sample(self, dt: float, back: float = 0.0) -> None:
        self.t += -back if back else dt
        if not self.stuck:
            self.head.step(dt)
        if not self.silent:
            self.control.measure(dict(zip(self.robot.joint_names, self.head.positions, strict=True)), self.t)
        points = self.control.command(self.t)
        state = self.control.state
        assert (self.control.problem == "") == (state is HeadState.MOVING)
        if points is None:
            assert state not in (HeadState.MOVING, HeadState.STALE)
            self.is_sending = False
            return
        if not self.is_sending:
            self.segments.append(Segment())
            self.is_sending = True
        self.segments[-1].steps.append(self.period if back else dt)
        self.segments[-1].targets.append(points[0])
        assert np.abs(points[-1].velocities).max() < 1e-9
        assert ((self.low <= points[-1].positions) & (points[-1].positions <= self.high)).all()
        self.head.command(points[0].positions)

    def wait(self, seconds: float) -> None:
        for _ in range(round(seconds / self.period)):
            self.sample(self.period)

    def frame(self, rotation: np.ndarray, expression: float = 0.0) -> None:
        self.feed(rotation, self.t, expression)
        for _ in range(max(1, round(0.03 / self.period))):
            self.sample(self.period)

    def play(self, event: Event) -> None:
        match event.kind:
            case "jump" | "nudge":
                self.rotation = (self.rotation if event.kind == "nudge" else 0.0) + event.size * DIRECTION
                self.frame(self.rotation)
            case "nod":
                for k in range(10):
                    swing = 0.3 * np.sin(2 * np.pi * event.size * k / 30)
                    self.frame(self.rotation + swing * DIRECTION)
            case "face":
                self.frame(self.rotation, event.size)
            case "nan":
                self.frame(np.array([0.1, event.size, 0.0]))
                self.control.look_at([1.0, event.size, 0.0], self.t)
                self.control.measure({self.robot.joint_names[-1]: event.size}, self.t)
            case "invalid":
                self.control.update(Coefficients.invalid("arkit52", "no face"), self.t)
                self.sample(self.period)
            case "no input":
                self.wait(event.size)
            case "burst":
                for k in range(5):
                    self.feed(event.size * DIRECTION * (-1) ** k, self.t + k * 1e-4)
                self.sample(self.period)
            case "clock back":
                self.sample(self.period, back=event.size)
            case "late sample":
                self.sample(event.size)
            case "quick samples":
                for _ in range(10):
                    self.sample(event.size)
            case "speaker":
                point = np.array([1.0, np.tan(event.size), 0.3 + event.size / 5])
                for _ in range(5):
                    self.control.look_at(point, self.t)
                    self.frame(self.rotation)
            case "emergency stop":
                self.control.emergency_stop(True, self.t)
                self.wait(event.size)
                self.control.emergency_stop(event.size > 1, self.t)
            case "release":
                self.control.release(self.t)
                self.wait(event.size)
                if event.size <= 1:
                    self.control.take(self.t)
            case "stuck" | "no joint states":
                self.stuck, self.silent = event.kind == "stuck", event.kind != "stuck"
                for k in range(15):
                    self.feed(self.rotation + 0.5 * (-1) ** (k // 5) * DIRECTION, self.t)
                    self.sample(0.09)
                self.stuck = self.silent = event.size > 1
                self.control.take(self.t)
        if event.kind in ("emergency stop", "release", "stuck", "no joint states"):
            self.wait(0.15)


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
    limits = [joint.limits for joint in stream.robot.joints]
    bounds = np.array([[one.velocity.max, one.acceleration.max, one.jerk.max] for one in limits]).T
    still = [stream.period] * STANDSTILL
    for segment in stream.segments:
        positions = [target.positions for target in segment.targets]
        ended = segment is not stream.segments[-1] or not stream.is_sending
        after = STANDSTILL if ended else 0
        path = np.array([positions[0]] * STANDSTILL + positions + [positions[-1]] * after)
        steps = np.array([*still[1:], *[stream.period, *segment.steps[1:]], *still[:after]])
        assert np.isfinite(path).all()
        assert ((stream.low <= path) & (path <= stream.high)).all()
        for (values, error), bound in zip(divided_differences(path, steps), bounds, strict=True):
            assert (np.abs(values) <= bound + error[:, None]).all()
        assert (np.abs([target.velocities for target in segment.targets]) <= bounds[0]).all()
        assert (np.abs([target.accelerations for target in segment.targets]) <= bounds[1]).all()


@pytest.mark.parametrize("name", ROBOTS)
@settings(max_examples=-(-STREAMS // len(ROBOTS)), deadline=None)
@given(
    places=st.lists(st.floats(0.0, 1.0), min_size=1, max_size=3),
    wait=st.booleans(),
    events=STREAM,
)
def test_nothing_takes_a_joint_beyond_its_limits(
    name: str, places: list[float], wait: bool, events: list[Event]
) -> None:
    robot = ROBOTS[name]
    start = []
    for i, joint in enumerate(robot.joints):
        low, high = joint.limits.position.min, joint.limits.position.max
        start.append(min(high, low + places[i % len(places)] * (high - low)))
    stream = Stream(robot, start, wait)
    for one in events:
        stream.play(one)
    check_limits(stream)


@settings(max_examples=100, deadline=None)
@given(
    limits=st.tuples(st.floats(0.05, 10.0), st.floats(0.1, 100.0), st.floats(0.5, 5000.0)),
    half_range=st.floats(0.01, 3.0),
    events=STREAM,
)
def test_any_limits_are_kept(
    limits: tuple[float, float, float], half_range: float, events: list[Event]
) -> None:
    stream = Stream(with_limits(half_range, limits), [0.0, 0.0])
    for one in events:
        stream.play(one)
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
            stream.frame(amplitude * np.sin(2 * np.pi * frequency * k / 30) * DIRECTION)
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
