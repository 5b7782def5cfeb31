"""The command `listener_head record`."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from listener_head.errors import UserError


def record(
    output: Annotated[Path, typer.Option(help="Folder that is made for the recording (rosbag2, MCAP).")],
    input: Annotated[Path | None, typer.Option(help="Clip of a speaker, with sound.")] = None,
    listener: Annotated[
        Path | None, typer.Option(help="Clip of a true listener that began at the same time, with --input.")
    ] = None,
    raw: Annotated[
        bool, typer.Option("--raw", help="Pictures as they are, not as JPEG, with --input.")
    ] = False,
    attitude: Annotated[
        str, typer.Option(help="positive, neutral or negative: recorded as well, with --input.")
    ] = "",
    camera: Annotated[int, typer.Option(help="Number of a camera of this computer; -1 for none.")] = -1,
    microphone: Annotated[
        bool, typer.Option("--microphone", help="Record the microphone too, with --camera.")
    ] = False,
    topics: Annotated[
        list[str] | None,
        typer.Option(help="Topic of a running graph, of any type; give it once for each."),
    ] = None,
    namespace: Annotated[
        str, typer.Option(help="Namespace of a running graph; its topics are recorded.")
    ] = "",
    seconds: Annotated[float, typer.Option(help="How long; 0: until Ctrl-C.", min=0.0)] = 0.0,
) -> None:
    """Record a speaker for `listener_head evaluate`: a clip, this computer's camera, or a running graph.

    Example: listener_head record --input talk.mp4 --output talk_bag

    Example: listener_head record --namespace robot --topics /camera/image_raw --seconds 60 --output live
    """
    if input is not None and camera >= 0:
        raise UserError("--input and --camera are both given; choose one speaker")
    if input is None and (listener is not None or raw or attitude):
        raise UserError("--listener, --raw and --attitude need --input CLIP")
    if microphone and camera < 0:
        raise UserError("--microphone needs --camera NUMBER: the listener wants to see who speaks")
    if (input is not None or camera >= 0) and (topics or namespace):
        raise UserError("--topics and --namespace are of a running graph; leave out --input and --camera")
    if input is not None and seconds:
        raise UserError("--seconds is for a camera or a running graph; a clip is recorded whole")
    if output.exists():
        raise UserError(f"recording {output} exists already; delete it or choose another name")
    console = Console()
    if input is not None:
        _record_clip(input, listener, output, raw, attitude, console)
    elif camera >= 0:
        _record_camera(camera, microphone, output, seconds, console)
    else:
        _record_topics(tuple(topics or ()), namespace, output, seconds, console)


def _record_clip(
    input: Path, listener: Path | None, output: Path, raw: bool, attitude: str, console: Console
) -> None:
    from listener_head.bags.clip import ClipJob, record_clip
    from listener_head.progress import progress_bar

    with progress_bar("recording", transient=True) as report:
        recorded = record_clip(ClipJob(input, output, listener, raw, attitude), report)
    _say(console, output, recorded.seconds, f"{recorded.messages} messages")


def _record_camera(camera: int, microphone: bool, output: Path, seconds: float, console: Console) -> None:
    """Our own camera and microphone, through the nodes that read and record them."""
    from listener_head.bags.writer import size_so_far
    from listener_head.graph import NodeSpec, Parameter
    from listener_head.runner import GraphRunner, own_domain
    from listener_head.sources.live import Camera

    Camera(camera).close()  # refused here, it leaves nothing
    topics = ["speaker/image", *(["speaker/audio"] if microphone else [])]
    source: dict[str, Parameter] = {"camera": camera, "microphone": "" if microphone else "none"}
    nodes = [
        NodeSpec("recorder", {"output": str(output.absolute()), "topics": topics}),
        NodeSpec("speaker_source", source),
    ]
    elapsed = 0.0
    with (
        tempfile.TemporaryDirectory() as work,
        _live_line() as show,
        GraphRunner(nodes, "", True, Path(work), own_domain()) as runner,
        suppress(KeyboardInterrupt),  # the usual way to end it
    ):
        for playing in runner.played():
            elapsed = playing or 0.0
            show(f"{elapsed:.1f} s", f"{size_so_far(output) / 1e6:.1f} MB")
            if seconds and elapsed >= seconds:
                break
    if not output.exists():
        raise UserError(f"recording {output} was not finished; see that the disk is not full and try again")
    _say(console, output, elapsed, "")


def _record_topics(
    topics: tuple[str, ...], namespace: str, output: Path, seconds: float, console: Console
) -> None:
    from listener_head.live_recording import LiveJob, record_live

    with _live_line() as show:
        elapsed, messages = record_live(
            LiveJob(output, topics, namespace, seconds),
            lambda elapsed, messages, size: show(
                f"{elapsed:.1f} s", f"{messages} messages", f"{size / 1e6:.1f} MB"
            ),
        )
    _say(console, output, elapsed, f"{messages} messages")


@contextmanager
def _live_line() -> Iterator[Callable[..., None]]:
    """A line on standard error that says how far a recording is that has no end of its own."""
    with Console(stderr=True).status("waiting for the first message") as status:
        yield lambda *parts: status.update("  ".join(("recording", *parts, "[dim]Ctrl-C ends it[/]")))


def _say(console: Console, output: Path, seconds: float, what: str) -> None:
    size = sum(file.stat().st_size for file in output.iterdir()) / 1e6
    facts = ", ".join(fact for fact in (f"{seconds:.1f} s", what, f"{size:.1f} MB") if fact)
    console.print(f"{output}  [dim]{facts}[/]", soft_wrap=True)
