"""Recordings of the graph's topics, read into memory but for their images.

Topics may stand in any namespace: they are known by their last components, as in
``listener_head.graph.TOPICS``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from listener_head.bags.reader import header_stamp_ns, open_recording
from listener_head.bags.typestore import load_typestore
from listener_head.errors import UserError
from listener_head.evaluation.tracks import (
    AudioTrack,
    CoefficientTrack,
    FeatureTrack,
    JointTrack,
    Received,
    StampTrack,
    StateTrack,
    audio_track,
    coefficient_track,
    command_track,
    feature_track,
    joint_state_track,
    stamp_ns,
    stamp_track,
    state_track,
)
from listener_head.graph import TOPICS
from listener_head.images import bgr_pixels

if TYPE_CHECKING:
    from listener_head.bags.connection import Connection

# The topics of the graph that a recording is read for.
KEYS = (
    "speaker/image",
    "speaker/audio",
    "speaker/audio_features",
    "speaker/coefficients",
    "listener/coefficients",
    "listener/state",
    "listener/image",
    "joint_commands",
    "joint_states",
)


@dataclass(frozen=True)
class Recording:
    """A recording in memory but for its images, which are read when they are wanted.

    ``topics`` gives the full name for each of ``KEYS`` that is there; ``first_ns`` and ``last_ns``
    are when the first and the last message were received.
    """

    path: Path
    topics: dict[str, str]
    first_ns: int
    last_ns: int
    speaker: CoefficientTrack
    listener: CoefficientTrack
    states: StateTrack
    commands: JointTrack
    joint_states: JointTrack
    features: FeatureTrack
    audio: AudioTrack
    speaker_images: StampTrack
    listener_images: StampTrack

    @property
    def camera_ns(self) -> NDArray[np.int64]:
        """Stamps of the camera frames that are known of, by the frame itself or by its coefficients."""
        stamps = np.unique(np.concatenate([self.speaker_images.stamp_ns, self.speaker.source_ns]))
        return stamps[stamps > 0]

    @property
    def start_ns(self) -> int:
        """When the speaker's picture or sound begins, the earlier; without either, the first message."""
        starts = [int(self.camera_ns[0])] if len(self.camera_ns) else []
        if len(self.audio.samples):
            starts.append(self.audio.start_ns)
        return min(starts, default=self.first_ns)

    def require(self, *keys: str) -> None:
        """UserError that names the topics among ``keys`` without a message."""
        missing = [key for key in keys if key not in self.topics]
        if missing:
            raise UserError(
                f"recording {self.path} has no messages of {', '.join(missing)}; "
                "record these topics and see that their nodes run"
            )

    def images(self, key: str) -> Iterator[tuple[int, NDArray[np.uint8]]]:
        """Stamp [ns] and picture [H, W, 3] RGB of "speaker/image" or "listener/image", one by one."""
        store = load_typestore()
        with open_recording(self.path) as reader:
            connections = [c for c in reader.connections if c.topic == self.topics.get(key)]
            if not connections:
                return
            for _, _, data in reader.messages(connections):
                message: Any = store.deserialize_cdr(data, TOPICS[key])
                yield stamp_ns(message.header.stamp), _rgb(self.topics[key], message)


def read_recording(path: Path) -> Recording:
    """Read a rosbag2 folder or an .mcap file.

    Raises UserError for a path that is not there, a file that is broken or empty, a topic of another
    type, and messages that contradict each other.
    """
    store = load_typestore()
    messages: dict[str, list[Received]] = {key: [] for key in KEYS}
    images: dict[str, tuple[list[int], list[int]]] = {
        key: ([], []) for key in KEYS if TOPICS[key] == "sensor_msgs/msg/Image"
    }
    first, last = 0, 0
    with open_recording(path) as reader:
        chosen = _choose_topics(path, reader.connections)
        key_of = {connection.topic: key for key, connection in chosen.items()}
        for connection, time_ns, data in reader.messages(list(chosen.values())) if chosen else ():
            first, last = first or time_ns, time_ns
            key = key_of[connection.topic]
            if key in images:
                images[key][0].append(time_ns)
                images[key][1].append(header_stamp_ns(data))
            else:
                messages[key].append((time_ns, store.deserialize_cdr(data, connection.msgtype)))
        topics = {
            key: connection.topic
            for key, connection in chosen.items()
            if messages[key] or (key in images and images[key][0])
        }
    if not topics:
        raise UserError(f"recording {path} has no message of {', '.join(KEYS)}; record the graph's topics")

    commands = command_track("joint_commands", messages["joint_commands"])
    return Recording(
        path=path,
        topics=topics,
        first_ns=first,
        last_ns=last,
        speaker=coefficient_track("speaker/coefficients", messages["speaker/coefficients"]),
        listener=coefficient_track("listener/coefficients", messages["listener/coefficients"]),
        states=state_track(messages["listener/state"]),
        commands=commands,
        joint_states=joint_state_track("joint_states", messages["joint_states"], commands.names),
        features=feature_track("speaker/audio_features", messages["speaker/audio_features"]),
        audio=audio_track("speaker/audio", messages["speaker/audio"]),
        speaker_images=stamp_track(*images["speaker/image"]),
        listener_images=stamp_track(*images["listener/image"]),
    )


def _choose_topics(path: Path, connections: list[Connection]) -> dict[str, Connection]:
    """The connection for each of KEYS, checked for type and version."""
    store = load_typestore()
    chosen: dict[str, Connection] = {}
    for connection in connections:
        parts = connection.topic.strip("/").split("/")
        key = next((k for k in ("/".join(parts[-2:]), parts[-1]) if k in KEYS), None)
        if key is None or not connection.msgcount:
            continue
        if key in chosen:
            raise UserError(
                f"recording {path} has two topics {key}: {chosen[key].topic} and {connection.topic}; "
                "record one namespace at a time"
            )
        expected = TOPICS[key]
        if connection.msgtype != expected:
            raise UserError(f"topic {connection.topic} has type {connection.msgtype}; it needs {expected}")
        if connection.digest and connection.digest != store.hash_rihs01(expected):
            raise UserError(
                f"topic {connection.topic} has another version of {expected}; "
                "read it with the version of this package that recorded it"
            )
        chosen[key] = connection
    return chosen


def _rgb(topic: str, image: Any) -> NDArray[np.uint8]:
    try:
        return np.ascontiguousarray(bgr_pixels(image)[:, :, ::-1])
    except UserError as problem:
        raise UserError(f"{topic}: {problem}") from problem
