"""Whether the stamps of a topic are of the clock that its reader goes by, and what to do if they are not."""

from __future__ import annotations

from listener_head.timing import NS_PER_S

# Stamps are judged by the median of the ages of so many messages: single late ones do not count.
WINDOW = 30
# Ages in between are what cameras, networks and the listener's prediction of the next frame make.
YOUNGEST_NS = -NS_PER_S // 10
OLDEST_NS = NS_PER_S
# The middle half of the ages spreads by less, or they tell nothing: a sender that does not keep real time.
_STEADY_NS = NS_PER_S // 10
# Three steps of the 30 Hz grid: stamps of the grid stay on it.
_GRAIN_NS = NS_PER_S // 10
# Clocks of computers differ by less than this; a recording's stamps differ by more.
_SAME_DAY_NS = 3600 * NS_PER_S


class SenderClock:
    """Stamps of one topic, shifted to this clock by a constant where their sender's clock differs.

    The sender's clock differs when the median age of WINDOW messages is below YOUNGEST_NS or above OLDEST_NS,
    and steady. From then on stamps are shifted by a multiple of 0.1 s, so that their age is 0 to 0.1 s in the
    median, until they agree again or differ otherwise.
    """

    def __init__(self) -> None:
        self.shift_ns = 0
        self.age_ns = 0  # the last median
        self._ages: list[int] = []

    def local_ns(self, stamp_ns: int, now_ns: int) -> int:
        """The stamp on this clock, which shows ``now_ns``; messages without a stamp have that of arrival."""
        if stamp_ns == 0 or now_ns == 0:  # simulated time has not begun
            return now_ns or stamp_ns
        self._ages.append(now_ns - stamp_ns)
        if len(self._ages) == WINDOW:
            self._judge()
        return stamp_ns + self.shift_ns

    def explanation(self, simulated: bool) -> str:
        """One line on how the clocks differ, what is done and the fix; empty while they agree.

        ``simulated`` says that the reader's clock is `/clock`.
        """
        if not self.shift_ns:
            return ""
        side = "behind" if self.age_ns > 0 else "ahead of"
        if abs(self.age_ns) < _SAME_DAY_NS:
            fix = "synchronise the clocks of the computers, with chrony for example"
        elif simulated:
            fix = "the sender does not go by /clock: set use_sim_time:=true there, or false here"
        else:
            fix = "if this is a recording, play it with --clock and set use_sim_time:=true here"
        return (
            f"stamps are {abs(self.age_ns) / NS_PER_S:.2f} s {side} this node's clock and are shifted by "
            f"{self.shift_ns / NS_PER_S:+.1f} s, so that latencies leave the way here out; {fix}"
        )

    def _judge(self) -> None:
        ages, self._ages = sorted(self._ages), []
        if ages[3 * WINDOW // 4] - ages[WINDOW // 4] > _STEADY_NS:
            return
        self.age_ns = ages[WINDOW // 2]
        if YOUNGEST_NS <= self.age_ns <= OLDEST_NS:
            self.shift_ns = 0
        elif not YOUNGEST_NS <= self.age_ns - self.shift_ns <= OLDEST_NS:
            self.shift_ns = self.age_ns // _GRAIN_NS * _GRAIN_NS
