"""What is wrong with a recording, one line for each kind of fault."""

from __future__ import annotations


class Faults:
    """Lines that grow while a recording is read."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._left_out: dict[tuple[str, str], tuple[int, int, str]] = {}

    def say(self, line: str) -> None:
        """Add a line, once."""
        if line not in self.lines:
            self.lines.append(line)

    def leave_out(self, topic: str, reason: str, detail: str = "") -> None:
        """Count one more message of a topic that is left out; the first one's ``detail`` is told."""
        known = self._left_out.get((topic, reason), (len(self.lines), 0, f" ({detail})" if detail else ""))
        row, number, detail = known[0], known[1] + 1, known[2]
        self._left_out[topic, reason] = (row, number, detail)
        line = f"topic {topic}: {number} message{'s' * (number > 1)} left out: {reason}{detail}"
        self.lines[row : row + 1] = [line]
