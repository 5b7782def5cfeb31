"""The command `listener_head evaluate`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from listener_head.errors import EXIT_PARTIAL, UserError
from listener_head.policies.factory import POLICY_NAMES

_ALL = ",".join(POLICY_NAMES)


def evaluate(
    bags: Annotated[
        list[Path] | None, typer.Argument(help="Recordings: rosbag2 folders, .mcap or .db3 files.")
    ] = None,
    dyads: Annotated[
        Path | None, typer.Option(help="Instead of recordings: folder of a set of dyads in ViCo's layout.")
    ] = None,
    network: Annotated[
        Path | None, typer.Option(help="Network file; the one that ships if left out.")
    ] = None,
    policies: Annotated[
        str, typer.Option(help="Rows beside a true listener; names with commas between them, of: " + _ALL)
    ] = _ALL,
    seed: Annotated[int, typer.Option(help="Seed of all that is drawn.", min=0)] = 0,
    output: Annotated[Path, typer.Option(help="Folder of the results.")] = Path("out/evaluation"),
    policy: Annotated[str, typer.Option(help="What listens, one of the policies.")] = "network",
    attitude: Annotated[str, typer.Option(help="positive, neutral or negative.")] = "neutral",
    reference: Annotated[
        Path | None, typer.Option(help="The listener at rest: a clip, motion or portrait.")
    ] = None,
    liveliness: Annotated[bool, typer.Option(help="Breath, blinks and glances, as live.")] = True,
    image: Annotated[str, typer.Option(help="Topic of the speaker's pictures; found if left out.")] = "",
    audio: Annotated[str, typer.Option(help="Topic of the speaker's sound; found if left out.")] = "",
    listener_image: Annotated[
        str, typer.Option(help="Topic of a camera on a true listener; listener_camera/image if left out.")
    ] = "",
    listener_coefficients: Annotated[str, typer.Option(help="Topic of a true listener's coefficients.")] = "",
    clock: Annotated[str, typer.Option(help="Times to go by: stamp (of the headers) or received.")] = "stamp",
    schedule: Annotated[
        str, typer.Option(help="fixed: a fixed delay of perception; recorded: the choices of the live run.")
    ] = "fixed",
    perception_delay_ms: Annotated[
        float, typer.Option(help="From a picture's stamp to its coefficients.", min=0.0, max=1000.0)
    ] = 10.0,
    face_model: Annotated[str, typer.Option(help="arkit52, or your BFM_model_front.mat.")] = "arkit52",
    deep3d_network: Annotated[
        str, typer.Option(help="Fit with this network of Deep3DFaceReconstruction instead.")
    ] = "",
    video_seconds: Annotated[
        float, typer.Option(help="How much of a recording the video shows; 0: no video.", min=0.0)
    ] = 10.0,
    renderer: Annotated[str, typer.Option(help="head, portrait or neural.")] = "head",
    portrait: Annotated[
        Path | None,
        typer.Option(help="Picture of one face; the true listener's if left out."),
    ] = None,
    renderer_network: Annotated[Path | None, typer.Option(help="Network file, for neural.")] = None,
    inception: Annotated[Path | None, typer.Option(help="Weights of Inception, for FID.")] = None,
) -> None:
    """Evaluate a listener on recordings: motion, tables and pictures beside a true listener, a report.

    Leaves report.html and metrics.json. The same recording gives the same numbers every time. Exit status 3:
    part of a recording could not be read, which is named. With --dyads the paper's tables of a whole set.

    Example: listener_head evaluate talk_bag --attitude positive --output out/talk
    """
    if (dyads is None) == (not bags):
        raise UserError(
            "give recordings, or --dyads and the folder of a set; see listener_head evaluate --help"
        )
    if dyads is not None:
        from listener_head.dyads.frames import in_optical_frame
        from listener_head.dyads.vico import load
        from listener_head.evaluation.dyads.run import run

        run(in_optical_frame(load(dyads)), network, policies, seed, output, Console())
        return
    from listener_head.evaluation.offline.evaluate import Job
    from listener_head.evaluation.offline.pictures import VIDEO_SIZE, Pictures
    from listener_head.evaluation.offline.run import evaluate_bags
    from listener_head.evaluation.offline.summary import show
    from listener_head.evaluation.offline.topics import TopicNames
    from listener_head.face.perceiver import DEEP3D, LANDMARKS
    from listener_head.progress import progress_bar
    from listener_head.rendering.renderers import Look

    job = Job(
        names=TopicNames(image, audio, listener_image, listener_coefficients),
        clock=clock,
        network=network,
        policy=policy,
        policies=tuple(name.strip() for name in policies.split(",") if name.strip()),
        attitude=attitude,
        reference=reference,
        liveliness=liveliness,
        seed=seed,
        schedule=schedule,
        perception_delay_ns=round(perception_delay_ms * 1e6),
        backend=DEEP3D if deep3d_network else LANDMARKS,
        face_model=face_model,
        deep3d_network=deep3d_network,
    )
    look = Look(renderer, VIDEO_SIZE, portrait=portrait, network=renderer_network)
    pictures = Pictures(look, video_seconds, inception)
    with progress_bar("opening", transient=True) as report:
        outcome = evaluate_bags(bags or [], job, pictures, output.resolve(), report)
    show(outcome, output, Console(highlight=False, soft_wrap=True))
    if not outcome.complete:
        raise typer.Exit(EXIT_PARTIAL)
