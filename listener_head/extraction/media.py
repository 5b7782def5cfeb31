"""Clips read from end to end: the sound as one array, and those pictures that the 30 Hz grid holds.

Unlike `listener_head.sources`, which plays a file as camera and microphone would, this reads each stream by
itself, takes a sound file beside a silent video, converts no picture that no grid step uses, and refuses a
damaged file instead of ending early.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from listener_head.audio.stream import HIGHEST_RATE, LOWEST_RATE
from listener_head.errors import UserError
from listener_head.sources import Sound
from listener_head.sources.video_file import bgr_pixels
from listener_head.timing import NS_PER_S, RATE_HZ, index_at_or_after

VIDEO_ENDINGS = (".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".ts", ".ogv", ".wmv")
SOUND_ENDINGS = (".wav", ".flac", ".mp3", ".m4a", ".aac", ".ogg", ".opus", ".wma")

STAMP_ROUNDING_NS = 1_000_000  # Matroska and Flash round stamps to milliseconds
MISSING_END = 0.5  # [s] by which a file may end before its header says
USUAL_RATE = 48_000  # [Hz] to which sound is resampled whose own rate the features do not take


@dataclass(frozen=True)
class Movie:
    """What a video file's header says. ``duration`` [s] is that of its longest stream, 0 if unknown."""

    path: Path
    fps: float
    duration: float
    has_sound: bool


@dataclass(frozen=True)
class Picture:
    """A frame uint8 [H, W, 3] in BGR and the grid steps that hold it (zero-order hold), maybe none.

    ``time_ns`` counts from the clip's first frame. ``size`` is (width, height) in the file, upright.
    ``pixels`` is empty where no step holds it.
    """

    time_ns: int
    steps: range
    pixels: NDArray[np.uint8]
    size: tuple[int, int]


def open_movie(path: Path) -> Movie:
    """The header of a video file; UserError when it is unreadable or has no picture."""
    with _open(path) as container:
        if not container.streams.video:
            raise UserError(f"'{path.name}' has no picture; give a video of a face")
        fps = float(container.streams.video[0].average_rate or RATE_HZ)
        duration = (container.duration or 0) / av.time_base
        return Movie(path, fps, duration, bool(container.streams.audio))


def read_sound(path: Path) -> Sound:
    """All sound of a file; ``time_ns`` is its first sample's instant after the file's first picture, if any.

    UserError when there is none or it cannot be decoded.
    """
    with _open(path) as container:
        if not container.streams.audio:
            raise UserError(f"'{path.name}' has no sound; put a sound file of the same name beside it")
        stream = container.streams.audio[0]
        rate = stream.rate if LOWEST_RATE <= stream.rate <= HIGHEST_RATE else USUAL_RATE
        resampler = av.AudioResampler(format="s16", layout=stream.layout.name, rate=rate)
        pieces: list[NDArray[np.int16]] = []
        start: float | None = None
        for frame in _decoded(container, stream, path):
            start = (frame.time or 0.0) if start is None else start
            pieces += [_samples(piece, stream.channels) for piece in resampler.resample(frame)]
        if start is None:
            raise UserError(f"'{path.name}' has no sound that can be decoded")
        pieces += [_samples(piece, stream.channels) for piece in resampler.resample(None)]
        first_picture = _start(container.streams.video[0]) if container.streams.video else 0.0
    return Sound(round((start - first_picture) * NS_PER_S), np.concatenate(pieces), rate)


def read_pictures(movie: Movie, largest_side: int) -> Iterator[Picture]:
    """The frames upright and no larger than ``largest_side`` pixels, with the grid steps of each.

    UserError when the file is damaged or holds no frame.
    """
    with _open(movie.path) as container:
        stream = container.streams.video[0]
        stream.codec_context.thread_count = 1  # the other cores have clips of their own
        interval_ns = round(NS_PER_S / min(max(movie.fps, 1.0), 1000.0))
        frames = _decoded(container, stream, movie.path)
        empty = True
        for (time_ns, frame), (until_ns, _) in pairwise(_stamped(frames, interval_ns)):
            empty = False
            steps = range(_first_step(time_ns), _first_step(until_ns))
            lying = round(frame.rotation / 90) % 2
            size = (frame.height, frame.width) if lying else (frame.width, frame.height)
            pixels = bgr_pixels(frame, largest_side) if steps else np.empty((0, 0, 3), np.uint8)
            yield Picture(time_ns, steps, pixels, size)
        if empty:
            raise UserError(f"'{movie.path.name}' holds no frame that can be decoded")


def _stamped(frames: Iterable[av.VideoFrame], interval_ns: int) -> Iterator[tuple[int, av.VideoFrame]]:
    """Each frame with its time since the first, and at the end the last one again with the time of its end.

    A frame whose stamp is missing follows its predecessor at the nominal rate; one whose stamp goes back is
    left out.
    """
    start_ns: int | None = None
    last: tuple[int, av.VideoFrame] | None = None
    for frame in frames:
        if frame.time is not None:
            stamp_ns = round(frame.time * NS_PER_S)
            start_ns = stamp_ns if start_ns is None else start_ns
            time_ns = stamp_ns - start_ns
        else:
            time_ns = last[0] + interval_ns if last else 0
        if last is None or time_ns > last[0]:
            last = time_ns, frame
            yield last
    if last is not None:
        yield last[0] + interval_ns, last[1]


def _first_step(time_ns: int) -> int:
    return index_at_or_after(max(0, time_ns - STAMP_ROUNDING_NS))


def _start(stream: av.stream.Stream) -> float:
    """When a stream begins, on the clock of its file's stamps [s]."""
    return float((stream.start_time or 0) * (stream.time_base or 0))


def _samples(piece: av.AudioFrame, channels: int) -> NDArray[np.int16]:
    return piece.to_ndarray().reshape(-1, channels).astype(np.int16, copy=False)


def _open(path: Path) -> av.container.InputContainer:
    try:
        return av.open(str(path))
    except (av.FFmpegError, OSError) as problem:
        raise UserError(
            f"'{path.name}' cannot be read ({problem.strerror}); convert it with ffmpeg"
        ) from None


def _decoded(container: av.container.InputContainer, stream: Any, path: Path) -> Iterator[Any]:
    time = 0.0
    try:
        for frame in container.decode(stream):
            time = frame.time or time
            yield frame
    except (av.FFmpegError, OSError) as problem:
        raise UserError(f"'{path.name}' is damaged after {time:.1f} s ({problem.strerror})") from None
