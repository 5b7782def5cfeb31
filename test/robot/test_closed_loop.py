"""A camera in the head that the listener moves: uncorrected, the listener answers its own motion."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray

from listener_head.coefficients import LAYOUTS, Coefficients
from listener_head.face.geometry import rotation_angles, rotation_matrix
from listener_head.listener.session import ListenerSession
from listener_head.policies import load_policy
from listener_head.robot import SimulatedHead, load_robot
from listener_head.robot.head_camera import JointHistory, StillCamera
from listener_head.robot.head_control import HeadControl
from listener_head.robot.kinematics import HeadKinematics
from listener_head.timing import NS_PER_S, grid_time_ns

LAYOUT = LAYOUTS["arkit52"]
MS = NS_PER_S // 1000
CAMERA_PERIOD, PERCEPTION_DELAY, STATE_PERIOD = 33, 40, 10  # ms
SECONDS = 40
# The speaker's head in the body frame, the generic robot's base frame [m]: a little below its eyes, near the
# axis of the camera or far to the side.
AHEAD, ASIDE = (0.9, 0.25, 0.4), (0.5, 0.8, 0.4)
NOD, NOD_BEGIN, NOD_END = np.radians(8.0), 8_000, 9_000  # rad, ms


@dataclass
class Loop:
    """A speaker who nods once and then keeps still, before a robot with a camera in its head."""

    policy: str
    corrected: bool
    state_delay: int = 0  # ms that JointStates are stamped late
    speaker: tuple[float, float, float] = AHEAD
    gaze: bool = False
    seen: list[NDArray] = field(default_factory=list)
    moved: list[NDArray] = field(default_factory=list)  # joint positions [deg], 100 a second

    def __post_init__(self) -> None:
        self.robot = load_robot("generic")
        self.kinematics, self.head = HeadKinematics(self.robot), SimulatedHead(self.robot)
        self.place = self.kinematics.camera(self.robot.neutral)[:3, 3]
        self.history, self.still = JointHistory(self.robot), StillCamera(self.place)
        self.session = ListenerSession(load_policy(self.policy))
        self.control = HeadControl(self.robot, gaze=self.gaze)

    def run(self) -> "Loop":
        """Steps of one millisecond."""
        index, waiting = 1, []
        for ms in range(SECONDS * 1000):
            now_ns = ms * MS
            if ms % STATE_PERIOD == 0:
                self.move(ms)
            if ms % CAMERA_PERIOD == 0:
                waiting.append((now_ns, self.picture(ms)))
            if waiting and now_ns >= waiting[0][0] + PERCEPTION_DELAY * MS:
                self.perceive(*waiting.pop(0))
            if now_ns >= grid_time_ns(index) + 12 * MS:
                self.listen(index)
                index += 1
            self.head.step(0.001)
        return self

    def move(self, ms: int) -> None:
        """A JointState and the command that answers it."""
        positions = dict(zip(self.robot.joint_names, self.head.positions.tolist(), strict=True))
        self.history.add(positions, (ms + self.state_delay) * MS)
        self.moved.append(np.degrees(self.head.positions))
        self.control.measure(positions, ms / 1000)
        points = self.control.command(ms / 1000)
        if points is not None:
            self.head.command(points[0].positions)

    def picture(self, ms: int) -> Coefficients:
        """The speaker, who looks at the robot, in the optical frame of the camera."""
        camera = self.kinematics.camera(self.head.positions)
        speaker = np.array(self.speaker)
        forward = (speaker - self.place) / np.linalg.norm(speaker - self.place)
        right = np.cross(forward, [0.0, 0.0, 1.0])
        right /= np.linalg.norm(right)
        facing = np.column_stack([right, np.cross(forward, right), forward])
        if NOD_BEGIN < ms < NOD_END:
            phase = 2 * np.pi * (ms - NOD_BEGIN) / (NOD_END - NOD_BEGIN)
            facing = facing @ rotation_matrix([NOD * np.sin(phase), 0.0, 0.0])
        coefficients = Coefficients.from_motion("arkit52", LAYOUT.neutral())
        coefficients.rotation = rotation_angles(camera[:3, :3].T @ facing).astype(np.float32)
        coefficients.translation = (camera[:3, :3].T @ (speaker - camera[:3, 3])).astype(np.float32)
        return coefficients

    def perceive(self, stamp_ns: int, coefficients: Coefficients) -> None:
        if self.corrected and stamp_ns < self.state_delay * MS:
            return  # the first JointState is stamped later
        if self.corrected:
            camera = self.kinematics.camera(self.history.at(stamp_ns))
            coefficients, position = self.still.see(coefficients, camera, stamp_ns, (1.0, 1.0))
            self.control.look_at(position, stamp_ns / NS_PER_S)
        self.seen.append(np.degrees(coefficients.rotation))
        self.session.observe(stamp_ns, coefficients.motion)

    def listen(self, index: int) -> None:
        frame = self.session.step(index, self.session.listener.quiet_audio)
        self.control.update(Coefficients.from_motion("arkit52", frame.motion), frame.stamp_ns / NS_PER_S)


def span(rows: Sequence[NDArray], rate: int, begin: float, end: float) -> float:
    """The largest range of any joint or angle [deg] between two times [s]."""
    return float(np.ptp(np.array(rows)[int(begin * rate) : int(end * rate)], axis=0).max())


def joints_move(loop: Loop, begin: float, end: float) -> float:
    return span(loop.moved, 1000 // STATE_PERIOD, begin, end)


@cache
def played(policy: str, corrected: bool, state_delay: int = 0) -> Loop:
    return Loop(policy, corrected, state_delay).run()


@pytest.mark.parametrize("state_delay", [0, 5])
@pytest.mark.parametrize("policy", ["network", "mirror"])
def test_all_motion_dies_out(policy: str, state_delay: int) -> None:
    loop = played(policy, True, state_delay)
    assert joints_move(loop, SECONDS - 5, SECONDS) < 0.2
    assert span(loop.seen, 30, SECONDS - 5, SECONDS) < 0.02


def test_without_the_correction_it_answers_itself() -> None:
    still = joints_move(played("mirror", True), SECONDS - 5, SECONDS)
    assert joints_move(played("mirror", False), SECONDS - 5, SECONDS) > max(1.0, 50 * still)


def test_a_head_that_moves_leaves_the_speaker_still() -> None:
    """While the head answers a nod, raw coefficients show its motion and corrected ones do not."""
    raw, corrected = played("mirror", False), played("mirror", True)
    begin, end = NOD_END / 1000 + 0.1, NOD_END / 1000 + 2
    assert joints_move(corrected, begin, end) > 5
    assert span(raw.seen, 30, begin, end) > 5
    assert span(corrected.seen, 30, begin, end) < 0.3


@pytest.mark.parametrize("policy", ["network", "mirror"])
def test_a_head_that_looks_at_the_speaker_comes_to_rest_too(policy: str) -> None:
    loop = Loop(policy, corrected=True, state_delay=5, speaker=ASIDE, gaze=True).run()
    assert joints_move(loop, 0, 5) > 20  # it turns to the speaker
    assert joints_move(loop, SECONDS - 5, SECONDS) < 0.2
    # What the listener sees is a speaker who faces it, from the first frame on.
    assert np.abs(np.array(loop.seen[:200])).max() < 1
    to_speaker = loop.kinematics.camera(np.radians(loop.moved[-1])).T[:3, :3] @ (ASIDE - loop.place)
    assert np.degrees(np.arctan2(np.hypot(*to_speaker[:2]), to_speaker[2])) < 10
