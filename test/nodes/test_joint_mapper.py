import numpy as np
from listener_head.msg import FaceCoefficients, JointCommand
from sensor_msgs.msg import JointState
from trajectory_msgs.msg import JointTrajectory

from listener_head.coefficients import LAYOUTS, Coefficients
from listener_head.ros import qos
from listener_head.ros.convert import to_message
from listener_head.ros.stamps import to_ns


def test_simulated_head_follows_the_listener(bench):
    bench.start("simulated_robot")
    bench.start("joint_mapper", allow_unverified=True)
    states = bench.listen(JointState, "joint_states", qos.RESULT)
    commands = bench.listen(JointCommand, "joint_commands", qos.RESULT)
    faces = bench.speak(FaceCoefficients, "listener/coefficients", qos.RESULT)
    motion = LAYOUTS["arkit52"].neutral()
    pitch = 0.0

    def nodded():
        # A slow look down, against the still pose that the first frame sets.
        nonlocal pitch
        pitch = min(0.3, pitch + 0.002)
        motion[0] = pitch
        now_ns = bench.probe.get_clock().now().nanoseconds
        faces.publish(to_message(Coefficients.from_motion("arkit52", motion), now_ns, now_ns, "camera"))
        return (
            bool(states)
            and dict(zip(states[-1].name, states[-1].position, strict=True))["head_tilt_joint"] > 0.05
        )

    bench.until(nodded, "the head to look down")
    assert commands[-1].names == ["head_pan_joint", "head_tilt_joint", "head_roll_joint"]
    assert np.isfinite(commands[-1].positions).all()
    assert to_ns(commands[-1].source_stamp) > 0


def test_nothing_is_sent_before_the_robot_has_told_where_it_is(bench):
    node = bench.start("joint_mapper", allow_unverified=True)
    trajectories = bench.listen(JointTrajectory, "joint_trajectory", qos.RESULT)
    robot = bench.speak(JointState, "joint_states", qos.RESULT)
    robot.publish(JointState(name=["wheel_left_joint"], position=[1.0]))
    bench.until(lambda: node.counts["refused"] == 1, "the refusal of foreign joints")
    assert not trajectories
    joints = ["wheel_left_joint", "head_roll_joint", "head_pan_joint", "head_tilt_joint"]
    robot.publish(JointState(name=joints, position=[9.0, 0.1, 0.2, 0.3]))
    bench.until(lambda: trajectories, "a trajectory")
    first = trajectories[0]
    assert first.joint_names == ["head_pan_joint", "head_tilt_joint", "head_roll_joint"]
    assert np.allclose(first.points[0].positions, [0.2, 0.3, 0.1], atol=1e-3)
    assert to_ns(first.header.stamp) == 0
    assert np.allclose(first.points[-1].velocities, 0)


def test_unverified_robot_is_not_moved_unless_allowed(bench):
    node = bench.configured("joint_mapper", robot="tiago")
    assert not node.bring_up()
    assert "not verified" in node.problem
    assert "allow_unverified:=true" in node.problem
