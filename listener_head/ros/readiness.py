"""When a graph is ready for the one who plays it a speaker."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

from listener_head.errors import UserError
from listener_head.ros.node import GraphNode

_PERIOD = 0.05  # [s]
_SETTLED = 1.0  # [s] without a new writer or reader


def declare_readiness(node: GraphNode) -> None:
    """Declares what `wait_until_ready` reads."""
    node.declare("wait_for", [""], "topics that must have a subscription before playing starts", fixed=True)
    about = "give up waiting for them after this, and start all the same"
    node.declare("wait_timeout", 30.0, about, 0.0, 600.0, unit="s", fixed=True)


def wait_until_ready(node: GraphNode, stopping: threading.Event) -> bool:
    """Waits until the topics of `wait_for` are written and read; False when ``stopping`` is set before."""
    topics = [topic for topic in node.value("wait_for") if topic]
    deadline = time.monotonic() + node.value("wait_timeout")
    ends: list[tuple[int, int]] = []
    settled = 0.0
    while not stopping.wait(_PERIOD):
        before, ends = ends, [(node.count_publishers(t), node.count_subscribers(t)) for t in topics]
        missing = _without_an_end(topics, ends)
        # While new ends are still found, messages between the old ones are held up.
        settled = settled + _PERIOD if ends == before and not missing else 0.0
        if settled >= _SETTLED or not topics:
            return True
        if time.monotonic() > deadline:
            node.refused(UserError(f"nobody listens to {', '.join(missing)}; starting all the same"))
            return True
    return False


def _without_an_end(topics: Sequence[str], ends: Sequence[tuple[int, int]]) -> list[str]:
    return [topic for topic, (writers, readers) in zip(topics, ends, strict=True) if not writers * readers]
