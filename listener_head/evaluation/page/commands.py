"""The command `listener_head compare`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape


def compare(
    a: Annotated[Path, typer.Argument(help="Folder or metrics.json of `listener_head evaluate`.")],
    b: Annotated[Path, typer.Argument(help="Another one, which is compared with the first.")],
    output: Annotated[Path, typer.Option(help="Folder of compare.html and compare.json.")] = Path(
        "out/compare"
    ),
) -> None:
    """Put two evaluations side by side, with their differences and what of them is more than chance.

    Example: listener_head compare out/neutral out/positive
    """
    from listener_head.evaluation.latency import write_metrics
    from listener_head.evaluation.page.compare import as_json, compare_evaluations
    from listener_head.evaluation.page.comparison import name_of, rich_tables, summary, write_comparison
    from listener_head.evaluation.page.model import read_evaluation

    comparison = compare_evaluations(read_evaluation(a), read_evaluation(b))
    page = write_comparison(comparison, output)
    write_metrics(as_json(comparison), output / "compare.json")
    console = Console(highlight=False)
    for side, one in (("A", comparison.a), ("B", comparison.b)):
        console.print(f"{side}: {escape(name_of(one))}")
    for table in rich_tables(comparison):
        console.print(table)
    console.print(summary(comparison))
    console.print(f"{escape(str(page))}  [dim]the same as a page, with the windows over time[/]")
