"""The output folder: whole files only, and a record of what has been done from which sources.

Files are written below ``.extract/new`` and then renamed to where they belong. A clip is finished when its
record ``.extract/clips/<uuid>.<role>.json`` tells of the same sources, options and version, and its files are
there.
"""

from __future__ import annotations

import csv
import fcntl
import io
import json
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from listener_head import __version__
from listener_head.errors import UserError
from listener_head.extraction.catalogue import Clip, Skipped
from listener_head.extraction.settings import Format, Settings
from listener_head.timing import RATE_HZ

AUDIO_STATISTICS, VIDEO_STATISTICS = (
    Path("features", f"{what}_feats_mean_std.bin") for what in ("audio", "video")
)
CLIP_TABLE, SKIPPED_TABLE = "clips.csv", "skipped.csv"
_CLIP_COLUMNS = ("uuid", "role", "video", "sound", "frames", "without_face", "seconds")

Record = dict[str, Any]


class OutputError(UserError):
    """The output folder cannot be written to, which ends the whole run."""


class Store:
    """The output folder of a run with ``settings``."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.folder = settings.output
        self._private = self.folder / ".extract"
        self._new = self._private / "new"

    @contextmanager
    def opened(self) -> Iterator[None]:
        """Makes the folder and keeps it for this process; half-written files are gone afterwards.

        UserError when it cannot be written to or another process extracts to it.
        """
        with _writing(self.folder):
            self._private.mkdir(parents=True, exist_ok=True)
            lock = (self._private / "lock").open("w")
        with lock:
            with _writing(self.folder):
                self._lock(lock)
            self._discard_new()
            try:
                yield
            finally:
                self._discard_new()

    def files(self, clip: Clip) -> dict[str, Path]:
        """The files wanted of a clip by kind: ``npz``, ``npy``, ``bin``, ``mat``; relative to the folder."""
        settings, kinds = self._settings, set()
        if Format.NPZ in settings.formats:
            kinds |= {"npz"}
        if Format.VICO in settings.formats:
            kinds |= {"bin", "npy"} if clip.owns_sound else {"bin"}
            if settings.has_reconstructions:
                kinds |= {"mat"}
        return {kind: path for kind, path in _files(clip).items() if kind in kinds}

    def finished(self, clip: Clip) -> Record | None:
        """The record of a clip that need not be done again."""
        try:
            record: Record = json.loads(self._record(clip).read_text())
            same = record["made_from"] == self.sources(clip)
        except (OSError, ValueError, KeyError, TypeError):
            return None
        whole = all((self.folder / file).is_file() for file in self.files(clip).values())
        return record if same and whole else None

    def forget(self, clip: Clip) -> None:
        """Removes what an earlier run made of a clip that has changed since."""
        with _writing(self.folder):
            self._record(clip).unlink(missing_ok=True)
            for kind, file in _files(clip).items():
                if kind != "npy" or clip.owns_sound:
                    (self.folder / file).unlink(missing_ok=True)

    def write(self, file: Path, content: bytes) -> None:
        """Puts a whole file at a place relative to the folder; OutputError."""
        target, new = self.folder / file, self._new / f"{os.getpid()}-{file.name}"
        with _writing(target):
            for folder in (target.parent, new.parent):
                folder.mkdir(parents=True, exist_ok=True)
            new.write_bytes(content)
            new.replace(target)

    def sources(self, clip: Clip) -> Record:
        """What a clip is made from: files with size and time of change, options, version. OSError."""
        settings = self._settings
        files = {clip.video, clip.sound, *settings.model_files}
        states = {self.relative(path): path.stat() for path in sorted(files)}
        return {
            "version": __version__,
            "files": {name: [state.st_size, state.st_mtime_ns] for name, state in states.items()},
            "formats": sorted(settings.formats),
            "audio_layout": settings.audio_layout,
            "face_model": settings.face_model,
            "backend": settings.backend,
        }

    def finish(self, clip: Clip, sources: Record, frames: int, without_face: int) -> Record:
        """Writes the record of a clip whose files are there; ``sources`` as they were before it was read."""
        record: Record = {
            "uuid": clip.uuid,
            "role": clip.role,
            "video": self.relative(clip.video),
            "sound": self.relative(clip.sound),
            "frames": frames,
            "without_face": without_face,
            "seconds": round(frames / RATE_HZ, 3),
            "made_from": sources,
        }
        text = json.dumps(record, indent=1, ensure_ascii=False)
        self.write(self._record(clip).relative_to(self.folder), text.encode())
        return record

    def has_statistics(self) -> bool:
        """Whether the statistics of all clips have been written."""
        return all((self.folder / file).is_file() for file in (AUDIO_STATISTICS, VIDEO_STATISTICS))

    def write_tables(self, records: Iterable[Record], skipped: Iterable[Skipped]) -> None:
        """Writes ``clips.csv`` and ``skipped.csv``."""
        rows = [[record[column] for column in _CLIP_COLUMNS] for record in records]
        self._write_table(CLIP_TABLE, [list(_CLIP_COLUMNS), *rows])
        reasons = [[self.relative(each.path), each.reason] for each in skipped]
        self._write_table(SKIPPED_TABLE, [["file", "reason"], *reasons])

    def relative(self, path: Path) -> str:
        """A path as users see it: from the folder of the clips on, where it lies in it."""
        inside = path.is_relative_to(self._settings.clips)
        return str(path.relative_to(self._settings.clips) if inside else path)

    def _write_table(self, name: str, rows: list[list[Any]]) -> None:
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(rows)
        self.write(Path(name), text.getvalue().encode())

    def _record(self, clip: Clip) -> Path:
        return self._private / "clips" / f"{clip.name}.json"

    def _lock(self, file: IO[str]) -> None:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UserError(
                f"another extract writes to '{self.folder}'; wait for it or give another --output"
            ) from None

    def _discard_new(self) -> None:
        shutil.rmtree(self._new, ignore_errors=True)


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as problem:
        reason = problem.strerror or str(problem)
        raise OutputError(
            f"'{path}' cannot be written ({reason}); free space or give another --output"
        ) from None


def _files(clip: Clip) -> dict[str, Path]:
    return {
        "npz": Path("clips", f"{clip.name}.npz"),
        "npy": Path("features", "audio_feats", f"{clip.uuid}.npy"),
        "bin": Path("features", "video_feats", f"{clip.name}.bin"),
        "mat": Path("recons", "test", f"{clip.name}.mat"),
    }
