"""The command `listener_head doctor`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def doctor(
    json: Annotated[Path | None, typer.Option(help="Write the findings to this file.")] = None,
) -> None:
    """Check this computer for all that the nodes need, and say what to do about each failure.

    The status is 1 when something fails; warnings alone leave it 0.

    Example: listener_head doctor --json doctor.json
    """
    from rich.console import Console

    from listener_head.doctor.checks import CHECKS
    from listener_head.doctor.report import exit_status, summary, table, watch_checks, write_findings

    found = watch_checks(CHECKS, Console(stderr=True))
    console = Console()
    console.print(table(found))
    console.print(summary(found))
    if json is not None:
        write_findings(found, json)
    raise typer.Exit(exit_status(found))
