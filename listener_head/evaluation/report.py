"""The report of a run: one HTML page that needs nothing else, not even a network."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from typing import Any

from listener_head.evaluation.figures import figures
from listener_head.evaluation.latency import TARGETS, Metrics, step_latencies
from listener_head.evaluation.recording import Recording
from listener_head.evaluation.series import COLORS, attitudes
from listener_head.files import replacing
from listener_head.timing import NS_PER_S

# A larger video stays a file beside the page.
EMBEDDED_VIDEO_BYTES = 30_000_000
_TEMPLATES = Path(__file__).parent / "templates"

# Where a step's time goes: label, path in the metrics.
_STAGES = (
    ("Perception: camera stamp to the speaker's coefficients", ("stages_ms", "perception")),
    ("Waiting for the 30 Hz grid", ("stages_ms", "waiting")),
    ("Listener: computing the step", ("stages_ms", "step")),
    ("Joint mapper, with transport", ("stages_ms", "mapper")),
    ("Renderer, with transport", ("stages_ms", "renderer")),
    ("Sound features, after the grid instant", ("stages_ms", "audio")),
)
_TOTALS = (
    ("Camera to joint command", ("joint_latency_ms",)),
    ("… without waiting", ("processing_ms", "joint")),
    ("Camera to rendered image", ("image_latency_ms",)),
    ("… without waiting", ("processing_ms", "image")),
    ("Sound to joint command", ("sound_latency_ms", "joint")),
    ("Sound to rendered image", ("sound_latency_ms", "image")),
)
_LOSSES = (
    ("Camera frames without coefficients", "camera"),
    ("Listener steps", "steps"),
    ("Steps without a joint command", "joint_commands"),
    ("Steps without an image", "images"),
)
_PATHS = (
    ("to the joint command", ("perception", "waiting", "step", "mapper")),
    ("to the rendered image", ("perception", "waiting", "step", "renderer")),
)
_STAGE_COLORS = {"perception": COLORS[2], "waiting": "#8a9099", "step": COLORS[4]}
_ANSWER_COLORS = {"mapper": COLORS[0], "renderer": COLORS[1]}


def write_report(
    recording: Recording,
    metrics: Metrics,
    output_dir: Path,
    video: Path | None = None,
    title: str = "A head that listens",
    facts: Mapping[str, str] | None = None,
) -> Path:
    """Write ``report.html`` into ``output_dir`` and return its path.

    ``metrics`` are those of ``measure``. ``video`` is put into the page, or linked when it is large.
    ``facts`` (label to text) join what the recording tells about what ran. Raises UserError when the page
    cannot be written.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    plots = figures(recording, step_latencies(recording))
    page = environment.get_template("report.html").render(
        title=title,
        when=datetime.fromtimestamp(recording.start_ns / NS_PER_S, UTC).strftime("%Y-%m-%d %H:%M UTC"),
        duration_s=metrics["duration_s"],
        headlines=_headlines(metrics),
        paths=_paths(metrics),
        stages=_rows(metrics, _STAGES),
        totals=_rows(metrics, _TOTALS),
        losses=[(label, metrics["lost"][key]) for label, key in _LOSSES],
        usage=_usage(metrics),
        facts=_facts(recording, metrics, facts or {}),
        versions=metrics["versions"],
        video=_video_source(video, output_dir),
        plots=plots,
        # "<" could end the script element that holds the data.
        plots_json=Markup(json.dumps(plots).replace("<", "\\u003c")),
        plotly=Markup(resources.files("plotly").joinpath("package_data/plotly.min.js").read_text("utf-8")),
    )
    path = output_dir / "report.html"
    with replacing(path) as partial:
        partial.write_text(page, "utf-8")
    return path


def _headlines(metrics: Metrics) -> list[dict[str, Any]]:
    """The numbers that have a target: label, value, limit, unit, and whether it is kept (None: unknown)."""
    rows = []
    for target in TARGETS:
        value = target.value(metrics)
        kept = None if value is None else value <= target.limit
        rows.append(
            {
                "label": target.label,
                "value": number(value),
                "limit": f"{target.limit:g}",
                "unit": target.unit,
                "kept": kept,
            }
        )
    return rows


def _paths(metrics: Metrics) -> list[dict[str, Any]]:
    """For the bars: the medians of the stages on the way to each answer, and their share of the longest."""
    colors = {**_STAGE_COLORS, **_ANSWER_COLORS}
    medians = {stage: values["p50"] or 0.0 for stage, values in metrics["stages_ms"].items()}
    sums = {label: sum(medians[stage] for stage in stages) for label, stages in _PATHS}
    longest = max(*sums.values(), 1e-9)
    return [
        {
            "label": label,
            "total": number(sums[label]),
            "parts": [
                {
                    "name": stage,
                    "ms": number(medians[stage]),
                    "percent": round(100 * medians[stage] / longest, 2),
                    "color": colors[stage],
                }
                for stage in stages
            ],
        }
        for label, stages in _PATHS
    ]


def _rows(metrics: Metrics, rows: Sequence[tuple[str, tuple[str, ...]]]) -> list[tuple[str, list[str]]]:
    table = []
    for label, path in rows:
        values: Any = metrics
        for key in path:
            values = values[key]
        table.append((label, [number(values[column]) for column in ("p50", "p99", "max")]))
    return table


def _usage(metrics: Metrics) -> list[tuple[str, str, str]]:
    """Process, memory in MB, processor in percent of one core; the total last."""
    memory, processor = metrics["memory_mb"], metrics["cpu_percent"]
    names = [name for name in {**memory, **processor} if name != "total"]
    names += ["total"] if len(names) > 1 else []
    return [(name, number(memory.get(name)), number(processor.get(name))) for name in names]


def _facts(recording: Recording, metrics: Metrics, given: Mapping[str, str]) -> dict[str, str]:
    networks = [f"{name} ({digest})" if digest else name for name, digest in recording.states.networks]
    return {
        **given,
        "Attitude": ", ".join(attitudes(recording)),
        "Listener": ", ".join(networks),
        "Face model": recording.listener.layout.face_model,
        "Joints": ", ".join(recording.commands.names),
        "Camera frames": str(metrics["frames_in"]),
        "Listener frames": str(metrics["frames_out"]),
        "First answer after": f"{number(metrics['start_up_ms'])} ms",
    }


def _video_source(video: Path | None, output_dir: Path) -> str | None:
    """What stands in the page's video element: the video itself, or the way to it."""
    if video is None:
        return None
    if video.stat().st_size >= EMBEDDED_VIDEO_BYTES:
        return Path(os.path.relpath(video, output_dir)).as_posix()
    return "data:video/mp4;base64," + base64.b64encode(video.read_bytes()).decode("ascii")


def number(value: float | None) -> str:
    """A number for people: about three significant digits, a dash where there is none."""
    if value is None:
        return "–"
    if value == 0 or abs(value) >= 100:
        return f"{value:.0f}"
    return f"{value:.1f}" if abs(value) >= 1 else f"{value:.2f}"
