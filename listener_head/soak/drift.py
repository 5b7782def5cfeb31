"""What is measured while the graph runs, and whether it drifts. No ROS in here."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from listener_head.evaluation import Metrics, Recording, measure
from listener_head.evaluation.latency import percentiles, step_latencies
from listener_head.replay.thresholds import Verdict

# The first and the last sixth of a run are compared: of an hour, ten minutes each.
PARTS = 6
LATENCY_GROWTH_PERCENT = 10.0
MEMORY_GROWTH_MB = 20.0
FRAMES_LOST_PERCENT = 0.1

_KINDS = ("joint", "image")
_S_PER_MIN = 60.0


@dataclass(frozen=True)
class Window:
    """A few seconds of the run: when it ended [s from the start], and what `measure` found in it.

    ``latencies_ms`` has for "joint" and "image" the latency of each step [T], waiting for the grid included,
    NaN for steps without an answer.
    """

    end: float
    metrics: Metrics
    latencies_ms: dict[str, NDArray[np.float64]]

    @classmethod
    def of(cls, end: float, recording: Recording, memory_mb: dict[str, float]) -> Window:
        """UserError when a node was silent all the time, which names its topic."""
        steps = step_latencies(recording)
        latencies_ms = {"joint": steps.joint_ms, "image": steps.image_ms}
        return cls(end, measure(recording, memory_mb), latencies_ms)


@dataclass
class Run:
    """All windows so far, in order; ``failure`` says why the run ended early."""

    windows: list[Window] = field(default_factory=list)
    failure: str = ""

    def p99_ms(self, kind: str, windows: list[Window] | None = None) -> float | None:
        """The 99th percentile of the latency of the "joint" commands or the "image" over windows [ms]."""
        chosen = self.windows if windows is None else windows
        latencies = [window.latencies_ms[kind] for window in chosen]
        return percentiles(np.concatenate(latencies))["p99"] if latencies else None

    def lost(self) -> dict[str, dict[str, float]]:
        """Expected and lost, by kind, over the whole run."""
        parts: dict[str, dict[str, float]] = {}
        for kind in self.windows[0].metrics["lost"] if self.windows else ():
            counts = [window.metrics["lost"][kind] for window in self.windows]
            expected, lost = (sum(count[name] for count in counts) for name in ("expected", "lost"))
            parts[kind] = {"expected": expected, "lost": lost, "percent": 100.0 * lost / max(1, expected)}
        return parts

    def frames_lost_percent(self) -> float | None:
        """The worst of the losses, as in the metrics of a demo; None before the first window."""
        return max((part["percent"] for part in self.lost().values()), default=None)

    def ends(self) -> tuple[list[Window], list[Window]]:
        """The windows of the first and of the last part of the run."""
        count = max(1, len(self.windows) // PARTS)
        return self.windows[:count], self.windows[-count:]

    def memory_growth_mb(self) -> float | None:
        """From the first part of the run to the last, medians; None with less than two windows."""
        if len(self.windows) < 2:
            return None
        first, last = (np.median([memory_mb(each) for each in part]) for part in self.ends())
        return float(last - first)

    def latency_growth_percent(self, kind: str) -> float | None:
        """How much the 99th percentile has grown from the first part to the last; None without both."""
        first, last = (self.p99_ms(kind, part) for part in self.ends())
        if len(self.windows) < 2 or first is None or last is None:
            return None
        return 100.0 * (last - first) / first

    def verdicts(self) -> list[Verdict]:
        """Every number that has a limit, against it."""
        growth = [
            Verdict(
                f"{kind}_growth",
                f"Camera to {what}, p99, last {self._part_text()} against the first",
                self.latency_growth_percent(kind),
                LATENCY_GROWTH_PERCENT,
                "%",
            )
            for kind, what in zip(_KINDS, ("joint command", "picture"), strict=True)
        ]
        return [
            *growth,
            Verdict("memory_growth", "Growth of memory", self.memory_growth_mb(), MEMORY_GROWTH_MB, "MB"),
            Verdict("lost", "Frames lost", self.frames_lost_percent(), FRAMES_LOST_PERCENT, "%"),
        ]

    def as_metrics(self, cpu_percent: dict[str, float], versions: dict[str, str]) -> dict[str, Any]:
        """What metrics.json holds; times in seconds from the start."""
        verdicts = self.verdicts()
        return {
            "duration_s": self.windows[-1].end if self.windows else 0.0,
            "failure": self.failure,
            "latency_p99_ms": {
                kind: {
                    name: self.p99_ms(kind, part)
                    for name, part in zip(("first", "last"), self.ends(), strict=True)
                }
                for kind in _KINDS
            },
            "frames_lost_percent": self.frames_lost_percent(),
            "lost": self.lost(),
            "memory_growth_mb": self.memory_growth_mb(),
            "limits": {
                each.name: {"measured": each.measured, "limit": each.limit, "exceeded": each.exceeded}
                for each in verdicts
            },
            "cpu_percent": cpu_percent,
            "windows": [_as_row(window) for window in self.windows],
            "versions": versions,
        }

    def _part_text(self) -> str:
        windows, _ = self.ends()
        minutes = windows[-1].end / _S_PER_MIN if windows else 0.0
        return f"{minutes:.2g} min"


def memory_mb(window: Window) -> float:
    """Memory of all nodes at the window's end, without what they share."""
    return float(window.metrics["memory_mb"]["total"])


def _as_row(window: Window) -> dict[str, Any]:
    names = ("joint_latency_ms", "image_latency_ms", "processing_ms", "lost", "memory_mb")
    return {"end_s": window.end, **{name: window.metrics[name] for name in names}}
