"""Small building blocks of motion: causal filters and gestures on the 30 Hz grid."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.signal import lfilter

from listener_head.timing import RATE_HZ

Track = NDArray[np.float64]


def frame_times(count: int) -> Track:
    """Times of the first ``count`` frames [s]."""
    return np.arange(count) / RATE_HZ


def smooth(track: ArrayLike, time_constant: float, passes: int = 1) -> Track:
    """Causal low-pass along the first axis, started at its first value."""
    keep = float(np.exp(-1 / (time_constant * RATE_HZ)))
    values = np.asarray(track, np.float64)
    for _ in range(passes):
        values, _ = lfilter([1 - keep], [1.0, -keep], values, axis=0, zi=keep * values[:1])
    return values


def delay(track: ArrayLike, seconds: float) -> Track:
    """The track later by a fraction of frames too; its first value stands before its start."""
    values = np.asarray(track, np.float64)
    position = np.clip(np.arange(len(values)) - seconds * RATE_HZ, 0, len(values) - 1)
    before = np.floor(position).astype(int)
    after = np.minimum(before + 1, len(values) - 1)
    share = (position - before).reshape(-1, *(1,) * (values.ndim - 1))
    return np.asarray((1 - share) * values[before] + share * values[after])


def bump(times: Track, start: float, rise: float, fall: float, hold: float = 0.0) -> Track:
    """A smooth gesture from 0 to 1 and back that begins at ``start`` [s]."""
    up = np.clip((times - start) / rise, 0, 1)
    down = np.clip((times - start - rise - hold) / fall, 0, 1)
    ease_up, ease_down = up * up * (3 - 2 * up), down * down * (3 - 2 * down)
    return np.asarray(ease_up - ease_down)


def nods(times: Track, start: float, cycles: float, rate_hz: float) -> Track:
    """Movements to 1 and back again, each smaller than the one before; at rest before and after."""
    return np.asarray((1 - np.cos(2 * np.pi * _phase(times, start, cycles, rate_hz))) / 2) * _fading(
        times, start, cycles, rate_hz
    )


def shakes(times: Track, start: float, cycles: float, rate_hz: float) -> Track:
    """Movements to either side, about 1 at first, from rest and to rest."""
    phase = _phase(times, start, cycles, rate_hz)
    ends = np.sin(np.pi * phase / cycles) ** 0.7
    return np.asarray(np.sin(2 * np.pi * phase) * ends) * _fading(times, start, cycles, rate_hz)


def _phase(times: Track, start: float, cycles: float, rate_hz: float) -> Track:
    return np.clip((times - start) * rate_hz, 0, cycles)


def _fading(times: Track, start: float, cycles: float, rate_hz: float) -> Track:
    return 1.1 - 0.45 * _phase(times, start, cycles, rate_hz) / cycles


def wander(count: int, deviation: float, time_constant: float, rng: np.random.Generator) -> Track:
    """Slow random drift of the given standard deviation, smooth in velocity."""
    warm_up = int(8 * time_constant * RATE_HZ)
    noise = smooth(rng.standard_normal(count + warm_up), time_constant, passes=2)[warm_up:]
    # Two passes leave this share of white noise's deviation.
    return np.asarray(deviation * noise * 2 * np.sqrt(time_constant * RATE_HZ))
