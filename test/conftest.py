"""What several tests share."""

from __future__ import annotations

import os
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

REPOSITORY = Path(__file__).resolve().parent.parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Nodes run in real time: with another test beside them they would be late."""
    for item in items:
        if "ros" in getattr(item, "fixturenames", ()):
            item.add_marker("alone")


@pytest.fixture(scope="session")
def ros():
    """rclpy with a context of its own: this machine only, and a domain that nobody else has."""
    import rclpy

    from listener_head.runner import environment, own_domain

    os.environ.update(environment(own_domain()))
    rclpy.init()
    yield rclpy
    rclpy.try_shutdown()


@pytest.fixture(scope="session")
def real_clips() -> Path:
    """Folder of clips of real people, which are not in the repository."""
    shared = Path(os.environ.get("LISTENER_HEAD_SHARED", REPOSITORY.parent / "shared"))
    if not (shared / "data").is_dir():
        pytest.skip("clips of real people are not on this machine (LISTENER_HEAD_SHARED)")
    return shared / "data"


@pytest.fixture(scope="session")
def write_clip() -> Callable[..., Path]:
    """The function that writes a small video file."""
    return _write_clip


def _write_clip(
    path: Path,
    seconds: float = 1.0,
    fps: int = 25,
    size: tuple[int, int] = (96, 64),
    sample_rate: int = 16000,
    picture: bool = True,
    sound: bool = True,
) -> Path:
    """A clip whose brightness grows frame by frame and whose sound is a 440 Hz tone."""
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=fps) if picture else None
        audio = container.add_stream("pcm_s16le", rate=sample_rate, layout="mono") if sound else None
        if video is not None:
            video.width, video.height, video.pix_fmt = *size, "yuv420p"
            for i in range(round(seconds * fps)):
                pixels = np.full((size[1], size[0], 3), 20 + 3 * i, np.uint8)
                frame = av.VideoFrame.from_ndarray(pixels, format="bgr24")
                frame.pts, frame.time_base = i, Fraction(1, fps)
                container.mux(video.encode(frame))
            container.mux(video.encode())
        if audio is not None:
            t = np.arange(round(seconds * sample_rate)) / sample_rate
            samples = (8000 * np.sin(2 * np.pi * 440 * t)).astype(np.int16)
            piece = av.AudioFrame.from_ndarray(samples[None], format="s16", layout="mono")
            piece.sample_rate, piece.pts = sample_rate, 0
            container.mux(audio.encode(piece))
            container.mux(audio.encode())
    return path
