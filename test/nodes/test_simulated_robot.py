from xml.etree import ElementTree

import numpy as np
import pytest
from builtin_interfaces.msg import Duration
from scipy.spatial.transform import Rotation
from sensor_msgs.msg import JointState
from std_msgs.msg import String
from trajectory_msgs.msg import JointTrajectory, JointTrajectoryPoint

from listener_head.robot import load_robot
from listener_head.robot.kinematics import HeadKinematics
from listener_head.ros import qos
from listener_head.ros.interfaces import interface, is_installed

JOINTS = ["head_pan_joint", "head_tilt_joint", "head_roll_joint"]


def trajectory(names, *points):
    """Points: (time [ms], positions)."""
    return JointTrajectory(
        joint_names=names,
        points=[
            JointTrajectoryPoint(positions=positions, time_from_start=Duration(nanosec=time * 1_000_000))
            for time, positions in points
        ],
    )


def test_it_rests_at_neutral_and_follows_a_trajectory_named_in_any_order(bench):
    bench.start("simulated_robot")
    states = bench.listen(JointState, "joint_states", qos.RESULT)
    controller = bench.speak(JointTrajectory, "joint_trajectory", qos.RESULT)
    bench.until(lambda: states, "a state")
    assert states[0].name == JOINTS
    assert np.allclose(states[0].position, 0)
    controller.publish(trajectory(JOINTS[::-1], (50, [0.1, 0.2, 0.3]), (300, [0.05, 0.1, 0.15])))
    bench.until(lambda: np.abs(states[-1].position).max() > 0.2, "motion")
    bench.until(lambda: np.allclose(states[-1].position, [0.15, 0.1, 0.05], atol=1e-3), "the last point")
    positions = np.array([state.position for state in states])
    assert np.abs(np.diff(positions, axis=0)).max() < 0.05  # 3 rad/s at 100 Hz


@pytest.mark.parametrize(
    "wrong",
    [
        trajectory(["wheel"], (50, [0.1])),
        trajectory(JOINTS),
        trajectory(JOINTS, (50, [0.1])),
        trajectory(JOINTS, (50, [0.1, float("nan"), 0.0])),
    ],
    ids=["foreign joint", "no point", "too few positions", "nan"],
)
def test_a_wrong_trajectory_is_refused_and_moves_nothing(bench, wrong):
    node = bench.start("simulated_robot")
    states = bench.listen(JointState, "joint_states", qos.RESULT)
    controller = bench.speak(JointTrajectory, "joint_trajectory", qos.RESULT)
    controller.publish(wrong)
    bench.until(lambda: node.counts["refused"], "the refusal")
    count = len(states)
    bench.until(lambda: len(states) > count + 10, "more states")
    assert np.allclose(states[-1].position, 0)


def test_who_comes_late_gets_the_robots_description(bench):
    bench.start("simulated_robot", robot="tiago")
    told = bench.listen(String, "robot_description", qos.LATCHED)
    bench.until(lambda: told, "the description")
    joints = [joint.get("name") for joint in ElementTree.fromstring(told[0].data).iter("joint")]
    assert set(load_robot("tiago").joint_names) <= set(joints)


@pytest.mark.skipif(not is_installed("tf2_msgs"), reason="tf2_msgs is not installed")
@pytest.mark.parametrize("name", ["generic", "reachy_mini"])
def test_tf_tells_where_the_head_is(bench, name):
    robot = load_robot(name)
    bench.start("simulated_robot", robot=name)
    message_type = interface("tf2_msgs", "msg", "TFMessage")
    moving = bench.listen(message_type, "/tf", qos.RESULT)
    states = bench.listen(JointState, "joint_states", qos.RESULT)
    controller = bench.speak(JointTrajectory, "joint_trajectory", qos.RESULT)
    target = np.array(robot.neutral)
    target[0] += 0.05
    controller.publish(trajectory(list(robot.joint_names), (50, target.tolist())))
    bench.until(lambda: states and abs(states[-1].position[0] - target[0]) < 1e-4, "the joint to arrive")
    count = len(moving)
    bench.until(lambda: len(moving) > count + 1, "a transform after it")
    frames = {t.child_frame_id: t for t in moving[-1].transforms}
    pose, frame = np.eye(4), robot.frames.head
    while frame != robot.frames.base:
        step, t = np.eye(4), frames[frame].transform
        step[:3, :3] = Rotation.from_quat(
            [t.rotation.x, t.rotation.y, t.rotation.z, t.rotation.w]
        ).as_matrix()
        step[:3, 3] = t.translation.x, t.translation.y, t.translation.z
        pose, frame = step @ pose, frames[frame].header.frame_id
    kinematics = HeadKinematics(robot)
    assert np.allclose(kinematics.body_of_base @ pose, kinematics.head(states[-1].position), atol=1e-3)
