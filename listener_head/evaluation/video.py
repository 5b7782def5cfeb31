"""The side-by-side video: the speaker on the left with the sound, the listener on the right."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, partial
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
from listener_head.sources import VideoFile
from listener_head.timing import NS_PER_S, RATE_HZ

HEIGHT = 512
BAR_HEIGHT = 36
_BAR = (20, 23, 28)
_TEXT = (232, 235, 240)
_SPEAKING = (88, 196, 140)
_SILENT = (70, 76, 86)


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
    scaled = partial(to_height, height=HEIGHT)
    left = Held(speaker.pictures, scaled)
    listener = ((stamp - recording.start_ns, pixels) for stamp, pixels in recording.images("listener/image"))
    right = Held(listener, scaled)
    with replacing(output) as unfinished, VideoEncoder(unfinished, RATE_HZ, count, speaker.sound) as encoder:
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
        encoder.finish()
    return output


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
