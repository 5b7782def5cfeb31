"""When the head moves and when it does not: start, emergency stop, release, faults, lost joint states."""

from collections import deque

import numpy as np
import pytest

from listener_head.coefficients import LAYOUTS, Coefficients
from listener_head.errors import UserError
from listener_head.robot import HeadControl, HeadState, JointTarget, Robot, SimulatedHead, load_robot

NOD = np.radians(8)
LAYOUT = LAYOUTS["arkit52"]
STEP = 0.01


def listener(pitch: float = 0.0, **expression: float) -> Coefficients:
    motion = LAYOUT.neutral()
    motion[LAYOUT.rotation] = (pitch, 0.0, 0.0)
    for name, value in expression.items():
        motion[LAYOUT.index(name)] = value
    return Coefficients.from_motion("arkit52", motion)


class Loop:
    """A robot at 100 Hz whose controller can be cut off, and a listener who nods."""

    def __init__(self, name: str = "generic", delay: float = 0.0, **options: bool):
        self.robot = load_robot(name)
        self.control = HeadControl(self.robot, **{"gaze": False, **options})
        self.head = SimulatedHead(self.robot)
        self.t = 10.0
        self.nodding = self.connected = self.telling = True
        self.amplitude = NOD
        self.late = deque([self.head.positions] * round(delay / STEP + 1), round(delay / STEP + 1))
        self.sent: list[list[JointTarget] | None] = []
        self.frames = 0

    def run(self, seconds: float) -> "Loop":
        for _ in range(round(seconds / STEP)):
            self.t += STEP
            if self.nodding and self.frames / 30 < self.t:
                self.frames = int(self.t * 30) + 1
                self.control.update(listener(self.amplitude * np.sin(2 * np.pi * self.t)), self.t)
            if self.telling:
                self.control.measure(self.measured, self.t)
            self.sent.append(self.control.command(self.t))
            if self.sent[-1] is not None and self.connected:
                self.late.append(self.sent[-1][0].positions)
                self.head.command(self.late[0])
            self.head.step(STEP)
        return self

    @property
    def measured(self) -> dict[str, float]:
        return dict(zip(self.robot.joint_names, self.head.positions.tolist(), strict=True))

    def sent_in(self, seconds: float) -> list[list[JointTarget] | None]:
        return self.sent[-round(seconds / STEP) :]

    def push(self, positions: list[float]) -> None:
        """Somebody else moves the head."""
        self.head.positions = np.array(positions)
        self.head.command(positions)


def test_it_waits_for_the_joints_and_begins_where_they_are() -> None:
    loop = Loop()
    loop.telling = False
    loop.push([0.4, -0.2, 0.1])
    loop.run(1.0)
    assert loop.sent == [None] * 100
    assert loop.control.state is HeadState.WAITING
    assert "no JointState tells where head_pan_joint, head_tilt_joint" in loop.control.problem
    loop.telling = True
    loop.run(0.5)
    first = next(points for points in loop.sent if points is not None)
    np.testing.assert_array_equal(first[0].positions, [0.4, -0.2, 0.1])
    assert loop.control.state is HeadState.MOVING
    assert loop.control.problem == ""


def test_a_joint_state_without_our_joints_is_named() -> None:
    control = HeadControl(load_robot("tiago"), gaze=False)
    control.measure({"wheel_left_joint": 0.0, "torso_lift_joint": 0.1}, 1.0)
    assert control.command(1.0) is None
    assert control.problem == (
        "no JointState tells where head_1_joint, head_2_joint is (the last one tells of wheel_left_joint, "
        "torso_lift_joint); the head stays still until one does"
    )


def test_joint_states_in_parts_are_put_together() -> None:
    control = HeadControl(load_robot("tiago"), gaze=False)
    for k in range(15):
        control.measure({"head_1_joint": 0.1}, k / 50)
        assert control.command(k / 50) is None
    assert "where head_2_joint is" in control.problem
    for k in range(15, 40):
        control.measure({"head_1_joint" if k % 2 else "head_2_joint": 0.1, "wheel": 0.0}, k / 50)
    points = control.command(0.8)
    assert points is not None
    np.testing.assert_array_equal(points[0].positions, [0.1, 0.1])


def test_a_head_that_somebody_moves_is_left_alone() -> None:
    control = HeadControl(load_robot("tiago"), gaze=False)
    for k in range(100):
        control.measure({"head_1_joint": 0.5 * k / 100, "head_2_joint": 0.0}, k / 100)
        assert control.command(k / 100) is None
    assert control.problem == "the head is not still yet; motion begins when it is"


def test_positions_that_cannot_be_are_refused() -> None:
    control = HeadControl(load_robot("tiago"), gaze=False)
    for k in range(30):
        control.measure({"head_1_joint": 0.0, "head_2_joint": 2.0}, k / 100)
        assert control.command(k / 100) is None
    assert "joint 'head_2_joint' is at 2 rad, outside its limits" in control.problem
    control = HeadControl(load_robot("tiago"), gaze=False)
    for k in range(30):
        control.measure({"head_1_joint": 0.0, "head_2_joint": float("nan")}, k / 100)
        assert control.command(k / 100) is None
    assert "head_2_joint is (the last one says that head_2_joint is at nan)" in control.problem


def test_without_waiting_it_begins_at_neutral() -> None:
    control = HeadControl(load_robot("generic"), gaze=False, wait_for_joint_states=False)
    assert control.state is HeadState.WAITING
    points = control.command(5.0)
    assert points is not None
    np.testing.assert_array_equal(points[0].positions, control.robot.neutral)
    assert control.state is HeadState.STALE


def test_without_a_listener_it_returns_to_neutral_and_says_so() -> None:
    loop = Loop().run(3.0)
    assert np.ptp([points[0].positions[1] for points in loop.sent_in(1.0) if points]) > NOD
    loop.nodding = False
    loop.run(4.0)
    assert loop.control.state is HeadState.STALE
    assert "no new motion" in loop.control.problem
    np.testing.assert_allclose(loop.head.positions, loop.robot.neutral, atol=1e-3)
    loop.nodding = True
    loop.run(1.0)
    assert loop.control.state is HeadState.MOVING


def test_the_emergency_stop_is_the_fastest_and_then_nothing_is_sent() -> None:
    loop = Loop().run(3.2)
    velocity = abs(loop.sent[-1][0].velocities[1])
    assert velocity > 0.1
    loop.control.emergency_stop(True, loop.t)
    assert loop.control.state is HeadState.STOPPED
    loop.run(1.0)
    stopping = [points for points in loop.sent_in(1.0) if points is not None]
    # From any velocity v a stop takes at most v / a + a / j, and twice a / j more to turn acceleration round.
    assert len(stopping) * STEP < velocity / 10 + 3 * 10 / 100
    np.testing.assert_allclose(stopping[-1][0].velocities, 0.0, atol=1e-6)
    assert loop.sent[-1] is None
    loop.push([0.3, 0.2, 0.0])
    loop.run(2.0)
    assert loop.sent_in(2.0) == [None] * 200
    loop.control.emergency_stop(False, loop.t)
    loop.run(1.0)
    first = next(points for points in loop.sent_in(1.0) if points is not None)
    np.testing.assert_array_equal(first[0].positions, [0.3, 0.2, 0.0])
    assert loop.control.state is HeadState.MOVING


def test_an_emergency_stop_let_go_at_once_still_stops_before_it_begins_anew() -> None:
    loop = Loop().run(3.2)
    loop.control.emergency_stop(True, loop.t)
    loop.control.emergency_stop(False, loop.t)
    loop.run(1.5)
    sent = [points is not None for points in loop.sent_in(1.5)]
    assert sent[0] and not all(sent) and sent[-1]
    assert loop.control.state is HeadState.MOVING


def test_a_released_head_is_left_to_others_until_it_is_taken() -> None:
    loop = Loop().run(3.2)
    loop.control.release(loop.t)
    loop.run(1.0)
    assert loop.control.state is HeadState.RELEASED
    assert loop.sent[-1] is None
    loop.push([-0.5, 0.3, 0.2])
    loop.run(1.0)
    assert loop.sent_in(1.0) == [None] * 100
    loop.control.take(loop.t)
    loop.run(1.0)
    first = next(points for points in loop.sent_in(1.0) if points is not None)
    np.testing.assert_array_equal(first[0].positions, [-0.5, 0.3, 0.2])
    assert loop.control.state is HeadState.MOVING


def test_a_controller_that_does_not_answer_is_a_fault_until_the_head_is_taken() -> None:
    loop = Loop().run(3.0)
    loop.connected = False
    # The small nods alone keep the dead joint near its commands.
    loop.run(6.0)
    assert loop.control.state is HeadState.FAULT
    assert loop.sent[-1] is None
    assert "joint 'head_tilt_joint' does not follow: commanded" in loop.control.problem
    loop.connected = True
    loop.run(2.0)
    assert loop.control.state is HeadState.FAULT
    loop.control.take(loop.t)
    loop.run(4.0)
    assert loop.control.state is HeadState.MOVING


def test_a_head_held_far_from_its_command_is_a_fault_after_a_second() -> None:
    loop = Loop().run(3.0)
    loop.connected = False
    loop.push([0.0, 0.5, 0.0])
    loop.run(0.9)
    assert loop.control.state is HeadState.MOVING
    loop.run(0.3)
    assert loop.control.state is HeadState.FAULT
    assert "measured 0.500 rad" in loop.control.problem


@pytest.mark.parametrize("amplitude", [0.02, NOD, 0.5])
def test_a_head_that_follows_late_is_no_fault(amplitude: float) -> None:
    loop = Loop(delay=0.25)
    loop.amplitude = amplitude
    loop.run(15.0)
    assert all(points is not None for points in loop.sent_in(14.0))
    assert loop.control.state is HeadState.MOVING


def test_lost_joint_states_stop_the_head_until_they_come_back() -> None:
    loop = Loop().run(3.0)
    loop.telling = False
    loop.run(2.0)
    assert loop.sent[-1] is None
    assert loop.control.state is HeadState.WAITING
    assert "no JointState tells where head_pan_joint" in loop.control.problem
    loop.telling = True
    loop.run(0.5)
    assert loop.control.state is HeadState.MOVING


def test_a_clock_that_goes_back_neither_stops_nor_moves_the_head() -> None:
    loop = Loop().run(3.0)
    before = loop.sent[-1]
    loop.t -= 2.5
    loop.frames = 0
    loop.run(0.02)
    assert loop.sent[-1] is not None and before is not None
    assert np.abs(loop.sent[-1][0].positions - before[0].positions).max() < 3 * 0.03
    loop.run(4.0)
    assert loop.control.state is HeadState.MOVING


def test_a_time_that_is_not_finite_is_refused_and_cannot_undo_a_stop() -> None:
    loop = Loop().run(3.0)
    with pytest.raises(UserError, match="time is nan"):
        loop.control.command(float("nan"))
    loop.control.measure({"head_pan_joint": 0.0}, float("nan"))
    loop.control.emergency_stop(True, float("nan"))
    loop.run(1.0)
    assert loop.control.state is HeadState.STOPPED
    assert loop.sent[-1] is None


def test_lights_follow_the_face_and_go_back_to_their_base() -> None:
    data = load_robot("generic").model_dump()
    data["lights"] = [
        {"topic": "/eyes", "color": [0.0, 0.0, 1.0], "base": 0.3, "drive": {"mouthSmileLeft": 0.5}},
        {"topic": "/ears", "color": [0.0, 0.0, 1.0], "drive": {"browInnerUp": -2.0}},
    ]
    control = HeadControl(Robot.model_validate(data), gaze=False, wait_for_joint_states=False)
    assert control.brightness() == [0.3, 0.0]
    control.command(1.0)
    control.update(listener(mouthSmileLeft=0.8, browInnerUp=0.5), 1.0)
    control.command(1.1)
    assert control.brightness() == pytest.approx([0.7, 0.0])
    control.command(2.0)
    assert control.brightness() == [0.3, 0.0]
