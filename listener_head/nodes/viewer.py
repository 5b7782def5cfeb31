"""Node `viewer`: a page on this computer that shows the graph, and sets the listener's attitude."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from typing import Any

import numpy as np
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from rclpy.serialization import deserialize_message
from rclpy.subscription import Subscription
from sensor_msgs.msg import Image
from std_srvs.srv import SetBool

from listener_head.coefficients import Coefficients, layout_of
from listener_head.errors import UserError
from listener_head.evaluation.series import ATTITUDE_NAMES, attitude_name
from listener_head.msg import Attitude, AudioFeatures, FaceCoefficients, JointCommand, ListenerState
from listener_head.ros import qos
from listener_head.ros.convert import from_message
from listener_head.ros.node import GraphNode, run
from listener_head.ros.stamps import to_ns
from listener_head.ros.worker import NewestWorker
from listener_head.viewing import Feed, PageServer
from listener_head.viewing.feed import MOST_CURVES
from listener_head.viewing.panels import (
    LATENCIES,
    LISTENER,
    PANELS,
    SPEAKER,
    FaceCurves,
    head_angles,
    level_db,
)
from listener_head.viewing.pictures import check_size, jpeg_of
from listener_head.viewing.server import open_browser

DEFAULT_PORT = 8650
_ANSWER_S = 2.0
_LOOK_PERIOD_S = 0.2
_LINGER_S = 3.0
MOST_NODES = 32
_LONGEST_TEXT = 200
_SOURCES_KEPT = 64
_MS_PER_NS = 1e-6


class Viewer(GraphNode):
    """Subscribes to what the graph sees and does while a page is open, best effort: it holds nobody up.

    Publishes `attitude` and calls `listener/enable` when somebody presses a button of the page.
    """

    def __init__(self, cli_args: Sequence[str] | None = None) -> None:
        super().__init__("viewer", cli_args)
        about = "port of the page on 127.0.0.1; another free one if it is in use, and for 0"
        self.declare("port", DEFAULT_PORT, about, 0, 65535, fixed=True)
        self.declare("open_browser", True, "open the page where there is a screen", fixed=True)
        self.declare("picture_rate", 15.0, "most pictures of each kind", 1.0, 60.0, unit="Hz")

    def configure(self) -> None:
        """Serves the page."""
        self._feed = Feed()
        self._feed.tell(panels=[asdict(panel) for panel in PANELS], namespace=self.get_namespace())
        self._pictures = {side: self._drawing_thread(side) for side in (SPEAKER, LISTENER)}
        self._attitude = self.advertise(Attitude, "attitude", qos.LATCHED)
        self._enable = self.create_client(SetBool, "listener/enable")
        actions = {"attitude": self._set_attitude, "enabled": self._set_enabled}
        self._server = PageServer(self._feed, self.value("port"), actions)
        self.get_logger().info(f"the page is at {self._server.address}")
        if self.value("open_browser"):
            open_browser(self._server.address)

    def activate(self) -> None:
        """Watches the graph."""
        self._names: dict[str, Sequence[str]] = {}  # of the curves that messages name
        self._face: FaceCurves | None = None
        self._nodes: dict[str, dict[str, Any]] = {}
        # Stamp of the listener's coefficients -> stamp of the camera frame that they answer [ns].
        self._sources: dict[int, int] = {}
        self._answered_ns = 0
        self._latency_ms = dict.fromkeys(LATENCIES, math.nan)
        self._taken = dict.fromkeys(self._pictures, -math.inf)
        self._subscriptions_of_pages: list[Subscription] = []
        self._seen_at = -math.inf  # when a page was last open [s]
        self.every(_LOOK_PERIOD_S, self._look_for_pages)

    def cleanup(self) -> None:
        """Ends the page."""
        self._server.close()
        for worker in self._pictures.values():
            worker.close()
        self.destroy_client(self._enable)

    def status(self) -> dict[str, object]:
        """For the diagnostics."""
        return {"pages": self._feed.watchers} if self.counts["pictures"] else {}

    def _look_for_pages(self) -> None:
        """Listens while a page is open, and a little longer for one that is loaded anew."""
        now = time.monotonic()
        if self._feed.watchers:
            self._seen_at = now
        wanted = now - self._seen_at < _LINGER_S
        if wanted and not self._subscriptions_of_pages:
            self._subscriptions_of_pages = self._listen()
        elif not wanted:
            for subscription in self._subscriptions_of_pages:
                self.unsubscribe(subscription)
            self._subscriptions_of_pages = []

    def _listen(self) -> list[Subscription]:
        pictures = [
            self.subscribe(Image, f"{side}/image", partial(self._take, side), qos.IMAGE, raw=True)
            for side in self._pictures
        ]
        return [
            *pictures,
            self.subscribe(AudioFeatures, "speaker/audio_features", self._hear, qos.IMAGE),
            self.subscribe(FaceCoefficients, "speaker/coefficients", self._see, qos.IMAGE),
            self.subscribe(FaceCoefficients, "listener/coefficients", self._follow, qos.IMAGE),
            self.subscribe(ListenerState, "listener/state", self._know, qos.IMAGE),
            self.subscribe(JointCommand, "joint_commands", self._move, qos.IMAGE),
            self.subscribe(DiagnosticArray, "/diagnostics", self._diagnose, qos.SOUND),
        ]

    # Pictures

    def _take(self, side: str, serialised: bytes) -> None:
        now = time.monotonic()
        # Cameras are not exact: a frame that comes a little early is as good.
        if now - self._taken[side] > 0.9 / self.value("picture_rate"):
            self._taken[side] = now
            self._pictures[side].put((serialised, self._now_ns()))

    def _drawing_thread(self, side: str) -> NewestWorker:
        return NewestWorker(lambda item: self._show(side, *item), self.refused)

    def _show(self, side: str, serialised: bytes, arrived_ns: int) -> None:
        check_size(serialised)
        image = deserialize_message(serialised, Image)
        self._feed.picture(side, jpeg_of(image))
        self.counts["pictures"] += 1
        source_ns = self._sources.get(to_ns(image.header.stamp)) if side == LISTENER else None
        if source_ns:
            self._latency_ms["picture"] = (arrived_ns - source_ns) * _MS_PER_NS

    # Curves

    def _hear(self, features: AudioFeatures) -> None:
        level = level_db(features.layout, np.array(features.values, np.float64))
        self._feed.sample("voice", [level, features.voice_activity])

    def _see(self, message: FaceCoefficients) -> None:
        coefficients = self._read(message)
        if coefficients is not None:
            self._feed.sample("speaker_head", head_angles(coefficients))
            self._feed.tell(unseen=coefficients.reason[:_LONGEST_TEXT])

    def _follow(self, message: FaceCoefficients) -> None:
        coefficients = self._read(message)
        if coefficients is None:
            return
        if self._face is None or self._face.face_model != coefficients.face_model:
            self._face = FaceCurves(layout_of(coefficients.face_model))
            self._label("face", self._face.names)
        self._feed.sample("head", head_angles(coefficients))
        self._feed.sample("face", self._face.values(coefficients))
        self._sources[to_ns(message.header.stamp)] = to_ns(message.source_stamp)
        if len(self._sources) > _SOURCES_KEPT:
            del self._sources[next(iter(self._sources))]

    def _read(self, message: FaceCoefficients) -> Coefficients | None:
        try:
            return from_message(message)
        except UserError as problem:
            self.refused(problem)
            return None

    def _know(self, state: ListenerState) -> None:
        answers = to_ns(state.source_stamp) > 0
        self._latency_ms["face"] = state.perception_ms if answers else math.nan
        self._feed.sample("latency", [self._latency_ms[name] for name in LATENCIES])
        if not answers:
            self._latency_ms = dict.fromkeys(LATENCIES, math.nan)
        attitude = attitude_name(state.attitude)
        self._feed.tell(mode=state.mode, attitude=attitude, network=state.network[:_LONGEST_TEXT])

    def _move(self, command: JointCommand) -> None:
        names = [name[:_LONGEST_TEXT] for name in command.names[:MOST_CURVES]]
        if len(command.positions) != len(command.names):
            self.refused(UserError("joint_commands has not one position for each name"))
            return
        if names != self._names.get("joints"):
            self._label("joints", names)
        self._feed.sample("joints", np.degrees(command.positions[:MOST_CURVES]).tolist())
        source_ns = to_ns(command.source_stamp)
        if source_ns not in (0, self._answered_ns):
            self._answered_ns = source_ns
            self._latency_ms["joints"] = (self._now_ns() - source_ns) * _MS_PER_NS

    def _label(self, panel: str, names: Sequence[str]) -> None:
        self._names = {**self._names, panel: names}
        self._feed.tell(names=self._names)

    def _diagnose(self, message: DiagnosticArray) -> None:
        folder = self.get_namespace().rstrip("/")
        for status in message.status[:MOST_NODES]:
            where, _, name = status.name.rpartition("/")
            known = name in self._nodes or len(self._nodes) < MOST_NODES
            if where == folder and name != self.get_name() and known:
                level = "ok" if status.level == DiagnosticStatus.OK else "warning"
                text = status.message[:_LONGEST_TEXT]
                self._nodes[name[:_LONGEST_TEXT]] = {"level": level, "message": text, "at": self._feed.now}
        self._feed.tell(nodes=dict(self._nodes))

    # What the page's buttons do, on the server's threads

    def _set_attitude(self, name: Any) -> None:
        if name not in ATTITUDE_NAMES:
            raise UserError(f"attitude is none of {', '.join(ATTITUDE_NAMES)}")
        message = Attitude(attitude=ATTITUDE_NAMES.index(name))
        message.header.stamp = self.get_clock().now().to_msg()
        self._attitude.publish(message)

    def _set_enabled(self, enabled: Any) -> None:
        if not isinstance(enabled, bool):
            raise UserError("enabled is neither true nor false")
        if not self._enable.service_is_ready():
            raise UserError(f"no listener offers the service {self._enable.srv_name}; is it running?")
        answered = threading.Event()
        self._enable.call_async(SetBool.Request(data=enabled)).add_done_callback(lambda _: answered.set())
        if not answered.wait(_ANSWER_S):
            raise UserError(f"the listener has not answered within {_ANSWER_S:g} s")

    def _now_ns(self) -> int:
        return self.get_clock().now().nanoseconds


def main() -> None:
    """Runs the node."""
    run(Viewer)


if __name__ == "__main__":
    main()
