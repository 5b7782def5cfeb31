"""The command `listener_head train`."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from listener_head.errors import UserError
from listener_head.files import replacing
from listener_head.paths import config_dir
from listener_head.progress import progress_bar

if TYPE_CHECKING:
    from listener_head.listener.configuration import TrainingConfig
    from listener_head.listener.training import Progress


def train(
    config: Annotated[
        Path | None, typer.Option(help="YAML file of the run; by default that of the shipped network.")
    ] = None,
    data: Annotated[
        Path | None, typer.Option(help="Set of dyads in ViCo's layout, in place of the configuration's.")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on where the run for this output was interrupted.")
    ] = False,
    tensorboard: Annotated[Path | None, typer.Option(help="Folder for logs for TensorBoard.")] = None,
    output: Annotated[Path, typer.Option(help="Network to write; a card (.md) stands beside it.")] = Path(
        "out/listener_arkit52.onnx"
    ),
) -> None:
    """Train a listener network on dyads, synthetic ones or your own, and export it to ONNX.

    Example: listener_head train --config config/training.yaml --output out/listener_arkit52.onnx

    On several cores or machines: torchrun --nproc-per-node 2 --no-python listener_head train ...
    """
    from listener_head.listener.card import card_markdown
    from listener_head.listener.configuration import load_config

    settings = load_config(config or config_dir() / "training.yaml")
    if data is not None:
        settings = settings.model_copy(
            update={"data": settings.data.model_copy(update={"folder": str(data)})}
        )
    given = {"--config": config, "--data": data, "--output": output}
    command = " ".join(["listener_head train", *(f"{name} {path}" for name, path in given.items() if path)])
    _make_folder(output.parent)
    card = _run(settings, output, command, resume, tensorboard)
    if card is not None:
        text = card_markdown(card)
        with replacing(output.with_suffix(".md")) as partial:
            partial.write_text(text)
        print(text)


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(
            f"output folder '{folder}' cannot be made ({error.strerror}); give another --output"
        ) from None


def _run(
    settings: TrainingConfig, output: Path, command: str, resume: bool, tensorboard: Path | None
) -> dict[str, Any] | None:
    """The card of the trained network; None in all processes of a run but the first."""
    try:
        from listener_head.listener.processes import rank_here
        from listener_head.listener.training import train as run
        from listener_head.listener.training_log import TrainingLog
    except ImportError as error:
        raise UserError(
            f"training needs the package '{error.name}'; install listener_head with its training extra: "
            "pip install 'listener_head[train]'"
        ) from None
    if rank_here() > 0:
        return run(settings, output, command, lambda progress: None, resume)
    with ExitStack() as stack:
        log = None if tensorboard is None else stack.enter_context(TrainingLog(tensorboard))
        report = stack.enter_context(progress_bar("reading the dyads"))

        def show(progress: Progress) -> None:
            report(_description(progress), progress.done, progress.total)
            if log is not None:
                log.write(progress)

        return run(settings, output, command, show, resume)


def _description(progress: Progress) -> str:
    if progress.distance is None:
        return progress.stage
    distances = " ".join(f"{value:.2f}" for value in progress.distance.values())
    return f"{progress.stage}  loss {progress.loss:.3f} ({progress.validation_loss:.3f})  FD {distances}"
