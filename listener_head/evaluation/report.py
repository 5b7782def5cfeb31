"""The report of a run: one HTML page that needs nothing else, not even a network."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from listener_head.evaluation.figures import as_json, figures
from listener_head.evaluation.latency import Metrics, step_latencies
from listener_head.evaluation.page.html import Plots, number, video_of, write_html
from listener_head.evaluation.page.timing import latency_tables, paths, target_cards
from listener_head.evaluation.recording import Recording
from listener_head.evaluation.series import attitudes
from listener_head.timing import NS_PER_S


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
    panels, speech = figures(recording, step_latencies(recording))
    when = datetime.fromtimestamp(recording.start_ns / NS_PER_S, UTC).strftime("%Y-%m-%d %H:%M UTC")
    return write_html(
        "report.html",
        output_dir / "report.html",
        title,
        f"{when} · {metrics['duration_s']:.1f} s recorded",
        Plots(panels, as_json(panels, metrics["duration_s"], speech)),
        cards=target_cards(metrics),
        video=video_of(video, output_dir),
        paths=paths(metrics),
        latency_tables=latency_tables(metrics),
        facts=_facts(recording, metrics, facts or {}),
        versions=metrics["versions"],
    )


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
