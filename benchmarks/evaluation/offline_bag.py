"""A recording evaluated offline, against the time it took to record: the ratio is how many times faster.

The recording is the clip that ships, over and over, in the middle of 640 x 480, as JPEG pictures at 30 a
second with sound. `python benchmarks/evaluation/offline_bag.py --minutes 30` tells about a long one.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

from listener_head.bags.clip import ClipJob, record_clip
from listener_head.demo import shipped_clip
from listener_head.sources import VideoFile
from listener_head.timing import RATE_HZ

NAMES = ("evaluate_bag",)  # of the figures that `run` gives

SECONDS = 60
WIDTH, HEIGHT = 640, 480


def pictures(clip: VideoFile) -> Iterator[np.ndarray]:
    """The clip's pictures without end, in the middle of a grey one."""
    while True:
        for image in clip.images():
            canvas = np.full((HEIGHT, WIDTH, 3), 128, np.uint8)
            left = (WIDTH - HEIGHT) // 2
            canvas[:, left : left + HEIGHT] = cv2.resize(
                image.pixels, (HEIGHT, HEIGHT), interpolation=cv2.INTER_AREA
            )
            yield canvas


def sounds(clip: VideoFile) -> Iterator[np.ndarray]:
    """The clip's sound without end."""
    while True:
        yield from (sound.samples for sound in clip.sound())


def write_talk(path: Path, seconds: float) -> None:
    """A video of the speaker that ships, as long as is wanted."""
    clip = VideoFile(shipped_clip())
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=RATE_HZ, options={"preset": "ultrafast", "crf": "18"})
        video.width, video.height, video.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        audio = container.add_stream("aac", rate=clip.sample_rate, layout="mono")
        sound, heard = sounds(clip), 0
        for number, picture in zip(range(round(seconds * RATE_HZ)), pictures(clip), strict=False):
            while heard < (number + 1) * clip.sample_rate // RATE_HZ:
                samples = next(sound)[:, :1]
                frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples.T), "s16", "mono")
                frame.sample_rate, frame.pts = clip.sample_rate, heard
                container.mux(audio.encode(frame))
                heard += len(samples)
            shown = av.VideoFrame.from_ndarray(picture, format="bgr24")
            shown.pts, shown.time_base = number, Fraction(1, RATE_HZ)
            container.mux(video.encode(shown))
        container.mux(audio.encode())
        container.mux(video.encode())


def measure(seconds: float, *options: str) -> tuple[float, float]:
    """Seconds that the command takes, and its memory at most [MB]."""
    with tempfile.TemporaryDirectory() as folder:
        talk, bag = Path(folder) / "talk.mp4", Path(folder) / "talk"
        write_talk(talk, seconds)
        record_clip(ClipJob(talk, bag), lambda what, done, total: None)
        command = "from listener_head.cli import main; main()"
        output = str(Path(folder) / "out")
        began = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, "-c", command, "evaluate", str(bag), "--output", output, *options],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        _, status, usage = os.wait4(process.pid, 0)
        if status:
            raise RuntimeError(f"listener_head evaluate ended with status {status}")
        return time.perf_counter() - began, usage.ru_maxrss / 1024


def run() -> dict[str, dict[str, Any]]:
    taken, _ = measure(SECONDS)
    return {
        "evaluate_bag": {
            "ours_ms": taken * 1e3,
            "reference_ms": SECONDS * 1e3,
            "ratio": SECONDS / taken,
            "reference": "the recording's own time",
            "n": 1,
        }
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=SECONDS / 60)
    parser.add_argument("--video-seconds", default="10")
    arguments = parser.parse_args()
    taken, memory_mb = measure(arguments.minutes * 60, "--video-seconds", arguments.video_seconds)
    print(f"{arguments.minutes:g} min in {taken:.1f} s: {arguments.minutes * 60 / taken:.1f} times faster;")
    print(f"{memory_mb:.0f} MB at most")
