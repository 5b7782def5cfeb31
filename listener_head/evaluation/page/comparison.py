"""A comparison for people: a table in the terminal, and a page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from rich import box
from rich.markup import escape
from rich.table import Table

from listener_head.evaluation.figures import Line, Panel, as_json
from listener_head.evaluation.page.compare import Comparison, Row
from listener_head.evaluation.page.html import Plots, number, write_html
from listener_head.evaluation.page.model import Evaluation
from listener_head.evaluation.page.people import UNITS
from listener_head.evaluation.series import COLORS

PAGE = "compare.html"
_COLORS = {"A": COLORS[0], "B": COLORS[1]}


@dataclass(frozen=True)
class Shown:
    """A row as text; ``bar``: where the interval begins, ends from the right, and the difference is, in %."""

    label: str
    a: str
    b: str
    difference: str
    interval: str
    verdict: str
    mark: str
    bar: tuple[float, float, float] | None


def name_of(one: Evaluation) -> str:
    """A listener and what it listened to, in a few words."""
    return f"{one.listener.name}, {one.listener.attitude}, on {one.bag.name}"


def shown(row: Row) -> Shown:
    """A row with its units, and what can be said of it."""
    unit = UNITS.get(row.unit, row.unit)
    interval = "" if row.interval is None else f"{_signed(row.interval[0])} to {_signed(row.interval[1])}"
    verdict, mark = "", ""
    if row.beyond_chance is False:
        verdict, mark = "within chance", "soft"
    elif row.better:
        verdict = f"{row.better.upper()} is better"
    elif row.beyond_chance:
        verdict = "differs"
    if row.beyond_chance:
        mark = {"b": "kept", "a": "missed"}.get(row.better or "", "best")
    label = f"{row.label} [{unit}]" if unit else row.label
    return Shown(
        label, number(row.a), number(row.b), _signed(row.difference), interval, verdict, mark, _bar(row)
    )


def _signed(value: float) -> str:
    return f"+{number(value)}" if value > 0 else number(value)


def _bar(row: Row) -> tuple[float, float, float] | None:
    if row.interval is None:
        return None
    widest = 1.1 * max(abs(bound) for bound in (*row.interval, row.difference)) or 1.0
    low, high, middle = (round(50 + 50 * each / widest, 2) for each in (*row.interval, row.difference))
    return low, round(100 - high, 2), middle


def sections(comparison: Comparison) -> Iterator[tuple[str, list[Shown]]]:
    """The rows by section."""
    for section, rows in groupby(comparison.rows, key=lambda row: row.section):
        yield section, [shown(row) for row in rows]


def summary(comparison: Comparison) -> str:
    """What the windows say, in one sentence."""
    judged = [row for row in comparison.rows if row.beyond_chance is not None]
    if not judged:
        return "There are no windows to tell chance from."
    beyond = [row for row in judged if row.beyond_chance]
    better = {side: sum(row.better == side for row in beyond) for side in ("a", "b")}
    pairs = "the same moments of one recording" if comparison.paired else "windows of two recordings"
    return (
        f"{len(beyond)} of {len(judged)} measures differ beyond chance over {pairs}; where it is known which "
        f"is better, A is in {better['a']} and B in {better['b']}."
    )


def rich_tables(comparison: Comparison) -> list[Table]:
    """What is not the same, then the numbers."""
    tables = []
    if comparison.facts:
        table = _table("Not the same", "", "A", "B")
        for fact in comparison.facts:
            table.add_row(*(escape(text) for text in (fact.what, fact.a, fact.b)))
        tables.append(table)
    styles = {"kept": "green", "missed": "red", "best": "bold", "soft": "dim"}
    for section, rows in sections(comparison):
        judged = any(row.interval for row in rows)
        table = _table(section, "", "A", "B", "B − A", *(["95 %"] if judged else []), "")
        for row in rows:
            interval = [row.interval] if judged else []
            texts = row.label, row.a, row.b, row.difference, *interval, row.verdict
            table.add_row(*(escape(text) for text in texts), style=styles.get(row.mark, ""))
        tables.append(table)
    return tables


def _table(title: str, *columns: str) -> Table:
    table = Table(title=escape(title), title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for column in columns:
        table.add_column(column, justify="right" if column else "left", overflow="fold")
    return table


def write_comparison(comparison: Comparison, output_dir: Path) -> Path:
    """Write ``compare.html`` and return its path; UserError when it cannot be written."""
    return write_html(
        "compare.html",
        output_dir / PAGE,
        "Two evaluations side by side",
        summary(comparison),
        _plots(comparison),
        names={"A": name_of(comparison.a), "B": name_of(comparison.b)},
        facts=comparison.facts,
        sections=list(sections(comparison)),
    )


def _plots(comparison: Comparison) -> Plots | None:
    """The windows of both over time; None where they are not of the same length, or there are none."""
    sides = {"A": comparison.a.windows, "B": comparison.b.windows}
    panels = []
    judged = [row for row in comparison.rows if row.beyond_chance is not None]
    for i, row in enumerate(judged):
        lines = []
        for name, windows in sides.items():
            middles = [start + windows.length_s / 2 for start in windows.start_s]
            lines.append(Line(name, middles, _with_gaps(windows.values[row.key]), _COLORS[name]))
        panels.append(Panel(f"window{i}", row.label, UNITS.get(row.unit, row.unit), lines, height=150))
    if not panels:
        return None
    end_s = max(windows.start_s[-1] + windows.length_s for windows in sides.values())
    return Plots(panels, as_json(panels, end_s, ()))


def _with_gaps(values: list[float | None]) -> list[float]:
    return [float("nan") if value is None else value for value in values]
