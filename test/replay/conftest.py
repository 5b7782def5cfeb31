"""Recordings of a speaker."""

from __future__ import annotations

from pathlib import Path

import pytest

from listener_head.bags.typestore import load_typestore
from listener_head.bags.writer import RecordingWriter
from listener_head.demo import shipped_clip
from listener_head.sources import Image, VideoFile
from listener_head.timing import NS_PER_S

START_NS = 1_700_000_000_123_456_789
SECONDS = 4.0
IMAGE, AUDIO = "/robot/camera/image_raw", "/robot/microphone"


@pytest.fixture(scope="session")
def speaker_bag(tmp_path_factory) -> Path:
    """A recording of the first seconds of the clip that ships, as a robot's camera and microphone make it."""
    path = tmp_path_factory.mktemp("bags") / "speaker"
    topics = {IMAGE: "sensor_msgs/msg/Image", AUDIO: "listener_head/msg/AudioChunk"}
    with RecordingWriter(path, topics) as writer:
        for event in VideoFile(shipped_clip(), largest_side=320).events():
            if event.due_ns > SECONDS * NS_PER_S:
                break
            topic = IMAGE if isinstance(event, Image) else AUDIO
            writer.write(topic, START_NS + event.due_ns, _cdr(topics[topic], event))
    return path


def _cdr(msgtype, event) -> bytes:
    store = load_typestore()
    kinds = store.types
    seconds, nanoseconds = divmod(START_NS + event.time_ns, NS_PER_S)
    stamp = kinds["builtin_interfaces/msg/Time"](sec=seconds, nanosec=nanoseconds)
    header = kinds["std_msgs/msg/Header"](stamp=stamp, frame_id="camera")
    if isinstance(event, Image):
        height, width, _ = event.pixels.shape
        fields = {"height": height, "width": width, "encoding": "bgr8", "is_bigendian": 0, "step": 3 * width}
        message = kinds[msgtype](header=header, data=event.pixels.reshape(-1), **fields)
    else:
        channels = event.samples.shape[1]
        samples = event.samples.reshape(-1)
        message = kinds[msgtype](
            header=header, sample_rate=event.sample_rate, channels=channels, samples=samples
        )
    return bytes(store.serialize_cdr(message, msgtype))
