"""Which attitude a clip's listener has, and which part of a set it is of: a small table."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

from listener_head.dyads.clips import ATTITUDES, SPLITS
from listener_head.errors import UserError
from listener_head.evaluation.images.clips import ROLE

# A clip's name stands in the first of these columns that there is.
_NAMES = ("uuid", "name", "listener")


@dataclass(frozen=True)
class Label:
    """One of ATTITUDES and one of SPLITS, or empty."""

    attitude: str = ""
    split: str = ""


def read_labels(path: Path) -> dict[str, Label]:
    """Labels by clip, of comma-separated values with the columns ``uuid`` (or ``name``, or ViCo's
    ``listener``), ``attitude`` and, if the scores shall be apart, ``data_split``.

    UserError that names the line, the value and what it may be.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file, restval="", skipinitialspace=True)
            columns = [name.strip() for name in reader.fieldnames or ()]
            reader.fieldnames = columns
            name = next((each for each in _NAMES if each in columns), None)
            if name is None or "attitude" not in columns:
                found = ", ".join(columns) or "none"
                raise UserError(f"'{path}' has the columns {found}; give uuid, attitude")
            labels = {}
            for row in reader:
                clip = Path(row[name].strip()).name.removesuffix(ROLE)
                labels[clip] = _label(f"'{path}', line {reader.line_num}", row)
            return labels
    except (OSError, ValueError, csv.Error) as problem:
        if isinstance(problem, UserError):
            raise
        reason = getattr(problem, "strerror", None) or problem
        raise UserError(f"'{path}' cannot be read ({reason}); give comma-separated values") from None


def _label(where: str, row: dict[str, str]) -> Label:
    label = Label(row["attitude"].strip().lower(), row.get("data_split", "").strip().lower())
    for what, value, known in (("attitude", label.attitude, ATTITUDES), ("data_split", label.split, SPLITS)):
        if value and value not in known:
            raise UserError(f"{where}: {what} '{value}' is unknown; choose of {', '.join(known)}")
    return label
