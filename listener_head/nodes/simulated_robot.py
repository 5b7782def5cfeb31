"""Node `simulated_robot`: a head that follows joint trajectories as a robot's controller would."""

from __future__ import annotations

from array import array
from collections.abc import Sequence

import numpy as np
from sensor_msgs.msg import JointState
from std_msgs.msg import String
from trajectory_msgs.msg import JointTrajectory

from listener_head.errors import UserError
from listener_head.plain import plain
from listener_head.robot import SimulatedHead, load_robot
from listener_head.robot.urdf import urdf_of
from listener_head.ros import qos
from listener_head.ros.head_transforms import HeadTransforms
from listener_head.ros.interfaces import is_installed
from listener_head.ros.node import GraphNode, run
from listener_head.timing import NS_PER_S

MOST_POINTS = 10_000
MOST_NAMES = 10  # of a trajectory that does not suit, in the log


class SimulatedRobot(GraphNode):
    """Subscribes to `joint_trajectory`, publishes `joint_states` and what RViz needs to show the head."""

    def __init__(self, cli_args: Sequence[str] | None = None) -> None:
        super().__init__("simulated_robot", cli_args)
        self.declare("robot", "generic", "name or path of the robot file", fixed=True)

    def configure(self) -> None:
        """Loads the robot file; TF is published where tf2_msgs is installed."""
        self._robot = load_robot(self.value("robot"))
        self._states = self.advertise(JointState, "joint_states")
        self._message = JointState(name=list(self._robot.joint_names))
        self._description = self.advertise(String, "robot_description", qos.LATCHED)
        self._description.publish(String(data=urdf_of(self._robot)))
        self._transforms = HeadTransforms(self, self._robot) if is_installed("tf2_msgs") else None

    def activate(self) -> None:
        """Starts at the neutral pose."""
        self._head = SimulatedHead(self._robot)
        # Times [s] from the trajectory's arrival, and positions [T, J] at them.
        self._plan: tuple[float, list[float], np.ndarray] | None = None
        self.subscribe(JointTrajectory, "joint_trajectory", self._take)
        self.every(1 / self._robot.rate, self._step)

    def _take(self, trajectory: JointTrajectory) -> None:
        try:
            self._plan = self._plan_of(trajectory)
        except UserError as problem:
            self.refused(problem)

    def _plan_of(self, trajectory: JointTrajectory) -> tuple[float, list[float], np.ndarray]:
        names, count = self._robot.joint_names, len(trajectory.points)
        if sorted(trajectory.joint_names) != sorted(names) or not 0 < count <= MOST_POINTS:
            given = plain(", ".join(trajectory.joint_names[:MOST_NAMES]))
            raise UserError(
                f"a trajectory of {given or 'no joint'} with {count} points does not suit "
                f"{self._robot.name}; it has {', '.join(names)} and takes 1 to {MOST_POINTS} points"
            )
        if any(len(point.positions) != len(names) for point in trajectory.points):
            raise UserError(f"a point of the trajectory has not {len(names)} positions")
        order = [trajectory.joint_names.index(name) for name in names]
        times = [p.time_from_start.sec + p.time_from_start.nanosec / NS_PER_S for p in trajectory.points]
        return self._now(), times, np.array([point.positions for point in trajectory.points])[:, order]

    def _step(self) -> None:
        if self._plan is not None:
            began, times, positions = self._plan
            elapsed = self._now() - began
            # The first point stands a controller period ahead; until then it is the goal.
            wanted = [np.interp(elapsed, times, positions[:, j]) for j in range(positions.shape[1])]
            self._command(np.array(wanted))
        self._head.step(1 / self._robot.rate)
        state = self._message
        state.header.stamp = self.get_clock().now().to_msg()
        state.position = array("d", self._head.positions.tolist())
        state.velocity = array("d", self._head.velocities.tolist())
        self._states.publish(state)
        self.counts["states"] += 1
        self._show(state)

    def _show(self, state: JointState) -> None:
        if self._transforms is None:
            return
        try:
            self._transforms.publish(self._head.positions, state.header.stamp)
        except UserError as problem:  # a platform can be asked for what its legs do not reach
            self.refused(problem)

    def _command(self, positions: np.ndarray) -> None:
        try:
            self._head.command(positions)
        except UserError as problem:
            self.refused(problem)
            self._plan = None

    def _now(self) -> float:
        return self.get_clock().now().nanoseconds / NS_PER_S


def main() -> None:
    """Runs the node."""
    run(SimulatedRobot)


if __name__ == "__main__":
    main()
