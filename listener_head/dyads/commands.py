"""The commands `listener_head dyads ...`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from listener_head.dyads.clips import ATTITUDES, SPLITS
from listener_head.errors import UserError
from listener_head.extraction.settings import ARKIT52, AudioLayout, Format
from listener_head.progress import progress_bar

MOST_LISTED = 20  # skipped clips on the screen

app = typer.Typer(help="Sets of speakers and listeners: make, add to, describe.", no_args_is_help=True)


@app.command()
def synthesize(
    output: Annotated[Path, typer.Option(help="Folder of the set: new, or of an interrupted run.")],
    clips: Annotated[int, typer.Option(help="Number of clips; a tenth each is D_test, D_ood.", min=1)] = 160,
    seconds: Annotated[float, typer.Option(help="Length of a clip in seconds.")] = 40.0,
    held_out_seconds: Annotated[
        float | None, typer.Option(help="Length of the clips of D_test and D_ood in seconds, if another.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Another seed gives another set.", min=0)] = 0,
    format: Annotated[
        Format, typer.Option(help="Files: those of the published baseline, or one .npz per face.")
    ] = Format.VICO,
    processes: Annotated[int | None, typer.Option(help="By default one per core.", min=1)] = None,
) -> None:
    """Make a synthetic set in ViCo's layout: speech, speakers, and listeners who answer them.

    Example: listener_head dyads synthesize --output out/dyads --clips 160 --held-out-seconds 75

    After an interruption the same command goes on; the set is the same as without one.
    """
    from listener_head.dyads.sets import synthesise
    from listener_head.dyads.synthesis import Synthesis
    from listener_head.dyads.writing import existing_rows, set_settings, write_set_statistics, write_table
    from listener_head.extraction.store import Store

    folder = output.absolute()
    held_out = seconds if held_out_seconds is None else held_out_seconds
    options = {"clips": clips, "seconds": seconds, "held_out_seconds": held_out, "seed": seed}
    synthesis, store = Synthesis(folder, format, options), Store(set_settings(folder, format))
    rows = synthesis.finished()
    before = len(rows)
    made = synthesise(clips, seconds, seed, processes, held_out, {row.name for row in rows})
    with store.opened():
        synthesis.begin(store)
        with progress_bar("synthesising") as report:
            report("synthesising", before, clips)
            for clip in made:
                rows.append(synthesis.add(store, clip))
                report("synthesising", len(rows), clips)
        rows.sort(key=lambda row: row.name)
        existing = existing_rows(folder)
        if before < clips or not existing:
            own = {row.name for row in rows}
            rows += [row for row in existing if row.name not in own]  # pairs that were added since
            if format is Format.VICO:
                write_set_statistics(store, rows)
            write_table(store, rows)  # last, for with it the set is whole
    from_before = f", {before} of them from before" if before else ""
    Console().print(f"{clips} clips in '{output}'{from_before}", soft_wrap=True)


@app.command()
def from_video(
    video: Annotated[Path, typer.Argument(help="Video of two people side by side, with sound.")],
    speaker: Annotated[str, typer.Option(help="Where in the picture the speaker is: left or right.")],
    attitude: Annotated[
        str, typer.Option(help=f"Of the other person, the listener: {', '.join(ATTITUDES)}.")
    ],
    output: Annotated[Path, typer.Option(help="Folder of the set, new or with clips already.")],
    split: Annotated[str, typer.Option(help=f"Part of the set: {', '.join(SPLITS)}.")] = SPLITS[0],
    start: Annotated[float, typer.Option(help="Beginning of the clip in the video, in seconds.")] = 0.0,
    end: Annotated[float | None, typer.Option(help="Its end, in seconds.")] = None,
    name: Annotated[str, typer.Option(help="Name of the clip; made of the video's if left out.")] = "",
    speaker_id: Annotated[str, typer.Option(help="Who speaks; <video>.left or .right if left out.")] = "",
    listener_id: Annotated[str, typer.Option(help="Who listens; likewise.")] = "",
    audio_layout: Annotated[
        AudioLayout, typer.Option(help="What the audio features are.")
    ] = AudioLayout.PAPER45,
    face_model: Annotated[str, typer.Option(help="arkit52, or your BFM_model_front.mat.")] = ARKIT52,
) -> None:
    """Make a clip of a set from a video of two people, as the paper made ViCo.

    Example: listener_head dyads from-video talk.mp4 --speaker left --attitude positive --output data/mine
    """
    from listener_head.dyads.pair import PairRequest, add_pair

    request = PairRequest(
        video=video,
        speaker=speaker,
        attitude=attitude,
        output=output,
        split=split,
        start=start,
        end=end,
        name=name,
        speaker_id=speaker_id,
        listener_id=listener_id,
        audio_layout=audio_layout,
        face_model=face_model,
    )
    with progress_bar("opening the video") as report:
        row = add_pair(request, report)
    Console().print(
        f"clip '{row.name}' in '{output}': {row.speaker_id} speaks, {row.listener_id} listens", soft_wrap=True
    )


@app.command()
def stats(folder: Annotated[Path, typer.Argument(help="Folder of a set in ViCo's layout.")]) -> None:
    """Print what a set holds: the paper's Table 1, and the same by parts.

    Example: listener_head dyads stats data/vico
    """
    from listener_head.dyads.table import set_table
    from listener_head.dyads.vico import load

    clips, console = load(folder), Console()
    console.print(set_table(clips))
    console.print(f"face model {clips.layout.face_model}, sound {clips.audio_layout}")
    for each in clips.skipped[:MOST_LISTED]:
        console.print(f"skipped {each}", markup=False, soft_wrap=True)
    if len(clips.skipped) > MOST_LISTED:
        console.print(f"... and {len(clips.skipped) - MOST_LISTED} more skipped")


@app.command()
def split(
    folder: Annotated[Path, typer.Argument(help="Folder of a set in ViCo's layout without parts.")],
    seed: Annotated[int, typer.Option(help="Another seed gives other parts.", min=0)] = 0,
) -> None:
    """Part a set into D_train, D_test and D_ood after the paper's rule, and write that into its table.

    Example: listener_head dyads split data/mine
    """
    from listener_head.dyads.splits import split as part
    from listener_head.dyads.table import set_table
    from listener_head.dyads.vico import load
    from listener_head.dyads.writing import write_parts

    clips = load(folder)
    if any(clip.split for clip in clips):
        raise UserError(f"the set in '{folder}' has parts already; remove the column data_split first")
    parted = part(clips, seed)
    write_parts(folder.absolute(), {clip.name: clip.split for clip in parted})
    Console().print(set_table(parted))
