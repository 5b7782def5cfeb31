"""The judgement of a long run, on runs whose drift is known."""

from __future__ import annotations

import numpy as np
import pytest

from listener_head.soak.drift import Run, Window
from listener_head.soak.plot import plot_drift

STEPS = 300  # in a window of ten seconds


def window(end: float, latency_ms: float = 50.0, memory_mb: float = 400.0, lost: int = 0) -> Window:
    spread = np.linspace(0.9, 1.1, STEPS)
    latencies = {"joint": latency_ms * spread, "image": 1.5 * latency_ms * spread}
    percentiles = {"p50": latency_ms, "p99": 1.1 * latency_ms}
    metrics = {
        "joint_latency_ms": percentiles,
        "image_latency_ms": percentiles,
        "processing_ms": {"joint": percentiles, "image": percentiles},
        "lost": {"steps": {"expected": STEPS, "lost": lost, "percent": 100 * lost / STEPS}},
        "frames_lost_percent": 100 * lost / STEPS,
        "memory_mb": {"total": memory_mb, "listener": memory_mb},
    }
    return Window(end, metrics, latencies)


def run(count: int = 360, **changes) -> Run:
    """A run whose ``changes`` are functions of the part of it that is over."""
    rows = [{name: change(i / count) for name, change in changes.items()} for i in range(count)]
    return Run([window(10.0 * (i + 1), **row) for i, row in enumerate(rows)])


def exceeded(one: Run) -> set[str]:
    return {verdict.name for verdict in one.verdicts() if verdict.exceeded}


def test_a_steady_run_keeps_all_limits():
    assert exceeded(run(latency_ms=lambda _: 50.0)) == set()


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"latency_ms": lambda part: 50 + 10 * part}, {"joint_growth", "image_growth"}),
        ({"latency_ms": lambda part: 50 - 10 * part}, set()),
        ({"memory_mb": lambda part: 400 + 30 * part}, {"memory_growth"}),
        ({"memory_mb": lambda part: 400 + 15 * part}, set()),
        ({"lost": lambda part: 1 if part > 0.5 else 0}, {"lost"}),
        ({"lost": lambda part: 1 if part > 0.9 else 0}, set()),
    ],
    ids=["slower", "faster", "memory leaks", "memory stays", "frames lost", "few frames lost"],
)
def test_what_drifts_is_named(changes, found):
    assert exceeded(run(**changes)) == found


def test_the_first_ten_minutes_of_an_hour_are_compared_with_the_last():
    first, last = run(latency_ms=lambda part: 50.0 if part < 1 / 6 else 80.0).ends()
    assert first[-1].end == 600
    assert last[0].end == 3010
    assert len(first) == len(last) == 60


def test_a_run_that_ended_at_once_has_no_verdict_to_pass():
    assert exceeded(Run([window(10.0)])) == {"joint_growth", "image_growth", "memory_growth"}
    assert len(exceeded(Run())) == 4


def test_the_plot_shows_windows_without_an_answer_as_gaps(tmp_path):
    one = run(count=3, latency_ms=lambda _: 50.0)
    one.windows[1].metrics["image_latency_ms"] = {"p50": None, "p99": None}
    plot_drift(one, tmp_path / "drift.png")
    assert (tmp_path / "drift.png").stat().st_size > 10_000
