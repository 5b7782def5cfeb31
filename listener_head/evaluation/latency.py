"""How fast and how completely a recorded run answered: the numbers of ``metrics.json``.

Latency is counted from the stamp of the camera frame that a step used to the arrival of its answer at the
recorder, so it holds everything: perception, waiting for the 30 Hz grid, the step, robot or renderer, and the
transport. *Processing* is the same without the waiting, which no computer can shorten. A step that holds an
older frame (25 frames a second into 30 steps) counts with that frame's whole age.
"""

from __future__ import annotations

import json
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from platform import python_version
from typing import Any

import numpy as np
from numpy.typing import NDArray

from listener_head import __version__
from listener_head.evaluation.recording import Recording
from listener_head.files import replacing
from listener_head.timing import NS_PER_S, RATE_HZ

Metrics = dict[str, Any]

# Answers to what came in the last moments may come after the recorder stopped.
SETTLE_NS = 100_000_000
NS_PER_MS = 1e6
# As in ListenerState.msg.
FLAGS = {
    "audio_missing": 1,
    "speaker_repeated": 2,
    "speaker_absent": 4,
    "steps_skipped": 8,
    "clock_jumped": 16,
}
_PACKAGES = ("numpy", "mediapipe", "onnxruntime", "onnxruntime-gpu", "moderngl", "ruckig", "av", "rclpy")


@dataclass(frozen=True)
class Target:
    """A number of the metrics that has a limit: where it stands, and what it should not exceed."""

    label: str
    path: tuple[str, ...]
    limit: float
    unit: str

    def value(self, metrics: Metrics) -> float | None:
        """The number, or None when the run has none."""
        found: Any = metrics
        for key in self.path:
            found = found.get(key) if isinstance(found, dict) else None
        return found


# What a run on two cores without a GPU keeps.
TARGETS = (
    Target("Frames lost", ("frames_lost_percent",), 1.0, "%"),
    Target("Camera to joint command, processing, median", ("processing_ms", "joint", "p50"), 20.0, "ms"),
    Target("Camera to joint command, processing, p99", ("processing_ms", "joint", "p99"), 40.0, "ms"),
    Target("Camera to rendered image, processing, p99", ("processing_ms", "image", "p99"), 60.0, "ms"),
    Target("Camera to joint command, grid included, p99", ("joint_latency_ms", "p99"), 80.0, "ms"),
    Target("Camera to rendered image, grid included, p99", ("image_latency_ms", "p99"), 80.0, "ms"),
    Target("Memory of all nodes", ("memory_mb", "total"), 1500.0, "MB"),
)


@dataclass(frozen=True)
class StepLatencies:
    """For each listener step that used a camera frame [T], by stamp; times in ms.

    ``joint_ms`` and ``image_ms`` are from the camera's stamp to the answer, NaN where none came.
    """

    stamp_ns: NDArray[np.int64]
    source_ns: NDArray[np.int64]
    received_ns: NDArray[np.int64]
    perception_ms: NDArray[np.float64]
    waiting_ms: NDArray[np.float64]
    audio_ms: NDArray[np.float64]
    step_ms: NDArray[np.float64]
    joint_ms: NDArray[np.float64]
    image_ms: NDArray[np.float64]

    @property
    def computed_ms(self) -> NDArray[np.float64]:
        """From the camera's stamp to the end of the step."""
        return self.perception_ms + self.waiting_ms + self.step_ms


def step_latencies(recording: Recording) -> StepLatencies:
    """Join each step with the first joint command and the image that answer it.

    An image bears the step's stamp. A joint command bears the camera frame's stamp, and a frame may be used
    by two steps: the answer is the first command with that stamp that came after the step was computed.
    """
    states = recording.states
    _, unique = np.unique(states.stamp_ns, return_index=True)
    answering = (states.source_ns[unique] > 0) & (states.stamp_ns[unique] <= _end_of_camera_ns(recording))
    used = unique[answering]
    milliseconds = {
        name: getattr(states, name)[used].astype(np.float64)
        for name in ("perception_ms", "waiting_ms", "audio_ms", "step_ms")
    }
    computed_ms = milliseconds["perception_ms"] + milliseconds["waiting_ms"] + milliseconds["step_ms"]
    stamp_ns, source_ns = states.stamp_ns[used], states.source_ns[used]
    return StepLatencies(
        stamp_ns,
        source_ns,
        states.received_ns[used],
        **milliseconds,
        joint_ms=_joint_ms(recording, source_ns, computed_ms),
        image_ms=_image_ms(recording, stamp_ns, source_ns),
    )


def _end_of_camera_ns(recording: Recording) -> int:
    """Stamp of the last step that has a camera frame to answer.

    When the camera has ended, its last frame is held for some steps more. They answer nothing new, and the
    age of that frame is no latency.
    """
    camera_ns = recording.camera_ns
    period_ns = int(np.median(np.diff(camera_ns))) if len(camera_ns) > 1 else 0
    return int(camera_ns[-1]) + period_ns + NS_PER_S // RATE_HZ if len(camera_ns) else 0


def _joint_ms(
    recording: Recording, source_ns: NDArray[np.int64], computed_ms: NDArray[np.float64]
) -> NDArray[np.float64]:
    commands: dict[int, list[int]] = defaultdict(list)
    order = np.argsort(recording.commands.received_ns, kind="stable")
    for command in order:
        received = int(recording.commands.received_ns[command])
        commands[int(recording.commands.source_ns[command])].append(received)
    latency = np.full(len(source_ns), np.nan)
    for step, (source, computed) in enumerate(zip(source_ns.tolist(), computed_ms.tolist(), strict=True)):
        answers = commands[source]
        first = bisect_left(answers, source + round(computed * NS_PER_MS))
        if first < len(answers):
            latency[step] = (answers[first] - source) / NS_PER_MS
    return latency


def _image_ms(
    recording: Recording, stamp_ns: NDArray[np.int64], source_ns: NDArray[np.int64]
) -> NDArray[np.float64]:
    images = recording.listener_images
    received = dict(zip(images.stamp_ns.tolist(), images.received_ns.tolist(), strict=True))
    latency = np.full(len(stamp_ns), np.nan)
    for step, (stamp, source) in enumerate(zip(stamp_ns.tolist(), source_ns.tolist(), strict=True)):
        if stamp in received:
            latency[step] = (received[stamp] - source) / NS_PER_MS
    return latency


def measure(
    recording: Recording,
    memory_mb: Mapping[str, float] | None = None,
    cpu_percent: Mapping[str, float] | None = None,
    versions: Mapping[str, str] | None = None,
    drawn: bool = True,
) -> Metrics:
    """The metrics of a run, as ``metrics.json`` has them; a number that the run does not have is None.

    ``memory_mb`` and ``cpu_percent`` are what the processes took, by name; their sums are added as
    "total". ``versions`` are added to those of the Python packages. ``drawn`` says that pictures of the
    listener were asked for. Raises UserError when a topic that latency is measured on was not recorded.
    """
    images = ["listener/image"] if drawn else []
    recording.require(
        "speaker/coefficients", "listener/coefficients", "listener/state", "joint_commands", *images
    )
    steps = step_latencies(recording)
    lost = _losses(recording, steps)
    if not drawn:
        lost["images"] = _loss(0, 0)
    sound_ms = (steps.source_ns - steps.stamp_ns + NS_PER_S // RATE_HZ) / NS_PER_MS
    return {
        "duration_s": round((recording.last_ns - recording.first_ns) / NS_PER_S, 3),
        "frames_in": len(recording.camera_ns),
        "frames_out": len(np.unique(recording.listener.stamp_ns)),
        "frames_lost_percent": max(part["percent"] for part in lost.values()),
        "lost": lost,
        "start_up_ms": _start_up_ms(recording, steps),
        "joint_latency_ms": percentiles(steps.joint_ms),
        "image_latency_ms": percentiles(steps.image_ms),
        "processing_ms": {
            "joint": percentiles(steps.joint_ms - steps.waiting_ms),
            "image": percentiles(steps.image_ms - steps.waiting_ms),
        },
        "sound_latency_ms": {
            "joint": percentiles(steps.joint_ms + sound_ms),
            "image": percentiles(steps.image_ms + sound_ms),
        },
        "stages_ms": {
            "perception": percentiles(steps.perception_ms),
            "waiting": percentiles(steps.waiting_ms),
            "audio": percentiles(steps.audio_ms),
            "step": percentiles(steps.step_ms),
            "mapper": percentiles(steps.joint_ms - steps.computed_ms),
            "renderer": percentiles(steps.image_ms - steps.computed_ms),
        },
        "steps": {
            "with_camera": len(steps.stamp_ns),
            **{name: int(np.count_nonzero(recording.states.flags & bit)) for name, bit in FLAGS.items()},
        },
        "memory_mb": _with_total(memory_mb),
        "cpu_percent": _with_total(cpu_percent),
        "versions": {**software_versions(), **(versions or {})},
    }


def software_versions() -> dict[str, str]:
    """Versions of this package, Python, and the packages that do the work, as far as installed."""
    versions = {"listener_head": __version__, "python": python_version()}
    for package in _PACKAGES:
        with suppress(PackageNotFoundError):
            versions[package] = version(package)
    return versions


def write_metrics(metrics: Metrics, path: Path) -> None:
    """Write the metrics as JSON; UserError when ``path`` cannot be written.

    Fractions keep six significant digits, so that the rounding of the last ones, which processors do
    differently, makes no other file.
    """
    with replacing(path) as partial:
        partial.write_text(json.dumps(_rounded(metrics), indent=2, allow_nan=False) + "\n", "utf-8")


def _rounded(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _rounded(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(each) for each in value]
    return float(f"{value:.6g}") if isinstance(value, float | np.floating) else value


def _losses(recording: Recording, steps: StepLatencies) -> dict[str, dict[str, float]]:
    """Expected and lost: camera frames without coefficients, grid steps, and their answers.

    The grid counts from the first step that has a camera frame before it to the last that was received
    while its answers could still arrive.
    """
    end_ns = recording.last_ns - SETTLE_NS
    camera = recording.camera_ns[recording.camera_ns <= end_ns]
    answered = np.isin(camera, recording.speaker.source_ns)
    lost = {"camera": _loss(_camera_frames(recording, camera), int(answered.sum()))}

    listener = recording.listener
    counted = listener.received_ns <= end_ns
    if len(camera):
        counted &= listener.stamp_ns >= camera[0]
    stamps, index = np.unique(listener.stamp_ns[counted], return_index=True)
    expected = grid_steps(stamps)
    lost["steps"] = _loss(expected, len(stamps))

    within = (steps.stamp_ns >= stamps[0]) & (steps.stamp_ns <= stamps[-1]) if len(stamps) else slice(0)
    joint_ms = steps.joint_ms[within]
    lost["joint_commands"] = _loss(len(joint_ms), int(np.isfinite(joint_ms).sum()))

    # Coefficients that are not valid have no picture.
    images = np.unique(recording.listener_images.stamp_ns)
    if len(stamps):
        images = images[(images >= stamps[0]) & (images <= stamps[-1])]
    not_drawn = ~listener.valid[counted][index] & ~np.isin(stamps, images)
    lost["images"] = _loss(expected - int(not_drawn.sum()), len(images))
    return lost


def _camera_frames(recording: Recording, camera: NDArray[np.int64]) -> int:
    """Frames that the camera sent: as recorded, else from the spacing of those that were answered."""
    if len(recording.speaker_images.stamp_ns) or len(camera) < 3:
        return len(camera)
    spacing = np.diff(camera)
    return 1 + int(np.maximum(1, np.rint(spacing / np.median(spacing))).sum())


def grid_steps(stamps: NDArray[np.int64]) -> int:
    """Steps of the 30 Hz grid from the first to the last of sorted ``stamps`` [ns]."""
    return 1 + round(int(stamps[-1] - stamps[0]) * RATE_HZ / NS_PER_S) if len(stamps) else 0


def _loss(expected: int, there: int) -> dict[str, float]:
    lost = max(0, expected - there)
    return {"expected": expected, "lost": lost, "percent": round(100.0 * lost / max(1, expected), 3)}


def _start_up_ms(recording: Recording, steps: StepLatencies) -> float | None:
    """From the first camera frame to the first step that used one."""
    if not len(recording.camera_ns) or not len(steps.received_ns):
        return None
    return round(int(steps.received_ns.min() - recording.camera_ns[0]) / NS_PER_MS, 3)


def percentiles(milliseconds: NDArray[np.floating]) -> dict[str, float | None]:
    """Median, 99th percentile and maximum of those that are finite; None where none is."""
    there = milliseconds[np.isfinite(milliseconds)]
    if not len(there):
        return {"p50": None, "p99": None, "max": None}
    p50, p99 = np.percentile(there, [50, 99])
    return {"p50": round(float(p50), 3), "p99": round(float(p99), 3), "max": round(float(there.max()), 3)}


def _with_total(parts: Mapping[str, float] | None) -> dict[str, float]:
    if not parts:
        return {}
    rounded = {name: round(float(value), 1) for name, value in parts.items()}
    return {"total": round(float(sum(parts.values())), 1), **rounded}
