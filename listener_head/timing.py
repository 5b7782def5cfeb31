"""The 30 Hz grid on which the listener steps, in integer nanoseconds.

Step k belongs to ``t_k = round(k * 1e9 / 30)`` since the epoch of the clock in use. Everything here is
exact integer arithmetic, so that live and offline runs agree on every step.
"""

from __future__ import annotations

RATE_HZ = 30
NS_PER_S = 1_000_000_000

# A speaker's face is held this long (zero-order hold); after that the speaker is absent.
HOLD_NS = 300_000_000


def grid_time_ns(index: int) -> int:
    """Time t_k of grid step ``index`` [ns]."""
    return (index * NS_PER_S + RATE_HZ // 2) // RATE_HZ


def index_at_or_before(time_ns: int) -> int:
    """The last grid step whose time is not after ``time_ns``."""
    return (time_ns * RATE_HZ + RATE_HZ // 2 - 1) // NS_PER_S


def index_at_or_after(time_ns: int) -> int:
    """The first grid step whose time is not before ``time_ns``."""
    return index_at_or_before(time_ns - 1) + 1
