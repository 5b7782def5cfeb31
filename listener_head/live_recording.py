"""Records topics of a graph that runs already, on the DDS that the user's environment chooses."""

from __future__ import annotations

import os
import re
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import rclpy
import yaml
from rclpy.experimental import EventsExecutor

from listener_head.bags.writer import size_so_far
from listener_head.errors import UserError
from listener_head.graph import TOPICS
from listener_head.nodes.recorder import Recorder
from listener_head.runner import dds_profile

FOUND_WITHIN = 5.0  # [s] in which the topics of a running graph are found
_SETTLED = 1.0  # [s] without a new topic
_PERIOD = 0.1  # [s]
_NAME = re.compile(r"[A-Za-z0-9_/]+")

Tell = Callable[[float, int, int], None]
"""Takes the seconds so far, messages and bytes."""


@dataclass(frozen=True)
class LiveJob:
    """What is recorded: the graph's topics that are written in ``namespace``, and ``topics``, of any type.

    ``seconds`` 0 goes on until Ctrl-C.
    """

    output: Path
    topics: tuple[str, ...] = ()
    namespace: str = ""
    seconds: float = 0.0


def record_live(job: LiveJob, tell: Tell) -> tuple[float, int]:
    """Record until Ctrl-C or for ``job.seconds``; gives the seconds and the number of messages.

    UserError when a topic is not there within five seconds, and for an output that exists or cannot be
    written.
    """
    for name in (*job.topics, job.namespace or "ok"):
        if not _NAME.fullmatch(name):
            raise UserError(f"'{name}' is no name of ROS; give one such as /camera/image_raw")
    os.environ.update(dds_profile())
    rclpy.init(args=[], signal_handler_options=rclpy.SignalHandlerOptions.NO)
    try:
        topics = [*job.topics, *_written(job)]
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as parameters:
            values = {"output": str(job.output.absolute()), "topics": topics}
            yaml.safe_dump({"/**": {"ros__parameters": values}}, parameters)
            parameters.flush()
            namespace = ["-r", f"__ns:={_absolute(job.namespace)}"]
            arguments = [*namespace, "--params-file", parameters.name, "--log-level", "fatal"]
            recorder = Recorder(cli_args=["--ros-args", *arguments])
        try:
            return _record(recorder, job, tell)
        finally:
            recorder.destroy_node()
    finally:
        rclpy.try_shutdown()


def _record(recorder: Recorder, job: LiveJob, tell: Tell) -> tuple[float, int]:
    executor = EventsExecutor()
    executor.add_node(recorder)
    with _told_to_stop() as stop:
        if not recorder.bring_up():
            raise UserError(recorder.problem)
        began = time.monotonic()
        seconds = 0.0
        while not stop.is_set() and not recorder.failure:
            executor.spin_once(timeout_sec=_PERIOD)
            seconds = time.monotonic() - began
            tell(seconds, recorder.counts["messages"], size_so_far(job.output))
            if job.seconds and seconds >= job.seconds:
                break
        executor.remove_node(recorder)
        recorder.trigger_shutdown()
    if recorder.failure:
        raise UserError(recorder.failure)
    return seconds, recorder.counts["messages"]


def _written(job: LiveJob) -> list[str]:
    """The graph's topics that somebody writes in the namespace.

    UserError when there is none, and no other topic to record.
    """
    namespace = _absolute(job.namespace)
    node = rclpy.create_node("recorder_finder", namespace=namespace, use_global_arguments=False)
    try:
        found: list[str] = []
        began = settled = time.monotonic()
        while time.monotonic() - began < FOUND_WITHIN:
            before = found
            found = [topic for topic in TOPICS if node.count_publishers(topic)]
            settled = settled if found == before else time.monotonic()
            if (found or job.topics) and time.monotonic() - settled > _SETTLED:
                break
            time.sleep(_PERIOD)
        if found or job.topics:
            return found
        names = {name for name, _ in node.get_topic_names_and_types()} - {"/parameter_events", "/rosout"}
        there = ", ".join(sorted(names)) or "nothing else"
        raise UserError(
            f"none of the graph's topics is written in namespace '{namespace}' within {FOUND_WITHIN:g} s; "
            f"there is {there}; start the graph, give --namespace or --topics, and see that ROS_DOMAIN_ID "
            f"({os.environ.get('ROS_DOMAIN_ID', '0')}) is the graph's"
        )
    finally:
        node.destroy_node()


def _absolute(namespace: str) -> str:
    return f"/{namespace.strip('/')}"


@contextmanager
def _told_to_stop() -> Iterator[threading.Event]:
    """An event that Ctrl-C or a request to end sets, so that the recording is finished."""
    stop = threading.Event()
    before = {}
    for number in (signal.SIGINT, signal.SIGTERM):
        before[number] = signal.signal(number, lambda *_: stop.set())
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
