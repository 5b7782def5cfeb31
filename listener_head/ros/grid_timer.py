"""A timer that fires a fixed delay after each instant of the 30 Hz grid."""

from __future__ import annotations

from collections.abc import Callable

from listener_head.ros.node import GraphNode
from listener_head.timing import NS_PER_S, grid_time_ns, index_at_or_before


class GridTimer:
    """Calls ``callback(k)`` at ``grid_time_ns(k) + delay_ns`` on the node's clock, until deactivation.

    An instant that was missed (a busy executor, a clock that jumped) is left out, never made up for.
    """

    def __init__(self, node: GraphNode, delay_ns: int, callback: Callable[[int], None]) -> None:
        self._clock = node.get_clock()
        self._delay_ns = delay_ns
        self._callback = callback
        self._next = 0
        self._timer = node.every(1.0, self._fire)
        self._plan()

    def set_delay(self, delay_ns: int) -> None:
        """Fire so long after each instant, from the next one on."""
        self._delay_ns = delay_ns
        self._sleep()

    def _plan(self) -> None:
        self._next = index_at_or_before(self._clock.now().nanoseconds - self._delay_ns) + 1
        self._sleep()

    def _sleep(self) -> None:
        self._timer.timer_period_ns = max(1, self._left_ns())
        self._timer.reset()

    def _left_ns(self) -> int:
        return grid_time_ns(self._next) + self._delay_ns - self._clock.now().nanoseconds

    def _fire(self) -> None:
        left_ns = self._left_ns()
        if abs(left_ns) > NS_PER_S:  # the clock has jumped: simulated time begins, or goes back
            self._plan()
        elif left_ns > 0:  # woken early, as timers may be; an instant is never used twice
            self._sleep()
        else:
            index = self._next
            self._plan()
            self._callback(index)
