"""What a live run of a recording took: latency, loss and jitter, CPU and memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from listener_head.evaluation.latency import Metrics, measure, step_latencies
from listener_head.evaluation.recording import Recording
from listener_head.usage import Usage

_NS_PER_MS = 1e6


def measure_passes(passes: Sequence[Recording], usage: Usage, drawn: bool) -> Metrics:
    """The metrics of `listener_head.evaluation.measure`, and ``jitter_ms``; each number is the worst pass's.

    ``passes`` are as `of_pass` gives them; ``drawn`` says that pictures of the listener were asked for.
    UserError when a topic that is measured was not recorded.
    """
    found = [
        {
            **measure(one, usage.memory_mb, usage.cpu_percent, drawn=drawn),
            "jitter_ms": jitter(one),
        }
        for one in passes
    ]
    return {"passes": len(found), **_worst(found)}


def jitter(one: Recording) -> dict[str, dict[str, float | None]]:
    """How unevenly the answers to the steps arrived [ms], by kind.

    ``spread`` is p99 - p50 of the time between two of them, ``deviation`` its standard deviation.
    """
    steps = step_latencies(one)
    return {
        "listener": _unevenness(np.sort(one.listener.received_ns) / _NS_PER_MS),
        "joint": _unevenness(steps.source_ns / _NS_PER_MS + steps.joint_ms),
        "image": _unevenness(steps.source_ns / _NS_PER_MS + steps.image_ms),
    }


def _unevenness(arrived_ms: NDArray[np.float64]) -> dict[str, float | None]:
    intervals = np.diff(arrived_ms[np.isfinite(arrived_ms)])
    if not len(intervals):
        return {"spread": None, "deviation": None}
    p50, p99 = np.percentile(intervals, [50, 99])
    return {"spread": round(float(p99 - p50), 3), "deviation": round(float(intervals.std()), 3)}


def _worst(found: Sequence[Any]) -> Any:
    """The largest of numbers that stand at the same place; of what is no number, the first."""
    first = found[0]
    if isinstance(first, dict):
        return {key: _worst([one[key] for one in found]) for key in first}
    numbers = [one for one in found if isinstance(one, int | float)]
    return max(numbers) if numbers else first
