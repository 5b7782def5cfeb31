"""Listens to a running graph and gives what came in a while as a recording, without its pictures."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from functools import partial
from importlib import import_module
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
from listener_head.runner import environment

PICTURE = "listener/image"
_LISTENED = ("speaker/coefficients", "listener/coefficients", "listener/state", "joint_commands")
_DEPTH = 100  # as the recorder's


class Monitor:
    """A node in ``namespace`` on the DDS domain ``domain`` that keeps messages until they are taken.

    Of pictures only the stamps are kept. Sound and measured joints are not listened to.
    """

    def __init__(self, namespace: str, domain: int) -> None:
        os.environ.update(environment(domain))
        rclpy.init(args=[], signal_handler_options=rclpy.SignalHandlerOptions.NO)
        self._node = rclpy.create_node("monitor", namespace=namespace)
        self._messages: dict[str, list[Received]] = {topic: [] for topic in _LISTENED}
        self._pictures: tuple[list[int], list[int]] = ([], [])
        for topic in _LISTENED:
            self._subscribe(topic, partial(self._keep, self._messages[topic]))
        self._subscribe(PICTURE, self._keep_stamp, raw=True)
        self._executor = EventsExecutor()
        self._executor.add_node(self._node)

    def listen(self, seconds: float) -> None:
        """Takes in what comes for that long."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            self._executor.spin_once(timeout_sec=left)

    def take(self) -> Recording:
        """What has come since the last time."""
        messages = self._messages
        received = [each[0] for topic in messages.values() for each in topic] + self._pictures[0]
        commands = command_track("joint_commands", messages["joint_commands"])
        there = [topic for topic in _LISTENED if messages[topic]] + [PICTURE] * bool(self._pictures[0])
        recording = Recording(
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
            listener_images=stamp_track(*self._pictures),
        )
        for kept in messages.values():
            kept.clear()
        for stamps in self._pictures:
            stamps.clear()
        return recording

    def close(self) -> None:
        """Leaves the graph."""
        self._executor.shutdown()
        self._node.destroy_node()
        rclpy.try_shutdown()

    def _subscribe(self, topic: str, callback: Callable[[Any], None], raw: bool = False) -> None:
        package, _, kind = TOPICS[topic].split("/")
        message_class = getattr(import_module(f"{package}.msg"), kind)
        self._node.create_subscription(message_class, topic, callback, QoSProfile(depth=_DEPTH), raw=raw)

    def _keep(self, kept: list[Received], message: Any) -> None:
        kept.append((time.time_ns(), message))

    def _keep_stamp(self, message: bytes) -> None:
        self._pictures[0].append(time.time_ns())
        self._pictures[1].append(header_stamp_ns(message))
