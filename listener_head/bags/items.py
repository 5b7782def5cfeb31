"""What a recording is made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from listener_head.errors import UserError
from listener_head.graph import COMPRESSED
from listener_head.images import COMPRESSED_IMAGE, IMAGE, any_bgr_pixels
from listener_head.sounds import AUDIO_CHUNK, AUDIO_INFO, SOUNDS
from listener_head.timing import NS_PER_S

__all__ = [
    "ATTITUDE",
    "AUDIO_CHUNK",
    "AUDIO_INFO",
    "CAMERA_INFO",
    "CLOCK",
    "COMPRESSED",
    "COMPRESSED_IMAGE",
    "IMAGE",
    "IMAGES",
    "LISTENER_CAMERA",
    "SOUNDS",
    "TAKEN",
    "Chunk",
    "Item",
    "Message",
    "Picture",
    "Topic",
]

CAMERA_INFO = "sensor_msgs/msg/CameraInfo"
CLOCK = "rosgraph_msgs/msg/Clock"
ATTITUDE = "listener_head/msg/Attitude"
IMAGES = (IMAGE, COMPRESSED_IMAGE)
LISTENER_CAMERA = "listener_camera"  # the camera that watches a true listener
TAKEN = (*IMAGES, *SOUNDS)  # what a speaker is seen and heard by


@dataclass(frozen=True)
class Topic:
    """A topic of a recording and how many messages it has."""

    name: str
    msgtype: str
    count: int


@dataclass(frozen=True)
class Picture:
    """A picture that is decoded when it is wanted."""

    topic: str
    stamp_ns: int
    received_ns: int
    frame_id: str
    content: Any

    def decode(self) -> NDArray[np.uint8]:
        """Pixels, uint8 [H, W, 3] BGR; UserError that names topic, stamp and fault."""
        try:
            return any_bgr_pixels(self.content)
        except UserError as problem:
            raise UserError(f"topic {self.topic}, stamp {self.stamp_ns / NS_PER_S:.3f}: {problem}") from None


@dataclass(frozen=True)
class Chunk:
    """A piece of sound: int16 [N, channels], full scale 32767; ``stamp_ns`` is that of its first sample."""

    topic: str
    stamp_ns: int
    received_ns: int
    samples: NDArray[np.int16]
    sample_rate: int


@dataclass(frozen=True)
class Message:
    """A message of any other type."""

    topic: str
    stamp_ns: int
    received_ns: int
    message: Any


Item = Picture | Chunk | Message
