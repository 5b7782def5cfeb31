"""The node that moves the robot: it begins where the head is, and says why it does not move."""

from array import array
from contextlib import contextmanager

import numpy as np
import pytest
import yaml
from geometry_msgs.msg import PointStamped
from listener_head.msg import FaceCoefficients, JointCommand
from sensor_msgs.msg import JointState
from std_msgs.msg import Bool, ColorRGBA
from std_srvs.srv import Trigger
from trajectory_msgs.msg import JointTrajectory

from listener_head.coefficients import LAYOUTS, Coefficients
from listener_head.paths import config_dir
from listener_head.robot import HeadState, load_robot
from listener_head.ros import qos
from listener_head.ros.convert import to_message
from listener_head.ros.stamps import to_ns

JOINTS = ["head_pan_joint", "head_tilt_joint", "head_roll_joint"]
STATE_PERIOD = 0.02
LISTENER_PERIOD = 1 / 30


@contextmanager
def every(bench, period, publish):
    """Publishes again and again, at a robot's pace."""
    timer = bench.probe.create_timer(period, publish)
    yield
    timer.cancel()


class Robot:
    """The robot's side of the topics: it says where its joints are and takes trajectories."""

    def __init__(self, bench, positions=(0.2, 0.3, 0.1), names=JOINTS):
        self.state = JointState(name=["wheel_left_joint", *names], position=[9.0, *positions])
        self.taken = bench.listen(JointTrajectory, "joint_trajectory", qos.RESULT)
        self._publisher = bench.speak(JointState, "joint_states", qos.RESULT)
        self._timer = bench.probe.create_timer(STATE_PERIOD, self._tell)

    def _tell(self):
        if self.taken:  # it follows at once
            self.state.position[1:] = self.taken[-1].points[0].positions
        self._publisher.publish(self.state)

    def close(self):
        self._timer.cancel()


@pytest.fixture
def mapper(bench):
    return bench.start("joint_mapper", simulated=True)


@pytest.fixture
def robot(bench, mapper):
    robot = Robot(bench)
    yield robot
    robot.close()


def moving(node):
    return lambda: node._control.state in (HeadState.MOVING, HeadState.STALE) and node.counts["commands"]


def listener(bench, stamp_ns=None, **rotation):
    motion = LAYOUTS["arkit52"].neutral()
    motion[:3] = [rotation.get(name, 0.0) for name in ("pitch", "yaw", "roll")]
    now_ns = bench.probe.get_clock().now().nanoseconds
    return to_message(Coefficients.from_motion("arkit52", motion), stamp_ns or now_ns, now_ns, "camera")


def is_silent(bench, received, others):
    """Whether nothing arrives on a topic while twenty messages do on another of the same node."""
    count, beside = len(received), len(others)
    bench.until(lambda: len(others) >= beside + 20, "messages on another topic")
    return len(received) == count


# The real QTrobot has its joint states on a topic of another name.
@pytest.mark.parametrize(("robot_name", "tilt_joint"), [("generic", JOINTS[1]), ("qtrobot", "HeadPitch")])
def test_simulated_head_follows_the_listener(bench, robot_name, tilt_joint):
    bench.start("simulated_robot", robot=robot_name)
    bench.start("joint_mapper", robot=robot_name, simulated=True)
    states = bench.listen(JointState, "joint_states", qos.RESULT)
    commands = bench.listen(JointCommand, "joint_commands", qos.RESULT)
    faces = bench.speak(FaceCoefficients, "listener/coefficients", qos.RESULT)
    pitch = 0.0

    def look_down():
        # Slowly, against the still pose that the first frame sets.
        nonlocal pitch
        pitch += 0.01 if commands else 0.0
        faces.publish(listener(bench, pitch=min(0.3, pitch)))

    with every(bench, LISTENER_PERIOD, look_down):
        tilt = load_robot(robot_name).joint_names.index(tilt_joint)
        bench.until(lambda: states and states[-1].position[tilt] > 0.05, "the head to look down")
    assert commands[-1].names == list(load_robot(robot_name).joint_names)
    assert np.isfinite(commands[-1].positions).all()
    assert to_ns(commands[-1].source_stamp) > 0


def test_motion_begins_where_the_robot_says_that_the_head_is(bench, robot):
    bench.until(lambda: robot.taken, "a trajectory")
    first = robot.taken[0]
    assert first.joint_names == JOINTS
    assert np.allclose(first.points[0].positions, [0.2, 0.3, 0.1], atol=1e-3)
    assert to_ns(first.header.stamp) == 0
    assert np.allclose(first.points[-1].velocities, 0)


@pytest.mark.parametrize(
    ("names", "position", "reason"),
    [
        (["wheel_left_joint"], [1.0], "wheel_left_joint"),
        ([], [], "no joint"),
        (JOINTS, [0.0, float("nan"), 0.0], "head_tilt_joint"),
        (JOINTS, [0.0, 0.0], "head_roll_joint"),
        (JOINTS, [3.0, 0.0, 0.0], "head_pan_joint"),
    ],
    ids=["foreign", "empty", "nan", "cut off", "beyond the limits"],
)
def test_a_wrong_joint_state_moves_nothing_and_says_why(bench, mapper, names, position, reason):
    taken = bench.listen(JointTrajectory, "joint_trajectory", qos.RESULT)
    states = bench.speak(JointState, "joint_states", qos.RESULT)
    told = []

    def tell():
        told.append(states.publish(JointState(name=names, position=position)))

    with every(bench, STATE_PERIOD, tell):
        bench.until(lambda: len(told) > 20 and reason in mapper.status()["problem"], "the reason")
    assert not taken
    assert mapper.status()["state"] == "waiting"


def test_nothing_is_sent_before_the_robot_has_told_where_it_is(bench, mapper):
    taken = bench.listen(JointTrajectory, "joint_trajectory", qos.RESULT)
    faces = bench.speak(FaceCoefficients, "listener/coefficients", qos.RESULT)
    frames = []
    with every(bench, LISTENER_PERIOD, lambda: frames.append(faces.publish(listener(bench, pitch=0.1)))):
        bench.until(lambda: len(frames) > 20, "twenty frames")
    assert not taken
    assert "head_pan_joint" in mapper.status()["problem"]


def test_an_emergency_stop_ends_in_silence_until_it_is_let_go(bench, mapper, robot):
    states = bench.listen(JointState, "joint_states", qos.RESULT)
    stop = bench.speak(Bool, "emergency_stop", qos.RESULT)
    bench.until(moving(mapper), "motion")
    stop.publish(Bool(data=True))
    bench.until(lambda: mapper.status()["state"] == "stopped", "the stop")
    assert "emergency stop" in mapper.status()["problem"]
    bench.until(lambda: is_silent(bench, robot.taken, states), "silence")
    stop.publish(Bool(data=False))
    count = len(robot.taken)
    bench.until(lambda: len(robot.taken) > count, "motion after the stop")


def test_the_head_is_released_and_taken_back(bench, mapper, robot):
    states = bench.listen(JointState, "joint_states", qos.RESULT)
    bench.until(moving(mapper), "motion")

    def call(name):
        client = bench.probe.create_client(Trigger, f"joint_mapper/{name}")
        bench.until(client.service_is_ready, name)
        future = client.call_async(Trigger.Request())
        bench.until(future.done, f"the answer of {name}")
        bench.probe.destroy_client(client)
        return future.result()

    assert call("release").success
    assert mapper.status()["state"] == "released"
    bench.until(lambda: is_silent(bench, robot.taken, states), "silence")
    # The other controller leaves the head elsewhere: motion begins anew from there.
    robot.taken.clear()
    robot.state.position[1:] = array("d", [-0.3, 0.2, 0.0])
    assert call("take").success
    bench.until(lambda: robot.taken, "motion after the return")
    assert np.allclose(robot.taken[0].points[0].positions, [-0.3, 0.2, 0.0], atol=1e-3)


def test_without_new_motion_the_head_goes_back_to_neutral(bench, mapper, robot):
    faces = bench.speak(FaceCoefficients, "listener/coefficients", qos.RESULT)
    bench.until(moving(mapper), "motion")
    faces.publish(listener(bench))
    bench.until(lambda: mapper.status()["state"] == "moving", "a listener")
    bench.until(lambda: mapper.status()["state"] == "stale", "the listener to be missed")
    bench.until(lambda: np.abs(robot.taken[-1].points[0].positions).max() < 0.01, "neutral")


def test_without_a_controller_nothing_is_sent_and_its_topic_is_named(bench):
    node = bench.start("joint_mapper", robot="generic", allow_unverified=True)
    commands = bench.listen(JointCommand, "joint_commands", qos.RESULT)
    states = bench.speak(JointState, "/joint_states", qos.RESULT)
    told = []

    def tell():
        told.append(states.publish(JointState(name=JOINTS, position=[0.0, 0.0, 0.0])))

    with every(bench, STATE_PERIOD, tell):
        bench.until(lambda: len(told) > 20, "twenty states")
        problem = node.status()["problem"]
        assert "/head_controller/joint_trajectory" in problem
        assert "trajectory_msgs/JointTrajectory" in problem
        assert "is the controller loaded and active?" in problem
        assert not commands
        # A controller that comes later is served.
        bench.listen(JointTrajectory, "/head_controller/joint_trajectory", qos.RESULT)
        bench.until(lambda: commands, "commands")


def test_an_unverified_robot_is_not_moved_unless_allowed(bench):
    node = bench.configured("joint_mapper", robot="tiago")
    assert not node.bring_up()
    assert "not verified" in node.problem
    assert "allow_unverified:=true" in node.problem


def test_a_point_in_a_foreign_frame_is_refused_with_both_names(bench):
    node = bench.start("joint_mapper", simulated=True, look_at_speaker=True)
    robot = Robot(bench, positions=(0.0, 0.0, 0.0))
    speaker = bench.speak(PointStamped, "speaker/position", qos.RESULT)
    faces = bench.speak(FaceCoefficients, "listener/coefficients", qos.RESULT)
    bench.until(moving(node), "motion")
    point = PointStamped()
    point.header.frame_id = "camera_optical_frame"
    speaker.publish(point)
    bench.until(lambda: node.counts["refused"] == 1, "the refusal")
    assert "camera_optical_frame" in node.problem
    assert "torso_link" in node.problem

    point.header.frame_id = "torso_link"
    point.point.x, point.point.y, point.point.z = 1.0, 1.0, 0.4

    def speak():
        point.header.stamp = bench.probe.get_clock().now().to_msg()
        speaker.publish(point)
        faces.publish(listener(bench))

    with every(bench, LISTENER_PERIOD, speak):
        bench.until(
            lambda: robot.taken[-1].points[0].positions[0] > 0.3, "the head to turn to the speaker's side"
        )
    robot.close()


def test_a_light_shows_what_drives_it(bench, tmp_path):
    description = yaml.safe_load((config_dir() / "robots" / "generic.yaml").read_text())
    description["lights"] = [
        {"topic": "/eyes", "color": [0.0, 0.5, 1.0], "base": 0.25, "drive": {"mouthSmileLeft": 1.0}}
    ]
    path = tmp_path / "with_light.yaml"
    path.write_text(yaml.safe_dump(description))
    node = bench.start("joint_mapper", robot=str(path), simulated=True)
    robot = Robot(bench)
    shone = bench.listen(ColorRGBA, "eyes", qos.RESULT)
    faces = bench.speak(FaceCoefficients, "listener/coefficients", qos.RESULT)
    bench.until(moving(node), "motion")
    smile = listener(bench)
    smile.expression[LAYOUTS["arkit52"].expression_names.index("mouthSmileLeft")] = 0.5

    def show():
        smile.header.stamp = bench.probe.get_clock().now().to_msg()
        faces.publish(smile)

    with every(bench, LISTENER_PERIOD, show):
        bench.until(lambda: shone and shone[-1].a > 0.7, "a brighter light")
    assert (shone[-1].r, shone[-1].g, shone[-1].b) == (0.0, 0.5, 1.0)
    assert shone[-1].a == pytest.approx(0.75, abs=0.01)
    robot.close()


def test_a_second_configure_after_a_cleanup_serves_again(bench):
    node = bench.start("joint_mapper", simulated=True)
    node.trigger_deactivate()
    node.trigger_cleanup()
    assert node.bring_up(), node.problem
    robot = Robot(bench)
    bench.until(lambda: robot.taken, "a trajectory")
    robot.close()
