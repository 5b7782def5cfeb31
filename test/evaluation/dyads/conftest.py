"""Dyads of simple formulae."""

import numpy as np
import pytest
from scipy.signal import lfilter

from listener_head.coefficients import LAYOUTS
from listener_head.dyads.clips import DyadClip, DyadClips

ATTITUDES = ("positive", "neutral", "negative")


@pytest.fixture(scope="session")
def drift():
    """The function that draws smooth random tracks."""
    return _drift


@pytest.fixture(scope="session")
def make_clips():
    """The function that makes a set of dyads."""
    return _make_clips


def _drift(rng, frames, size, memory=0.9):
    """Tracks [frames, size] of unit deviation, correlated in time."""
    noise = rng.standard_normal((frames + 200, size))
    track = lfilter([np.sqrt(1 - memory**2)], [1, -memory], noise, axis=0)[200:]
    return track.astype(np.float32)


def _make_clips(counts, frames=120, face_model="arkit52", seed=0):
    """Clips by split, attitudes in turn; half of what the listener does answers the speaker 0.3 s later."""
    rng, layout = np.random.default_rng(seed), LAYOUTS[face_model]
    clips = []
    for split, count in counts.items():
        for number in range(count):
            attitude = number % len(ATTITUDES)
            audio = _drift(rng, frames, 45)
            speaker = layout.neutral() + 0.05 * _drift(rng, frames, layout.size)
            answer = np.roll(speaker - layout.neutral(), 9, axis=0)
            listener = layout.neutral() + answer + 0.05 * _drift(rng, frames, layout.size)
            listener[:, layout.expression] += 0.3 + 0.1 * attitude
            clips.append(
                DyadClip(
                    f"{split}{number}",
                    audio,
                    speaker.astype(np.float32),
                    listener.astype(np.float32),
                    ATTITUDES[attitude],
                    f"speaker{number}",
                    f"listener{number}",
                    split,
                )
            )
    return DyadClips(layout, "paper45", tuple(clips))
