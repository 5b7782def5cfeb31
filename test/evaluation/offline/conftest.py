"""A speaker who was perceived, without a recording."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from listener_head.bags.clip import ClipJob, record_clip
from listener_head.coefficients import LAYOUTS
from listener_head.demo import shipped_clip
from listener_head.evaluation.offline.data import Envelope, Heard, Perceived, Seen
from listener_head.sources import VideoFile
from listener_head.timing import grid_time_ns, index_at_or_after

START_NS = 1_700_000_000_000_000_000
LAYOUT = LAYOUTS["arkit52"]


@pytest.fixture
def speaker() -> Callable[..., Perceived]:
    """The function that makes what is perceived of a speaker who nods and hums."""
    return _speaker


def _speaker(seconds: float = 4.0, fps: float = 30.0, phase_ns: int = 0, seed: int = 0) -> Perceived:
    rng = np.random.default_rng(seed)
    stamps = START_NS + phase_ns + np.round(np.arange(int(seconds * fps)) * 1e9 / fps).astype(np.int64)
    times = (stamps - START_NS) * 1e-9
    motion = np.tile(LAYOUT.neutral(), (len(stamps), 1)).astype(np.float32)
    motion[:, LAYOUT.rotation] += 0.1 * np.sin(2 * np.pi * times[:, None] * (0.7, 0.3, 0.2))
    motion[:, LAYOUT.expression] = rng.uniform(0, 0.3, (len(stamps), 52))
    first = index_at_or_after(START_NS)
    indices = first + np.arange(int(seconds * 30))
    heard = Heard(
        "paper45",
        indices,
        rng.normal(0, 1, (len(indices), 45)).astype(np.float32),
        rng.uniform(0, 1, len(indices)).astype(np.float32),
        np.zeros(len(indices), np.uint8),
    )
    none = np.zeros(0, np.float32)
    seen = Seen(LAYOUT, stamps, motion, np.ones(len(stamps), bool), (640, 480))
    assert grid_time_ns(first) >= START_NS
    return Perceived(seen, heard, None, Envelope(np.zeros(0, np.int64), none, none), none, none)


@pytest.fixture(scope="session")
def talk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A video of four seconds of the speaker that ships, small."""
    clip = VideoFile(shipped_clip(), largest_side=256)
    path = tmp_path_factory.mktemp("talk") / "talk.mp4"
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=30, options={"preset": "ultrafast", "crf": "18"})
        video.width, video.height, video.pix_fmt = 256, 256, "yuv420p"
        audio = container.add_stream("pcm_s16le", rate=clip.sample_rate, layout="mono")
        for number, image in zip(range(4 * 30), clip.images(), strict=False):
            shown = av.VideoFrame.from_ndarray(image.pixels, format="bgr24")
            shown.pts, shown.time_base = number, Fraction(1, 30)
            container.mux(video.encode(shown))
        container.mux(video.encode())
        samples = np.concatenate([sound.samples[:, :1] for sound in clip.sound()])[: 4 * clip.sample_rate]
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples.T), "s16", "mono")
        frame.sample_rate, frame.pts = clip.sample_rate, 0
        container.mux(audio.encode(frame))
        container.mux(audio.encode())
    return path


@pytest.fixture(scope="session")
def talk_bag(talk: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The talk as a recording, and before a second camera the same person as a true listener."""
    path = tmp_path_factory.mktemp("bag") / "talk_bag"
    record_clip(ClipJob(talk, path, listener=talk), lambda what, done, total: None)
    return path
