"""Where a live run's time goes, as cards, bars and tables: for the reports of demos and of evaluations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from listener_head.evaluation.latency import TARGETS
from listener_head.evaluation.page.html import Card, Row, Table, cells, number
from listener_head.evaluation.series import COLORS

PERCENTILES = {"p50": "median", "p99": "p99", "max": "max"}

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
_STAGE_COLORS = {
    "perception": COLORS[2],
    "waiting": "#8a9099",
    "step": COLORS[4],
    "mapper": COLORS[0],
    "renderer": COLORS[1],
}


def target_cards(metrics: Mapping[str, Any]) -> list[Card]:
    """The numbers of a live run that have a target."""
    found = []
    for target in TARGETS:
        value = target.value(dict(metrics))
        kept = None if value is None else value <= target.limit
        verdict = {None: "not measured", True: "kept", False: "missed"}[kept]
        note = f"target ≤ {target.limit:g} {target.unit}"
        found.append(Card(target.label, number(value), target.unit, note, verdict, kept))
    return found


def paths(metrics: Mapping[str, Any]) -> list[dict[str, Any]]:
    """For the bars: the medians of the stages on the way to each answer, and their share of the longest."""
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
                    "color": _STAGE_COLORS[stage],
                }
                for stage in stages
            ],
        }
        for label, stages in _PATHS
    ]


def latency_tables(metrics: Mapping[str, Any]) -> list[Table]:
    """Stages, sums, losses, and what each process took."""
    tables = [
        percentile_table("Stage, ms", [(label, _at(metrics, path)) for label, path in _STAGES]),
        percentile_table("In all, ms", [(label, _at(metrics, path)) for label, path in _TOTALS]),
        _losses(metrics["lost"]),
    ]
    usage = _usage(metrics["memory_mb"], metrics["cpu_percent"])
    return [*tables, usage] if usage.rows else tables


def percentile_table(
    head: str, rows: Sequence[tuple[str, Mapping[str, float | None]]], note: str = ""
) -> Table:
    """Median, 99th percentile and maximum of each row."""
    lines = [Row(label, cells(*(values[key] for key in PERCENTILES))) for label, values in rows]
    return Table("", (head, *PERCENTILES.values()), lines, note)


def _at(metrics: Mapping[str, Any], path: Sequence[str]) -> Any:
    found: Any = metrics
    for key in path:
        found = found[key]
    return found


def _losses(lost: Mapping[str, Mapping[str, float]]) -> Table:
    rows = []
    for label, key in _LOSSES:
        loss = lost[key]
        rows.append(Row(label, cells(loss["expected"], loss["lost"], f"{loss['percent']:.2f}")))
    return Table("", ("Lost", "expected", "lost", "%"), rows)


def _usage(memory_mb: Mapping[str, float], cpu_percent: Mapping[str, float]) -> Table:
    """Process, memory in MB, processor in percent of one core; the total last."""
    names = [name for name in {**memory_mb, **cpu_percent} if name != "total"]
    names += ["total"] if len(names) > 1 else []
    rows = [Row(name, cells(memory_mb.get(name), cpu_percent.get(name))) for name in names]
    return Table("", ("Process", "memory, MB", "% of a core"), rows)
