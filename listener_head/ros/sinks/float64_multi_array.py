"""Sink for ros2_control's ForwardCommandController and its like."""

from __future__ import annotations

from collections.abc import Sequence

from std_msgs.msg import Float64MultiArray

from listener_head.robot import JointTarget, Robot
from listener_head.robot.description import Command
from listener_head.ros.node import GraphNode
from listener_head.ros.sinks.sink import Selection, nobody_listens


class Float64MultiArraySink:
    """Publishes std_msgs/Float64MultiArray: positions for the next period, in the command's joint order."""

    def __init__(self, node: GraphNode, command: Command, robot: Robot) -> None:
        self._command = command
        self._selection = Selection(command, robot)
        self._message = Float64MultiArray()
        self._publisher = node.advertise(Float64MultiArray, command.topic)

    def problem(self) -> str:
        """One line when no controller listens."""
        return nobody_listens(self._publisher, self._command)

    def send(self, points: Sequence[JointTarget], t: float) -> None:
        """Publish the first point."""
        self._message.data = self._selection.values(points[0].positions)
        self._publisher.publish(self._message)
