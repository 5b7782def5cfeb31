"""From recorded coefficients to a video or pictures, with the speaker beside and sound."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from listener_head.errors import UserError
from listener_head.files import replacing
from listener_head.progress import Report
from listener_head.rendering.encoder import Pixels, SoundTrack, VideoEncoder
from listener_head.rendering.pictures import new_folder, write_png
from listener_head.rendering.read import read_sequence
from listener_head.rendering.renderers import Look, open_renderer
from listener_head.rendering.speaker import Speaker, read_sound_file, read_speaker
from listener_head.timing import NS_PER_S, RATE_HZ

VIDEO_ENDING = ".mp4"
Write = Callable[[int, Pixels], None]


@dataclass(frozen=True)
class RenderJob:
    """What to render and how; ``output`` ending in .mp4 is a video, without an ending a folder of PNG."""

    input: Path
    output: Path
    look: Look
    fps: int = RATE_HZ
    beside: Path | None = None
    sound: Path | None = None
    topic: str = ""

    @property
    def is_video(self) -> bool:
        """Whether an MP4 is written, not pictures."""
        return self.output.suffix.lower() == VIDEO_ENDING


def render_file(job: RenderJob, report: Report | None = None) -> int:
    """Write the output, whole or not at all, and return the number of pictures.

    Each picture shows the newest coefficients at its time, so a gap keeps the last picture. The video ends
    with the coefficients, or with the speaker beside them if that is earlier.

    Raises UserError for wrong input (`read_sequence`, `read_speaker`, `make_renderer`), options that do not
    fit together, and an output that cannot be written.
    """
    _check(job)
    sequence = read_sequence(job.input, job.topic).seated()
    sound = read_sound_file(job.sound) if job.sound else None
    shown = sequence.at_rate(job.fps)
    with closing(open_renderer(job.look, sequence.face_model, job.fps)) as renderer:
        picture = renderer.render(sequence.frames[shown[0]])
        _check_picture(job, picture)
        speaker = None
        if job.beside:
            speaker = read_speaker(job.beside, picture.shape[0], sequence.starts_with_sound)
            if speaker.end_ns is not None:
                shown = shown[: max(1, speaker.end_ns * job.fps // NS_PER_S)]
            sound = sound or speaker.sound
        with _opened(job, sound, len(shown)) as write:
            last = shown[0]
            for number, index in enumerate(shown):
                if index != last:
                    picture, last = renderer.render(sequence.frames[index]), index
                write(number, _beside(speaker, picture, number * NS_PER_S // job.fps))
                if report:
                    report("rendering", number + 1, len(shown))
    return len(shown)


def _check(job: RenderJob) -> None:
    if job.output.suffix and not job.is_video:
        raise UserError(f"--output '{job.output}' is neither an .mp4 nor a folder; give one of these")
    if job.sound and not job.is_video:
        raise UserError("--sound is given, and pictures have no sound; write a video: --output FILE.mp4")


def _check_picture(job: RenderJob, picture: Pixels) -> None:
    height, width, channels = picture.shape
    if channels == 4 and (job.is_video or job.beside):
        what = "a picture beside a speaker" if job.beside else "an .mp4"
        raise UserError(f"{what} cannot be transparent; give --background a colour, or write PNG to a folder")
    if job.is_video and (height % 2 or width % 2):
        raise UserError(f"--size gives a video of {width}x{height}; H.264 needs even sides: choose another")


@contextmanager
def _opened(job: RenderJob, sound: SoundTrack | None, count: int) -> Iterator[Write]:
    """What writes the numbered pictures."""
    if job.is_video:
        with replacing(job.output) as unfinished, VideoEncoder(unfinished, job.fps, count, sound) as encoder:
            yield encoder.write
            encoder.finish()
    else:
        with new_folder(job.output) as folder:
            yield partial(write_png, folder)


def _beside(speaker: Speaker | None, picture: Pixels, time_ns: int) -> Pixels:
    return picture if speaker is None else np.hstack([speaker.pictures.at(time_ns), picture])
