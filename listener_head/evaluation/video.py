"""The side-by-side video: the speaker on the left with the sound, the listener on the right."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from listener_head.errors import UserError
from listener_head.evaluation.recording import Recording
from listener_head.evaluation.series import SPEECH_THRESHOLD, attitude_name
from listener_head.files import replacing
from listener_head.sources import VideoFile
from listener_head.timing import NS_PER_S, RATE_HZ

Pixels = NDArray[np.uint8]
# A moment in ns since the recording's start, and the RGB picture or the int16 samples [N, channels] of it.
Timed = tuple[int, NDArray[Any]]

HEIGHT = 512
BAR_HEIGHT = 36
SOUND_RATE = 48_000
# Sound is written this far ahead of the picture, as players like it.
SOUND_AHEAD_NS = NS_PER_S // 4
# Shorter holes between pieces of sound are rounding.
SOUND_GAP_S = 0.05
_BAR = (20, 23, 28)
_TEXT = (232, 235, 240)
_SPEAKING = (88, 196, 140)
_SILENT = (70, 76, 86)


@dataclass(frozen=True)
class _Speaker:
    """Picture and sound of the speaker on the recording's time, and when they end."""

    pictures: Iterator[Timed]
    sound: Iterator[Timed]
    sound_rate: int
    channels: int
    end_ns: int


class _Held:
    """Pictures in order of time, each held until the next one's time has come."""

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


def make_side_by_side(
    recording: Recording,
    speaker_video: Path | None,
    output: Path,
    progress: Callable[[float], None] | None = None,
) -> Path:
    """Write speaker and listener beside each other as MP4 (H.264, AAC), 30 frames a second.

    Both are placed by their stamps. The speaker's picture and sound come from ``speaker_video``, the
    file that was played, else from the recording. ``progress`` is told the part that is done, 0 to 1.

    Raises UserError when a picture is missing, the two do not overlap, or ``output`` cannot be written.
    """
    recording.require("listener/image")
    speaker = _speaker_of_file(recording, speaker_video) if speaker_video else _speaker_recorded(recording)
    end_ns = min(speaker.end_ns, int(recording.listener_images.stamp_ns[-1]), recording.last_ns + NS_PER_S)
    count = (end_ns - recording.start_ns) * RATE_HZ // NS_PER_S
    if count < 1:
        raise UserError(
            f"speaker and listener of {recording.path} do not overlap in time; record them together"
        )
    left = _Held(speaker.pictures, _to_height)
    listener = ((stamp - recording.start_ns, pixels) for stamp, pixels in recording.images("listener/image"))
    right = _Held(listener, _to_height)
    with replacing(output) as partial, _Encoder(partial, speaker) as encoder:
        split = left.at(0).shape[1]
        canvas = np.empty((HEIGHT + BAR_HEIGHT, split + right.at(0).shape[1], 3), np.uint8)
        for frame in range(count):
            time_ns = frame * NS_PER_S // RATE_HZ
            canvas[:HEIGHT, :split] = left.at(time_ns)
            canvas[:HEIGHT, split:] = right.at(time_ns)
            canvas[HEIGHT:] = _caption(split, canvas.shape[1], *_situation(recording, time_ns))
            encoder.write(frame, canvas)
            if progress:
                progress((frame + 1) / count)
        encoder.finish(count * NS_PER_S // RATE_HZ)
    return output


def _speaker_of_file(recording: Recording, path: Path) -> _Speaker:
    video = VideoFile(path, largest_side=2 * HEIGHT)
    first_image, first_sound = next(video.images()), next(video.sound())
    # The source plays the file from its first picture or sound on, whichever is earlier.
    offset_ns = -min(first_image.time_ns, first_sound.time_ns)
    return _Speaker(
        ((image.time_ns + offset_ns, _rgb(image.pixels)) for image in video.images()),
        ((sound.time_ns + offset_ns, sound.samples) for sound in video.sound()),
        video.sample_rate,
        first_sound.samples.shape[1],
        recording.start_ns + offset_ns + round(video.duration * NS_PER_S),
    )


def _speaker_recorded(recording: Recording) -> _Speaker:
    recording.require("speaker/image")
    return _Speaker(
        ((stamp - recording.start_ns, pixels) for stamp, pixels in recording.images("speaker/image")),
        _recorded_sound(recording),
        recording.audio.sample_rate,
        1 if len(recording.audio.samples) else 0,
        int(recording.speaker_images.stamp_ns[-1]),
    )


def _recorded_sound(recording: Recording) -> Iterator[Timed]:
    audio = recording.audio
    piece = max(1, audio.sample_rate // 10)
    for first in range(0, len(audio.samples), piece):
        samples = np.rint(audio.samples[first : first + piece] * 32767.0).astype(np.int16)
        time_ns = audio.start_ns - recording.start_ns + first * NS_PER_S // audio.sample_rate
        yield time_ns, samples[:, None]


class _Encoder:
    """Writes pictures, and the sound that belongs before them, to an MP4 file."""

    def __init__(self, path: Path, speaker: _Speaker) -> None:
        self._container = av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"})
        options = {"preset": "veryfast", "crf": "20"}
        self._video: Any = self._container.add_stream("libx264", rate=RATE_HZ, options=options)
        self._video.pix_fmt = "yuv420p"
        self._sound = speaker.sound
        self._channels = speaker.channels
        self._rate = speaker.sound_rate
        self._samples = 0
        self._pending = next(self._sound, None)
        self._audio: Any = None
        if speaker.channels:
            self._layout = "mono" if speaker.channels == 1 else "stereo"
            self._audio = self._container.add_stream("aac", rate=SOUND_RATE, layout=self._layout)

    def write(self, index: int, picture: Pixels) -> None:
        """Add picture number ``index``; all of one size, in order."""
        if not self._video.codec_context.is_open:
            self._video.height, self._video.width = picture.shape[:2]
        self._write_sound(index * NS_PER_S // RATE_HZ + SOUND_AHEAD_NS)
        frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
        frame.pts = index
        self._container.mux(self._video.encode(frame))

    def finish(self, end_ns: int) -> None:
        """Add the rest of the sound up to ``end_ns`` and what the codecs still hold."""
        self._write_sound(end_ns)
        self._container.mux(self._video.encode(None))
        if self._audio is not None:
            self._container.mux(self._audio.encode(None))

    def _write_sound(self, until_ns: int) -> None:
        while self._pending is not None and self._pending[0] < until_ns:
            time_ns, samples = self._pending
            self._pending = next(self._sound, None)
            hole = time_ns * self._rate // NS_PER_S - self._samples
            if hole > SOUND_GAP_S * self._rate:
                self._encode_sound(np.zeros((hole, self._channels), np.int16))
            self._encode_sound(samples)

    def _encode_sound(self, samples: NDArray[np.int16]) -> None:
        # More than two channels: the first two are the front ones.
        heard = np.ascontiguousarray(samples[:, :2])
        frame = av.AudioFrame.from_ndarray(heard.reshape(1, -1), format="s16", layout=self._layout)
        frame.sample_rate = self._rate
        frame.pts = self._samples
        self._samples += len(samples)
        self._container.mux(self._audio.encode(frame))

    def __enter__(self) -> _Encoder:
        return self

    def __exit__(self, *error: object) -> None:
        self._container.close()


def _rgb(bgr: Pixels) -> Pixels:
    return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8)


def _to_height(pixels: Pixels) -> Pixels:
    """Scale to HEIGHT, the width even as 4:2:0 needs it."""
    height, width = pixels.shape[:2]
    size = (max(2, 2 * round(width * HEIGHT / height / 2)), HEIGHT)
    if (width, height) == size:
        return pixels
    method = cv2.INTER_AREA if height > HEIGHT else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(pixels, size, interpolation=method), np.uint8)


def _situation(recording: Recording, time_ns: int) -> tuple[str, bool]:
    """The attitude's name and whether the speaker speaks, at a moment since the start."""
    now = recording.start_ns + time_ns
    attitude, speaking = "", False
    step = int(np.searchsorted(recording.states.stamp_ns, now, side="right")) - 1
    if step >= 0:
        attitude = attitude_name(int(recording.states.attitude[step]))
    sound = int(np.searchsorted(recording.features.stamp_ns, now, side="right")) - 1
    if sound >= 0:
        speaking = bool(recording.features.voice_activity[sound] > SPEECH_THRESHOLD)
    return attitude, speaking


@cache
def _caption(split: int, width: int, attitude: str, speaking: bool) -> Pixels:
    """The bar below the pictures that meet at ``split``: names, a lamp for speech, the attitude."""
    from PIL import Image, ImageDraw, ImageFont

    bar = Image.new("RGB", (width, BAR_HEIGHT), _BAR)
    draw = ImageDraw.Draw(bar)
    font = ImageFont.load_default(17)
    middle = BAR_HEIGHT // 2
    draw.ellipse((16, middle - 5, 26, middle + 5), fill=_SPEAKING if speaking else _SILENT)
    draw.text((36, middle), "speaker", _TEXT, font, anchor="lm")
    listener = f"listener · {attitude}" if attitude else "listener"
    draw.text((split + 16, middle), listener, _TEXT, font, anchor="lm")
    return np.asarray(bar, np.uint8)
