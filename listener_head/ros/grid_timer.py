"""A timer that fires a fixed delay after each instant of the 30 Hz grid."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rclpy.node import Node

from listener_head.timing import grid_time_ns, index_at_or_before


class GridTimer:
    """Calls ``callback(k)`` at ``grid_time_ns(k) + delay_ns`` on the node's clock.

    An instant that was missed (a busy executor, a clock that jumped) is left out, never made up for.
    """

    def __init__(self, node: Node, delay_ns: int, callback: Callable[[int], None]) -> None:
        self._clock = node.get_clock()
        self._delay_ns = delay_ns
        self._callback = callback
        self._next = -1
        self._timer: Any = node.create_timer(1.0, self._fire)
        self._plan()

    @property
    def timer(self) -> Any:
        """The rclpy timer, to destroy."""
        return self._timer

    def _plan(self) -> None:
        now_ns = self._clock.now().nanoseconds
        following = index_at_or_before(now_ns - self._delay_ns) + 1
        # A timer may fire some microseconds early, and would find the same instant still to come.
        self._next = following + (following == self._next)
        self._timer.timer_period_ns = max(1, grid_time_ns(self._next) + self._delay_ns - now_ns)
        self._timer.reset()

    def _fire(self) -> None:
        index = self._next
        self._plan()
        self._callback(index)
