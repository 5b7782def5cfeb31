"""The table that says which rendered video is what."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

from listener_head.checked_json import reason_of
from listener_head.dyads.clips import ATTITUDES
from listener_head.errors import UserError
from listener_head.study.model import SPEAKER

COLUMNS = ("clip", "set", "attitude", "method", "video")


@dataclass(frozen=True)
class Video:
    """One row. ``method``: SPEAKER (then no attitude), GROUND_TRUTH, or the name of what was generated."""

    clip: str
    set: str
    attitude: str
    method: str
    path: Path


def read_table(path: Path) -> list[Video]:
    """The rows of comma-separated values with COLUMNS; videos are relative to the table.

    UserError that names the line, the value and what it may be.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file, restval="", skipinitialspace=True)
            reader.fieldnames = [name.strip() for name in reader.fieldnames or ()]
            if missing := [name for name in COLUMNS if name not in reader.fieldnames]:
                raise UserError(f"'{path}' has no column {', '.join(missing)}; give {', '.join(COLUMNS)}")
            rows: dict[tuple[str, str, str, str], Video] = {}
            for row in reader:
                where = f"'{path}', line {reader.line_num}"
                video = _video(where, path.parent, {name: row[name].strip() for name in COLUMNS})
                what = (video.set, video.clip, video.attitude, video.method)
                if what in rows:
                    raise UserError(f"{where}: the {video.method} of clip '{video.clip}' is there twice")
                rows[what] = video
    except (OSError, ValueError, csv.Error) as problem:
        if isinstance(problem, UserError):
            raise
        raise UserError(
            f"'{path}' cannot be read ({reason_of(problem)}); give comma-separated values"
        ) from None
    if not rows:
        raise UserError(f"'{path}' has no rows; give one per video: {', '.join(COLUMNS)}")
    return list(rows.values())


def _video(where: str, folder: Path, row: dict[str, str]) -> Video:
    for name in ("clip", "set", "method", "video"):
        if not row[name]:
            raise UserError(f"{where}: {name} is empty; fill it in")
    method, attitude = row["method"].lower(), row["attitude"].lower()
    if method == SPEAKER:
        attitude = ""
    elif attitude not in ATTITUDES:
        raise UserError(f"{where}: attitude '{attitude}' is unknown; choose of {', '.join(ATTITUDES)}")
    path = folder / row["video"]
    _check_playable(where, path)
    return Video(row["clip"], row["set"].lower(), attitude, method, path)


# What every browser plays, by the name that FFmpeg has for it.
_CODECS = ("h264", "vp8", "vp9", "av1")
_SUFFIXES = (".mp4", ".webm")


def _check_playable(where: str, path: Path) -> None:
    import av

    wish = f"give {' or '.join(_SUFFIXES)} with {', '.join(_CODECS)}"
    if path.suffix.lower() not in _SUFFIXES:
        raise UserError(f"{where}: browsers do not play '{path.name}'; {wish}")
    try:
        with av.open(str(path)) as container:
            streams = container.streams.video
            codec = streams[0].codec_context.codec.canonical_name if streams else "no picture"
    except (OSError, ValueError) as problem:
        raise UserError(f"{where}: video '{path}' cannot be read ({reason_of(problem)}); {wish}") from None
    if codec not in _CODECS:
        raise UserError(f"{where}: browsers do not play '{path.name}' ({codec}); {wish}")
