"""What keeps a head alive that has nothing to answer: breath, a drifting posture, glances, blinks.

A layer on top of a listener's motion, apart from the network and never part of an evaluation. All of it is
small, and is a function of the seed and the number of steps alone.

Blinks: 15 to 20 a minute at rest (Bentivoglio et al., Movement Disorders 12, 1997, find 17 a minute), their
intervals log-normal, closing faster than opening. Breath: 12 to 18 a minute.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from listener_head.coefficients import Layout
from listener_head.timing import RATE_HZ

FloatArray = NDArray[np.float32]

_DEGREE, _MILLIMETRE = math.pi / 180, 1e-3
_STEP_S = 1.0 / RATE_HZ

# Drift of pitch, yaw, roll and of the place x, y, z: so many waves each, of frequencies between these bounds,
# with these largest excursions of their sum.
_WAVES, _SLOWEST_HZ, _FASTEST_HZ = 3, 0.03, 0.15
_DRIFT = np.array([0.6, 0.8, 0.5, 2.0, 1.5, 3.0])
_DRIFT_UNITS = np.array([_DEGREE] * 3 + [_MILLIMETRE] * 3)

# Breath [Hz], and how its rate wanders; a breath raises the head (y is down) and tips it back a little.
_BREATH_HZ, _BREATH_WANDER_HZ, _BREATH_WANDER = 0.25, 0.03, 0.013
_BREATH_PITCH, _BREATH_Y = 0.5 * _DEGREE, 1.5 * _MILLIMETRE

# Glances: eyes rest for so long [s] and then jump, within two frames, to a place drawn with these deviations
# [weights of eyeLook shapes] and no farther than this.
_REST_S = (0.8, 3.0)
_GLANCE = (0.04, 0.025)
_FARTHEST_GLANCE = 0.1
_GLANCE_STEP = 0.5
# To the person's own left, right, up and down.
_SIDES = (("OutLeft", "InRight"), ("InLeft", "OutRight"), ("UpLeft", "UpRight"), ("DownLeft", "DownRight"))

# Intervals between blinks: median [s], deviation of the logarithm, bounds [s]. Their mean is 3.7 s.
_BLINK_MEDIAN_S, _BLINK_SPREAD, _BLINK_BOUNDS_S = 3.3, 0.5, (1.2, 10.0)
_BLINK_S = (0.2, 0.36)  # from open to open
_CLOSING = 0.35  # share of that in which the lids close
_CLOSED = 0.5  # lids of the motion itself above this are a blink of its own

# The strength follows what is asked for within this time [s].
_EASING_S = 1.0

# The most that is ever added to any angle [rad] and to any coordinate of the place [m].
LARGEST_ROTATION, LARGEST_TRANSLATION = 1.1 * _DEGREE, 3 * _MILLIMETRE


class Liveliness:
    """Adds life to a motion [M] step by step; lids and eyes of arkit52, pose of any face model."""

    def __init__(self, layout: Layout, seed: int = 0) -> None:
        self._pose = [*range(3), *range(layout.translation.start, layout.translation.stop)]
        names = layout.expression_names if layout.face_model == "arkit52" else ()
        self._lids = [layout.index(name) for name in names if name.startswith("eyeBlink")]
        self._looks = [[layout.index(f"eyeLook{side}") for side in sides] for sides in _SIDES if names]
        rng = self._rng = np.random.default_rng(seed)
        frequency = np.exp(rng.uniform(math.log(_SLOWEST_HZ), math.log(_FASTEST_HZ), (6, _WAVES)))
        self._turning = np.exp(2j * math.pi * _STEP_S * frequency)
        self._waves = np.exp(2j * math.pi * rng.random((6, _WAVES)))
        self._breath, self._wander = 2 * math.pi * rng.random(2)
        self._strength = 0.0
        self._eyes, self._target, self._rest = [0.0, 0.0], [0.0, 0.0], 0.0
        self._blink, self._blink_s = 1.0, _BLINK_S[0]
        self._wait = self._interval()

    def step(self, motion: FloatArray, strength: float) -> FloatArray:
        """The next frame: ``motion`` [M] and, times ``strength`` (0 to 1, eased), life; a new array.

        With a strength of 0 no new blink begins, and after a second nothing is added.
        """
        lively = motion.copy()
        change = strength - self._strength
        self._strength += min(max(change, -_STEP_S / _EASING_S), _STEP_S / _EASING_S)
        lively[self._pose] += self._posture()
        if self._lids:
            self._look(lively)
            self._blink_lids(lively, begin=strength > 0)
        return lively

    def _posture(self) -> NDArray[np.float64]:
        """Drift and breath: pitch, yaw, roll [rad], x, y, z [m]."""
        self._waves *= self._turning
        posture: NDArray[np.float64] = self._waves.imag.sum(axis=1)
        posture *= _DRIFT_SCALE
        self._wander += 2 * math.pi * _BREATH_WANDER_HZ * _STEP_S
        rate = _BREATH_HZ + _BREATH_WANDER * math.sin(self._wander)
        self._breath = math.fmod(self._breath + 2 * math.pi * rate * _STEP_S, 2 * math.pi)
        # In faster than out.
        breath = math.sin(self._breath + 0.3 * math.sin(self._breath))
        posture[0] -= _BREATH_PITCH * breath
        posture[4] -= _BREATH_Y * breath
        posture *= self._strength
        return posture

    def _look(self, motion: FloatArray) -> None:
        self._rest -= _STEP_S
        if self._rest <= 0:
            self._rest = self._rng.uniform(*_REST_S)
            draws = (deviation * self._rng.standard_normal() for deviation in _GLANCE)
            self._target = [min(max(draw, -_FARTHEST_GLANCE), _FARTHEST_GLANCE) for draw in draws]
        for axis in range(2):
            self._eyes[axis] += _GLANCE_STEP * (self._target[axis] - self._eyes[axis])
            look = self._strength * self._eyes[axis]
            for index in self._looks[2 * axis + (look < 0)]:
                motion[index] = min(motion[index] + abs(look), 1.0)

    def _blink_lids(self, motion: FloatArray, begin: bool) -> None:
        if max(motion[index] for index in self._lids) > _CLOSED:
            self._wait = self._interval()  # after a blink of its own the next one is due later
        self._wait -= _STEP_S
        if self._wait <= 0 and begin:
            self._blink, self._blink_s = 0.0, self._rng.uniform(*_BLINK_S)
            self._wait = self._interval()
        if self._blink >= 1:
            return
        self._blink += _STEP_S / self._blink_s
        for index in self._lids:
            motion[index] += (1 - motion[index]) * _closed(self._blink)

    def _interval(self) -> float:
        drawn = _BLINK_MEDIAN_S * math.exp(_BLINK_SPREAD * self._rng.standard_normal())
        return min(max(drawn, _BLINK_BOUNDS_S[0]), _BLINK_BOUNDS_S[1])


_DRIFT_SCALE = _DRIFT * _DRIFT_UNITS / _WAVES


def _closed(phase: float) -> float:
    """How far the lids are closed in a blink, whose ``phase`` goes from 0 to 1."""
    if phase >= 1:
        return 0.0
    way = phase / _CLOSING if phase < _CLOSING else (1 - phase) / (1 - _CLOSING)
    return way * way * (3 - 2 * way)
