"""The page of several evaluated recordings: one row for each, and all of them together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from listener_head.evaluation.page.evaluation import PAGE
from listener_head.evaluation.page.html import Cell, cells, number, write_html
from listener_head.evaluation.page.tables import PARTS, beside_truth

OVERVIEW = "index.html"
_STATISTICS = {
    "nods_per_minute": "nods/min",
    "blinks_per_minute": "blinks/min",
    "head_speed": "head, °/s",
}


def write_overview(
    evaluated: Sequence[tuple[str, Mapping[str, Any]]], together: Mapping[str, Any], output_dir: Path
) -> Path:
    """Write ``index.html`` into ``output_dir``, beside a folder with a report for each name; return its path.

    ``evaluated`` are the recordings' names and metrics. ``together`` has under "truth" what
    `listener_head.evaluation.truth.pool` gives, or None, and under "failures" why others have no metrics, by
    name. UserError when the page cannot be written.
    """
    with_truth = sum(metrics["truth"] is not None for _, metrics in evaluated)
    duration_s = sum(metrics["bag"]["duration_s"] for _, metrics in evaluated)
    return write_html(
        "overview.html",
        output_dir / OVERVIEW,
        f"{len(evaluated)} evaluated recordings",
        f"{number(duration_s)} s in all",
        None,
        failures=[f"{name}: {reason}" for name, reason in together["failures"].items()],
        columns=_columns(bool(with_truth)),
        rows=[
            {
                "name": name,
                "link": f"{quote(name)}/{PAGE}",
                "cells": _cells(metrics, bool(with_truth)),
                "problems": len(metrics["problems"]),
            }
            for name, metrics in evaluated
        ],
        truth=beside_truth(together["truth"], with_truth),
    )


def _columns(with_truth: bool) -> list[str]:
    distances = [f"FD {part}" for part in PARTS] if with_truth else []
    return ["listener", "s", "seen, %", *_STATISTICS.values(), *distances]


def _cells(metrics: Mapping[str, Any], with_truth: bool) -> list[Cell]:
    frames, who = metrics["frames"], metrics["listener"]
    seen = 100 * frames["with_speaker"] / frames["steps"] if frames["steps"] else None
    found = [Cell(f"{who['policy']}, {who['attitude']}"), *cells(metrics["bag"]["duration_s"], seen)]
    found += cells(*(metrics["statistics"].get(key, {}).get("value") for key in _STATISTICS))
    if with_truth:
        own = (metrics["truth"] or {}).get("distances", {}).get(who["policy"], {})
        found += [Cell(f"{own[part]:.2f}" if part in own else "–") for part in PARTS]
    return found
