"""Nods, shakes of the head and blinks, found in curves.

A nod is a run of swings of the pitch, down and up in turn, each large enough to be seen, that follow each
other as fast as listeners nod. How fast is measured from where one swing is fastest to where the next is,
so that neither a rest before the nod, nor slow drift, nor breath counts. A shake of the head is the same
about the vertical axis, with one swing more: a single one to the side and back is a glance.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.signal import find_peaks, peak_widths

from listener_head.evaluation.motion.kinematics import Curve
from listener_head.timing import RATE_HZ

# From slow nods to the fastest that are known of listeners (Hale et al., "Are you on my wavelength?", Journal
# of Nonverbal Behavior 44, 2020: 2.6 to 6.5 Hz).
SLOWEST_HZ, FASTEST_HZ = 0.5, 6.5
# Smaller swings [deg] are hardly seen, and within what breath and drift add up to.
LEAST_SWING_DEG = 1.5
# Of two swings of one nod, the smaller is at least this share of the larger: else the head goes elsewhere.
_BALANCE = 0.4
# A swing that comes so many times later than the ones before or after it came begins another nod.
_PAUSE = 2.0
# When a swing is fast, of its greatest speed.
_FAST = 0.5
_NOD_SWINGS, _SHAKE_SWINGS = 2, 3

# Lids that close by this weight and open again within this time blink [s]; its duration is counted where they
# are closed by more than this share of the blink.
_BLINK_WEIGHT, _LONGEST_BLINK_S, _BLINK_EDGE = 0.3, 1.0, 0.2


@dataclass(frozen=True)
class Gesture:
    """A nod or a shake: ``start`` and ``end`` in frames, ``size_deg`` is the mean of its swings."""

    start: float
    end: float
    frequency_hz: float
    size_deg: float


@dataclass(frozen=True)
class Blink:
    """A blink: the frame in which the lids are most closed, and how long it takes [s]."""

    frame: int
    duration_s: float


def nods(angles: Curve) -> list[Gesture]:
    """The nods in pitch, yaw, roll [N, 3] in degrees."""
    return _gestures(angles[:, 0], angles[:, 1], _NOD_SWINGS)


def shakes(angles: Curve) -> list[Gesture]:
    """The shakes of the head in pitch, yaw, roll [N, 3] in degrees."""
    return _gestures(angles[:, 1], angles[:, 0], _SHAKE_SWINGS)


def blinks(lids: Curve) -> list[Blink]:
    """The blinks in the weight of the closed lids [N]."""
    longest = round(_LONGEST_BLINK_S * RATE_HZ)
    window = 2 * longest + 1
    peaks, found = find_peaks(lids, plateau_size=(1, longest), prominence=_BLINK_WEIGHT, wlen=window)
    prominence = tuple(found[key] for key in ("prominences", "left_bases", "right_bases"))
    frames, *_ = peak_widths(lids, peaks, 1 - _BLINK_EDGE, prominence, window)
    durations = frames / RATE_HZ
    return [
        Blink(int(peak), float(duration))
        for peak, duration in zip(peaks, durations, strict=True)
        if duration <= _LONGEST_BLINK_S
    ]


def _gestures(track: Curve, other: Curve, least_swings: int) -> list[Gesture]:
    """Runs of swings of a track [N]; those in which the other track moves more are the other's."""
    turns = _turning_points(track, LEAST_SWING_DEG)
    sizes = np.abs(np.diff(track[turns]))
    middles = _middles(track, turns)
    halves = np.diff(middles)
    linked = (halves <= RATE_HZ / SLOWEST_HZ / 2) & (halves >= RATE_HZ / FASTEST_HZ / 2)
    linked &= np.minimum(sizes[1:], sizes[:-1]) >= _BALANCE * np.maximum(sizes[1:], sizes[:-1])
    linked &= ~_pauses(np.where(linked, halves, np.inf))
    # Between two swings; before the first and after the last the track goes on to its end.
    borders = np.concatenate([[0.0], (middles[1:] + middles[:-1]) / 2, [len(track) - 1.0]])
    found = []
    for first, last in _runs(linked):
        if last - first + 1 < least_swings:
            continue
        half = float(np.median(halves[first:last]))
        start = max(borders[first], middles[first] - half / 2)
        end = min(borders[last + 1], middles[last] + half / 2)
        span = slice(int(start), int(end) + 2)
        if np.ptp(track[span]) >= np.ptp(other[span]):
            size = float(sizes[first : last + 1].mean())
            found.append(Gesture(float(start), float(end), RATE_HZ / (2 * half), size))
    return found


def _turning_points(track: Curve, least: float) -> np.ndarray:
    """Frames of the highs and lows, in turn, between which a track [N] moves by ``least`` or more."""
    moved = np.diff(track)
    moving = np.flatnonzero(moved)
    turned = moving[1:][(moved[moving[1:]] > 0) != (moved[moving[:-1]] > 0)]
    corners = [0, *turned.tolist(), len(track) - 1] if len(track) else []
    values = track[corners].tolist()
    found: list[int] = []
    rising: bool | None = None  # not known before the first swing
    low = high = 0  # since the last turning point
    for corner, value in enumerate(values):
        if rising is not False and value > values[high]:
            high = corner
        if rising is not True and value < values[low]:
            low = corner
        if rising is not False and values[high] - value >= least:
            found.append(high)
            rising, low = False, corner
        elif rising is not True and value - values[low] >= least:
            found.append(low)
            rising, high = True, corner
    if rising is not None:
        found.append(high if rising else low)
    return np.array([corners[corner] for corner in found], np.int64)


def _middles(track: Curve, turns: np.ndarray) -> Curve:
    """When [frames] each swing is fastest; where exactly it turned is for drift and rest to decide."""
    middles = np.zeros(max(0, len(turns) - 1))
    for number, (start, end) in enumerate(pairwise(turns.tolist())):
        speed = np.diff(track[start : end + 1]) * np.sign(track[end] - track[start])
        speed[speed < _FAST * speed.max()] = 0
        middles[number] = start + 0.5 + speed @ np.arange(len(speed)) / speed.sum()
    return middles


def _pauses(halves: Curve) -> np.ndarray:
    """Which of the times [N] between swings are much longer than one next to them."""
    around = np.pad(halves, 1, constant_values=np.inf)
    return halves > _PAUSE * np.minimum(around[:-2], around[2:])


def _runs(linked: np.ndarray) -> list[tuple[int, int]]:
    """First and last of each run of items; ``linked`` [N − 1] tells which neighbours belong together."""
    edges = np.diff(np.concatenate([[0], linked.astype(np.int8), [0]]))
    return list(zip(np.flatnonzero(edges > 0).tolist(), np.flatnonzero(edges < 0).tolist(), strict=True))
