"""The command `listener_head replay`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console


def replay(
    bag: Annotated[Path, typer.Argument(help="Recording: a rosbag2 folder, an .mcap or a .db3 file.")],
    image: Annotated[str, typer.Option(help="Topic of the pictures; found by itself if left out.")] = "",
    audio: Annotated[str, typer.Option(help="Topic of the sound; found by itself if left out.")] = "",
    loops: Annotated[int, typer.Option(help="How often the recording is played.", min=1, max=1000)] = 1,
    attitude: Annotated[str, typer.Option(help="positive, neutral or negative.")] = "neutral",
    robot: Annotated[str, typer.Option(help="Name or file of the robot that is simulated.")] = "generic",
    network: Annotated[str, typer.Option(help="Network file; the one that ships if left out.")] = "",
    policy: Annotated[
        str,
        typer.Option(help="What listens: network, random, simulation, simulation_attitude, mean, mirror."),
    ] = "network",
    renderer: Annotated[bool, typer.Option(help="Draw the listener as well.")] = True,
    processes: Annotated[bool, typer.Option(help="One process per node, or all nodes in one.")] = True,
    output: Annotated[Path, typer.Option(help="Folder of the results.")] = Path("out/replay"),
    max_frames_lost_percent: Annotated[float | None, typer.Option(help="Pictures or steps lost.")] = None,
    max_joint_p50_ms: Annotated[float | None, typer.Option(help="Camera to joint command, median.")] = None,
    max_joint_p99_ms: Annotated[float | None, typer.Option(help="Camera to joint command.")] = None,
    max_image_p99_ms: Annotated[float | None, typer.Option(help="Camera to drawn picture.")] = None,
    max_joint_grid_p99_ms: Annotated[float | None, typer.Option(help="The same, grid included.")] = None,
    max_image_grid_p99_ms: Annotated[float | None, typer.Option(help="The same, grid included.")] = None,
    max_jitter_ms: Annotated[float | None, typer.Option(help="Time between joint commands.")] = None,
    max_memory_mb: Annotated[float | None, typer.Option(help="Memory of all nodes.")] = None,
    max_cpu_percent: Annotated[float | None, typer.Option(help="Processor time of all nodes.")] = None,
    max_agreement: Annotated[float | None, typer.Option(help="Live against offline coefficients.")] = None,
    launched: Annotated[
        Path | None, typer.Option(hidden=True, help="Recording that replay.launch.py is making.")
    ] = None,
) -> None:
    """Play a recording to the whole graph in its own time, measure it, and compare it with offline.

    Every --max-... is a limit; status 1 if one is exceeded. Those left out are those of a run on two cores.

    Example: listener_head replay talk.mcap --max-joint-p99-ms 60
    """
    from listener_head.graph import ReplayOptions
    from listener_head.progress import progress_bar
    from listener_head.replay.request import ReplayRequest
    from listener_head.replay.run import judge_launched, run_replay
    from listener_head.replay.verdict_table import verdict_table

    given = {
        "frames_lost_percent": max_frames_lost_percent,
        "joint_p50_ms": max_joint_p50_ms,
        "joint_p99_ms": max_joint_p99_ms,
        "image_p99_ms": max_image_p99_ms,
        "joint_grid_p99_ms": max_joint_grid_p99_ms,
        "image_grid_p99_ms": max_image_grid_p99_ms,
        "jitter_ms": max_jitter_ms,
        "memory_mb": max_memory_mb,
        "cpu_percent": max_cpu_percent,
        "agreement": max_agreement,
    }
    options = ReplayOptions(
        bag=str(bag.resolve()),
        record="" if launched is None else str(launched),
        image=image,
        audio=audio,
        loops=loops,
        attitude=attitude,
        robot=robot,
        listener=network,
        policy=policy,
        render=renderer,
    )
    limits = {name: limit for name, limit in given.items() if limit is not None}
    request = ReplayRequest(options, output.resolve(), limits)
    with progress_bar("starting the graph", transient=True) as report:
        if launched is None:
            verdicts = run_replay(request, processes, report)
        else:
            verdicts = judge_launched(request, report)
    console = Console()
    console.print(verdict_table(verdicts))
    console.print(f"{output / 'report.html'}  [dim]all of it on one page[/]", soft_wrap=True)
    exceeded = [verdict for verdict in verdicts if verdict.exceeded]
    for verdict in exceeded:
        console.print(f"[bold red]exceeded:[/] {verdict}", soft_wrap=True, highlight=False)
    if exceeded:
        raise typer.Exit(1)
