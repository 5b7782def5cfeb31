"""Node `joint_mapper`: the listener's coefficients to joint commands of a robot's head."""

from __future__ import annotations

from collections.abc import Sequence

from builtin_interfaces.msg import Duration
from sensor_msgs.msg import JointState
from trajectory_msgs.msg import JointTrajectory, JointTrajectoryPoint

from listener_head.errors import UserError
from listener_head.msg import FaceCoefficients, JointCommand
from listener_head.robot import JointMapper as Mapper
from listener_head.robot import JointTarget, load_robot
from listener_head.ros import qos
from listener_head.ros.convert import from_message
from listener_head.ros.node import GraphNode, run
from listener_head.ros.stamps import to_ns
from listener_head.timing import NS_PER_S


class JointMapper(GraphNode):
    """Publishes `joint_trajectory` to the robot and `joint_commands`, the same with stamps.

    Nothing is sent before the first `joint_states` tells where the head is.
    """

    def __init__(self, cli_args: Sequence[str] | None = None) -> None:
        super().__init__("joint_mapper", cli_args)
        self.declare("robot", "generic", "name or path of the robot file", fixed=True)
        self.declare(
            "allow_unverified",
            False,
            "move a robot whose file nobody has verified on the robot itself",
            fixed=True,
        )

    def configure(self) -> None:
        """Loads the robot file."""
        self._robot = load_robot(self.value("robot"))
        if not self._robot.verified and not self.value("allow_unverified"):
            raise UserError(
                f"robot '{self._robot.name}' is not verified: nobody has run its limits on the robot; "
                "check them and set allow_unverified:=true"
            )
        self._trajectory = self.advertise(JointTrajectory, "joint_trajectory")
        self._command = self.advertise(JointCommand, "joint_commands")

    def activate(self) -> None:
        """Waits for the robot, then follows the listener."""
        self._mapper = Mapper(self._robot)
        self._started = False
        self._source = FaceCoefficients().source_stamp
        self.subscribe(FaceCoefficients, "listener/coefficients", self._follow)
        self.subscribe(JointState, "joint_states", self._begin, qos.SOUND)
        self._timer = self.every(1 / self._robot.rate, self._send)

    def status(self) -> dict[str, object]:
        """For the diagnostics."""
        return {"robot": self._robot.name} if self.counts["commands"] else {}

    def _begin(self, state: JointState) -> None:
        if self._started:
            return
        measured = dict(zip(state.name, state.position, strict=False))
        missing = [name for name in self._robot.joint_names if name not in measured]
        if missing:
            names = ", ".join(state.name) or "no joint"
            self.refused(
                UserError(f"joint_states tells of {names}, not of {missing[0]}; the head stays still")
            )
            return
        try:
            self._mapper.start([measured[name] for name in self._robot.joint_names], self._now())
        except UserError as problem:
            self.refused(problem)
            return
        self._started = True

    def _follow(self, message: FaceCoefficients) -> None:
        try:
            self._mapper.update(from_message(message), to_ns(message.header.stamp) / NS_PER_S)
        except UserError as problem:
            self.refused(problem)
            return
        self._source = message.source_stamp
        # New motion goes out at once; the timer sends what lies between.
        self._timer.reset()
        self._send()

    def _send(self) -> None:
        if not self._started:
            return
        points = self._mapper.trajectory(self._now())
        # Stamp 0 means now: a controller refuses a trajectory whose stamp lies in its past.
        trajectory = JointTrajectory(joint_names=list(self._robot.joint_names))
        trajectory.points = [_point(target) for target in points]
        self._trajectory.publish(trajectory)
        command = JointCommand(names=list(self._robot.joint_names), source_stamp=self._source)
        command.header.stamp = self.get_clock().now().to_msg()
        command.positions = points[0].positions.tolist()
        command.velocities = points[0].velocities.tolist()
        self._command.publish(command)
        self.counts["commands"] += 1

    def _now(self) -> float:
        return self.get_clock().now().nanoseconds / NS_PER_S


def _point(target: JointTarget) -> JointTrajectoryPoint:
    seconds, nanoseconds = divmod(round(target.time_from_start * NS_PER_S), NS_PER_S)
    return JointTrajectoryPoint(
        positions=target.positions.tolist(),
        velocities=target.velocities.tolist(),
        accelerations=target.accelerations.tolist(),
        time_from_start=Duration(sec=seconds, nanosec=nanoseconds),
    )


def main() -> None:
    """Runs the node."""
    run(JointMapper)


if __name__ == "__main__":
    main()
