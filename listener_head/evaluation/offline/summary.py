"""An evaluation's main numbers for the terminal."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from listener_head.evaluation.dyads.table import LABELS, PARTS
from listener_head.evaluation.latency import Metrics
from listener_head.evaluation.offline.run import VIDEO, Outcome
from listener_head.evaluation.page.evaluation import PAGE
from listener_head.files import RESULTS

# The statistics that tell most, in reading order.
_SHOWN = (
    "nods_per_minute",
    "nod_frequency",
    "shakes_per_minute",
    "blinks_per_minute",
    "pitch_range",
    "head_speed",
    "head_speed_ratio",
    "smile",
)


def show(outcome: Outcome, output: Path, console: Console) -> None:
    """Print what was measured, what could not be read, and where the rest is."""
    for name, metrics in outcome.metrics.items():
        console.print(_statistics(name, metrics))
        if metrics["truth"]:
            console.print(_distances(metrics["truth"]["distances"]))
        for problem in metrics["problems"]:
            console.print(f"[yellow]{escape(name)}:[/] {escape(problem)}")
    for name, problem in outcome.failures.items():
        console.print(f"[red]{escape(name)} is not evaluated:[/] {escape(problem)}")
    for file, what in ((PAGE, "all of it, with plots"), (RESULTS, "the numbers"), (VIDEO, "to look at")):
        if (output / file).is_file():
            console.print(f"{escape(str(output / file))}  [dim]{what}[/]")


def _statistics(name: str, metrics: Metrics) -> Table:
    table = _table(f"{name}: {metrics['bag']['duration_s']:.1f} s", "motion", "", "people")
    for key in _SHOWN:
        row: dict[str, Any] = metrics["statistics"][key]
        if row["value"] is not None:
            people = "{:g} to {:g}".format(*row["human"]) if row["human"] else ""
            table.add_row(row["label"], f"{row['value']:.3g} {row['unit']}".strip(), people)
    if metrics["separability"] and metrics["separability"]["accuracy"] is not None:
        table.add_row("Attitudes told apart", f"{metrics['separability']['accuracy']:.0%}", "")
    return table


def _distances(distances: dict[str, dict[str, float]]) -> Table:
    """The paper's Table 2 row of each policy."""
    table = _table("feature distance x 100, lower is better", "policy", *PARTS.values())
    for policy, row in distances.items():
        table.add_row(LABELS[policy], *(f"{row[part]:.2f}" for part in PARTS))
    return table


def _table(title: str, *columns: str) -> Table:
    table = Table(title=escape(title), title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for number, column in enumerate(columns):
        table.add_column(column, justify="left" if number == 0 else "right", no_wrap=True)
    return table
