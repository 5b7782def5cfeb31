"""The clock of a recording that is played: simulated time against the computer's, and when to tell it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from listener_head.evaluation.offline.schedule import STEP_DELAY_NS
from listener_head.timing import NS_PER_S, RATE_HZ

# How often simulated time is told: four times for each step of the grid. Every time costs each node 0.2 ms.
TICKS_HZ = 4 * RATE_HZ
# A timer fires only when time is told, up to a period late. So it is told when the listener's steps are due,
# which is so long after the instants of the grid.
TICK_PHASE_NS = STEP_DELAY_NS

# The clock runs this long before the first message, so that timers and the robot are under way ...
LEAD_NS = NS_PER_S
# ... and after the last one, so that all answers are there before it jumps or ends.
TAIL_NS = 500_000_000


@dataclass(frozen=True)
class Playback:
    """Simulated time that is ``start_ns`` at ``began`` and runs ``rate`` times as fast as ``now`` [s]."""

    start_ns: int
    began: float
    rate: float = 1.0
    now: Callable[[], float] = time.monotonic

    def time_ns(self) -> int:
        """The simulated time."""
        return self.start_ns + round((self.now() - self.began) * self.rate * NS_PER_S)

    def seconds_until(self, time_ns: int) -> float:
        """How long to wait for a simulated time [s of the computer's]; 0 when it is over."""
        return max(0.0, (time_ns - self.time_ns()) / NS_PER_S / self.rate)

    def next_tick_ns(self) -> int:
        """The next simulated time that is to be told."""
        index = (self.time_ns() - TICK_PHASE_NS) * TICKS_HZ // NS_PER_S + 1
        return TICK_PHASE_NS - (-index * NS_PER_S // TICKS_HZ)  # rounded up: not before a timer is due


def start_ns(first_due_ns: int) -> int:
    """Where the clock of a recording begins whose first message is due at ``first_due_ns``.

    Not at 0, which to ROS says that there is no time yet.
    """
    return max(1, first_due_ns - LEAD_NS)
