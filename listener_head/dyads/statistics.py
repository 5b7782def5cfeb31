"""Mean and standard deviation of a set, as the published baseline's statistics script takes them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from listener_head.dyads.clips import DyadClips
from listener_head.errors import UserError
from listener_head.extraction.statistics import ColumnStatistics

FloatArray = NDArray[np.float32]


@dataclass(frozen=True)
class SetStatistics:
    """Each is ``mean`` and ``std`` (of a sample: n - 1) of the columns.

    ``audio`` [A]; ``speaker`` and ``listener`` [M]; ``motion`` [M] of both together, which is what the
    baseline standardises both with.
    """

    audio: dict[str, FloatArray]
    speaker: dict[str, FloatArray]
    listener: dict[str, FloatArray]
    motion: dict[str, FloatArray]


def measure(clips: DyadClips) -> SetStatistics:
    """Statistics over all frames of the clips, which should be those of D_train; UserError without any."""
    if not len(clips):
        raise UserError("there is no clip to take statistics of; give a set with clips in the split 'train'")
    audio, speaker, listener, motion = (ColumnStatistics() for _ in range(4))
    for clip in clips:
        audio.add(clip.audio)
        speaker.add(clip.speaker)
        listener.add(clip.listener)
        motion.add(clip.speaker)
        motion.add(clip.listener)
    return SetStatistics(*(columns.result() for columns in (audio, speaker, listener, motion)))
