"""What a live run must not exceed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from math import inf, isnan

from listener_head.errors import UserError
from listener_head.evaluation.latency import TARGETS, Metrics, Target

# As far as live and offline coefficients may be apart: the numbers of a network on another batch size.
AGREEMENT = 1e-4


def _target(*path: str) -> Target:
    """The target of a run on two cores for a number of the live metrics."""
    return next(target for target in TARGETS if target.path == path)


# By the name of the argument, without "max_". Where the usual limit is infinite, only a given one counts.
THRESHOLDS: dict[str, Target] = {
    "frames_lost_percent": _target("frames_lost_percent"),
    "joint_p50_ms": _target("processing_ms", "joint", "p50"),
    "joint_p99_ms": _target("processing_ms", "joint", "p99"),
    "image_p99_ms": _target("processing_ms", "image", "p99"),
    "joint_grid_p99_ms": _target("joint_latency_ms", "p99"),
    "image_grid_p99_ms": _target("image_latency_ms", "p99"),
    "jitter_ms": Target(
        "Time between joint commands, p99 - p50", ("jitter_ms", "joint", "spread"), inf, "ms"
    ),
    "memory_mb": _target("memory_mb", "total"),
    "cpu_percent": Target("Processor time of all nodes", ("cpu_percent", "total"), inf, "% of a core"),
    "agreement": Target("Live against offline coefficients", ("agreement", "largest"), AGREEMENT, ""),
}
_OF_PICTURES = ("image_p99_ms", "image_grid_p99_ms")


@dataclass(frozen=True)
class Verdict:
    """One number against its limit; ``measured`` is None where the run has none, which no limit allows."""

    name: str
    label: str
    measured: float | None
    limit: float
    unit: str

    @property
    def exceeded(self) -> bool:
        """Whether the run is refused for it."""
        return self.measured is None or self.measured > self.limit

    @property
    def measured_text(self) -> str:
        """The number with its unit."""
        return "not measured" if self.measured is None else f"{self.measured:.4g} {self.unit}".rstrip()

    @property
    def limit_text(self) -> str:
        """The limit with its unit."""
        return f"{self.limit:.4g} {self.unit}".rstrip()

    def __str__(self) -> str:
        return f"{self.label}: {self.measured_text}, limit {self.limit_text} (max_{self.name})"


def checked_limits(limits: Mapping[str, float]) -> Mapping[str, float]:
    """Limits by name in THRESHOLDS, infinity for none; UserError for one that is negative or not a number."""
    for name, limit in limits.items():
        if isnan(limit) or limit < 0:
            raise UserError(f"max_{name} is {limit:g}; give a number that is not negative")
    return limits


def verdicts(metrics: Metrics, limits: Mapping[str, float], drawn: bool = True) -> list[Verdict]:
    """Every number that has a limit, against it.

    ``metrics`` has the live metrics under "live" and the `Agreement` under "agreement". ``limits``, as
    `checked_limits` takes them, come before the usual ones. Numbers of pictures are left out unless the
    listener was ``drawn``.
    """
    found = []
    for name, target in THRESHOLDS.items():
        limit = limits.get(name, target.limit)
        if limit < inf and (drawn or name not in _OF_PICTURES):
            whole = metrics if name == "agreement" else metrics["live"]
            found.append(Verdict(name, target.label, target.value(whole), limit, target.unit))
    return found


def as_json(found: list[Verdict]) -> list[dict[str, object]]:
    """The verdicts as metrics.json has them."""
    return [{**asdict(verdict), "exceeded": verdict.exceeded} for verdict in found]
