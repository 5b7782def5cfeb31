"""Node `listener`: the speaker's sound and face to the listener's coefficients, on the 30 Hz grid."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from rclpy.parameter import Parameter
from std_msgs.msg import Bool
from std_srvs.srv import SetBool, Trigger

from listener_head.coefficients import Coefficients
from listener_head.errors import UserError
from listener_head.listener import InputFlag, ListenerFrame, ListenerSession, Mode
from listener_head.listener.liveliness import Liveliness
from listener_head.listener.reference import read_reference
from listener_head.msg import Attitude, AudioFeatures, FaceCoefficients, ListenerState
from listener_head.plain import plain
from listener_head.policies import POLICY_NAMES, load_policy
from listener_head.policies.policy import Policy
from listener_head.ros import qos
from listener_head.ros.convert import from_message, to_message, values_of
from listener_head.ros.grid_timer import GridTimer
from listener_head.ros.node import GraphNode, Phase, run
from listener_head.ros.stamps import to_ns, to_stamp
from listener_head.timing import index_at_or_before

ATTITUDES = {Attitude.POSITIVE: "positive", Attitude.NEUTRAL: "neutral", Attitude.NEGATIVE: "negative"}
_MODES = {
    Mode.LISTENING: ListenerState.MODE_LISTENING,
    Mode.IDLE: ListenerState.MODE_IDLE,
    Mode.HOLDING: ListenerState.MODE_HOLDING,
    Mode.DISABLED: ListenerState.MODE_DISABLED,
}
MILLISECOND_NS = 1e6
SOUND_PATIENCE = 0.2  # [s]


class Listener(GraphNode):
    """Publishes `listener/coefficients` and `listener/state`, one of each per step.

    Step k waits for the audio features of t_k, but no longer than to the next step; without sound the grid
    alone drives it.
    """

    def __init__(self, cli_args: Sequence[str] | None = None) -> None:
        super().__init__("listener", cli_args)
        self._replacement: Policy | None = None  # what the parameter policy has just been checked with
        self.declare("network", "", "network file; empty: the one that ships", fixed=True)
        self.declare(
            "policy",
            "network",
            "what listens; all but network are for comparison, from the policy data beside the network",
            choices=POLICY_NAMES,
            check=self._load_policy,
            changed=lambda _: self._use_policy(),
        )
        about = "the listener at rest: a clip (.npz), motion (.npy) or features (.bin); empty: a still face"
        self.declare("reference", "", about, fixed=True)
        about = "breath, blinks and glances beside the answers"
        self.declare("liveliness", True, about, changed=self._set_liveliness)
        self.declare("seed", 0, "of all that is drawn at random", 0, 2**31 - 1, fixed=True)
        self.declare(
            "attitude",
            "neutral",
            "follows the topic attitude, and changes what it says",
            choices=tuple(ATTITUDES.values()),
            check=self._check_attitude,
            changed=lambda attitude: self._session.set_attitude(attitude),
        )
        about = "motion of the head away from rest: 0 none, 1 as predicted"
        self.declare("head_gain", 1.0, about, 0.0, 2.0, changed=lambda _: self._set_gains())
        about = "motion of the face away from rest: 0 none, 1 as predicted"
        self.declare("expression_gain", 1.0, about, 0.0, 2.0, changed=lambda _: self._set_gains())
        about = "a step runs this long after its instant of the grid"
        self.declare("step_delay", 0.012, about, 0.0, 0.033, unit="s", changed=self._set_step_delay)
        self.declare("frame_id", "listener_camera", "frame of the listener's own virtual camera", fixed=True)

    def configure(self) -> None:
        """Loads the network, or makes the policy, and reads the reference."""
        path = self.value("reference")
        listener = self._policy(self.value("policy"))
        # An imported network knows no attitudes.
        attitude = self.value("attitude") if listener.attitudes else None
        reference = read_reference(path, listener.face_model, listener.reference) if path else None
        self._identity = reference.identity if reference else None
        liveliness = Liveliness(listener.layout, self.value("seed"))
        self._session = ListenerSession(
            listener, reference.motion if reference else None, attitude, liveliness
        )
        self._session.lively = self.value("liveliness")
        self._set_gains()
        self._frame_id = self.value("frame_id")
        self._coefficients = self.advertise(FaceCoefficients, "listener/coefficients")
        self._state = self.advertise(ListenerState, "listener/state")
        self.serve(SetBool, "~/enable", self._enable)
        self.serve(Trigger, "~/reset", self._reset)
        # Camera stamp -> arrival of its coefficients, on the node's clock [ns] and on one without jumps [s].
        self._arrived: dict[int, tuple[int, float]] = {}
        self._audio: tuple[int, int, NDArray[np.float32]] = (-1, 0, np.zeros(0, np.float32))
        self._heard_at = -np.inf
        self._waiting: int | None = None
        self._refused_layout: str | None = None
        self.get_logger().info(f"{self.value('policy')} {listener.name} ({listener.hash})")

    def activate(self) -> None:
        """Listens and steps."""
        self.subscribe(AudioFeatures, "speaker/audio_features", self._hear)
        self.subscribe(FaceCoefficients, "speaker/coefficients", self._see)
        self.subscribe(Attitude, "attitude", self._set_attitude, qos.LATCHED)
        self.subscribe(Bool, "robot_speaking", self._set_robot_speaking)
        self._timer = GridTimer(self, round(self.value("step_delay") * 1e9), self._due)

    def _hear(self, features: AudioFeatures) -> None:
        if features.layout != self._session.listener.audio_layout:
            self._refuse_layout(plain(features.layout))
            return
        self._refused_layout = None
        try:
            values = values_of(features)
        except UserError as problem:
            self.refused(problem)
            return
        stamp_ns = self.local_ns("speaker/audio_features", to_ns(features.header.stamp))
        index = index_at_or_before(stamp_ns)
        self._audio = (index, self._now_ns(), values)
        self._heard_at = time.monotonic()
        if self._waiting == index:
            self._step(index)

    def _refuse_layout(self, layout: str) -> None:
        """Goes on without this sound; says so once, and again after it has been right or otherwise wrong."""
        listener = self._session.listener
        problem = (
            f"audio features are {layout!r}, but network {listener.name} was trained on "
            f"{listener.audio_layout!r}; give audio_features the same parameter network"
        )
        if layout != self._refused_layout:
            self.get_logger().warning(problem)
        self._refused_layout = layout
        self.counts["refused"] += 1
        self.problem = problem

    def _see(self, message: FaceCoefficients) -> None:
        try:
            coefficients = from_message(message)
            if not coefficients.valid:
                return
            stamp_ns = self.local_ns("speaker/coefficients", to_ns(message.header.stamp))
            self._session.observe(stamp_ns, coefficients.motion)
        except UserError as problem:
            self.refused(problem)
            return
        self._arrived.pop(stamp_ns, None)  # of a recording that is played again
        self._arrived[stamp_ns] = (self._now_ns(), time.monotonic())
        if len(self._arrived) > 64:
            del self._arrived[next(iter(self._arrived))]

    def _due(self, index: int) -> None:
        """The grid's instant ``index`` was ``step_delay`` ago."""
        # One that lies ahead is of a time that is over: the clock has gone back.
        if self._waiting is not None and self._waiting < index:
            self._step(self._waiting)
        # Sound that stopped long ago is not waited for.
        if self._audio[0] == index or time.monotonic() - self._heard_at > SOUND_PATIENCE:
            self._step(index)
        else:
            self._waiting = index

    def _step(self, index: int) -> None:
        self._waiting = None
        heard, audio_ns, values = self._audio
        now_ns, now, began = self._now_ns(), time.monotonic(), time.perf_counter()
        try:
            frame = self._session.step(index, values if heard == index else None)
        except UserError as problem:
            self.refused(problem)
            frame = self._session.step(index, None)
        if frame.flags & InputFlag.CLOCK_JUMPED:
            self.get_logger().warning("the clock jumped; listening anew")
        listener = self._session.listener
        coefficients = Coefficients.from_motion(listener.face_model, frame.motion, self._identity)
        source_ns = frame.source_stamp_ns
        self._coefficients.publish(
            to_message(coefficients, frame.stamp_ns, source_ns, self._frame_id, "listener")
        )
        state = self._state_of(frame)
        state.step_ms = (time.perf_counter() - began) * 1e3
        if heard == index:
            state.audio_ms = (audio_ns - frame.time_ns) / MILLISECOND_NS
        if source_ns is not None:
            arrived_ns, arrived = self._arrived.get(source_ns, (now_ns, now))
            state.source_stamp = to_stamp(source_ns)
            state.perception_ms = (arrived_ns - source_ns) / MILLISECOND_NS
            # Simulated time goes in steps that are too coarse for this.
            state.waiting_ms = (now - arrived) * 1e3
        self._state.publish(state)
        self.counts["steps"] += 1

    def _state_of(self, frame: ListenerFrame) -> ListenerState:
        listener = self._session.listener
        state = ListenerState(frame=frame.frame, mode=_MODES[frame.mode], flags=int(frame.flags))
        state.header.stamp = to_stamp(frame.stamp_ns)
        state.header.frame_id = self._frame_id
        state.attitude = next((code for code, name in ATTITUDES.items() if name == listener.attitude), 1)
        state.network, state.network_hash = listener.name, listener.hash
        return state

    def _set_attitude(self, message: Attitude) -> None:
        try:
            if message.attitude not in ATTITUDES:
                raise UserError(f"attitude {message.attitude} is none of Attitude's constants (0, 1, 2)")
            set_it = Parameter("attitude", value=ATTITUDES[message.attitude])
            result = self.set_parameters_atomically([set_it])
            if not result.successful:
                raise UserError(result.reason)
        except UserError as problem:
            self.refused(problem)

    def _set_robot_speaking(self, message: Bool) -> None:
        self._session.robot_speaking = message.data

    def _enable(self, request: SetBool.Request, response: SetBool.Response) -> SetBool.Response:
        self._session.enabled = request.data
        response.success = True
        return response

    def _reset(self, _request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        self._session.reset()
        response.success = True
        return response

    # What parameters change

    def _policy(self, name: str) -> Policy:
        return load_policy(name, self.value("network") or None, self.value("seed"))

    def _load_policy(self, name: str) -> None:
        """Loads another policy of a listener that is configured already."""
        if self.phase in (Phase.INACTIVE, Phase.ACTIVE):
            self._replacement = self._policy(name)
            self._session.check_suits(self._replacement)

    def _use_policy(self) -> None:
        if self._replacement is not None:
            self._session.use(self._replacement)
            self.get_logger().info(f"{self.value('policy')} {self._replacement.name}")

    def _check_attitude(self, attitude: str) -> None:
        """Refuses what a listener that is configured already does not know."""
        if self.phase in (Phase.INACTIVE, Phase.ACTIVE) and not self._session.listener.attitudes:
            name = self._session.listener.name
            raise UserError(f"attitude is '{attitude}', but network {name} knows no attitudes; leave it out")

    def _set_liveliness(self, is_lively: bool) -> None:
        self._session.lively = is_lively

    def _set_gains(self) -> None:
        self._session.set_gains(self.value("head_gain"), self.value("expression_gain"))

    def _set_step_delay(self, delay: float) -> None:
        if self.phase is Phase.ACTIVE:
            self._timer.set_delay(round(delay * 1e9))

    def _now_ns(self) -> int:
        return self.get_clock().now().nanoseconds


def main() -> None:
    """Runs the node."""
    run(Listener)


if __name__ == "__main__":
    main()
