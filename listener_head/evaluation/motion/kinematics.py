"""How fast and how smoothly a head and a face move.

Smoothness is measured as studies of movement do (Balasubramanian, Melendez-Calderon, Roby-Brami and Burdet,
"On the analysis of movement smoothness", Journal of NeuroEngineering and Rehabilitation 12, 2015): by the
spectral arc length (SPARC) and the log dimensionless jerk (LDLJ). Both were made for single movements and
depend on their duration, so that a run is cut into windows of one length.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from listener_head.coefficients import Layout
from listener_head.evaluation.offline.data import FloatArray
from listener_head.timing import RATE_HZ

Curve = NDArray[np.float64]

SMOOTHNESS_WINDOW_S = 5.0
# Windows in which the head never exceeds this [deg/s] have no movement that could be smooth.
_STILL_DEG_S = 1.0
# The parameters of SPARC that its authors propose.
_SPARC_HZ, _SPARC_THRESHOLD, _SPARC_PADDING = 10.0, 0.05, 4


def angles_deg(motion: FloatArray, layout: Layout) -> Curve:
    """Pitch, yaw, roll [N, 3] in degrees."""
    return np.degrees(motion[:, layout.rotation].astype(np.float64))


def head_speed(motion: FloatArray, layout: Layout) -> Curve:
    """Angular speed [N − 1] in deg/s between neighbouring frames, about whatever axis it is."""
    if len(motion) < 2:
        return np.zeros(0)
    # Extrinsic x, y, z: R = Rz @ Ry @ Rx.
    turned = Rotation.from_euler("xyz", motion[:, layout.rotation].astype(np.float64))
    return np.degrees((turned[1:] * turned[:-1].inv()).magnitude()) * RATE_HZ


def expression_speed(motion: FloatArray, layout: Layout) -> Curve:
    """Mean absolute change [N − 1] of the expression's numbers in 1/s."""
    change = np.abs(np.diff(motion[:, layout.expression], axis=0))
    return change.mean(axis=1, dtype=np.float64) * RATE_HZ


def jerk(angles: Curve) -> Curve:
    """Size of the third derivative [N − 3] of angles [N, 3] in deg/s³."""
    return np.linalg.norm(np.diff(angles, 3, axis=0), axis=1) * RATE_HZ**3 if len(angles) > 3 else np.zeros(0)


def smoothness(angles: Curve) -> tuple[Curve, Curve]:
    """SPARC and LDLJ of each whole window in which the head moves, of angles [N, 3] in degrees.

    Both are negative, and nearer to zero for smoother movement.
    """
    length = round(SMOOTHNESS_WINDOW_S * RATE_HZ)
    count = len(angles) // length
    windows = angles[: count * length].reshape(count, length, 3)
    velocity = np.diff(windows, axis=1) * RATE_HZ
    speed = np.linalg.norm(velocity, axis=2)
    peak = speed.max(axis=1, initial=0.0)
    moving = peak > _STILL_DEG_S
    speed, peak = speed[moving], peak[moving]
    squared = np.square(np.diff(velocity[moving], 2, axis=1) * RATE_HZ**2).sum(axis=(1, 2)) / RATE_HZ
    dimensionless = SMOOTHNESS_WINDOW_S**3 / np.square(peak) * squared
    # A window of uniform movement has no jerk at all.
    logarithm = np.log(dimensionless, out=np.full(len(peak), np.nan), where=dimensionless > 0)
    return _arc_lengths(speed), -logarithm[np.isfinite(logarithm)]


def _arc_lengths(speed: Curve) -> Curve:
    """SPARC [W] of speed profiles [W, N]."""
    size = 2 ** (int(np.ceil(np.log2(speed.shape[1]))) + _SPARC_PADDING)
    frequency = np.fft.rfftfreq(size, 1 / RATE_HZ)
    considered = np.count_nonzero(frequency <= _SPARC_HZ)
    lengths = np.zeros(len(speed))
    for number, profile in enumerate(speed):
        spectrum = np.abs(np.fft.rfft(profile, size))[:considered]
        spectrum /= spectrum.max()
        last = int(np.flatnonzero(spectrum >= _SPARC_THRESHOLD)[-1])
        if last:
            across = np.diff(frequency[: last + 1]) / frequency[last]
            lengths[number] = -np.hypot(across, np.diff(spectrum[: last + 1])).sum()
    return lengths
