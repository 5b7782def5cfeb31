"""The command `listener_head render`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from listener_head.timing import RATE_HZ


def render(
    input: Annotated[
        Path,
        typer.Argument(
            help="Clip of `listener_head extract` (.npz), motion (.npy), published video features (.bin), "
            "recording of the demo, rosbag2 folder, .mcap or .db3."
        ),
    ],
    output: Annotated[Path, typer.Option(help="An .mp4, or a folder for PNG pictures.")],
    renderer: Annotated[str, typer.Option(help="head, portrait or neural.")] = "head",
    portrait: Annotated[
        Path | None, typer.Option(help="Picture of the listener, for portrait and neural.")
    ] = None,
    network: Annotated[Path | None, typer.Option(help="Network file, for neural.")] = None,
    face_model: Annotated[
        Path | None, typer.Option(help="Your BFM_model_front.mat, for bfm2009 drawn by head.")
    ] = None,
    theme: Annotated[str, typer.Option(help="Look of the head: name or file.")] = "",
    device: Annotated[str, typer.Option(help="auto, cpu or the number of a GPU; neural: cuda too.")] = "auto",
    size: Annotated[int, typer.Option(help="Width and height in pixels.")] = 512,
    background: Annotated[
        str, typer.Option(help="Colour as #RRGGBB, picture file, or transparent (PNG only).")
    ] = "",
    beside: Annotated[
        Path | None, typer.Option(help="Video of the speaker, shown on the left, with its sound.")
    ] = None,
    sound: Annotated[Path | None, typer.Option(help="Sound file to use instead.")] = None,
    topic: Annotated[str, typer.Option(help="Topic in a recording; listener/coefficients if left out.")] = "",
    fps: Annotated[int, typer.Option(help="Pictures a second.", min=1, max=120)] = RATE_HZ,
) -> None:
    """Render coefficients to a video or to pictures, beside the speaker if wanted.

    Example: listener_head render out/demo/recording --output head.mp4 --beside talk.mp4
    """
    from listener_head.progress import progress_bar
    from listener_head.rendering.renderers import Look
    from listener_head.rendering.run import RenderJob, render_file

    look = Look(renderer, size, device, portrait, network, face_model, theme, background)
    job = RenderJob(input, output, look, fps, beside, sound, topic)
    with progress_bar("rendering", transient=True) as report:
        count = render_file(job, report)
    Console().print(f"{output}  [dim]{count} pictures, {count / fps:.1f} s[/]", soft_wrap=True)
