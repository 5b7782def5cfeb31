"""Pairs of generated and true clips: videos, or folders of numbered pictures."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from listener_head.errors import UserError
from listener_head.extraction.media import VIDEO_ENDINGS

PICTURE_ENDINGS = (".png", ".jpg", ".jpeg", ".bmp", ".webp", ".tif", ".tiff")
ROLE = ".listener"  # what the names of a set's videos of listeners end with

Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class Pair:
    """A clip by name: its generated pictures and the true ones, each a video or a folder of pictures."""

    name: str
    generated: Path
    truth: Path


def find_pairs(generated: Path, truth: Path) -> list[Pair]:
    """One pair when both are clips, or those of two folders of clips, by names without ending and role.

    Raises UserError when a path is missing or empty, one is a clip and the other a folder of clips, or a
    generated clip has no true one.
    """
    ours, theirs = _clips(generated), _clips(truth)
    if isinstance(ours, Path) and isinstance(theirs, Path):
        return [Pair(_name(ours), ours, theirs)]
    if isinstance(ours, Path) or isinstance(theirs, Path):
        one, many = (generated, truth) if isinstance(ours, Path) else (truth, generated)
        raise UserError(f"'{one}' is one clip and '{many}' is a folder of clips; give two of a kind")
    missing = [name for name in ours if name not in theirs]
    if missing:
        raise UserError(
            f"'{truth}' has no clip '{missing[0]}' ({len(missing)} of {len(ours)} are missing); "
            "give both the same names"
        )
    return [Pair(name, ours[name], theirs[name]) for name in sorted(ours)]


def read_pictures(path: Path) -> Iterator[Pixels]:
    """Every picture [H, W, 3] RGB of a video, or of a folder in the order of the numbers in the names.

    UserError when one cannot be decoded.
    """
    if path.is_dir():
        for each in _pictures_in(path):
            try:
                with Image.open(each) as picture:
                    yield np.asarray(picture.convert("RGB"), np.uint8)
            except Exception as problem:  # of a damaged file Pillow may make anything
                raise _unreadable(each, problem, "a picture") from None
        return
    try:
        with av.open(str(path)) as container:
            if not container.streams.video:
                raise UserError(f"'{path}' has no picture; give a video")
            for frame in container.decode(container.streams.video[0]):
                yield np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)
    except (av.FFmpegError, OSError) as problem:
        raise _unreadable(path, problem, "a video that ffmpeg plays") from None


def count_pictures(path: Path) -> int:
    """How many pictures a folder has, or a video's header says that it has; 0 when it does not say.

    UserError when it is no video.
    """
    if path.is_dir():
        return len(_pictures_in(path))
    try:
        with av.open(str(path)) as container:
            return container.streams.video[0].frames if container.streams.video else 0
    except (av.FFmpegError, OSError) as problem:
        raise _unreadable(path, problem, "a video that ffmpeg plays") from None


def _clips(path: Path) -> Path | dict[str, Path]:
    """A clip as it is; of a folder of clips each by its name."""
    if path.is_file():
        return path
    if not path.is_dir():
        raise UserError(f"'{path}' does not exist; give a video, a folder of pictures or a folder of clips")
    if _pictures_in(path):
        return path
    clips: dict[str, Path] = {}
    for each in sorted(path.iterdir()):
        is_clip = bool(_pictures_in(each)) if each.is_dir() else each.suffix.lower() in VIDEO_ENDINGS
        if is_clip and clips.setdefault(_name(each), each) is not each:
            raise UserError(f"'{path}' has two clips '{_name(each)}'; take one of them away")
    if not clips:
        raise UserError(f"'{path}' has no video and no pictures; give a folder with some")
    return clips


def _name(clip: Path) -> str:
    name = clip.name if clip.is_dir() else clip.stem
    return name.removesuffix(ROLE)


def _pictures_in(folder: Path) -> list[Path]:
    pictures = [each for each in folder.iterdir() if each.suffix.lower() in PICTURE_ENDINGS]
    return sorted(pictures, key=_numbers_as_numbers)


def _numbers_as_numbers(path: Path) -> list[tuple[int, str]]:
    """A key that puts 9.png before 10.png."""
    parts = re.split(r"(\d+)", path.name)
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts]


def _unreadable(path: Path, problem: Exception, wanted: str) -> UserError:
    reason = getattr(problem, "strerror", None) or type(problem).__name__
    return UserError(f"'{path}' cannot be read ({reason}); give {wanted}")
