"""A clip, or two of a conversation, to a recording: what cameras and a microphone would have sent."""

from __future__ import annotations

import heapq
import os
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from listener_head.bags.items import (
    ATTITUDE,
    AUDIO_CHUNK,
    COMPRESSED,
    COMPRESSED_IMAGE,
    IMAGE,
    LISTENER_CAMERA,
)
from listener_head.bags.typestore import load_typestore
from listener_head.bags.writer import RecordingWriter
from listener_head.errors import UserError
from listener_head.progress import Report
from listener_head.sources import Image, Sound, VideoFile
from listener_head.timing import NS_PER_S

# A recording of a clip begins then, so that it is the same every time.
START_NS = 1_700_000_000 * NS_PER_S
JPEG_QUALITY = 95

_SPEAKER_IMAGE, _SPEAKER_AUDIO = "/speaker/image", "/speaker/audio"
_LISTENER_IMAGE = f"/{LISTENER_CAMERA}/image"
# Pictures that are encoded at once; each takes some megabytes.
_AHEAD = 16

_Event = tuple[int, str, Image | Sound]  # when it is due, topic, content


@dataclass(frozen=True)
class ClipJob:
    """What is recorded: ``listener`` is a second clip that began at the same time, of a true listener.

    Pictures are compressed (JPEG) or ``raw``. Of ``attitude`` given, its topic says it from the start on.
    """

    input: Path
    output: Path
    listener: Path | None = None
    raw: bool = False
    attitude: str = ""


@dataclass(frozen=True)
class Recorded:
    """How much was recorded."""

    messages: int
    seconds: float


def record_clip(job: ClipJob, report: Report) -> Recorded:
    """Write a clip to a rosbag2 folder, as fast as the machine allows; the same bytes on every run.

    UserError for clips that cannot be read, an attitude that is unknown, and an output that exists or cannot
    be written.
    """
    speaker = VideoFile(job.input)
    listener = VideoFile(job.listener, silent=True) if job.listener else None
    messages = _Messages(job.raw)
    attitude = messages.attitude(job.attitude) if job.attitude else None
    topics = {_SPEAKER_IMAGE: IMAGE, _SPEAKER_AUDIO: AUDIO_CHUNK}
    if listener is not None:
        topics[_LISTENER_IMAGE] = IMAGE
    if attitude is not None:
        topics["/attitude"] = ATTITUDE
    if not job.raw:
        topics = {
            t + COMPRESSED * (m == IMAGE): COMPRESSED_IMAGE if m == IMAGE else m for t, m in topics.items()
        }
    total = round(speaker.duration * 1000)
    count, due_ns = 0, 0
    with RecordingWriter(job.output, topics) as writer:
        if attitude is not None:
            writer.write("/attitude", START_NS, attitude)
            count += 1
        for due_ns, topic, cdr in _encoded(_events(speaker, listener), messages):
            writer.write(topic, START_NS + due_ns, cdr)
            count += 1
            report("recording", due_ns // 1_000_000, total)
    return Recorded(count, due_ns / NS_PER_S)


def _events(speaker: VideoFile, listener: VideoFile | None) -> Iterator[_Event]:
    """Pictures and sound in the order in which they would have come."""
    own = (
        (event.due_ns, _SPEAKER_IMAGE if isinstance(event, Image) else _SPEAKER_AUDIO, event)
        for event in speaker.events()
    )
    others = ((event.due_ns, _LISTENER_IMAGE, event) for event in (listener.images() if listener else ()))
    return heapq.merge(own, others, key=lambda event: event[0])


def _encoded(events: Iterator[_Event], messages: _Messages) -> Iterator[tuple[int, str, bytes]]:
    """Time, topic and serialised message of the events; several are encoded at once."""
    waiting: deque[tuple[int, Future[tuple[str, bytes]]]] = deque()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for due_ns, topic, event in events:
            waiting.append((due_ns, pool.submit(messages.encode, topic, event)))
            if len(waiting) > _AHEAD:
                first_ns, encoded = waiting.popleft()
                yield (first_ns, *encoded.result())
        for first_ns, encoded in waiting:
            yield (first_ns, *encoded.result())


class _Messages:
    """Serialises pictures and sound."""

    def __init__(self, raw: bool) -> None:
        self._raw = raw
        self._store = load_typestore()

    def encode(self, topic: str, event: Image | Sound) -> tuple[str, bytes]:
        """The topic of an event's message, and the message."""
        if isinstance(event, Sound):
            return topic, self._sound(event)
        if self._raw:
            return topic, self._picture(topic, event)
        return topic + COMPRESSED, self._compressed(topic, event)

    def attitude(self, name: str) -> bytes:
        """A message of one of the attitudes of Attitude.msg; UserError for another."""
        names = [each[0].lower() for each in self._store.fielddefs[ATTITUDE][0]]
        if name not in names:
            raise UserError(f"attitude '{name}' is unknown; choose one of {', '.join(names)}")
        code = getattr(self._store.types[ATTITUDE], name.upper())
        return self._serialised(ATTITUDE, 0, "", attitude=code)

    def _sound(self, sound: Sound) -> bytes:
        return self._serialised(
            AUDIO_CHUNK,
            sound.time_ns,
            "microphone",
            sample_rate=sound.sample_rate,
            channels=sound.samples.shape[1],
            samples=sound.samples.reshape(-1),
        )

    def _picture(self, topic: str, image: Image) -> bytes:
        height, width, channels = image.pixels.shape
        return self._serialised(
            IMAGE,
            image.time_ns,
            _frame_id(topic),
            height=height,
            width=width,
            encoding="bgr8",
            is_bigendian=0,
            step=width * channels,
            data=image.pixels.reshape(-1),
        )

    def _compressed(self, topic: str, image: Image) -> bytes:
        _, jpeg = cv2.imencode(".jpg", image.pixels, (cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY))
        data = np.frombuffer(jpeg, np.uint8)
        format = "bgr8; jpeg compressed bgr8"
        return self._serialised(COMPRESSED_IMAGE, image.time_ns, _frame_id(topic), format=format, data=data)

    def _serialised(self, msgtype: str, time_ns: int, frame_id: str, **fields: Any) -> bytes:
        types = self._store.types
        seconds, nanoseconds = divmod(START_NS + time_ns, NS_PER_S)
        stamp = types["builtin_interfaces/msg/Time"](sec=seconds, nanosec=nanoseconds)
        header = types["std_msgs/msg/Header"](stamp=stamp, frame_id=frame_id)
        return bytes(self._store.serialize_cdr(types[msgtype](header=header, **fields), msgtype))


def _frame_id(topic: str) -> str:
    return "camera_optical_frame" if topic == _SPEAKER_IMAGE else f"{LISTENER_CAMERA}_optical_frame"
