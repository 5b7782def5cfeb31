"""The coefficients of a clip in order of time."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from listener_head.coefficients import LAYOUTS, Coefficients
from listener_head.errors import UserError
from listener_head.timing import NS_PER_S

# Stamps are rounded to milliseconds by some recorders.
STAMP_ROUNDING_NS = 1_000_000
LONGEST_GAP_S = 600.0  # a longer one is another clock's stamp


@dataclass(frozen=True)
class CoefficientSequence:
    """Valid coefficients and their times [ns] since the clip's start, ascending; at least one.

    ``seen_by_camera`` says that translation is a person's place before some camera, not the listener's
    before its own virtual one; ``starts_with_sound`` that time 0 is when the speaker's picture or sound
    begins, whichever is earlier, else when the picture does.
    """

    path: Path
    times_ns: NDArray[np.int64]
    frames: list[Coefficients]
    seen_by_camera: bool
    starts_with_sound: bool = False

    @property
    def face_model(self) -> str:
        """Of all frames."""
        return self.frames[0].face_model

    def at_rate(self, fps: int) -> NDArray[np.intp]:
        """For each picture of a constant rate the frame to show: the newest so far, at first the first."""
        count = int((self.times_ns[-1] + STAMP_ROUNDING_NS) * fps // NS_PER_S) + 1
        times = np.arange(count, dtype=np.int64) * NS_PER_S // fps + STAMP_ROUNDING_NS
        return np.maximum(np.searchsorted(self.times_ns, times, side="right") - 1, 0)

    def seated(self) -> CoefficientSequence:
        """The same with its middle place put where a listener sits (arkit52 from a camera only)."""
        if not self.seen_by_camera or self.face_model != "arkit52":
            return self
        layout = LAYOUTS[self.face_model]
        middle = np.median([frame.translation for frame in self.frames], axis=0)
        shift = layout.neutral()[layout.translation] - middle.astype(np.float32)
        frames = [replace(frame, translation=frame.translation + shift) for frame in self.frames]
        return replace(self, frames=frames, seen_by_camera=False)


def check_gaps(name: str, times_ns: NDArray[np.int64]) -> None:
    """UserError when ascending times jump further than a pause of a recording would."""
    gaps = np.diff(times_ns, prepend=0)
    longest_s, to_s = gaps.max() / NS_PER_S, times_ns[gaps.argmax()] / NS_PER_S
    if longest_s > LONGEST_GAP_S:
        raise UserError(
            f"{name} jumps ahead by {longest_s:.0f} s to {to_s:.0f} s; "
            f"stamps of one clock, at most {LONGEST_GAP_S:.0f} s apart, are needed"
        )
