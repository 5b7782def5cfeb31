"""The command `listener_head extract`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from listener_head.extraction.settings import ARKIT52, AudioLayout, Backend, Format, Settings

EXIT_INTERRUPTED = 130  # as shells have it: 128 + SIGINT


def extract(
    clips: Annotated[Path, typer.Argument(help="Folder of video and sound files, searched to the bottom.")],
    output: Annotated[Path, typer.Option(help="Folder of the results.")],
    format: Annotated[
        list[Format] | None, typer.Option(help="Files to write, once or twice; npz by default.")
    ] = None,
    audio_layout: Annotated[
        AudioLayout, typer.Option(help="What the audio features are.")
    ] = AudioLayout.PAPER45,
    face_model: Annotated[str, typer.Option(help="arkit52, or your BFM_model_front.mat.")] = ARKIT52,
    backend: Annotated[
        Backend, typer.Option(help="A fit to landmarks, or Deep3DFaceReconstruction's network.")
    ] = Backend.LANDMARKS,
    deep3d_network: Annotated[
        Path | None,
        typer.Option(help="Network for --backend deep3d, from `listener_head import-checkpoint`."),
    ] = None,
    workers: Annotated[int | None, typer.Option(help="Processes; by default one per core.", min=1)] = None,
) -> None:
    """Extract audio features and face coefficients at 30 a second from a folder of clips.

    A clip X.speaker.mp4 or X.listener.mp4 keeps its role; others are speakers. A sound file X.wav, in any
    folder, is the sound of X. Run it again after an interruption: what is finished stays. Clips that cannot
    be used are listed in skipped.csv.

    Example: listener_head extract clips --output features --format npz --format vico --audio-layout vico45
    """
    settings = Settings(
        clips=clips.absolute(),
        output=output.absolute(),
        formats=tuple(sorted(set(format or [Format.NPZ]))),
        audio_layout=audio_layout,
        face_model=face_model if face_model == ARKIT52 else str(Path(face_model).expanduser().absolute()),
        backend=backend,
        deep3d_network=deep3d_network.absolute() if deep3d_network else None,
    )
    console = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)
    try:
        from listener_head.extraction.run import run

        run(settings, workers or len(os.sched_getaffinity(0)), console)
    except KeyboardInterrupt:
        console.print("interrupted; what is finished stays: run the same command to go on")
        raise typer.Exit(EXIT_INTERRUPTED) from None
