"""The side-by-side video: the speaker on the left with the sound, the listener on the right."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, partial
from itertools import accumulate, pairwise
from pathlib import Path

import numpy as np

from listener_head.errors import UserError
from listener_head.evaluation.recording import Recording
from listener_head.evaluation.series import SPEECH_THRESHOLD, attitude_name
from listener_head.files import replacing
from listener_head.rendering.encoder import (
    Held,
    Pixels,
    SoundTrack,
    Timed,
    VideoEncoder,
    rgb_of,
    sound_track,
    to_height,
)
from listener_head.rendering.sequence import STAMP_ROUNDING_NS
from listener_head.sources import VideoFile
from listener_head.timing import NS_PER_S, RATE_HZ

HEIGHT = 512
BAR_HEIGHT = 36
_BAR = (20, 23, 28)
_TEXT = (232, 235, 240)
_SPEAKING = (88, 196, 140)
_SILENT = (70, 76, 86)
SPEAKER = "speaker"


@dataclass(frozen=True)
class Situation:
    """What stands below each picture, and whether the speaker, who is the first, speaks."""

    names: tuple[str, ...]
    speaking: bool


@dataclass(frozen=True)
class _Speaker:
    """Picture and sound of the speaker on the recording's time, and when they end."""

    pictures: Iterator[Timed]
    sound: SoundTrack | None
    end_ns: int


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
    listener = ((stamp - recording.start_ns, pixels) for stamp, pixels in recording.images("listener/image"))
    write_beside(
        output,
        (speaker.pictures, listener),
        HEIGHT,
        count,
        speaker.sound,
        partial(_situation, recording),
        (lambda done: progress(done / count)) if progress else None,
    )
    return output


def write_beside(
    output: Path,
    pictures: Sequence[Iterator[Timed]],
    height: int,
    count: int,
    sound: SoundTrack | None,
    situation: Callable[[int], Situation],
    written: Callable[[int], None] | None = None,
) -> None:
    """Write streams of pictures beside each other, ``height`` pixels high over a caption, as MP4.

    There are ``count`` frames, 30 a second; each shows of every stream the newest picture whose time has
    come. ``situation`` is what holds at a moment [ns] since the video's start; ``written`` is told the number
    of frames that are written.

    Raises UserError when a stream is empty or changes its size, and when ``output`` cannot be written.
    """
    shown = [Held(stream, partial(to_height, height=height)) for stream in pictures]
    edges = tuple(accumulate((held.at(0).shape[1] for held in shown), initial=0))
    canvas = np.empty((height + BAR_HEIGHT, edges[-1], 3), np.uint8)
    with replacing(output) as unfinished, VideoEncoder(unfinished, RATE_HZ, count, sound) as encoder:
        for frame in range(count):
            time_ns = frame * NS_PER_S // RATE_HZ + STAMP_ROUNDING_NS
            for held, (left, right) in zip(shown, pairwise(edges), strict=True):
                canvas[:height, left:right] = held.at(time_ns)
            canvas[height:] = _caption(edges, situation(time_ns))
            encoder.write(frame, canvas)
            if written:
                written(frame + 1)
        encoder.finish()


def _speaker_of_file(recording: Recording, path: Path) -> _Speaker:
    video = VideoFile(path, largest_side=2 * HEIGHT)
    first_image, first_sound = next(video.images()), next(video.sound())
    # The source plays the file from its first picture or sound on, whichever is earlier.
    offset_ns = -min(first_image.time_ns, first_sound.time_ns)
    return _Speaker(
        ((image.time_ns + offset_ns, rgb_of(image.pixels)) for image in video.images()),
        SoundTrack(
            ((sound.time_ns + offset_ns, sound.samples) for sound in video.sound()),
            video.sample_rate,
            first_sound.samples.shape[1],
        ),
        recording.start_ns + offset_ns + round(video.duration * NS_PER_S),
    )


def _speaker_recorded(recording: Recording) -> _Speaker:
    recording.require("speaker/image")
    return _Speaker(
        ((stamp - recording.start_ns, pixels) for stamp, pixels in recording.images("speaker/image")),
        _recorded_sound(recording),
        int(recording.speaker_images.stamp_ns[-1]),
    )


def _recorded_sound(recording: Recording) -> SoundTrack | None:
    audio = recording.audio
    if not len(audio.samples):
        return None
    samples = np.rint(audio.samples * 32767.0).astype(np.int16)
    return sound_track(samples[:, None], audio.sample_rate, audio.start_ns - recording.start_ns)


def _situation(recording: Recording, time_ns: int) -> Situation:
    """At a moment since the start."""
    now = recording.start_ns + time_ns
    attitude, speaking = "", False
    step = int(np.searchsorted(recording.states.stamp_ns, now, side="right")) - 1
    if step >= 0:
        attitude = attitude_name(int(recording.states.attitude[step]))
    sound = int(np.searchsorted(recording.features.stamp_ns, now, side="right")) - 1
    if sound >= 0:
        speaking = bool(recording.features.voice_activity[sound] > SPEECH_THRESHOLD)
    return Situation((SPEAKER, listener_name(attitude)), speaking)


def listener_name(attitude: str) -> str:
    """What stands below the listener."""
    return f"listener · {attitude}" if attitude else "listener"


@cache
def _caption(edges: tuple[int, ...], situation: Situation) -> Pixels:
    """The bar below the pictures that have these edges: a lamp for speech, and the names."""
    from PIL import Image, ImageDraw, ImageFont

    bar = Image.new("RGB", (edges[-1], BAR_HEIGHT), _BAR)
    draw = ImageDraw.Draw(bar)
    font = ImageFont.load_default(17)
    middle = BAR_HEIGHT // 2
    draw.ellipse((16, middle - 5, 26, middle + 5), fill=_SPEAKING if situation.speaking else _SILENT)
    for name, edge in zip(situation.names, edges, strict=False):
        # The lamp stands before the first name.
        draw.text((edge + (16 if edge else 36), middle), name, _TEXT, font, anchor="lm")
    return np.asarray(bar, np.uint8)
