"""What a source delivers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from listener_head.timing import NS_PER_S


@dataclass(frozen=True)
class Image:
    """A camera frame: uint8 [H, W, 3] in BGR order, taken ``time_ns`` after the source's start."""

    time_ns: int
    pixels: NDArray[np.uint8]

    @property
    def due_ns(self) -> int:
        """When a camera would deliver it."""
        return self.time_ns


@dataclass(frozen=True)
class Sound:
    """A piece of sound: int16 [N, channels], its first sample ``time_ns`` after the source's start."""

    time_ns: int
    samples: NDArray[np.int16]
    sample_rate: int

    @property
    def due_ns(self) -> int:
        """When a microphone would deliver it: at its last sample."""
        return self.time_ns + len(self.samples) * NS_PER_S // self.sample_rate


SourceEvent = Image | Sound
