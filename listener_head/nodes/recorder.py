"""Node `recorder`: topics to a rosbag2 folder (MCAP), stamped with the time of arrival."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from functools import partial
from importlib import import_module
from pathlib import Path

from rclpy.qos import QoSDurabilityPolicy, QoSProfile, QoSReliabilityPolicy

from listener_head.bags.writer import RecordingWriter
from listener_head.errors import UserError
from listener_head.graph import RECORDED_TOPICS, TOPICS
from listener_head.ros.node import GraphNode, run

# Deep enough that a slow disk does not cost pictures.
_DEPTH = 100
_QUEUE = QoSProfile(depth=_DEPTH, reliability=QoSReliabilityPolicy.BEST_EFFORT)
_LATCHED = QoSProfile(
    depth=_DEPTH,
    reliability=QoSReliabilityPolicy.RELIABLE,
    durability=QoSDurabilityPolicy.TRANSIENT_LOCAL,
)
_PERIOD = 0.05  # [s]


class Recorder(GraphNode):
    """Subscribes to the topics of the parameter `topics`: of the graph, and others that somebody writes.

    A disk that becomes full ends it; ``failure`` says so then.
    """

    def __init__(self, cli_args: Sequence[str] | None = None) -> None:
        super().__init__("recorder", cli_args)
        self.declare("output", "recording", "folder that is made for the recording", fixed=True)
        self.declare(
            "topics", list(TOPICS), "topics to record, of the graph or of whoever writes them", fixed=True
        )
        self.declare(
            "wait_timeout",
            5.0,
            "give up waiting for who writes others after this",
            0.0,
            600.0,
            unit="s",
            fixed=True,
        )
        self.finished = self._over = threading.Event()
        self.failure = ""
        self._writer: RecordingWriter | None = None

    def configure(self) -> None:
        """Makes the recording."""
        topics: list[str] = self.value("topics")
        others = [topic for topic in topics if topic not in RECORDED_TOPICS]
        types = {**RECORDED_TOPICS, **self._types_of(others)}
        self._topics = {self.resolve_topic_name(topic): types[topic] for topic in topics}
        self._messages = {msgtype: _message_class(msgtype) for msgtype in self._topics.values()}
        self._writer = RecordingWriter(Path(self.value("output")), self._topics)

    def activate(self) -> None:
        """Listens to the topics; messages stay as they came, in their serialised form."""
        for name, msgtype in self._topics.items():
            write = partial(self._write, name)
            self.subscribe(self._messages[msgtype], name, write, self._profile(name), raw=True)

    def cleanup(self) -> None:
        """Ends the recording; only now it has its name."""
        writer, self._writer = self._writer, None
        if writer is not None:
            try:
                writer.close()
            except UserError as problem:
                self._fail(problem)

    def _write(self, name: str, message: bytes) -> None:
        writer = self._writer
        if writer is None:
            return  # it is over already
        try:
            writer.write(name, time.time_ns(), message)
        except UserError as problem:
            self._fail(problem)
        self.counts["messages"] += 1

    def _fail(self, problem: UserError) -> None:
        if not self.failure:
            self.failure = str(problem)
            self.get_logger().error(self.failure)
        self._over.set()

    def _types_of(self, topics: Sequence[str]) -> dict[str, str]:
        """The types of topics that somebody writes; UserError for one that nobody does."""
        deadline = time.monotonic() + self.value("wait_timeout")
        while True:
            written = dict(self.get_topic_names_and_types())
            types = {topic: written.get(self.resolve_topic_name(topic), []) for topic in topics}
            unknown = [topic for topic in topics if not types[topic]]
            if not unknown:
                return {topic: names[0] for topic, names in types.items()}
            if time.monotonic() > deadline:
                choice = ", ".join(RECORDED_TOPICS)
                raise UserError(
                    f"topic '{unknown[0]}' is not of this graph, and nobody writes it within "
                    f"{self.value('wait_timeout'):g} s; start who does, or choose among {choice}"
                )
            time.sleep(_PERIOD)

    def _profile(self, name: str) -> QoSProfile:
        """What every writer can satisfy; of writers who keep messages for late readers, those as well."""
        offered = [each.qos_profile.durability for each in self.get_publishers_info_by_topic(name)]
        latched = all(durability == QoSDurabilityPolicy.TRANSIENT_LOCAL for durability in offered)
        if (offered and latched) or name == self.resolve_topic_name("attitude"):
            return _LATCHED
        return _QUEUE


def _message_class(msgtype: str) -> type:
    package, _, kind = msgtype.split("/")
    try:
        message: type = getattr(import_module(f"{package}.msg"), kind)
    except (ImportError, AttributeError) as problem:
        raise UserError(
            f"type {msgtype} is not installed here; source the workspace that has it"
        ) from problem
    return message


def main() -> None:
    """Runs the node."""
    run(Recorder)


if __name__ == "__main__":
    main()
