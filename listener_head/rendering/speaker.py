"""The speaker beside the rendered head: picture and sound of a video, and sound of a file of its own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from listener_head.errors import UserError
from listener_head.extraction.media import Movie, open_movie, read_pictures, read_sound
from listener_head.rendering.encoder import Held, SoundTrack, Timed, rgb_of, sound_track, to_height
from listener_head.timing import NS_PER_S

_LARGEST_ASPECT = 4  # of a picture's sides; larger ones are scaled up from less


@dataclass(frozen=True)
class Speaker:
    """Pictures of one height, sound, and when the video ends [ns] if it says so, all on one time."""

    pictures: Held
    sound: SoundTrack | None
    end_ns: int | None


def read_speaker(path: Path, height: int, starts_with_sound: bool) -> Speaker:
    """Picture and sound, if any, of a video; time 0 is its first picture or, if asked, its sound before that.

    Raises UserError when it is not a file, is damaged or has no picture.
    """
    _require_file(path, "beside")
    movie = open_movie(path)
    sound, offset_ns = None, 0
    if movie.has_sound:
        heard = read_sound(path)
        offset_ns = max(0, -heard.time_ns) if starts_with_sound else 0
        sound = sound_track(heard.samples, heard.sample_rate, heard.time_ns + offset_ns)
    end_ns = offset_ns + round(movie.duration * NS_PER_S) if movie.duration else None
    pictures = Held(_pictures(movie, height, offset_ns), partial(to_height, height=height))
    return Speaker(pictures, sound, end_ns)


def read_sound_file(path: Path) -> SoundTrack:
    """The sound of a file from the clip's start; UserError when it is not a file or has no sound."""
    _require_file(path, "sound")
    heard = read_sound(path)
    return sound_track(heard.samples, heard.sample_rate, heard.time_ns)


def _pictures(movie: Movie, height: int, offset_ns: int) -> Iterator[Timed]:
    for picture in read_pictures(movie, largest_side=_LARGEST_ASPECT * height):
        if picture.pixels.size:  # else the next one comes within the same step of the grid
            yield picture.time_ns + offset_ns, rgb_of(picture.pixels)


def _require_file(path: Path, option: str) -> None:
    if not path.is_file():
        raise UserError(f"--{option} '{path}' is not a file; give the path of a video or sound file")
