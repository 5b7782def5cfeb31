"""Coefficients in each kind of file, for the tests of this folder."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rosbags.rosbag2 import StoragePlugin, Writer

from listener_head.bags.typestore import load_typestore
from listener_head.coefficients import LAYOUTS
from listener_head.extraction.clip_file import ClipFeatures, write_clip
from listener_head.timing import grid_time_ns

LAYOUT = LAYOUTS["arkit52"]
FACES = "listener_head/msg/FaceCoefficients"
START_NS = 1_700_000_000_000_000_000
MS = 1_000_000


def turning(frames: int, degrees: float = 30.0) -> np.ndarray:
    """Motion [T, 58] that turns the head from one side to the other, each frame another picture."""
    motion = np.tile(LAYOUT.neutral(), (frames, 1))
    motion[:, 1] = np.radians(np.linspace(-degrees, degrees, frames))
    return motion


@pytest.fixture
def write_motion(tmp_path: Path) -> Callable[..., Path]:
    """Write motion [T, M] as .npy."""

    def write(motion: np.ndarray, name: str = "motion.npy") -> Path:
        np.save(tmp_path / name, motion)
        return tmp_path / name

    return write


@pytest.fixture
def write_npz(tmp_path: Path) -> Callable[..., Path]:
    """Write a clip as `listener_head extract` does."""

    def write(motion: np.ndarray, valid: np.ndarray | None = None) -> Path:
        count = len(motion)
        stamps = np.array([grid_time_ns(step) for step in range(count)])
        clip = ClipFeatures(
            uuid="clip",
            role="listener",
            audio_layout="paper45",
            face_model="arkit52",
            image_size=(640, 480),
            source=json.loads("{}"),
            stamps_ns=stamps,
            source_stamps_ns=stamps,
            audio_features=np.zeros((count, 45), np.float32),
            voice_activity=np.zeros(count, np.float32),
            motion=motion,
            valid=np.ones(count, bool) if valid is None else valid,
            confidence=np.ones(count, np.float32),
            identity=np.zeros((count, 20), np.float32),
            texture=np.zeros((count, 0), np.float32),
            lighting=np.zeros((count, 0), np.float32),
        )
        with (tmp_path / "clip.npz").open("wb") as file:
            write_clip(file, clip)
        return tmp_path / "clip.npz"

    return write


def message(msgtype: str, **fields: Any) -> Any:
    return load_typestore().types[msgtype](**fields)


def header(time_ns: int) -> Any:
    stamp = message("builtin_interfaces/msg/Time", sec=time_ns // 10**9, nanosec=time_ns % 10**9)
    return message("std_msgs/msg/Header", stamp=stamp, frame_id="camera")


def face(time_ns: int, motion: np.ndarray, **changed: Any) -> Any:
    """A FaceCoefficients message."""
    none = np.zeros(0, np.float32)
    fields = {
        "header": header(time_ns),
        "source_stamp": header(0).stamp,
        "face_model": "arkit52",
        "face_id": "",
        "identity": none,
        "expression": motion[LAYOUT.expression],
        "texture": none,
        "lighting": none,
        "rotation": motion[LAYOUT.rotation],
        "translation": motion[LAYOUT.translation],
        "crop": none,
        "valid": True,
        "reason": "",
        "confidence": 1.0,
    }
    return message(FACES, **(fields | changed))


def faces(motion: np.ndarray, times_ns: Sequence[int]) -> list[tuple[int, Any]]:
    """Messages of a motion, each with when it came."""
    return [(time + 20 * MS, face(time, row)) for time, row in zip(times_ns, motion, strict=True)]


@pytest.fixture
def write_bag(tmp_path: Path) -> Callable[..., Path]:
    """Write a rosbag2 folder: for each topic its type and the messages with their time of arrival."""

    def write(
        topics: dict[str, tuple[str, list[tuple[int, Any]]]], plugin: StoragePlugin = StoragePlugin.SQLITE3
    ) -> Path:
        path, store = tmp_path / "bag", load_typestore()
        with Writer(path, version=9, storage_plugin=plugin) as writer:
            for topic, (msgtype, messages) in topics.items():
                connection = writer.add_connection(topic, msgtype, typestore=store)
                for time_ns, content in messages:
                    writer.write(connection, time_ns, store.serialize_cdr(content, msgtype))
        return path

    return write
