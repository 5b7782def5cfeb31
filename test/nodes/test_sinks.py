"""What each kind of controller is sent, over real DDS."""

from contextlib import contextmanager
from itertools import pairwise

import numpy as np
import pytest
import yaml
from listener_head.msg import JointCommand
from sensor_msgs.msg import JointState
from std_msgs.msg import Float64MultiArray
from trajectory_msgs.msg import JointTrajectory

from listener_head.paths import config_dir
from listener_head.ros import qos
from listener_head.ros.interfaces import interface, is_installed
from listener_head.ros.stamps import to_ns

JOINTS = ["head_pan_joint", "head_tilt_joint", "head_roll_joint"]
POSITIONS = {"head_pan_joint": 0.4, "head_tilt_joint": -0.2, "head_roll_joint": 0.1}
TOPIC = "/neck_controller/commands"
STATE_PERIOD = 0.02


def needs(package):
    return pytest.mark.skipif(not is_installed(package), reason=f"{package} is not installed")


@pytest.fixture
def start(bench, tmp_path):
    """Starts the mapper of a robot that takes the commands given, and the robot's joint states."""
    timers = []

    def start(*commands):
        description = yaml.safe_load((config_dir() / "robots" / "generic.yaml").read_text())
        description["commands"] = list(commands)
        path = tmp_path / "robot.yaml"
        path.write_text(yaml.safe_dump(description))
        node = bench.start("joint_mapper", robot=str(path), allow_unverified=True)
        states = bench.speak(JointState, "/joint_states", qos.RESULT)
        state = JointState(name=list(POSITIONS), position=list(POSITIONS.values()))
        timers.append(bench.probe.create_timer(STATE_PERIOD, lambda: states.publish(state)))
        return node

    yield start
    for timer in timers:
        timer.cancel()


def positions(names):
    return [POSITIONS[name] for name in names]


def test_joint_trajectory(bench, start):
    start({"type": "trajectory_msgs/JointTrajectory", "topic": TOPIC})
    received = bench.listen(JointTrajectory, TOPIC, qos.RESULT)
    bench.until(lambda: len(received) >= 3, "trajectories")
    first = received[0]
    assert to_ns(first.header.stamp) == 0
    assert first.joint_names == JOINTS
    assert np.allclose(first.points[0].positions, positions(JOINTS), atol=1e-3)
    assert to_ns(first.points[0].time_from_start) == 10_000_000  # the robot file's rate is 100 Hz
    for trajectory in received:
        times = [to_ns(point.time_from_start) for point in trajectory.points]
        assert times == sorted(set(times))
        assert times[-1] < 3e9
        assert np.allclose(trajectory.points[-1].velocities, 0, atol=1e-9)
        for point in trajectory.points:
            assert len(point.positions) == len(point.velocities) == len(point.accelerations) == 3


def test_float64_multi_array_in_the_receivers_order_and_unit(bench, start):
    order = ["head_roll_joint", "head_pan_joint", "head_tilt_joint"]
    start({"type": "std_msgs/Float64MultiArray", "topic": TOPIC, "joints": order, "unit": "deg"})
    received = bench.listen(Float64MultiArray, TOPIC, qos.RESULT)
    bench.until(lambda: received, "an array")
    assert np.allclose(np.radians(received[0].data), positions(order), atol=1e-3)


def test_joint_state(bench, start):
    start({"type": "sensor_msgs/JointState", "topic": TOPIC})
    received = bench.listen(JointState, TOPIC, qos.RESULT)
    bench.until(lambda: received, "a state")
    first = received[0]
    assert first.name == JOINTS
    assert np.allclose(first.position, positions(JOINTS), atol=1e-3)
    assert len(first.velocity) == 3
    age_ns = bench.probe.get_clock().now().nanoseconds - to_ns(first.header.stamp)
    assert abs(age_ns) < 5e9


def test_two_controllers_get_their_own_joints_and_none_moves_alone(bench, start):
    neck = ["head_pan_joint", "head_tilt_joint"]
    node = start(
        {"type": "std_msgs/Float64MultiArray", "topic": "/neck/commands", "joints": neck},
        {"type": "std_msgs/Float64MultiArray", "topic": "/roll/commands", "joints": ["head_roll_joint"]},
    )
    received_neck = bench.listen(Float64MultiArray, "/neck/commands", qos.RESULT)
    bench.until(lambda: "/roll/commands" in node.status()["problem"], "the controller that is missing")
    assert not received_neck
    received_roll = bench.listen(Float64MultiArray, "/roll/commands", qos.RESULT)
    bench.until(lambda: received_neck and received_roll, "both commands")
    assert np.allclose(received_neck[0].data, positions(neck), atol=1e-3)
    assert np.allclose(received_roll[0].data, positions(["head_roll_joint"]), atol=1e-3)


@needs("naoqi_bridge_msgs")
def test_joint_angles_with_speed(bench, start):
    message_type = interface("naoqi_bridge_msgs", "msg", "JointAnglesWithSpeed")
    kind = "naoqi_bridge_msgs/JointAnglesWithSpeed"
    start({"type": kind, "topic": "/joint_angles", "speed": 0.25})
    received = bench.listen(message_type, "/joint_angles", qos.RESULT)
    bench.until(lambda: received, "angles")
    first = received[0]
    assert first.joint_names == JOINTS
    assert np.allclose(first.joint_angles, positions(JOINTS), atol=1e-3)
    assert first.speed == pytest.approx(0.25)
    assert first.relative == 0


ACTION = "/neck_controller/follow_joint_trajectory"
FOLLOW = {"type": "control_msgs/FollowJointTrajectory", "topic": ACTION}


@contextmanager
def controller(bench, goals, accepts=True):
    """An action server that takes or refuses goals; a new goal takes the place of the one before."""
    from rclpy.action import ActionServer, CancelResponse, GoalResponse

    action = interface("control_msgs", "action", "FollowJointTrajectory")

    def on_goal(goal):
        goals.append(goal.trajectory)
        return GoalResponse.ACCEPT if accepts else GoalResponse.REJECT

    def execute(handle):
        handle.succeed()
        return action.Result()

    server = ActionServer(
        bench.probe, action, ACTION, execute, goal_callback=on_goal,
        cancel_callback=lambda handle: CancelResponse.ACCEPT,
    )  # fmt: skip
    yield server
    server.destroy()


@needs("control_msgs")
def test_follow_joint_trajectory_sends_goals_that_join_and_end_at_rest(bench, start):
    node = start(FOLLOW)
    bench.until(lambda: ACTION in node.status()["problem"], "the server that is missing")
    assert "is the controller loaded and active?" in node.status()["problem"]
    goals = []
    commands = bench.listen(JointCommand, "joint_commands", qos.RESULT)
    with controller(bench, goals):
        bench.until(lambda: len(goals) >= 5, "goals")
    assert node.status()["problem"] == "" or node.status()["state"] == "stale"
    # Many commands for a goal: controllers take a goal far more slowly than a message.
    assert len(commands) > 3 * len(goals)
    assert np.allclose(goals[0].points[0].positions, positions(JOINTS), atol=1e-3)
    for goal in goals:
        assert goal.joint_names == JOINTS
        assert to_ns(goal.header.stamp) == 0
        times = [to_ns(point.time_from_start) for point in goal.points]
        assert times == sorted(set(times))
        assert np.allclose(goal.points[-1].velocities, 0, atol=1e-9)
    for before, after in pairwise(goals[1:]):
        # The next goal goes on where the one before begins to stop, 0.25 s on.
        at = np.array([to_ns(point.time_from_start) for point in before.points])
        joint = np.searchsorted(at, 250_000_000)
        step = np.subtract(after.points[0].positions, before.points[joint].positions)
        assert np.abs(step).max() < 0.01


@needs("control_msgs")
def test_a_server_that_refuses_stops_the_head_and_is_named(bench, start):
    node = start(FOLLOW)
    goals = []
    with controller(bench, goals, accepts=False):
        bench.until(lambda: "refuses the goal" in node.status()["problem"], "the refusal")
        assert ACTION in node.status()["problem"]


@pytest.mark.parametrize(
    ("kind", "package"),
    [
        ("control_msgs/FollowJointTrajectory", "control_msgs"),
        ("naoqi_bridge_msgs/JointAnglesWithSpeed", "naoqi_bridge_msgs"),
    ],
)
def test_a_command_whose_package_is_missing_names_it(bench, kind, package, tmp_path):
    if is_installed(package):
        pytest.skip(f"{package} is installed")
    description = yaml.safe_load((config_dir() / "robots" / "generic.yaml").read_text())
    description["commands"] = [{"type": kind, "topic": TOPIC}]
    path = tmp_path / "robot.yaml"
    path.write_text(yaml.safe_dump(description))
    node = bench.configured("joint_mapper", robot=str(path), allow_unverified=True)
    assert not node.bring_up()
    assert f"needs the package {package}, which is not installed" in node.problem
