"""The command `listener_head train`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from listener_head.errors import UserError
from listener_head.paths import config_dir


def train(
    config: Annotated[
        Path | None, typer.Option(help="YAML file of the run; by default that of the shipped network.")
    ] = None,
    output: Annotated[Path, typer.Option(help="Network to write; a card (.md) stands beside it.")] = Path(
        "out/listener_arkit52.onnx"
    ),
) -> None:
    """Train a listener network on synthetic dyads and export it to ONNX.

    Example: listener_head train --config config/training.yaml --output out/listener_arkit52.onnx
    """
    from listener_head.listener.card import card_markdown
    from listener_head.listener.configuration import load_config

    command = f"listener_head train {f'--config {config} ' if config else ''}--output {output}"
    settings = load_config(config or config_dir() / "training.yaml")
    try:
        from listener_head.listener.training import Progress
        from listener_head.listener.training import train as run
    except ImportError as error:
        raise UserError(
            f"training needs the package '{error.name}'; install listener_head with its training extra: "
            "pip install 'listener_head[train]'"
        ) from None
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(
            f"output folder '{output.parent}' cannot be made ({error.strerror}); give another --output"
        ) from None
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Bar(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("making dyads")

        def show(progress: Progress) -> None:
            text = progress.stage
            if progress.distance is not None:
                rotation, expression, translation = progress.distance
                text += f"  loss {progress.loss:.3f}  FD {rotation:.2f} {expression:.2f} {translation:.2f}"
            bar.update(task, description=text, completed=progress.done, total=progress.total)

        card = run(settings, output, command, show)
    text = card_markdown(card)
    output.with_suffix(".md").write_text(text)
    print(text)
