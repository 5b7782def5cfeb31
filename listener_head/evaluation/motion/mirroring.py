"""Does the listener do what the speaker has just done? Lagged correlation, held against chance.

The listener's curve is correlated with the speaker's of 0.2 to 4 s before; the largest correlation counts.
The same is done with the speaker's curve circularly shifted by more than the lags and 5 s (surrogates of the
same pair, as in `listener_head.evaluation.dyads.responsiveness`): what 95 % of the shifts stay below is
chance. Of the head the speed counts, not the side it moves to.

People copy each other's head movements about 0.6 s late (Hale et al., "Are you on my wavelength?
Interpersonal coordination in dyadic conversations", Journal of Nonverbal Behavior 44, 2020).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.fft import irfft, rfft
from scipy.ndimage import maximum_filter1d, uniform_filter1d

from listener_head.coefficients import Layout
from listener_head.evaluation.dyads.responsiveness import LEAST_SHIFT_S
from listener_head.evaluation.motion.kinematics import Curve, angles_deg
from listener_head.evaluation.motion.pieces import Piece, is_named, named_curve
from listener_head.evaluation.offline.data import FloatArray
from listener_head.evaluation.series import ANGLE_NAMES
from listener_head.timing import RATE_HZ

SHORTEST_LAG_S, LONGEST_LAG_S = 0.2, 4.0
# Shorter runs have too few shifts to tell chance from.
LEAST_S = 30.0
MIRRORED_EXPRESSIONS = ("smile", "brows raised")
_SMOOTHED_FRAMES = 9
# Less than this [deg/s, weight] is rounding.
_STILL = 1e-4


@dataclass(frozen=True)
class Mirroring:
    """Largest correlation, its lag [s], and the correlation that 95 % of the shifted speakers stay below."""

    correlation: float
    lag_s: float
    chance: float


def mirroring(parts: list[Piece], layout: Layout) -> dict[str, Mirroring]:
    """Of pitch, yaw, roll and MIRRORED_EXPRESSIONS; without what does not move or the face model lacks."""
    if not parts:
        return {}
    seen = np.concatenate([part.seen for part in parts])
    found = {}
    for label in (*ANGLE_NAMES, *(MIRRORED_EXPRESSIONS if is_named(layout) else ())):
        own = [_curve(part.motion, layout, label) for part in parts]
        other = [_curve(part.speaker, layout, label) for part in parts]
        # Who is not seen has no motion: it is left out, and the speakers before and after are joined.
        curves = [np.concatenate(curve)[seen] for curve in (own, other)]
        if len(curves[0]) >= LEAST_S * RATE_HZ and all(curve.std() > _STILL for curve in curves):
            found[label] = _against_shifts(*curves)
    return found


def _curve(motion: FloatArray, layout: Layout, label: str) -> Curve:
    if label in ANGLE_NAMES:
        angle = angles_deg(motion, layout)[:, ANGLE_NAMES.index(label)]
        speed = np.abs(np.diff(angle, prepend=angle[:1])) * RATE_HZ
        return uniform_filter1d(speed, _SMOOTHED_FRAMES, mode="nearest")
    return named_curve(motion, layout, label)


def _against_shifts(own: Curve, other: Curve) -> Mirroring:
    count = len(own)
    own, other = ((curve - curve.mean()) / curve.std() for curve in (own, other))
    # Correlation [N] with the speaker of so many frames before, the run closed to a circle.
    correlation = irfft(rfft(own) * np.conj(rfft(other)), count) / count
    first, last = round(SHORTEST_LAG_S * RATE_HZ), round(LONGEST_LAG_S * RATE_HZ)
    lag = first + int(np.argmax(correlation[first : last + 1]))
    span = last - first + 1
    largest = maximum_filter1d(correlation, span, origin=-(span // 2), mode="wrap")
    least = last + round(LEAST_SHIFT_S * RATE_HZ)
    chance = float(np.percentile(largest[least : count - least], 95))
    return Mirroring(float(correlation[lag]), lag / RATE_HZ, chance)
