"""The 30 Hz grid on which the listener steps, in integer nanoseconds.

Step k belongs to ``t_k = round(k * 1e9 / 30)`` since the epoch of the clock in use. Everything here is
exact integer arithmetic, so that live and offline runs agree on every step.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

RATE_HZ = 30
NS_PER_S = 1_000_000_000

# A speaker's face is held this long (zero-order hold); after that the speaker is absent.
HOLD_NS = 300_000_000


def grid_time_ns(index: int) -> int:
    """Time t_k of grid step ``index`` [ns]."""
    return (index * NS_PER_S + RATE_HZ // 2) // RATE_HZ


def grid_times_ns(indices: ArrayLike) -> NDArray[np.int64]:
    """`grid_time_ns` of many steps [T], second by second: their product with 1e9 would not fit 64 bits."""
    seconds, frames = np.divmod(np.asarray(indices, np.int64), RATE_HZ)
    times: NDArray[np.int64] = seconds * NS_PER_S + (frames * NS_PER_S + RATE_HZ // 2) // RATE_HZ
    return times


def index_at_or_before(time_ns: int) -> int:
    """The last grid step whose time is not after ``time_ns``."""
    return (time_ns * RATE_HZ + RATE_HZ // 2 - 1) // NS_PER_S


def indices_at_or_before(times_ns: ArrayLike) -> NDArray[np.int64]:
    """`index_at_or_before` of many times [T]."""
    seconds, rest = np.divmod(np.asarray(times_ns, np.int64), NS_PER_S)
    indices: NDArray[np.int64] = seconds * RATE_HZ + (rest * RATE_HZ + RATE_HZ // 2 - 1) // NS_PER_S
    return indices


def index_at_or_after(time_ns: int) -> int:
    """The first grid step whose time is not before ``time_ns``."""
    return index_at_or_before(time_ns - 1) + 1
