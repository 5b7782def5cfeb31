"""The command `listener_head`."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from listener_head.doctor.commands import doctor
from listener_head.dyads.commands import app as dyads
from listener_head.environment import prepare
from listener_head.errors import EXIT_BAD_INPUT, UserError
from listener_head.evaluation.commands import evaluate
from listener_head.evaluation.images.commands import image_metrics
from listener_head.evaluation.page.commands import compare
from listener_head.extraction.commands import extract
from listener_head.import_checkpoint import import_checkpoint
from listener_head.listener.commands import train
from listener_head.policies.commands import policies
from listener_head.recording_commands import record
from listener_head.rendering.commands import render
from listener_head.replay.commands import replay
from listener_head.robot_commands import app as robots
from listener_head.soak.commands import soak
from listener_head.study.commands import app as study

app = typer.Typer(
    help="A head that listens: it moves as a person would who listens to the speaker in view.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(dyads, name="dyads")
app.add_typer(robots, name="robots")
app.add_typer(study, name="study")
app.command()(extract)
app.command()(train)
app.command()(evaluate)
app.command()(compare)
app.command()(record)
app.command()(replay)
app.command()(soak)
app.command()(doctor)
app.command()(policies)
app.command()(import_checkpoint)
app.command()(render)
app.command()(image_metrics)


@app.command()
def demo(
    input: Annotated[Path | None, typer.Option(help="Video of a talking face, with sound.")] = None,
    camera: Annotated[int, typer.Option(help="Number of a camera to use instead; -1 for none.")] = -1,
    microphone: Annotated[
        bool, typer.Option("--microphone", help="Listen to the microphone, with --camera.")
    ] = False,
    seconds: Annotated[float, typer.Option(help="Seconds to run on a camera.", min=1.0)] = 20.0,
    attitude: Annotated[str, typer.Option(help="positive, neutral or negative.")] = "neutral",
    robot: Annotated[str, typer.Option(help="Name or file of the robot.")] = "generic",
    network: Annotated[str, typer.Option(help="Network file; the one that ships if empty.")] = "",
    policy: Annotated[
        str,
        typer.Option(help="What listens: network, random, simulation, simulation_attitude, mean, mirror."),
    ] = "network",
    size: Annotated[
        int, typer.Option(help="Side of the listener's picture in pixels.", min=16, max=4096)
    ] = 256,
    theme: Annotated[
        str, typer.Option(help="Look of the head: default, warm, silver, robot or a file.")
    ] = "default",
    portrait: Annotated[
        Path | None, typer.Option(help="Photograph of one face that listens in place of the head.")
    ] = None,
    view: Annotated[bool, typer.Option("--view", help="Show it live on a page in the browser.")] = False,
    processes: Annotated[bool, typer.Option(help="One process per node, or all nodes in one.")] = True,
    output: Annotated[Path, typer.Option(help="Folder of the results.")] = Path("out/demo"),
) -> None:
    """Run the whole graph on a speaker and leave a video, a plot and a report.

    Example: listener_head demo --input talk.mp4 --attitude positive
    """
    from listener_head.demo import DemoRequest, run_demo, shipped_clip
    from listener_head.graph import DemoOptions

    if input is not None and camera >= 0:
        raise UserError("--input and --camera are both given; choose one speaker")
    if microphone and camera < 0:
        raise UserError("--microphone needs --camera NUMBER: the listener wants to see who speaks")
    video = "" if camera >= 0 else str((input or shipped_clip()).resolve())
    options = DemoOptions(
        video=video,
        camera=camera,
        microphone="" if microphone else "none",
        attitude=attitude,
        robot=robot,
        listener=network,
        policy=policy,
        size=size,
        theme=theme,
        portrait="" if portrait is None else str(portrait.resolve()),
        view=view,
    )
    console = Console()
    metrics = run_demo(DemoRequest(options, output.resolve(), processes, seconds), console)
    console.print(_summary(metrics))
    for name, what in (
        ("demo.mp4", "speaker and listener side by side"),
        ("motion.png", "the listener's motion against the speaker's voice"),
        ("report.html", "all of it on one page"),
    ):
        console.print(f"{output / name}  [dim]{what}[/]", soft_wrap=True)


def _summary(metrics: dict) -> Table:
    from listener_head.evaluation import TARGETS

    table = Table("what", "measured", "target")
    for target in TARGETS:
        value = target.value(metrics)
        table.add_row(
            target.label,
            "-" if value is None else f"{value:.1f} {target.unit}",
            f"at most {target.limit:g} {target.unit}",
        )
    return table


@app.command()
def bench(
    json: Annotated[Path | None, typer.Option(help="Write the figures to this file.")] = None,
    only: Annotated[str, typer.Option(help="One figure, or a folder such as perception.")] = "",
) -> None:
    """Measure our parts against references, in turn in the same run.

    Example: listener_head bench --only perception --json out/bench.json
    """
    from listener_head.benchmark import run_benchmarks

    run_benchmarks(json, only, Console())


def main() -> None:
    """Runs a command; bad input is one line on standard error and exit status 2."""
    prepare()
    # Who terminates it means what Ctrl-C means: what was started is ended, what was recorded is kept.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        app()
    except UserError as problem:
        Console(stderr=True, highlight=False, soft_wrap=True).print(
            f"[bold red]error:[/] {escape(str(problem))}"
        )
        sys.exit(EXIT_BAD_INPUT)
