"""MP4 (H.264, AAC) of pictures and sound that are placed by their times."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from listener_head.errors import UserError
from listener_head.timing import NS_PER_S

Pixels = NDArray[np.uint8]
# A moment in ns since the video's start, and the RGB picture or the int16 samples [N, channels] of it.
Timed = tuple[int, NDArray[Any]]

SOUND_RATE = 48_000
# Sound is written this far ahead of the picture, as players like it.
SOUND_AHEAD_NS = NS_PER_S // 4
# Shorter holes between pieces of sound are rounding.
SOUND_GAP_S = 0.05
_PIECES_PER_S = 10


@dataclass(frozen=True)
class SoundTrack:
    """Sound in pieces, in order of time: int16 [N, ``channels``] at ``rate`` Hz."""

    pieces: Iterator[Timed]
    rate: int
    channels: int


def sound_track(samples: NDArray[np.int16], rate: int, start_ns: int) -> SoundTrack:
    """The track of samples [N, channels], the first ``start_ns`` after the video's; what is before is cut."""
    samples = samples[max(0, -start_ns) * rate // NS_PER_S :]
    start_ns = max(0, start_ns)
    size = max(1, rate // _PIECES_PER_S)
    pieces = (
        (start_ns + first * NS_PER_S // rate, samples[first : first + size])
        for first in range(0, len(samples), size)
    )
    return SoundTrack(pieces, rate, samples.shape[1])


class Held:
    """Pictures in order of time, each held until the next one's time has come; ``prepare`` is done to each.

    Raises UserError when there is none.
    """

    def __init__(self, pictures: Iterator[Timed], prepare: Callable[[Pixels], Pixels]) -> None:
        self._pictures = pictures
        self._prepare = prepare
        self._next = next(pictures, None)
        if self._next is None:
            raise UserError("the side-by-side video lacks a picture of the speaker or of the listener")
        self._shown = prepare(self._next[1])

    def at(self, time_ns: int) -> Pixels:
        """The newest picture whose time has come, before that the first; times must not go back."""
        newest = None
        while self._next is not None and self._next[0] <= time_ns:
            newest, self._next = self._next, next(self._pictures, None)
        if newest is not None:
            shown = self._prepare(newest[1])
            if shown.shape != self._shown.shape:
                raise UserError(
                    f"pictures change from {self._shown.shape[1]}x{self._shown.shape[0]} to "
                    f"{shown.shape[1]}x{shown.shape[0]} on the way; record one size at a time"
                )
            self._shown = shown
        return self._shown


class VideoEncoder:
    """Writes ``count`` pictures at ``fps`` a second, and the sound that belongs to them, to an MP4 file."""

    def __init__(self, path: Path, fps: int, count: int, sound: SoundTrack | None) -> None:
        self._container = av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"})
        options = {"preset": "veryfast", "crf": "20"}
        self._fps = fps
        self._end_ns = count * NS_PER_S // fps
        self._video: Any = self._container.add_stream("libx264", rate=fps, options=options)
        self._video.pix_fmt = "yuv420p"
        self._sound = sound
        self._samples = 0
        self._pending: Timed | None = None
        self._audio: Any = None
        if sound is not None:
            self._pending = next(sound.pieces, None)
            self._layout = "mono" if sound.channels == 1 else "stereo"
            self._audio = self._container.add_stream("aac", rate=SOUND_RATE, layout=self._layout)

    def write(self, index: int, picture: Pixels) -> None:
        """Add picture number ``index``, RGB with even sides; all of one size, in order."""
        if not self._video.codec_context.is_open:
            self._video.height, self._video.width = picture.shape[:2]
        self._write_sound(index * NS_PER_S // self._fps + SOUND_AHEAD_NS)
        frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
        frame.pts = index
        self._container.mux(self._video.encode(frame))

    def finish(self) -> None:
        """Add the rest of the sound and what the codecs still hold."""
        self._write_sound(self._end_ns)
        self._container.mux(self._video.encode(None))
        if self._audio is not None:
            self._container.mux(self._audio.encode(None))

    def _write_sound(self, until_ns: int) -> None:
        if self._sound is None:
            return
        while self._pending is not None and self._pending[0] < min(until_ns, self._end_ns):
            time_ns, samples = self._pending
            samples = samples[: (self._end_ns - time_ns) * self._sound.rate // NS_PER_S]
            self._pending = next(self._sound.pieces, None)
            hole = time_ns * self._sound.rate // NS_PER_S - self._samples
            if hole > SOUND_GAP_S * self._sound.rate:
                self._encode_sound(np.zeros((hole, samples.shape[1]), np.int16), self._sound.rate)
            self._encode_sound(samples, self._sound.rate)

    def _encode_sound(self, samples: NDArray[np.int16], rate: int) -> None:
        # More than two channels: the first two are the front ones.
        heard = np.ascontiguousarray(samples[:, :2])
        frame = av.AudioFrame.from_ndarray(heard.reshape(1, -1), format="s16", layout=self._layout)
        frame.sample_rate = rate
        frame.pts = self._samples
        self._samples += len(samples)
        self._container.mux(self._audio.encode(frame))

    def __enter__(self) -> VideoEncoder:
        return self

    def __exit__(self, *error: object) -> None:
        self._container.close()


def rgb_of(bgr: Pixels) -> Pixels:
    """RGB of a picture [H, W, 3] in BGR."""
    return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8)


def to_height(pixels: Pixels, height: int) -> Pixels:
    """A picture [H, W, C] scaled to ``height``, the width even as 4:2:0 needs it."""
    before, width = pixels.shape[:2]
    size = (max(2, 2 * round(width * height / before / 2)), height)
    if (width, before) == size:
        return pixels
    method = cv2.INTER_AREA if before > height else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(pixels, size, interpolation=method), np.uint8)
