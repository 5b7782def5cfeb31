"""Clips of the shipped speaker, cut short and shot at any frame rate."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from listener_head.extraction.settings import AudioLayout, Backend, Format, Settings
from listener_head.paths import assets_dir
from listener_head.sources import VideoFile

LONGEST = 2.0  # [s]
SIDE = 320  # [px]


@pytest.fixture(scope="session")
def speaker():
    """The beginning of the shipped clip: frames uint8 [T, H, W, 3] at 30 Hz, sound int16 [N] at 16 kHz."""
    video = VideoFile(assets_dir() / "speaker.mp4", largest_side=SIDE)
    frames = [image.pixels for image, _ in zip(video.images(), range(round(30 * LONGEST)), strict=False)]
    sound = np.concatenate([piece.samples[:, 0] for piece in video.sound()])
    return np.array(frames), sound[: round(16000 * LONGEST)]


@pytest.fixture(scope="session")
def write_talk(speaker) -> Callable[..., Path]:
    """The function that writes a part of the shipped clip as it would look from a camera of another rate."""

    def write(path: Path, seconds: float = 1.0, fps: int = 30, sound: bool = True) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        frames, samples = speaker
        with av.open(str(path), "w") as container:
            video = container.add_stream("libx264", rate=fps, options={"preset": "ultrafast", "crf": "18"})
            video.width, video.height, video.pix_fmt = SIDE, SIDE, "yuv420p"
            audio = container.add_stream("aac", rate=16000, layout="mono") if sound else None
            for number in range(round(seconds * fps)):
                pixels = frames[min(number * 30 // fps, len(frames) - 1)]
                frame = av.VideoFrame.from_ndarray(pixels, format="bgr24")
                frame.pts, frame.time_base = number, Fraction(1, fps)
                container.mux(video.encode(frame))
            container.mux(video.encode())
            if audio is not None:
                _encode(container, audio, samples[: round(16000 * seconds)])
        return path

    return write


@pytest.fixture(scope="session")
def write_sound(speaker) -> Callable[[Path, float], Path]:
    """The function that writes the shipped clip's sound as a WAV file at 44.1 kHz (each sample repeated)."""

    def write(path: Path, seconds: float) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        positions = np.arange(round(44100 * seconds)) * 16000 // 44100
        with av.open(str(path), "w") as container:
            stream = container.add_stream("pcm_s16le", rate=44100, layout="mono")
            _encode(container, stream, speaker[1][positions], 44100)
        return path

    return write


def _encode(container, stream, samples, rate=16000):
    piece = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples[None]), format="s16", layout="mono")
    piece.sample_rate, piece.pts = rate, 0
    container.mux(stream.encode(piece))
    container.mux(stream.encode())


@pytest.fixture
def settings(tmp_path) -> Callable[..., Settings]:
    """The function that makes settings for the folders ``clips`` and ``out`` of the test."""

    def make(formats=(Format.NPZ,), audio_layout=AudioLayout.PAPER45, **others) -> Settings:
        given = dict(face_model="arkit52", backend=Backend.LANDMARKS, deep3d_network=None) | others
        return Settings(tmp_path / "clips", tmp_path / "out", tuple(formats), audio_layout, **given)

    return make
