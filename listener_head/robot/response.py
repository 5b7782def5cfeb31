"""How a robot's head answers the listener, measured through the mapper and the kinematics."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import pi, radians

import numpy as np
from numpy.typing import NDArray

from listener_head.coefficients import LAYOUTS, Coefficients
from listener_head.robot.description import HEAD_ANGLES, Robot
from listener_head.robot.kinematics import HeadKinematics
from listener_head.robot.mapper import JointMapper
from listener_head.robot.transforms import rpy_of_rotation
from listener_head.timing import RATE_HZ

FloatArray = NDArray[np.float64]

# Nods that are tried: frequency [Hz], amplitude [degrees].
NODS = ((0.5, 4.0), (1.0, 8.0), (1.5, 8.0), (2.0, 5.0), (3.0, 2.0))
# The start, slow on purpose, is over after this [s]; then a nod is measured for the next [s].
START, MEASURED = 3.0, 5.0
# Below this part of the amplitude there is no phase to speak of.
LEAST_KEPT = 0.01
# A turn that shows directions [rad], small enough for every joint's range, how long it takes and is held [s].
TURN, TURN_TIME, HELD = 0.05, 1.0, 0.5


@dataclass(frozen=True)
class NodResponse:
    """A sinusoidal nod: what was asked, how late it came [s], and which part of the amplitude was left.

    ``delay`` is None where next to nothing came.
    """

    frequency_hz: float
    amplitude_deg: float
    delay: float | None
    kept: float


def turned(robot: Robot, signal: str) -> FloatArray:
    """Pitch, yaw, roll [3] rad of the head, in the body frame, after the listener has turned by 0.05 rad.

    ``signal`` is pitch (down), yaw (to the left) or roll (crown to the right).
    """
    angles = np.zeros(len(HEAD_ANGLES))
    angles[HEAD_ANGLES.index(signal)] = TURN

    def asked(t: float) -> FloatArray:
        done = min(max((t - START) / TURN_TIME, 0.0), 1.0)
        return angles * (0.5 - 0.5 * np.cos(pi * done))

    return _angles(robot, asked, START + TURN_TIME + HELD)[-1]


def nod(robot: Robot, frequency_hz: float, amplitude_deg: float) -> NodResponse:
    """The head's answer to a nod: delay and amplitude of the fundamental, by least squares."""
    w, amplitude = 2 * pi * frequency_hz, radians(amplitude_deg)
    pitch = _angles(robot, lambda t: np.array([amplitude * np.sin(w * t), 0.0, 0.0]), START + MEASURED)[:, 0]
    t = np.arange(1, len(pitch) + 1) / robot.rate
    late = t > START
    basis = np.stack([np.sin(w * t), np.cos(w * t), np.ones_like(t), t], axis=1)
    sine, cosine, *_ = np.linalg.lstsq(basis[late], pitch[late], rcond=None)[0]
    kept = float(np.hypot(sine, cosine)) / amplitude
    delay = float(np.arctan2(-cosine, sine) % (2 * pi) / w) if kept > LEAST_KEPT else None
    return NodResponse(frequency_hz, amplitude_deg, delay, kept)


def _angles(robot: Robot, asked: Callable[[float], FloatArray], seconds: float) -> FloatArray:
    """Pitch, yaw, roll [T, 3] of the head from neutral, at the robot's rate, for ``asked`` angles [3]."""
    mapper, kinematics = JointMapper(robot), HeadKinematics(robot)
    mapper.start(robot.neutral, 0.0)
    back = kinematics.head(robot.neutral)[:3, :3].T
    angles, frame = [], 0
    for k in range(1, round(seconds * robot.rate) + 1):
        while frame / RATE_HZ <= k / robot.rate + 1e-9:
            mapper.update(_listener(asked(frame / RATE_HZ)), frame / RATE_HZ)
            frame += 1
        positions = mapper.sample(k / robot.rate).positions
        roll, pitch, yaw = rpy_of_rotation(kinematics.head(positions)[:3, :3] @ back)
        angles.append((pitch, yaw, roll))
    return np.array(angles)


def _listener(angles: FloatArray) -> Coefficients:
    """A listener whose head is turned by one of pitch, yaw, roll in the body frame (see frames.py)."""
    layout = LAYOUTS["arkit52"]
    motion = layout.neutral()
    motion[layout.rotation] = angles * (1.0, -1.0, -1.0)
    return Coefficients.from_motion("arkit52", motion)
