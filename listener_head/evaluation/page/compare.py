"""Two evaluations side by side: what differs, by how much, and whether that is more than chance."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from statistics import fmean
from typing import Any

from listener_head.evaluation.dyads.table import MEASURES
from listener_head.evaluation.latency import TARGETS
from listener_head.evaluation.motion.bootstrap import Interval, bootstrap
from listener_head.evaluation.page.model import LARGEST, Evaluation, Statistic, Windows
from listener_head.evaluation.page.tables import LOWEST_IS_BEST, PARTS
from listener_head.evaluation.page.timing import PERCENTILES

FORMAT = "listener_head.comparison/1"

_DRAW = 1e-4  # a difference, as a share, that no table shows
# Which of two numbers is the better; 0 where that is not known.
LOWEST, HIGHEST = -1, 1

_DISTANCE = "distance_"
_OF_WINDOWS = {
    "pitch_deviation": ("Deviation of pitch", "deg"),
    "speech": ("Share of the time that the speaker speaks", ""),
    **{f"{_DISTANCE}{part}": (f"Distance to the true listener × 100, {part}", "") for part in PARTS},
}
_STAMPS = {"age_ms": "Age of the picture at a step", "waiting_ms": "Waiting for the 30 Hz grid"}


@dataclass(frozen=True)
class Fact:
    """Something that was not the same in both, as text."""

    what: str
    a: str
    b: str


@dataclass(frozen=True)
class Row:
    """A number of both; ``difference`` is B less A.

    ``interval`` holds it with 95 % confidence, ``beyond_chance`` tells whether that leaves out zero; both are
    None where the number is not one of windows. ``better`` is "a" or "b" where it is known which is better,
    and the difference is not within chance.
    """

    section: str
    key: str
    label: str
    unit: str
    a: float
    b: float
    difference: float
    interval: tuple[float, float] | None = None
    beyond_chance: bool | None = None
    better: str | None = None


@dataclass(frozen=True)
class Comparison:
    """Evaluations A and B; ``paired`` when their windows are the same moments of one recording."""

    a: Evaluation
    b: Evaluation
    paired: bool
    facts: list[Fact]
    rows: list[Row]


def compare_evaluations(a: Evaluation, b: Evaluation, seed: int = 0) -> Comparison:
    """Compare what both have; the same evaluations and seed give the same intervals."""
    paired = a.bag.hash == b.bag.hash and a.windows.start_s == b.windows.start_s
    rows = list(_windows(a, b, paired, seed))
    told = {row.key for row in rows}
    rows += [row for row in _statistics(a, b) if row.key not in told]
    rows += [*_beside_truth(a, b), *_attitudes(a, b), *_latency(a, b)]
    return Comparison(a, b, paired, list(_facts(a, b)), rows)


def as_json(comparison: Comparison) -> dict[str, Any]:
    """What compare.json holds."""
    return {
        "format": FORMAT,
        **{
            side: {"bag": one.bag.model_dump(), "listener": one.listener.model_dump()}
            for side, one in (("a", comparison.a), ("b", comparison.b))
        },
        "paired": comparison.paired,
        "differs": [asdict(fact) for fact in comparison.facts],
        "rows": [asdict(row) for row in comparison.rows],
    }


def _facts(a: Evaluation, b: Evaluation) -> Iterator[Fact]:
    one, other = _told(a), _told(b)
    for what in dict.fromkeys([*one, *other]):
        left, right = one.get(what, "–"), other.get(what, "–")
        if left != right:
            yield Fact(what, left, right)


def _told(one: Evaluation) -> dict[str, str]:
    parts = {"recording": one.bag, "listener": one.listener, "schedule": one.schedule}
    found = {
        f"{name} {key.replace('_', ' ')}": str(value)
        for name, part in parts.items()
        for key, value in part.model_dump().items()
    }
    return found | {f"version of {name}": version for name, version in one.versions.items()}


def _windows(a: Evaluation, b: Evaluation, paired: bool, seed: int) -> Iterator[Row]:
    if a.windows.length_s != b.windows.length_s:
        return
    section = f"Means of windows of {a.windows.length_s:g} s"
    for key in a.windows.values:
        if key not in b.windows.values:
            continue
        means = _means(a.windows, b.windows, key, paired)
        if means is None:
            continue
        interval = bootstrap(a.windows.values[key], b.windows.values[key], paired, seed)
        label, unit, human = _about(key, a.statistics)
        difference = means[1] - means[0]
        bounds, beyond = _bounds(interval)
        best = LOWEST if key.startswith(_DISTANCE) else 0
        better = _better(*means, best, human) if beyond is not False else None
        yield Row(section, key, label, unit, *means, difference, bounds, beyond, better)


def _means(a: Windows, b: Windows, key: str, paired: bool) -> tuple[float, float] | None:
    """Means over the windows that have a value; of pairs, that have both."""
    one, two = a.values[key], b.values[key]
    if paired:
        both = [(x, y) for x, y in zip(one, two, strict=True) if x is not None and y is not None]
        one, two = [x for x, _ in both], [y for _, y in both]
    first, second = ([value for value in values if value is not None] for values in (one, two))
    return (fmean(first), fmean(second)) if first and second else None


def _bounds(interval: Interval) -> tuple[tuple[float, float] | None, bool | None]:
    if interval.low is None or interval.high is None:
        return None, None
    return (interval.low, interval.high), not interval.low <= 0 <= interval.high


def _about(key: str, statistics: Mapping[str, Statistic]) -> tuple[str, str, tuple[float, float] | None]:
    if key in statistics:
        return statistics[key].label, statistics[key].unit, statistics[key].human
    return *_OF_WINDOWS.get(key, (key, "")), None


def _better(a: float, b: float, best: int, human: tuple[float, float] | None) -> str | None:
    """The best, or the one nearer to people's range; None where nothing tells, and for a draw."""
    if human is not None:
        a, b = (max(human[0] - value, value - human[1], 0.0) for value in (a, b))
        best = LOWEST
    if best == 0 or math.isclose(a, b, rel_tol=_DRAW):
        return None
    return "a" if (a < b) == (best == LOWEST) else "b"


def _row(
    section: str,
    key: str,
    label: str,
    unit: str,
    a: float | None,
    b: float | None,
    best: int = 0,
    human: tuple[float, float] | None = None,
) -> Iterator[Row]:
    """A row without an interval, where both have the number."""
    if a is not None and b is not None:
        yield Row(section, key, label, unit, a, b, b - a, better=_better(a, b, best, human))


def _statistics(a: Evaluation, b: Evaluation) -> Iterator[Row]:
    for key, one in a.statistics.items():
        if (other := b.statistics.get(key)) is not None:
            yield from _row(
                "The whole recording", key, one.label, one.unit, one.value, other.value, human=one.human
            )


def _beside_truth(a: Evaluation, b: Evaluation) -> Iterator[Row]:
    """Each listener's own policy, from the true listener's first frame on."""
    if a.truth is None or b.truth is None:
        return
    section = "Beside the true listener"
    one, other = (each.truth.distances.get(each.listener.policy, {}) for each in (a, b) if each.truth)
    for part in PARTS:
        label = f"Feature distance × 100, {part}"
        yield from _row(section, f"truth_{part}", label, "", one.get(part), other.get(part), LOWEST)
    mine, yours = (each.truth.measures.get(each.listener.policy, {}) for each in (a, b) if each.truth)
    for part, measures in mine.items():
        for key, short in MEASURES.items():
            values = measures.get(key), yours.get(part, {}).get(key)
            best = LOWEST if key in LOWEST_IS_BEST else 0
            yield from _row(section, f"{part}_{key}", f"{short}, {part}", "", *values, best)


def _attitudes(a: Evaluation, b: Evaluation) -> Iterator[Row]:
    one, other = (each.separability.accuracy if each.separability else None for each in (a, b))
    if one is not None and other is not None:
        label = "Attitudes told apart"
        yield from _row("Attitudes", "separability", label, "%", 100 * one, 100 * other, HIGHEST)


def _latency(a: Evaluation, b: Evaluation) -> Iterator[Row]:
    section = "Latency from the stamps"
    for key, name in _STAMPS.items():
        one, other = a.latency.get(key) or {}, b.latency.get(key) or {}
        for each, word in PERCENTILES.items():
            label = f"{name}, {word}"
            yield from _row(section, f"{key}_{each}", label, "ms", one.get(each), other.get(each), LOWEST)
    if a.live and b.live:
        for target in TARGETS:
            mine, yours = _number(target.value(a.live)), _number(target.value(b.live))
            yield from _row("Live", "_".join(target.path), target.label, target.unit, mine, yours, LOWEST)


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and abs(value) <= LARGEST else None
