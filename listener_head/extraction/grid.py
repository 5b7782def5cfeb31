"""Pictures and sound of a clip brought onto the 30 Hz grid that begins with its first picture."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from listener_head.audio import FeatureFrames, FeatureStream
from listener_head.coefficients import Coefficients, layout_of
from listener_head.errors import UserError
from listener_head.sources import Sound
from listener_head.timing import HOLD_NS, NS_PER_S, RATE_HZ, grid_times_ns

LEAST_VALID = 0.5  # share of the frames that must show a face

_FIXED = ("identity", "texture", "lighting")


@dataclass(frozen=True)
class Seen:
    """What was seen in one picture, ``time_ns`` after the first, and the grid steps that hold it."""

    coefficients: Coefficients
    time_ns: int
    steps: range


def face_on_grid(seen: list[Seen], face_model: str) -> dict[str, NDArray[Any]]:
    """The arrays of a clip file that tell of the face, T rows each.

    Zero-order hold: a step has what was seen in the newest picture at or before it. A picture older than
    ``HOLD_NS`` is none.
    """
    stamps = grid_times_ns(np.arange(seen[-1].steps.stop))
    newest = np.concatenate([np.full(len(each.steps), i) for i, each in enumerate(seen)])
    source = np.array([each.time_ns for each in seen], np.int64)[newest]
    source[stamps - source > HOLD_NS] = -1
    valid = np.array([each.coefficients.valid for each in seen])[newest] & (source >= 0)

    def rows(name: str, size: int) -> NDArray[np.float32]:
        values = np.zeros((len(seen), size), np.float32)
        for row, each in zip(values, seen, strict=True):
            if each.coefficients.valid:
                row[:] = getattr(each.coefficients, name)
        return values[newest] * valid[:, None]

    sizes = {name: max(len(getattr(each.coefficients, name)) for each in seen) for name in _FIXED}
    confidence = np.array([each.coefficients.confidence for each in seen], np.float32)[newest]
    return {
        "stamps_ns": stamps,
        "source_stamps_ns": source,
        "motion": rows("motion", layout_of(face_model).size),
        "valid": valid,
        "confidence": confidence * valid,
        **{name: rows(name, size) for name, size in sizes.items()},
    }


def check_face(seen: list[Seen], valid: NDArray[np.bool_]) -> None:
    """UserError, with the commonest reason, when more than half of the frames have no usable face."""
    if valid.mean() < LEAST_VALID:
        reasons = Counter(each.coefficients.reason for each in seen if not each.coefficients.valid)
        why = f", mostly: {reasons.most_common(1)[0][0]}" if reasons else ""
        raise UserError(f"{1 - valid.mean():.0%} of its frames have no usable face{why}")


def sound_on_grid(sound: Sound, count: int, layout: str) -> FeatureFrames:
    """The first ``count`` frames of features from the instant 0 of the sound's clock on.

    Silence stands where the sound has not begun or is over.
    """
    rate, samples = sound.sample_rate, sound.samples
    first = round(sound.time_ns * rate / NS_PER_S)
    samples = samples[max(0, -first) :]
    needed = (count + 1) * rate // RATE_HZ + 1
    before = min(max(0, first), needed)
    samples = samples[: needed - before]
    after = needed - before - len(samples)
    frames = FeatureStream(rate, layout).push_frames(np.pad(samples, ((before, after), (0, 0))))
    return FeatureFrames(
        frames.values[:count],
        frames.first_index,
        frames.voice_activity[:count],
        frames.clipped[:count],
        frames.gap[:count],
        frames.silent[:count],
    )
