"""On which clock the messages of a recording are stamped, and whether their stamps rise."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from listener_head.bags.items import Item
from listener_head.timing import NS_PER_S

STAMP, RECEIVED = "stamp", "received"
CLOCKS = (STAMP, RECEIVED)

# No message is longer on its way to a recording; then it is stamped by another clock.
OTHER_CLOCK_NS = NS_PER_S
# Further than this is no lost order: the recording starts again, or the clock was set.
JUMP_NS = NS_PER_S


class JumpedBack(Exception):
    """Stamps go back, by so many nanoseconds."""

    def __init__(self, item: Item, back_ns: int) -> None:
        self.item, self.back_ns = item, back_ns


class Rising:
    """Lets the items of one topic pass whose stamps rise; ``leave_out`` is told why others do not.

    An item stamped further ahead than time has passed waits for the next one: a clock that was set
    forward stays there, and a stamp that is broken does not.
    """

    def __init__(self, leave_out: Callable[[str], None]) -> None:
        self._leave_out = leave_out
        self._last: Item | None = None
        self._waiting: Item | None = None

    def put(self, item: Item) -> list[Item]:
        """The items that may pass now. Raises JumpedBack for a stamp that is far behind."""
        passed = []
        if self._waiting is not None:
            waiting, self._waiting = self._waiting, None
            if item.stamp_ns >= waiting.stamp_ns:
                passed.append(waiting)
                self._last = waiting
            else:
                self._leave_out("stamped far ahead of those around it")
        last = self._last
        if last is None or item.stamp_ns > last.stamp_ns:
            if (
                last is not None
                and item.stamp_ns - last.stamp_ns > JUMP_NS + item.received_ns - last.received_ns
            ):
                self._waiting = item
            else:
                passed.append(item)
                self._last = item
        elif item.stamp_ns == last.stamp_ns:
            self._leave_out("stamped as the one before")
        elif last.stamp_ns - item.stamp_ns <= JUMP_NS:
            self._leave_out("older than the one before")
        else:
            raise JumpedBack(item, last.stamp_ns - item.stamp_ns)
        return passed

    def rest(self) -> list[Item]:
        """What still waits when there is no more."""
        return [] if self._waiting is None else [self._waiting]


@dataclass
class Shift:
    """From the time of recording to the clock of the stamps: by its last tick, or a fixed offset."""

    tick_received_ns: int = 0
    tick_ns: int = 0
    rate: float = 1.0

    def tick(self, received_ns: int, clock_ns: int) -> None:
        """The clock said ``clock_ns``."""
        passed, ticked = received_ns - self.tick_received_ns, clock_ns - self.tick_ns
        if 0 < passed < NS_PER_S and ticked >= 0:
            self.rate = min(ticked / passed, 10.0)
        self.tick_received_ns, self.tick_ns = received_ns, clock_ns

    def __call__(self, received_ns: int) -> int:
        """The time on the clock of the stamps."""
        passed = received_ns - self.tick_received_ns
        return self.tick_ns + passed + round(passed * (self.rate - 1.0))  # exact at rate 1
