"""Writes recordings message by message, as rosbags' writer does it, in every storage and compression."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin, Writer

from listener_head.bags.typestore import load_typestore

MS = 1_000_000
START_NS = 1_700_000_000_000_000_000

IMAGE = "sensor_msgs/msg/Image"
COMPRESSED = "sensor_msgs/msg/CompressedImage"
CHUNK = "listener_head/msg/AudioChunk"

# Everything that rosbags writes.
STORAGES = [
    (StoragePlugin.SQLITE3, CompressionMode.NONE),
    (StoragePlugin.SQLITE3, CompressionMode.FILE),
    (StoragePlugin.SQLITE3, CompressionMode.MESSAGE),
    (StoragePlugin.MCAP, CompressionMode.NONE),
    (StoragePlugin.MCAP, CompressionMode.FILE),
    (StoragePlugin.MCAP, CompressionMode.MESSAGE),
    (StoragePlugin.MCAP, CompressionMode.STORAGE),
]
STORAGE_NAMES = [f"{plugin.name}-{mode.name}".lower() for plugin, mode in STORAGES]

Event = tuple[int, str, Any]  # time of recording, topic, message


def message(msgtype: str, package: str = "", **fields: Any) -> Any:
    return load_typestore(package).types[msgtype](**fields)


def header(time_ns: int, frame_id: str = "camera") -> Any:
    stamp = message("builtin_interfaces/msg/Time", sec=time_ns // 10**9, nanosec=time_ns % 10**9)
    return message("std_msgs/msg/Header", stamp=stamp, frame_id=frame_id)


def picture(time_ns: int, level: int = 0, **fields: Any) -> Any:
    """A picture 4 high and 6 wide whose blue is ``level``."""
    pixels = np.full((4, 6, 3), (level % 256, 7, 9), np.uint8)
    usual = {"height": 4, "width": 6, "encoding": "bgr8", "is_bigendian": 0, "step": 18}
    return message(IMAGE, header=header(time_ns), data=pixels.reshape(-1), **(usual | fields))


def compressed(time_ns: int, data: bytes, format: str = "jpeg") -> Any:
    return message(COMPRESSED, header=header(time_ns), format=format, data=np.frombuffer(data, np.uint8))


def chunk(time_ns: int, samples: np.ndarray, rate: int = 16_000, channels: int = 1) -> Any:
    return message(
        CHUNK, header=header(time_ns), sample_rate=rate, channels=channels, samples=samples.astype(np.int16)
    )


def write_bag(
    path: Path,
    events: Iterable[Event],
    storage: tuple[StoragePlugin, CompressionMode] = (StoragePlugin.MCAP, CompressionMode.NONE),
    package: str = "",
) -> Path:
    """Write messages; ``package`` is which one called audio_common_msgs."""
    store = load_typestore(package)
    writer = Writer(path, version=9, storage_plugin=storage[0])
    writer.set_compression(storage[1], CompressionFormat.ZSTD)
    with writer:
        connections: dict[str, Any] = {}
        for time_ns, topic, content in events:
            msgtype = content.__msgtype__
            if topic not in connections:
                connections[topic] = writer.add_connection(topic, msgtype, typestore=store)
            writer.write(connections[topic], time_ns, bytes(store.serialize_cdr(content, msgtype)))
    return path


def speaker(
    seconds: float = 1.0, image: str = "/speaker/image", audio: str = "/speaker/audio"
) -> list[Event]:
    """Pictures at 30 Hz and sound in chunks of 10 ms that counts its samples; recorded 2 ms late."""
    events: list[Event] = []
    for index in range(int(seconds * 30)):
        time_ns = START_NS + index * 33 * MS
        events.append((time_ns + 2 * MS, "/speaker/image", picture(time_ns, index)))
    for index in range(int(seconds * 100)):
        time_ns = START_NS + index * 10 * MS
        samples = np.arange(index * 160, (index + 1) * 160) % 30_000
        events.append((time_ns + 12 * MS, "/speaker/audio", chunk(time_ns, samples)))
    return sorted(events, key=lambda event: event[0])
