"""The motion statistics of an evaluation, beside what studies of people give."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from listener_head.evaluation.page.html import Cell, Row, Table, number

# How much of a bar is outside of people's range, on either side, in widths of the range.
_MARGIN = 0.6
_GROUPS = ("Head", "Face", "Mirroring of the speaker")
_FACE = ("blink", "eyes", "smil", "brow", "expression")
_MIRROR = "mirrored"
UNITS = {"deg": "°", "deg/s": "°/s", "deg/s³": "°/s³"}


@dataclass(frozen=True)
class Place:
    """A statistic on its bar: at which per cent of it the range begins and ends, and the value is."""

    label: str
    value: str
    unit: str
    human: str
    note: int
    within: bool
    begin: float
    end: float
    at: float


@dataclass(frozen=True)
class People:
    """Statistics with a range of people, the others in tables, and the sources that both number as notes."""

    places: list[Place]
    tables: list[Table]
    sources: list[str]


def beside_people(statistics: Mapping[str, Mapping[str, Any]]) -> People:
    """Those that have a value, in their order."""
    known = {key: row for key, row in statistics.items() if row["value"] is not None}
    # Numbered in the order in which they stand: those with a range first.
    ordered = sorted(
        known.items(), key=lambda item: (item[1]["human"] is None, _GROUPS.index(_group(item[0])))
    )
    sources = list(dict.fromkeys(row["source"] for _, row in ordered if row["source"]))
    places = [_place(row, sources) for row in known.values() if row["human"] is not None]
    groups: dict[str, list[Row]] = {group: [] for group in _GROUPS}
    for key, row in known.items():
        if row["human"] is None:
            groups[_group(key)].append(_row(row, sources))
    tables = [Table("", (group, "value", ""), rows) for group, rows in groups.items() if rows]
    return People(places, tables, sources)


def _group(key: str) -> str:
    if key.startswith(_MIRROR):
        return _GROUPS[2]
    return _GROUPS[1] if key.startswith(_FACE) else _GROUPS[0]


def unit_of(row: Mapping[str, Any]) -> str:
    """A statistic's unit as people write it."""
    return UNITS.get(row["unit"], row["unit"])


def _row(row: Mapping[str, Any], sources: list[str]) -> Row:
    note = sources.index(row["source"]) + 1 if row["source"] else None
    return Row(row["label"], [Cell(number(row["value"])), Cell(unit_of(row), "unit")], note)


def _place(row: Mapping[str, Any], sources: list[str]) -> Place:
    low, high = row["human"]
    width = max(high - low, 1e-9)
    # The bar begins at zero where nothing can be less, and takes in a value that is far out.
    left = (
        max(low - _MARGIN * width, 0.0)
        if low >= 0 <= row["value"]
        else min(low - _MARGIN * width, row["value"])
    )
    right = max(high + _MARGIN * width, row["value"] + 0.05 * width)

    def percent(value: float) -> float:
        return round(100 * (value - left) / (right - left), 2)

    return Place(
        row["label"],
        number(row["value"]),
        unit_of(row),
        f"{low:g} to {high:g}",
        sources.index(row["source"]) + 1,
        bool(row["within"]),
        percent(low),
        percent(high),
        min(max(percent(row["value"]), 0.0), 100.0),
    )
