"""How a listener passes from one attitude to another."""

from __future__ import annotations

from listener_head.timing import RATE_HZ

# An attitude change cross-fades from the old state's motion to the new one's over this many frames.
FADE_FRAMES = RATE_HZ


class AttitudeFade:
    """Which attitude a listener has, and how far it has faded to it; ``frame`` is None when nothing fades."""

    def __init__(self, attitude: str | None) -> None:
        self.attitude = attitude
        self.pending: str | None = None
        self.frame: int | None = None

    @property
    def wanted(self) -> str | None:
        """The attitude asked for last."""
        return self.pending or self.attitude

    def ask(self, attitude: str) -> bool:
        """True when a fade to ``attitude`` begins now; one asked for during another waits for its end."""
        if self.frame is not None:
            self.pending = attitude if attitude != self.attitude else None
            return False
        if attitude == self.attitude:
            return False
        self.attitude, self.frame = attitude, 0
        return True

    @property
    def weight(self) -> float:
        """Share of the new state's motion in the present frame, smooth at both ends."""
        phase = 0.0 if self.frame is None else (self.frame + 1) / FADE_FRAMES
        return phase * phase * (3 - 2 * phase)

    def advance(self) -> bool:
        """After a frame of a fade: True when it was the last."""
        if self.frame is None:
            return False
        self.frame += 1
        if self.frame < FADE_FRAMES:
            return False
        self.frame = None
        return True

    def next(self) -> str | None:
        """The attitude that waited for the end of a fade, to be asked for now."""
        attitude, self.pending = self.pending, None
        return attitude
