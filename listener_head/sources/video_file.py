"""A video file with its sound, as a camera and a microphone would deliver it."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from listener_head.errors import UserError
from listener_head.sources.events import Image, Sound, SourceEvent
from listener_head.timing import NS_PER_S

CHUNK_DURATION = 0.020  # [s] a common period of sound servers; each one costs all who listen a message


class VideoFile:
    """A talking-face video.

    ``fps`` is the nominal frame rate, ``duration`` is in seconds, ``size`` is (width, height) as shown.

    Args:
        path: anything that FFmpeg decodes, with one video and one sound stream.
        largest_side: frames are scaled down to this many pixels; larger ones cost time on the way and
            give the face tracker, which looks at 192 pixels of face, nothing.
        silent: only its pictures are wanted; sound is not asked for.

    Raises:
        UserError: the file is missing, unreadable, or has no picture or no sound.
    """

    def __init__(self, path: str | Path, largest_side: int = 640, silent: bool = False) -> None:
        self.path = Path(path)
        self.largest_side = largest_side
        if not self.path.is_file():
            raise UserError(f"video '{path}' is not a file; give the path of a video with sound")
        with self._open() as container:
            if not container.streams.video:
                raise UserError(f"video '{path}' has no picture; give a video of a talking face")
            if not container.streams.audio and not silent:
                raise UserError(f"video '{path}' has no sound; give a video with the speaker's voice in it")
            stream = container.streams.video[0]
            self.fps = float(stream.average_rate or stream.guessed_rate or 30)
            self.sample_rate = 0 if silent else container.streams.audio[0].rate
            self.duration = self._duration(container)
        first = next(self.images(), None)
        if first is None:
            raise UserError(f"video '{path}' holds no frame that can be decoded; convert it to H.264 in MP4")
        self.size = (first.pixels.shape[1], first.pixels.shape[0])

    def events(self) -> Iterator[SourceEvent]:
        """Frames and sound in the order in which camera and microphone would deliver them."""
        return heapq.merge(self.images(), self.sound(), key=lambda event: event.due_ns)

    def endless_events(self) -> Iterator[SourceEvent]:
        """The same again and again: each pass begins when picture and sound of the one before are over."""
        start_ns = 0
        while True:
            end_ns = start_ns
            for event in self.events():
                moved = replace(event, time_ns=start_ns + event.time_ns)
                last_ns = moved.due_ns + (round(NS_PER_S / self.fps) if isinstance(moved, Image) else 0)
                end_ns = max(end_ns, last_ns)
                yield moved
            start_ns = end_ns

    def images(self) -> Iterator[Image]:
        """The frames, upright, scaled to ``largest_side``."""
        with self._open() as container:
            stream = container.streams.video[0]
            stream.thread_type = "AUTO"
            for frame in self._decode(container, stream):
                if frame.time is None:
                    continue
                pixels = bgr_pixels(frame, self.largest_side)
                yield Image(max(0, round(frame.time * NS_PER_S)), pixels)

    def sound(self) -> Iterator[Sound]:
        """The sound in chunks of ``CHUNK_DURATION``; the last one may be shorter."""
        with self._open() as container:
            stream = container.streams.audio[0]
            resampler = av.AudioResampler(format="s16", layout=stream.layout.name, rate=stream.rate)
            chunk = round(stream.rate * CHUNK_DURATION)
            pending: NDArray[np.int16] | None = None
            first, sent = 0, 0
            for frame in self._decode(container, stream):
                for piece in resampler.resample(frame):
                    samples = piece.to_ndarray().reshape(-1, stream.channels).astype(np.int16, copy=False)
                    if pending is None:
                        # The sound of a file may start later than its picture.
                        first = max(0, round((frame.time or 0.0) * stream.rate))
                        pending = samples
                    else:
                        pending = np.concatenate([pending, samples])
                while pending is not None and len(pending) >= chunk:
                    yield self._chunk(pending[:chunk], first + sent, stream.rate)
                    pending, sent = pending[chunk:], sent + chunk
            if pending is not None and len(pending):
                yield self._chunk(pending, first + sent, stream.rate)

    @staticmethod
    def _chunk(samples: NDArray[np.int16], position: int, rate: int) -> Sound:
        return Sound(position * NS_PER_S // rate, np.ascontiguousarray(samples), rate)

    def _open(self) -> av.container.InputContainer:
        try:
            return av.open(str(self.path))
        except (av.FFmpegError, OSError) as problem:
            raise UserError(
                f"video '{self.path}' cannot be read ({problem.strerror}); give a file that ffmpeg plays"
            ) from problem

    def _decode(self, container: av.container.InputContainer, stream: av.stream.Stream) -> Iterator:
        """Decoded frames; a file that is cut off ends where it can no longer be read."""
        try:
            yield from container.decode(stream)
        except av.FFmpegError:
            return

    @staticmethod
    def _duration(container: av.container.InputContainer) -> float:
        if container.duration is not None:
            return container.duration / av.time_base
        stream = container.streams.video[0]
        return float((stream.duration or 0) * (stream.time_base or 0))


def bgr_pixels(frame: av.VideoFrame, largest_side: int) -> NDArray[np.uint8]:
    """Pixels [H, W, 3] of a decoded frame, upright, no side longer than ``largest_side``.

    FFmpeg scales and converts in one pass, in a third of the time of two. Telephones store frames as the
    sensor saw them, and the turn beside them.
    """
    scale = min(1.0, largest_side / max(frame.width, frame.height))
    width, height = max(1, round(frame.width * scale)), max(1, round(frame.height * scale))
    pixels = frame.to_ndarray(format="bgr24", width=width, height=height, interpolation="AREA")
    return np.ascontiguousarray(np.rot90(pixels, round(frame.rotation / 90)).astype(np.uint8, copy=False))
