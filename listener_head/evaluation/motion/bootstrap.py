"""How far apart two runs are, and how sure that is, from their windows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]

_CONFIDENCE = 95.0


@dataclass(frozen=True)
class Interval:
    """Mean of the second run less that of the first, and its 95 % interval.

    ``n`` is the number of pairs, or of the smaller run's values. Without values the difference is None, and
    the bounds are with fewer than two.
    """

    difference: float | None
    low: float | None
    high: float | None
    n: int


def bootstrap(
    first: Sequence[float | None],
    second: Sequence[float | None],
    paired: bool,
    seed: int = 0,
    rounds: int = 2000,
) -> Interval:
    """The difference of the means of two runs' windows, by the moving block bootstrap.

    Windows that follow each other are alike, so blocks of neighbours are drawn, as long as the cube root of
    their number, closed to a circle (Künsch, Annals of Statistics 17, 1989; Politis and Romano, 1992).
    ``paired`` windows are of the same moments of one recording, in the same order. None and NaN are skipped.
    The same arguments give the same interval. ValueError for paired values of different number.
    """
    one, two = _array(first), _array(second)
    rng = np.random.default_rng(seed)
    if paired:
        if len(one) != len(two):
            raise ValueError(f"paired windows must be as many: {len(one)} and {len(two)}")
        change = _known(two - one)
        parts, count = [change], len(change)
    else:
        one, two = _known(one), _known(two)
        parts, count = [two, -one], min(len(one), len(two))
    if not count:
        return Interval(None, None, None, 0)
    difference = float(sum(part.mean() for part in parts))
    if count < 2:
        return Interval(difference, None, None, count)
    drawn = sum(_means(part, rounds, rng) for part in parts)
    low, high = np.percentile(drawn, [50 - _CONFIDENCE / 2, 50 + _CONFIDENCE / 2])
    return Interval(difference, float(low), float(high), count)


def _array(values: Sequence[float | None]) -> Values:
    return np.array([np.nan if value is None else value for value in values], np.float64)


def _known(values: Values) -> Values:
    return values[np.isfinite(values)]


def _means(values: Values, rounds: int, rng: np.random.Generator) -> Values:
    """Means [rounds] of values [N] drawn anew in blocks."""
    count = len(values)
    length = max(1, round(count ** (1 / 3)))
    blocks = -(-count // length)
    summed = np.concatenate([[0.0], np.cumsum(np.concatenate([values, values[:length]]))])
    starts = rng.integers(0, count, (rounds, blocks))
    sums = (summed[starts + length] - summed[starts]).sum(axis=1)
    return np.asarray(sums / (blocks * length))
