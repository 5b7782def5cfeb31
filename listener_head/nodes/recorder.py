"""Node `recorder`: the graph's topics to a rosbag2 folder (MCAP), stamped with the time of arrival."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import partial
from importlib import import_module
from pathlib import Path

from rclpy.qos import QoSProfile, QoSReliabilityPolicy

from listener_head.bags.writer import RecordingWriter
from listener_head.errors import UserError
from listener_head.graph import TOPICS
from listener_head.ros import qos
from listener_head.ros.node import GraphNode, run

# Deep enough that a slow disk does not cost pictures.
_QUEUE = QoSProfile(depth=100, reliability=QoSReliabilityPolicy.BEST_EFFORT)


class Recorder(GraphNode):
    """Subscribes to the topics of the parameter `topics`."""

    def __init__(self, cli_args: Sequence[str] | None = None) -> None:
        super().__init__("recorder", cli_args)
        self.declare("output", "recording", "folder that is made for the recording", fixed=True)
        self.declare("topics", list(TOPICS), "topics of the graph to record", fixed=True)

    def configure(self) -> None:
        """Makes the recording."""
        topics: list[str] = self.value("topics")
        unknown = [topic for topic in topics if topic not in TOPICS]
        if unknown:
            raise UserError(f"topic '{unknown[0]}' is not of this graph; choose among {', '.join(TOPICS)}")
        self._names = {topic: self.resolve_topic_name(topic) for topic in topics}
        self._writer = RecordingWriter(
            Path(self.value("output")), {self._names[topic]: TOPICS[topic] for topic in topics}
        )

    def activate(self) -> None:
        """Listens to the topics; messages stay as they came, in their serialised form."""
        for topic, name in self._names.items():
            package, _, kind = TOPICS[topic].split("/")
            message = getattr(import_module(f"{package}.msg"), kind)
            profile = qos.LATCHED if topic == "attitude" else _QUEUE
            self.subscribe(message, topic, partial(self._write, name), profile, raw=True)

    def cleanup(self) -> None:
        """Ends the recording; only now it has its name."""
        self._writer.close()

    def _write(self, name: str, message: bytes) -> None:
        self._writer.write(name, time.time_ns(), message)
        self.counts["messages"] += 1


def main() -> None:
    """Runs the node."""
    run(Recorder)


if __name__ == "__main__":
    main()
