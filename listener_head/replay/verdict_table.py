"""Verdicts as people read them."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table

from listener_head.replay.thresholds import Verdict


def verdict_table(verdicts: Sequence[Verdict]) -> Table:
    """A row for each number, its limit, and whether it is kept."""
    table = Table("what", "measured", "limit", "")
    for verdict in verdicts:
        mark = "[bold red]exceeded[/]" if verdict.exceeded else "kept"
        table.add_row(verdict.label, verdict.measured_text, verdict.limit_text, mark)
    return table
