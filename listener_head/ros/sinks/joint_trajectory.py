"""Sink for ros2_control's JointTrajectoryController and robots that take the same topic."""

from __future__ import annotations

from collections.abc import Sequence

from trajectory_msgs.msg import JointTrajectory

from listener_head.robot import JointTarget, Robot
from listener_head.robot.description import Command
from listener_head.ros.node import GraphNode
from listener_head.ros.sinks.sink import Selection, TrajectoryWriter, nobody_listens


class JointTrajectorySink:
    """Publishes trajectory_msgs/JointTrajectory, stamped 0 (now), that ends at rest."""

    def __init__(self, node: GraphNode, command: Command, robot: Robot) -> None:
        self._command = command
        self._writer = TrajectoryWriter(Selection(command, robot))
        self._publisher = node.advertise(JointTrajectory, command.topic)

    def problem(self) -> str:
        """One line when no controller listens."""
        return nobody_listens(self._publisher, self._command)

    def send(self, points: Sequence[JointTarget], t: float) -> None:
        """Publish all points."""
        self._publisher.publish(self._writer.write(points, [point.time_from_start for point in points]))
