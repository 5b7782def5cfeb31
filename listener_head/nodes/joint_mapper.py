"""Node `joint_mapper`: the listener's coefficients to joint commands of a robot's head."""

from __future__ import annotations

import time
from array import array
from collections.abc import Sequence
from contextlib import suppress

from geometry_msgs.msg import PointStamped
from sensor_msgs.msg import JointState
from std_msgs.msg import Bool, ColorRGBA
from std_srvs.srv import Trigger

from listener_head.avatar.arkit import open_retarget
from listener_head.errors import UserError
from listener_head.msg import FaceCoefficients, JointCommand
from listener_head.plain import plain
from listener_head.robot import HeadControl, HeadState, JointTarget, load_robot
from listener_head.robot.gaze import Gaze
from listener_head.ros import qos
from listener_head.ros.convert import from_message, positions_of
from listener_head.ros.node import GraphNode, Phase, run
from listener_head.ros.sinks import make_sinks
from listener_head.ros.stamps import to_ns, to_stamp
from listener_head.timing import NS_PER_S

# How often [s] the receivers are looked after and the state is told.
WATCH_PERIOD = 0.2
# A head that does not follow the listener after this long [s] is worth a warning.
START_PATIENCE = 10.0
# The smallest change of a light's brightness that is sent.
LIGHT_STEP = 1 / 255


class JointMapper(GraphNode):
    """Publishes commands to the robot, and `joint_commands`, the same with stamps.

    Nothing is sent before `joint_states` tells where the head is, nor while a receiver is missing.
    """

    def __init__(self, cli_args: Sequence[str] | None = None) -> None:
        super().__init__("joint_mapper", cli_args)
        self.declare("robot", "generic", "name or path of the robot file", fixed=True)
        self.declare("simulated", False, "send to the simulated robot, not to the real one", fixed=True)
        self.declare(
            "allow_unverified",
            False,
            "move a real robot whose file nobody has verified on the robot itself",
            fixed=True,
        )
        self.declare(
            "look_at_speaker",
            False,
            "turn the head towards speaker/position and add the listener's motion",
            check=self._check_look,
        )
        self.declare(
            "wait_for_joint_states",
            True,
            "send nothing before joint_states tells where the head is",
            fixed=True,
        )
        self.declare(
            "input_timeout",
            0.5,
            "the head returns to neutral without input for this long",
            0.1,
            10.0,
            unit="s",
            fixed=True,
        )
        self.declare(
            "face_model", "", "your BFM_model_front.mat, for a listener that speaks bfm2009", fixed=True
        )

    def configure(self) -> None:
        """Loads the robot file and opens what its commands go to."""
        self._robot = robot = load_robot(self.value("robot"))
        self._simulated = self.value("simulated")
        if not (self._simulated or robot.verified or self.value("allow_unverified")):
            raise UserError(
                f"robot '{robot.name}' is not verified: nobody has run its limits on the robot; "
                "check them and set allow_unverified:=true"
            )
        self._retarget = open_retarget(self.value("face_model"))
        self._control = self._new_control()
        self._sinks = make_sinks(self, robot, self._simulated)
        self._command = self.advertise(JointCommand, "joint_commands")
        self._message = JointCommand(names=list(robot.joint_names))
        self._lights = [self.advertise(ColorRGBA, self._topic(light.topic)) for light in robot.lights]
        self.serve(Trigger, "~/release", self._release)
        self.serve(Trigger, "~/take", self._take)

    def activate(self) -> None:
        """Waits for the robot, then follows the listener."""
        self._control = self._new_control()
        self._released = False
        self._missing = ""
        self._said = ("", False)
        self._has_followed = False
        self._began = time.monotonic()
        self._brightness = [-1.0] * len(self._lights)
        self._message.source_stamp = FaceCoefficients().source_stamp
        self._watch()
        self.subscribe(FaceCoefficients, "listener/coefficients", self._follow)
        states = "joint_states" if self._simulated else self._robot.joint_states
        self.subscribe(JointState, states, self._measure, qos.SOUND)
        self.subscribe(Bool, "emergency_stop", self._stop_or_go)
        self.subscribe(PointStamped, "speaker/position", self._look)
        self._timer = self.every(1 / self._robot.rate, self._send)
        self.every(WATCH_PERIOD, self._watch)

    def status(self) -> dict[str, object]:
        """For the diagnostics."""
        return {
            "robot": self._robot.name,
            "state": self._control.state.value,
            "problem": self._missing or self._control.problem,
            "note": self._control.note,
            "frames_ignored": self._control.ignored,
        }

    def _new_control(self) -> HeadControl:
        with suppress(UserError):
            # It may be asked to look later, where the robot can.
            return self._control_with(gaze=True)
        return self._control_with(gaze=self.value("look_at_speaker"))

    def _control_with(self, gaze: bool) -> HeadControl:
        return HeadControl(
            self._robot,
            gaze=gaze,
            timeout=self.value("input_timeout"),
            wait_for_joint_states=self.value("wait_for_joint_states"),
            retarget=self._retarget,
        )

    def _topic(self, name: str) -> str:
        """A topic of the robot file; the simulated robot has it in the node's namespace."""
        return name.lstrip("/") if self._simulated else name

    # What comes in

    def _follow(self, message: FaceCoefficients) -> None:
        try:
            stamp_ns = self.local_ns("listener/coefficients", to_ns(message.header.stamp))
            self._control.update(from_message(message), stamp_ns / NS_PER_S)
        except UserError as problem:
            self.refused(problem)
            return
        self._message.source_stamp = message.source_stamp
        # New motion goes out at once; the timer sends what lies between.
        self._timer.reset()
        self._send()

    def _measure(self, state: JointState) -> None:
        try:
            positions = positions_of(state)
        except UserError as problem:
            self.refused(problem)
            return
        self._control.measure(positions, self._now())

    def _check_look(self, is_looking: bool) -> None:
        """Refuses what the robot of a node that is configured already cannot do."""
        if is_looking and self.phase in (Phase.INACTIVE, Phase.ACTIVE):
            Gaze(self._robot)

    def _look(self, message: PointStamped) -> None:
        if not self.value("look_at_speaker"):
            return  # a gaze that gets no more positions returns to neutral by itself
        base, frame = self._robot.frames.base, plain(message.header.frame_id)
        if frame != base:
            self.refused(
                UserError(
                    f"speaker/position stands in frame '{frame}', but the base of {self._robot.name} is "
                    f"'{base}'; publish it in '{base}' (face_fit does, with camera_motion and robot set)"
                )
            )
            return
        point = (message.point.x, message.point.y, message.point.z)
        try:
            stamp_ns = self.local_ns("speaker/position", to_ns(message.header.stamp))
            self._control.look_at(point, stamp_ns / NS_PER_S)
        except UserError as problem:
            self.refused(problem)

    def _stop_or_go(self, message: Bool) -> None:
        self._control.emergency_stop(message.data, self._now())
        self._tell()

    def _release(self, _request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        self._released = True
        self._control.release(self._now())
        self._tell()
        response.success, response.message = True, "released"
        return response

    def _take(self, _request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        self._released = False
        if not self._missing:
            self._control.take(self._now())
        self._tell()
        response.success = not self._missing
        response.message = self._missing or self._control.state.value
        return response

    # What goes out

    def _send(self) -> None:
        now_ns = self.get_clock().now().nanoseconds
        now = now_ns / NS_PER_S
        points = self._control.command(now)
        if points is None or self._missing:
            return
        for sink in self._sinks:
            sink.send(points, now)
        self.counts["commands"] += 1
        if self._is_logged:
            self._log(points[0], now_ns)

    def _log(self, first: JointTarget, now_ns: int) -> None:
        message = self._message
        message.header.stamp = to_stamp(now_ns)
        message.positions = array("d", first.positions.tolist())
        message.velocities = array("d", first.velocities.tolist())
        self._command.publish(message)

    def _watch(self) -> None:
        """Lets the head go while a receiver is missing, and begins anew when it is there."""
        missing = next(filter(None, (sink.problem() for sink in self._sinks)), "")
        if missing and not self._missing:
            self._control.release(self._now())
        elif self._missing and not missing and not self._released:
            self._control.take(self._now())
        self._missing = missing
        # It costs as much as the command itself: only for those who listen.
        self._is_logged = self._command.get_subscription_count() > 0
        self._shine()
        self._tell()

    def _shine(self) -> None:
        for i, value in enumerate(self._control.brightness()):
            if abs(value - self._brightness[i]) >= LIGHT_STEP:
                red, green, blue = self._robot.lights[i].color
                self._lights[i].publish(ColorRGBA(r=red, g=green, b=blue, a=value))
                self._brightness[i] = value

    def _tell(self) -> None:
        """Says a change of state once, and in the diagnostics what is wrong."""
        control = self._control
        problem = self._missing or control.problem
        # The robot, its controllers and the listener take a while to start.
        self._has_followed |= control.state is HeadState.MOVING
        starting = not self._has_followed and time.monotonic() - self._began < START_PATIENCE
        loud = bool(problem or control.note) and not starting
        said = (problem or control.note or control.state.value, loud)
        if said != self._said and loud:
            self.get_logger().warning(said[0])
        elif said != self._said:
            self.get_logger().info(said[0])
        self._said = said
        if problem and control.state is not HeadState.STALE:
            self.problem = problem

    def _now(self) -> float:
        return self.get_clock().now().nanoseconds / NS_PER_S


def main() -> None:
    """Runs the node."""
    run(JointMapper)


if __name__ == "__main__":
    main()
