"""Sink for controllers that take goals of the action FollowJointTrajectory only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rclpy.action import ActionClient
from rclpy.task import Future

from listener_head.robot import JointTarget, Robot
from listener_head.robot.description import Command
from listener_head.ros.interfaces import interface
from listener_head.ros.node import GraphNode
from listener_head.ros.sinks.sink import Selection, TrajectoryWriter

# From goal to goal [s]: controllers take a goal far more slowly than a message, and the driver of Stretch
# refuses one that comes less than 0.2 s after the last.
GOAL_PERIOD = 0.25
# A goal that was neither taken nor refused after this long [s] will not be.
ANSWER_TIMEOUT = 1.0
# A server that refused a goal is asked again after this long [s].
RETRY_PERIOD = 5.0


class FollowJointTrajectorySink:
    """Sends a goal every 0.25 s, which takes the place of the one before.

    A goal holds the motion since the last goal and then a stop, so that the robot moves as commanded, 0.25 s
    late; if no more goals come it comes to rest.
    """

    def __init__(self, node: GraphNode, command: Command, robot: Robot) -> None:
        self._action = interface("control_msgs", "action", "FollowJointTrajectory")
        self._command = command
        self._writer = TrajectoryWriter(Selection(command, robot))
        self._clock = node.get_clock()
        self._client = ActionClient(node, self._action, command.topic)
        node.end_with(ActionClient.destroy, self._client)
        self._gathered: list[tuple[float, JointTarget]] = []
        self._last_goal = 0.0
        self._unanswered_since: float | None = None
        self._refused_at: float | None = None

    def problem(self) -> str:
        """One line when there is no server, or it refuses or ignores goals."""
        where = f"{self._command.topic} ({self._command.type})"
        if not self._client.server_is_ready():
            self._unanswered_since = self._refused_at = None
            return f"no action server {where}; is the controller loaded and active?"
        if self._refused_at is not None and self._now() - self._refused_at < RETRY_PERIOD:
            return f"the action server {where} refuses the goal; does it have all the joints of the command?"
        if self._unanswered_since is not None and self._now() - self._unanswered_since > ANSWER_TIMEOUT:
            return f"the action server {where} does not answer; is the controller active?"
        return ""

    def send(self, points: Sequence[JointTarget], t: float) -> None:
        """Keep the first point; when it is time, send what was kept with the stop after it."""
        if not self._last_goal < t <= self._last_goal + 2 * GOAL_PERIOD:  # the first, or the clock jumped
            self._last_goal = t - points[0].time_from_start
            self._gathered.clear()
        self._gathered.append((t - self._last_goal, points[0]))
        if t - self._last_goal < GOAL_PERIOD:
            return
        stop = [(t - self._last_goal + p.time_from_start - points[0].time_from_start, p) for p in points[1:]]
        times, targets = zip(*self._gathered, *stop, strict=True)
        self._ask(self._action.Goal(trajectory=self._writer.write(targets, times)))
        self._last_goal = t
        self._gathered.clear()

    def _ask(self, goal: Any) -> None:
        future = self._client.send_goal_async(goal)
        if self._unanswered_since is None:
            self._unanswered_since = self._now()
        future.add_done_callback(self._answered)

    def _answered(self, future: Future) -> None:
        self._unanswered_since = None
        handle = future.result()
        self._refused_at = None if handle is None or handle.accepted else self._now()

    def _now(self) -> float:
        return self._clock.now().nanoseconds * 1e-9
