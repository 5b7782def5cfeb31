"""What has been made of a synthetic set, so that an interrupted run can go on.

``.synthesis/options.json`` in the set's folder says with what it was begun, ``.synthesis/clips/<name>.json``,
written after a clip's files, what these are.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from listener_head import __version__
from listener_head.dyads.clips import DyadClip
from listener_head.dyads.espeak import espeak_available
from listener_head.dyads.metadata import Row
from listener_head.dyads.writing import check_output, row_of, write_dyad
from listener_head.errors import UserError
from listener_head.extraction.settings import Format
from listener_head.extraction.store import Store

_FOLDER = Path(".synthesis")
_OPTIONS, _CLIPS = _FOLDER / "options.json", _FOLDER / "clips"

# What a set depends on, as people name it.
_LABELS = {
    "clips": "--clips",
    "seconds": "--seconds",
    "held_out_seconds": "--held-out-seconds",
    "seed": "--seed",
    "format": "--format",
    "voices": "voices of",
    "version": "listener_head",
}


class Synthesis:
    """A synthetic set in a folder, whole or in part.

    ``options`` are those of `listener_head dyads synthesize` that make a difference, all keys of its command
    line's but output and processes. UserError, and no change, for a folder that was begun with others, or
    holds a set that was not synthesised; the same as `check_output` for a new one.
    """

    def __init__(self, folder: Path, format: Format, options: Mapping[str, Any]) -> None:
        self._folder, self._format = folder, format
        voices = "espeak-ng" if espeak_available() else "the source-filter model"
        self._options = {**options, "format": format.value, "voices": voices, "version": __version__}
        begun = self._begun()
        if begun is None:
            check_output(folder, format)
        else:
            self._check_same(begun)

    def finished(self) -> list[Row]:
        """The rows of the clips that need not be made again."""
        names = sorted(path.stem for path in (self._folder / _CLIPS).glob("*.json"))
        return [row for row in map(self._finished, names) if row is not None]

    def begin(self, store: Store) -> None:
        """Write down the options of a new set; UserError when that fails."""
        if not (self._folder / _OPTIONS).exists():
            store.write(_OPTIONS, json.dumps(self._options, indent=1).encode())

    def add(self, store: Store, clip: DyadClip) -> Row:
        """Write a clip; UserError when that fails, and it is made again the next time."""
        row, files = row_of(clip), write_dyad(store, clip, self._format)
        record = {"row": asdict(row), "files": files}
        store.write(_CLIPS / f"{clip.name}.json", json.dumps(record, indent=1).encode())
        return row

    def _begun(self) -> dict[str, Any] | None:
        path = self._folder / _OPTIONS
        try:
            return dict(json.loads(path.read_text()))
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (OSError, ValueError, TypeError):
            raise UserError(
                f"'{path}' is damaged; remove '{self._folder}' or give another --output"
            ) from None

    def _check_same(self, begun: Mapping[str, Any]) -> None:
        for name, label in _LABELS.items():
            then, now = begun.get(name), self._options[name]
            if then != now:
                raise UserError(
                    f"the set in '{self._folder}' was begun with {label} {then}, not {now}; give the same "
                    "to go on with it, or another --output"
                )

    def _finished(self, name: str) -> Row | None:
        """The row of a clip whose files are there, as large as they were written."""
        try:
            record = json.loads((self._folder / _CLIPS / f"{name}.json").read_text())
            row = Row(**record["row"])
            whole = all(
                (self._folder / file).stat().st_size == size for file, size in record["files"].items()
            )
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            return None
        return row if whole and row.name == name else None
