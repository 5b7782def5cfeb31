"""What was wrong with single pictures and pieces of sound of a recording."""

from __future__ import annotations

from listener_head.errors import UserError


class Faults:
    """Counts faults by topic, and keeps the first of each."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}
        self._first: dict[str, str] = {}

    def add(self, topic: str, problem: UserError) -> None:
        """One more."""
        self._counts[topic] = self._counts.get(topic, 0) + 1
        self._first.setdefault(topic, str(problem))

    def lines(self) -> list[str]:
        """One line for each topic that had some."""
        return [
            f"{topic}: {count} messages cannot be used, the first: {self._first[topic]}"
            for topic, count in self._counts.items()
        ]
