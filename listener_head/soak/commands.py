"""The command `listener_head soak`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console


def soak(
    minutes: Annotated[float, typer.Option(help="How long the graph runs.", min=0.5)] = 60.0,
    input: Annotated[Path | None, typer.Option(help="Video that is played again and again.")] = None,
    processes: Annotated[bool, typer.Option(help="One process per node, or all nodes in one.")] = True,
    output: Annotated[Path, typer.Option(help="Folder of the results.")] = Path("out/soak"),
) -> None:
    """Run the demo's graph for an hour and see whether latency, loss or memory drift.

    Status 1 if a limit is exceeded or a node ends.

    Example: listener_head soak --minutes 60
    """
    from listener_head.progress import progress_bar
    from listener_head.replay.verdict_table import verdict_table
    from listener_head.soak.run import SoakRequest, run_soak

    video = None if input is None else input.resolve()
    request = SoakRequest(minutes, output.resolve(), video, processes)
    with progress_bar("starting the graph", transient=True) as report:
        run = run_soak(request, report)
    console = Console()
    verdicts = run.verdicts()
    console.print(verdict_table(verdicts))
    console.print(f"{output / 'drift.png'}  [dim]all of it over time[/]", soft_wrap=True)
    if run.failure:
        console.print(f"[bold red]ended early[/] {run.failure}", soft_wrap=True, highlight=False)
    if run.failure or any(verdict.exceeded for verdict in verdicts):
        raise typer.Exit(1)
