"""The video of a listener in a recording: the speaker with the sound, our listener, and the true one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from listener_head.coefficients import Coefficients
from listener_head.errors import UserError
from listener_head.evaluation.offline.data import FloatArray, Listened
from listener_head.evaluation.series import SPEECH_THRESHOLD
from listener_head.evaluation.video import SPEAKER, Situation, listener_name, write_beside
from listener_head.progress import Report
from listener_head.render.factory import Renderer
from listener_head.rendering.encoder import SoundTrack, Timed
from listener_head.rendering.renderers import Look, open_renderer
from listener_head.timing import NS_PER_S, RATE_HZ, grid_time_ns

Heard = tuple[int, NDArray[np.int16], int]
"""The stamp [ns] of the first sample, samples [N, C], and their rate [Hz]."""

TRUE_LISTENER = "true listener"


def make_video(
    listened: Listened,
    speaker: Iterable[Timed],
    sound: Iterable[Heard],
    output: Path,
    look: Look,
    truth: Iterable[Timed] | None = None,
    seconds: float | None = None,
    report: Report | None = None,
) -> int:
    """Write speaker, rendered listener and, if given, the true one beside each other; return the frames.

    MP4 (H.264, AAC), 30 frames a second from the first instant that the listener moves for, at most
    ``seconds`` long, all placed by their stamps. Pictures (stamp [ns], RGB [H, W, 3]) and sound come in order
    of time and are taken as they are needed. All pictures are as high as those of ``look``. A picture is held
    until the next one comes; a listener in a camera's frame is drawn where a listener sits.

    Raises UserError when the listener made no step, there is no picture of a person, the sound changes its
    kind, and whatever `open_renderer` refuses or the file cannot hold.
    """
    if not len(listened.indices):
        raise UserError("the listener made no step in this recording; there is no video of it")
    if look.size % 2:
        raise UserError(f"--size {look.size} gives a video of odd height; H.264 needs even sides")
    first, last = int(listened.indices[0]), int(listened.indices[-1])
    start_ns, count = grid_time_ns(first + 1), last - first + 1
    if seconds is not None:
        count = max(1, min(count, round(seconds * RATE_HZ)))
    with closing(open_renderer(look, listened.layout.face_model, RATE_HZ)) as renderer:
        people = [_since(start_ns, speaker), _drawn(listened, renderer, start_ns)]
        if truth is not None:
            people.append(_since(start_ns, truth))
        write_beside(
            output,
            people,
            look.size,
            count,
            _sound_since(start_ns, sound),
            _situations(listened, start_ns, len(people)),
            (lambda done: report("drawing the video", done, count)) if report else None,
        )
    return count


def _since(start_ns: int, pictures: Iterable[Timed]) -> Iterator[Timed]:
    for stamp_ns, pixels in pictures:
        yield stamp_ns - start_ns, pixels


def _drawn(listened: Listened, renderer: Renderer, start_ns: int) -> Iterator[Timed]:
    """The rendered listener, picture by picture."""
    for stamp_ns, motion in zip(listened.stamp_ns, _seated(listened), strict=True):
        picture = renderer.render(Coefficients.from_motion(listened.layout.face_model, motion))
        if picture.shape[2] != 3:
            raise UserError("a video cannot be transparent; give --background a colour")
        yield int(stamp_ns) - start_ns, picture


def _seated(listened: Listened) -> FloatArray:
    """The motion [T, M] with its middle place put where a listener sits (arkit52 only)."""
    layout = listened.layout
    if layout.face_model != "arkit52":
        return listened.motion
    motion = listened.motion.copy()
    place = motion[:, layout.translation]
    place += layout.neutral()[layout.translation] - np.median(place, axis=0)
    return motion


def _sound_since(start_ns: int, sound: Iterable[Heard]) -> SoundTrack | None:
    """The track from the video's start on; None when there is no sound."""
    pieces = iter(sound)
    first = next(pieces, None)
    if first is None:
        return None
    _, samples, rate = first
    channels = samples.shape[1]
    return SoundTrack(_pieces(start_ns, chain([first], pieces), rate, channels), rate, channels)


def _pieces(start_ns: int, sound: Iterable[Heard], rate: int, channels: int) -> Iterator[Timed]:
    for stamp_ns, samples, own_rate in sound:
        if (own_rate, samples.shape[1]) != (rate, channels):
            raise UserError(
                f"the sound changes from {rate} Hz, {channels} channels to {own_rate} Hz, {samples.shape[1]} "
                "channels on the way; record one kind at a time"
            )
        early = max(0, (start_ns - stamp_ns) * rate // NS_PER_S)
        if early < len(samples):
            yield max(0, stamp_ns - start_ns), samples[early:]


def _situations(listened: Listened, start_ns: int, people: int) -> Callable[[int], Situation]:
    """What stands below the pictures at a moment since the start."""
    times = listened.stamp_ns - start_ns
    names = (SPEAKER, listener_name(listened.attitude), TRUE_LISTENER)[:people]

    def situation(time_ns: int) -> Situation:
        step = int(np.searchsorted(times, time_ns, side="right")) - 1
        speaking = step >= 0 and listened.voice_activity[step] > SPEECH_THRESHOLD
        return Situation(names, bool(speaking))

    return situation
