"""`listener_head demo`: the whole graph on a speaker, and what it leaves to look at. No ROS in here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from listener_head.errors import UserError
from listener_head.evaluation import Metrics, Recording, measure, read_recording, write_metrics
from listener_head.files import whole_folder
from listener_head.graph import DemoOptions, demo_nodes
from listener_head.paths import assets_dir
from listener_head.policies import load_policy
from listener_head.render.theme import load_theme
from listener_head.robot import load_robot
from listener_head.runner import GraphRunner, own_domain
from listener_head.sources import VideoFile
from listener_head.sources.live import Camera
from listener_head.usage import Usage
from listener_head.viewing import find_address

NAMESPACE = "listener_demo"
FACE_SAMPLES = 12  # frames looked at before the run, spread over the clip


@dataclass(frozen=True)
class DemoRequest:
    """What the user asked for; ``seconds`` bounds a run on camera and microphone."""

    options: DemoOptions
    output: Path
    processes: bool
    seconds: float


def shipped_clip() -> Path:
    """The speaker clip that ships: a rendered head with a synthetic voice."""
    return assets_dir() / "speaker.mp4"


def run_demo(request: DemoRequest, console: Console) -> Metrics:
    """Runs the graph and leaves video, plot, report, metrics and recording in ``request.output``.

    The folder appears, in place of an older one, only when all of it is there.

    Raises:
        UserError: wrong input, or a node that refused.
    """
    check(request.options)
    with whole_folder(request.output) as work, _progress(console) as progress:
        options = replace(request.options, record=str(work / "recording"))
        usage = _listen(request, options, work, progress)
        recording = read_recording(work / "recording")
        _require_a_face(recording, options)
        metrics = measure(recording, usage.memory_mb, usage.cpu_percent)
        write_metrics(metrics, work / "metrics.json")
        _write_pictures(recording, metrics, options, work, progress)
    return metrics


def check(options: DemoOptions) -> None:
    """Refuses wrong input before anything starts; UserError names it."""
    load_robot(options.robot)
    load_policy(options.policy, options.listener or None).reset(attitude=options.attitude)
    if options.portrait:
        _require_one_face(options.portrait)
    else:
        load_theme(options.theme)
    if options.video:
        _require_a_face_in(VideoFile(options.video))
    elif options.camera >= 0:
        Camera(options.camera).close()


def _require_one_face(portrait: str) -> None:
    from listener_head.face.portrait import read_portrait
    from listener_head.render.portrait.photograph import SMALLEST_FACE

    read_portrait(portrait, SMALLEST_FACE)


def _require_a_face_in(video: VideoFile) -> None:
    """A look at some frames saves the user from waiting for a clip that cannot work."""
    from listener_head.face import FaceTracker

    tracker = FaceTracker()
    step = max(1, round(video.duration * video.fps / FACE_SAMPLES))
    for number, image in enumerate(video.images()):
        if number % step == 0 and tracker.track(image.pixels) is not None:
            return
    raise UserError(
        f"video '{video.path}' shows no face; give a video of a talking face, at least 60 pixels high"
    )


def _require_a_face(recording: Recording, options: DemoOptions) -> None:
    if not recording.speaker.valid.any():
        raise UserError(f"no face was seen by camera {options.camera}; sit before it, in the light")


def _listen(request: DemoRequest, options: DemoOptions, work: Path, progress: Progress) -> Usage:
    seconds = VideoFile(options.video).duration if options.video else request.seconds
    task = progress.add_task("starting the graph", total=None)
    logs = work / "logs"
    logs.mkdir()
    with GraphRunner(demo_nodes(options), NAMESPACE, request.processes, logs, own_domain()) as runner:
        page_is_known = not options.view
        for elapsed in runner.played():
            page_is_known = page_is_known or _show_address(logs, progress.console)
            if elapsed is not None:
                done = min(elapsed, seconds)
                progress.update(task, description="listening", total=seconds, completed=done)
                if not options.video and elapsed > seconds:
                    break
        progress.update(task, total=seconds, completed=seconds)
    return runner.usage


def _show_address(logs: Path, console: Console) -> bool:
    """Prints where the viewer's page is; False while it has not said so."""
    for log in logs.glob("*.log"):
        address = find_address(log.read_text(errors="replace"))
        if address:
            console.print(f"see it live at {address}", soft_wrap=True)
            return True
    return False


def _write_pictures(
    recording: Recording, metrics: Metrics, options: DemoOptions, work: Path, progress: Progress
) -> None:
    from listener_head.evaluation.plot import plot_motion
    from listener_head.evaluation.report import write_report
    from listener_head.evaluation.video import make_side_by_side

    task = progress.add_task("writing the video", total=1.0)
    speaker = Path(options.video) if options.video else None
    video = make_side_by_side(recording, speaker, work / "demo.mp4", _completed(progress, task))
    task = progress.add_task("writing plot and report", total=2)
    plot_motion(recording, work / "motion.png")
    progress.advance(task)
    source = Path(options.video).name if options.video else f"camera {options.camera}"
    write_report(recording, metrics, work, video, facts={"speaker": source, "robot": options.robot})
    progress.advance(task)


def _completed(progress: Progress, task: TaskID) -> Callable[[float], None]:
    return lambda part: progress.update(task, completed=part)


def _progress(console: Console) -> Progress:
    return Progress(TextColumn("{task.description:<24}"), BarColumn(), TimeRemainingColumn(), console=console)
