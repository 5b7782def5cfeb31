"""Joint command sinks: what a robot takes its commands as, one file for each type."""

from __future__ import annotations

from collections.abc import Callable

from listener_head.robot import Robot
from listener_head.robot.description import Command
from listener_head.ros.node import GraphNode
from listener_head.ros.sinks.float64_multi_array import Float64MultiArraySink
from listener_head.ros.sinks.follow_joint_trajectory import FollowJointTrajectorySink
from listener_head.ros.sinks.joint_angles_with_speed import JointAnglesWithSpeedSink
from listener_head.ros.sinks.joint_state import JointStateSink
from listener_head.ros.sinks.joint_trajectory import JointTrajectorySink
from listener_head.ros.sinks.sink import Sink

__all__ = ["Sink", "make_sinks"]

_SINKS: dict[str, Callable[[GraphNode, Command, Robot], Sink]] = {
    "trajectory_msgs/JointTrajectory": JointTrajectorySink,
    "std_msgs/Float64MultiArray": Float64MultiArraySink,
    "sensor_msgs/JointState": JointStateSink,
    "control_msgs/FollowJointTrajectory": FollowJointTrajectorySink,
    "naoqi_bridge_msgs/JointAnglesWithSpeed": JointAnglesWithSpeedSink,
}
# What the simulated robot takes, whatever the real one does.
SIMULATED = Command(type="trajectory_msgs/JointTrajectory", topic="joint_trajectory")


def make_sinks(node: GraphNode, robot: Robot, simulated: bool) -> list[Sink]:
    """A sink for each of the robot's commands, or the one that the simulated robot takes.

    UserError when a command needs a message package that is not installed.
    """
    commands = [SIMULATED] if simulated else robot.commands
    return [_SINKS[command.type](node, command, robot) for command in commands]
