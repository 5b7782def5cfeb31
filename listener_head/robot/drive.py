"""What the listener's head and face ask of a robot's joints and lights, before time and limits come in."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from listener_head.coefficients import LAYOUTS, Coefficients
from listener_head.robot.description import HEAD_ANGLES, SIGNALS, Platform, Robot
from listener_head.robot.frames import head_angles
from listener_head.robot.kinematics import HeadKinematics
from listener_head.robot.stewart import StewartPlatform
from listener_head.robot.transforms import rotation_of_rpy, transform_of

if TYPE_CHECKING:
    from listener_head.face.retarget import Retarget

FloatArray = NDArray[np.float64]

ANGLES = slice(0, len(HEAD_ANGLES))
EXPRESSION = slice(len(HEAD_ANGLES), len(SIGNALS))
NO_SIGNALS: FloatArray = np.zeros(len(SIGNALS))


class Drive:
    """Values of SIGNALS to displacements of the joints from neutral [J] in rad.

    Joints follow the linear table ``drive`` of the robot file. A platform's motors turn the head by what the
    joints that carry the platform leave over; what it cannot reach is scaled down.
    """

    def __init__(self, robot: Robot, retarget: Retarget | None = None):
        self.robot = robot
        self.note = ""
        self._retarget = retarget
        self._gains = _table([joint.drive for joint in robot.joints])
        self._light_gains = _table([light.drive for light in robot.lights])
        self._light_base = np.array([light.base for light in robot.lights])
        self._platform = None if robot.platform is None else _PlatformDrive(robot, robot.platform)
        self._neutral = np.array(robot.neutral)
        self._low, self._high = _ranges(robot)
        driven = np.concatenate([self._gains, self._light_gains])
        self._shows_expression = bool(driven[:, EXPRESSION].any())

    def signals(self, coefficients: Coefficients) -> FloatArray | None:
        """Values [S] of SIGNALS, head angles in the body frame; None when the frame cannot be used."""
        rotation = np.asarray(coefficients.rotation, np.float64)
        if not coefficients.valid or rotation.shape != (3,) or not np.isfinite(rotation).all():
            return None
        signals = np.zeros(len(SIGNALS))
        signals[ANGLES] = head_angles(*rotation.tolist())
        layout = LAYOUTS.get(coefficients.face_model)
        expression = np.asarray(coefficients.expression, np.float64)
        if layout is None or expression.shape != (len(layout.expression_names),):
            return None
        if not isfinite(expression.sum()):
            return None
        if coefficients.face_model == "arkit52":
            signals[EXPRESSION] = np.minimum(np.maximum(expression, 0.0), 1.0)
        elif self._shows_expression and self._retarget is not None:
            signals[EXPRESSION] = self._retarget.expression(expression)
        elif self._shows_expression:
            self.note = (
                f"the listener's face is {coefficients.face_model}, which does not drive "
                f"{self.robot.name}'s face without retargeting: the head moves alone"
            )
        return signals

    def displacements(self, signals: FloatArray, gaze: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Displacements [J] of the base gaze (pitch, yaw, roll [3] in rad) alone, and what signals add."""
        base = self._gains[:, ANGLES] @ gaze
        motion = self._gains @ signals
        if self._platform is not None:
            legs = self._platform.legs
            both, _ = self._platform.displacements(base + motion, gaze + signals[ANGLES])
            if gaze.any():
                base[legs], _ = self._platform.displacements(base, gaze)
            motion[legs] = both - base[legs]
        return base, motion

    def reaches(self, angles: FloatArray) -> bool:
        """Whether the joints can turn the head by pitch, yaw, roll [3] rad from neutral."""
        displacements = self._gains[:, ANGLES] @ angles
        if self._platform is not None:
            displacements[self._platform.legs], reached = self._platform.displacements(displacements, angles)
            if not reached:
                return False
        positions = self._neutral + displacements
        return bool(((self._low <= positions) & (positions <= self._high)).all())

    def brightness(self, signals: FloatArray) -> list[float]:
        """Brightness, 0 to 1, of each light."""
        brightness: FloatArray = (self._light_base + self._light_gains @ signals).clip(0.0, 1.0)
        return brightness.tolist()


class _PlatformDrive:
    """Displacements of a platform's motors for head angles; ``legs`` are their numbers among the joints."""

    def __init__(self, robot: Robot, platform: Platform):
        self.legs = [robot.joint_names.index(leg.joint) for leg in platform.legs]
        self._platform = StewartPlatform(platform)
        # What the platform stands on: the joints before it, without the platform.
        self._chain = list(robot.chain)
        self._carrier = HeadKinematics(robot.model_copy(update={"platform": None}))
        self._rest = transform_of(platform.rest)[:3, :3]
        self._neutral = np.array(robot.neutral)
        self._neutral_head = self._carrier.head(self._neutral)[:3, :3] @ self._rest
        self._low, self._high = _ranges(robot)
        self._legs_neutral = self._neutral[self.legs]
        self._ranges = list(zip(self._low[self.legs].tolist(), self._high[self.legs].tolist(), strict=True))

    def displacements(self, carrier: FloatArray, angles: FloatArray) -> tuple[FloatArray, bool]:
        """Displacements [6] that turn the head by pitch, yaw, roll from neutral, and whether it gets there.

        ``carrier`` [J] displaces the joints below the platform; its motors' are not read.
        """
        pitch, yaw, roll = angles.tolist()
        rest = self._neutral_head
        if carrier[self._chain].any():
            positions = (self._neutral + carrier).clip(self._low, self._high)
            rest = self._carrier.head(positions)[:3, :3] @ self._rest
        rotation = rest.T @ rotation_of_rpy(roll, pitch, yaw) @ self._neutral_head
        motors = self._platform.angles(rotation)
        reached = motors is not None and self._is_within(motors)
        if not reached:
            low, high = self._low[self.legs], self._high[self.legs]
            share = self._platform.reachable(rotation, low, high)
            scaled = Rotation.from_rotvec(share * Rotation.from_matrix(rotation).as_rotvec())
            motors = self._platform.angles(scaled.as_matrix())
        return (np.zeros(len(self.legs)) if motors is None else motors - self._legs_neutral), reached

    def _is_within(self, motors: FloatArray) -> bool:
        # Six numbers are compared faster without numpy.
        return all(
            low <= angle <= high for angle, (low, high) in zip(motors.tolist(), self._ranges, strict=True)
        )


def _ranges(robot: Robot) -> tuple[FloatArray, FloatArray]:
    """Lowest and highest positions [J] of the joints [rad]."""
    limits = [joint.limits.position for joint in robot.joints]
    return np.array([limit.min for limit in limits]), np.array([limit.max for limit in limits])


def _table(drives: Sequence[dict[str, float]]) -> FloatArray:
    """Gains [N, S] of what each joint or light follows."""
    gains = [[drive.get(signal, 0.0) for signal in SIGNALS] for drive in drives]
    return np.array(gains).reshape(len(drives), len(SIGNALS))
