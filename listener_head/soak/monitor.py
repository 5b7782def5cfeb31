"""Listens to a running graph and gives what came in a while as a recording, without its pictures."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import rclpy
from rclpy.experimental import EventsExecutor
from rclpy.qos import QoSProfile

from listener_head.bags.reader import header_stamp_ns
from listener_head.evaluation import Recording
from listener_head.evaluation.tracks import (
    Received,
    audio_track,
    coefficient_track,
    command_track,
    feature_track,
    joint_state_track,
    stamp_track,
    state_track,
)
from listener_head.graph import TOPICS
from listener_head.ros.interfaces import message_type
from listener_head.runner import environment

PICTURE = "listener/image"
_LISTENED = ("speaker/coefficients", "listener/coefficients", "listener/state", "joint_commands")
_DEPTH = 100  # as the recorder's
_LONGEST_STEP = 1.0  # [s]


class Monitor:
    """A node in ``namespace`` on the DDS domain ``domain`` that keeps messages until they are taken.

    It listens on a thread of its own, so that nothing else delays the arrivals that it notes. Of pictures
    only the stamps are kept. Sound and measured joints are not listened to.
    """

    def __init__(self, namespace: str, domain: int) -> None:
        os.environ.update(environment(domain))
        rclpy.init(args=[], signal_handler_options=rclpy.SignalHandlerOptions.NO)
        self._node = rclpy.create_node("monitor", namespace=namespace)
        self._lock = threading.Lock()
        self._messages, self._pictures = _nothing()
        for topic in _LISTENED:
            self._subscribe(topic, partial(self._keep, topic))
        self._subscribe(PICTURE, self._keep_stamp, raw=True)
        self._executor = EventsExecutor()
        self._executor.add_node(self._node)
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._spin, name="monitor", daemon=True)
        self._thread.start()

    def take(self) -> Recording:
        """What has come since the last time."""
        with self._lock:
            messages, pictures = self._messages, self._pictures
            self._messages, self._pictures = _nothing()
        received = [each[0] for topic in messages.values() for each in topic] + pictures[0]
        commands = command_track("joint_commands", messages["joint_commands"])
        there = [topic for topic in _LISTENED if messages[topic]] + [PICTURE] * bool(pictures[0])
        return Recording(
            path=Path("the running graph"),
            topics={topic: topic for topic in there},
            first_ns=min(received, default=0),
            last_ns=max(received, default=0),
            speaker=coefficient_track("speaker/coefficients", messages["speaker/coefficients"]),
            listener=coefficient_track("listener/coefficients", messages["listener/coefficients"]),
            states=state_track(messages["listener/state"]),
            commands=commands,
            joint_states=joint_state_track("joint_states", [], commands.names),
            features=feature_track("speaker/audio_features", []),
            audio=audio_track("speaker/audio", []),
            speaker_images=stamp_track([], []),
            listener_images=stamp_track(*pictures),
        )

    def close(self) -> None:
        """Leaves the graph."""
        self._closing.set()
        self._executor.wake()
        self._thread.join()
        self._executor.shutdown()
        self._node.destroy_node()
        rclpy.try_shutdown()

    def _subscribe(self, topic: str, callback: Callable[[Any], None], raw: bool = False) -> None:
        message = message_type(TOPICS[topic])
        self._node.create_subscription(message, topic, callback, QoSProfile(depth=_DEPTH), raw=raw)

    def _spin(self) -> None:
        while not self._closing.is_set():
            self._executor.spin_once(timeout_sec=_LONGEST_STEP)

    def _keep(self, topic: str, message: Any) -> None:
        with self._lock:
            self._messages[topic].append((time.time_ns(), message))

    def _keep_stamp(self, message: bytes) -> None:
        with self._lock:
            self._pictures[0].append(time.time_ns())
            self._pictures[1].append(header_stamp_ns(message))


def _nothing() -> tuple[dict[str, list[Received]], tuple[list[int], list[int]]]:
    """Messages by topic, and the pictures' arrivals and stamps, before anything has come."""
    return {topic: [] for topic in _LISTENED}, ([], [])
