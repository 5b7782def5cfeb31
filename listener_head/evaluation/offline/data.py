"""What is seen and heard in a recording, and what a listener does about it.

Stamps are integer nanoseconds of the recording's clock; steps are indices of the 30 Hz grid
(`listener_head.timing`). M is the size of the face model's motion, A that of the audio features.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from listener_head.coefficients import Layout
from listener_head.timing import grid_times_ns

FloatArray = NDArray[np.float32]
Nanoseconds = NDArray[np.int64]
BoolArray = NDArray[np.bool_]


@dataclass(frozen=True)
class Seen:
    """Fits of one face by stamp, as the node face_fit publishes them: ``motion`` [N, M], zero if not valid.

    ``size`` is (width, height) of the pictures, (0, 0) where the fits themselves were recorded.
    """

    layout: Layout
    stamp_ns: Nanoseconds
    motion: FloatArray
    valid: BoolArray
    size: tuple[int, int] = (0, 0)


@dataclass(frozen=True)
class Heard:
    """Audio features of the steps ``indices`` [T], rising, as the node audio_features publishes them.

    ``values`` [T, A] of ``layout``, ``voice_activity`` [T] 0 to 1, ``flags`` [T] as in AudioFeatures.msg.
    """

    layout: str
    indices: NDArray[np.int64]
    values: FloatArray
    voice_activity: FloatArray
    flags: NDArray[np.uint8]


@dataclass(frozen=True)
class Envelope:
    """Lowest and highest sample (-1 to 1) [P] of pieces of the sound that begin at ``stamp_ns`` [P]."""

    stamp_ns: Nanoseconds
    low: FloatArray
    high: FloatArray


@dataclass(frozen=True)
class Perceived:
    """What the nodes before the listener make of a recording; ``truth`` is the true listener's face.

    ``perception_ms`` [N] and ``features_ms`` are what it took on this machine, and differ from run to run.
    """

    speaker: Seen
    heard: Heard
    truth: Seen | None
    envelope: Envelope
    perception_ms: FloatArray
    features_ms: FloatArray


@dataclass(frozen=True)
class Listened:
    """What a listener did in the steps ``indices`` [T]: ``motion`` [T, M] is for the instant of step + 1.

    ``source_ns`` [T]: stamp of the picture that each step saw, 0 for none. ``heard`` and ``seen`` [T]:
    whether it heard and saw the speaker; ``audio`` [T, A] and ``speaker`` [T, M] are what it was given,
    silence and the absent speaker where there was nothing. ``mode`` and ``flags`` [T] are as in
    ListenerState.msg; ``step_ms`` [T] is what it took on this machine.
    """

    policy: str
    name: str
    hash: str
    attitude: str
    layout: Layout
    indices: NDArray[np.int64]
    motion: FloatArray
    source_ns: Nanoseconds
    audio: FloatArray
    speaker: FloatArray
    voice_activity: FloatArray
    heard: BoolArray
    seen: BoolArray
    mode: NDArray[np.uint8]
    flags: NDArray[np.uint8]
    step_ms: FloatArray

    @property
    def stamp_ns(self) -> Nanoseconds:
        """The instants [T] that the motion is for."""
        return grid_times_ns(self.indices + 1)
