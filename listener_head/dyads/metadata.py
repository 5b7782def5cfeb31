"""The tables of a set in ViCo's layout: which clips there are, who is in them, in what attitude, for what.

Two forms are known:

- the challenge's ``data.csv``: ``uuid, video_id, speaker_id, listener_id``. Its conversion script writes one
  file for each part instead, ``train.csv``, ``test.csv`` and ``ood.csv``, whose name tells the part;
- the full release's: ``audio, speaker, listener`` name the files without their endings, ``speaker_id,
  listener_id, attitude, data_split`` say the rest.

A table of this project's has the columns of both, the names of files only where they do not follow from
``uuid``. The tables lie in ``metadata/`` or beside it.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from listener_head.dyads.clips import ATTITUDES, SPLITS
from listener_head.errors import UserError

FOLDER, TABLE = "metadata", "data.csv"
COLUMNS = ("uuid", "video_id", "speaker_id", "listener_id", "attitude", "data_split")

_PEOPLE = ("speaker_id", "listener_id")
_FILES = ("audio", "speaker", "listener")


@dataclass(frozen=True)
class Row:
    """A clip: its name, its people, and the names of its files without endings."""

    name: str
    video_id: str
    speaker_id: str
    listener_id: str
    attitude: str
    split: str
    audio: str
    speaker: str
    listener: str

    @property
    def has_usual_files(self) -> bool:
        """Whether the names of its files are those that follow from its own."""
        usual = self.name, f"{self.name}.speaker", f"{self.name}.listener"
        return (self.audio, self.speaker, self.listener) == usual

    @property
    def fault(self) -> str:
        """Why the clip cannot be used, or an empty string."""
        if not self.name:
            return "has no name"
        if not self.speaker_id or not self.listener_id:
            return "has no speaker_id or listener_id"
        for what in (self.name, self.audio, self.speaker, self.listener):
            if what in (".", "..") or "/" in what or "\\" in what or not what.isprintable():
                return f"has the name {what!r}, which is not that of a file"
        named = ("attitude", self.attitude, ATTITUDES), ("data_split", self.split, SPLITS)
        for what, value, known in named:
            if value and value not in known:
                return f"{what} {value!r} is none of {', '.join(known)}"
        return ""


def read_metadata(folder: Path) -> list[Row]:
    """The rows of all tables of a set; UserError without a table, or for one that is of neither form.

    A table of one part comes before ``data.csv``, which may repeat its rows.
    """
    rows: dict[str, list[Row]] = {}
    tables = find_tables(folder)
    if not tables:
        raise UserError(
            f"'{folder}' has no {FOLDER}/{TABLE} and no {', '.join(f'{split}.csv' for split in SPLITS)}; "
            "give the folder of a set in ViCo's layout"
        )
    for table in tables:
        own: dict[str, list[Row]] = {}
        for row in _read_table(table):
            own.setdefault(row.name, []).append(row)
        for name, named in own.items():
            rows.setdefault(name, named)
    return [row for named in rows.values() for row in named]


def find_tables(folder: Path) -> list[Path]:
    """The tables of a set that exist: those of the parts, then ``data.csv``."""
    for place in (folder / FOLDER, folder):
        tables = [place / f"{split}.csv" for split in SPLITS] + [place / TABLE]
        found = [table for table in tables if table.is_file()]
        if found:
            return found
    return []


def table_text(rows: Iterable[Row]) -> str:
    """A table in this project's form."""
    rows = list(rows)
    named = any(not row.has_usual_files for row in rows)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow((*COLUMNS, *_FILES) if named else COLUMNS)
    for row in rows:
        values = row.name, row.video_id, row.speaker_id, row.listener_id, row.attitude, row.split
        writer.writerow((*values, row.audio, row.speaker, row.listener) if named else values)
    return text.getvalue()


def _read_table(path: Path) -> list[Row]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file, restval="")
            columns = [column.strip() for column in reader.fieldnames or ()]
            reader.fieldnames = columns
            _check_columns(path, columns)
            return [_row(values, path) for values in reader]
    except UserError:
        raise
    except (OSError, ValueError, csv.Error) as problem:
        reason = getattr(problem, "strerror", None) or problem
        raise UserError(f"'{path}' cannot be read ({reason}); give comma-separated values") from None


def _check_columns(path: Path, columns: list[str]) -> None:
    """UserError that names the first column that is missing."""
    needed = [*_PEOPLE] if "uuid" in columns else [*_FILES, *_PEOPLE]
    missing = [name for name in needed if name not in columns]
    if missing:
        name = "uuid" if "uuid" not in columns and missing[0] in _FILES else missing[0]
        found = ", ".join(map(repr, columns)) or "none"
        forms = " or ".join(", ".join((*files, *_PEOPLE)) for files in (("uuid", "video_id"), _FILES))
        raise UserError(f"'{path}' has no column '{name}' (it has: {found}); give {forms}")


def _row(values: dict[str, str], path: Path) -> Row:
    def value(name: str) -> str:
        return (values.get(name) or "").strip()

    uuid, part = value("uuid"), path.stem if path.stem in SPLITS else ""
    audio = value("audio") or uuid
    return Row(
        name=uuid or audio,
        # The full release names a clip after its recording: <video>_<start>_<end>.
        video_id=value("video_id") or (uuid or audio.rsplit("_", 2)[0]),
        speaker_id=value("speaker_id"),
        listener_id=value("listener_id"),
        attitude=value("attitude").lower(),
        split=value("data_split").lower() or part,
        audio=audio,
        speaker=value("speaker") or f"{uuid}.speaker",
        listener=value("listener") or f"{uuid}.listener",
    )
