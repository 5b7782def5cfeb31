"""A camera in the robot's head: where it was when it took an image, and what it had seen if it stood still.

A robot that nods carries its camera along: it would see the speaker nod and answer itself. So the speaker's
pose is brought into a camera that the head's motion does not move. Camera poses are float64 [4, 4], the
optical frame (REP 103: x right, y down, z forward) in the body frame of `HeadKinematics`.
"""

from __future__ import annotations

import threading
from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from dataclasses import replace
from math import atan2, cos, exp, hypot, isfinite, pi, remainder, sin

import numpy as np
from numpy.typing import NDArray

from listener_head.coefficients import Coefficients
from listener_head.errors import UserError
from listener_head.face.geometry import rotation_angles, rotation_matrix
from listener_head.face.pose import NEAREST
from listener_head.robot.description import Robot
from listener_head.timing import NS_PER_S

FloatArray = NDArray[np.float64]

MILLISECOND_NS = NS_PER_S // 1000
# JointStates kept: two seconds of the fastest robot.
HISTORY = 2000
# Between states further apart than this a head may have turned and come back.
LARGEST_GAP_NS = 100 * MILLISECOND_NS
# How far past the newest state its velocity still tells where the joints are.
EXTRAPOLATION_NS = 10 * MILLISECOND_NS

# The still camera turns after the speaker with this time constant [s]: nods and shakes (1 Hz) stay in the
# picture to 95 %, the place where the speaker stands or sits does not.
TURNING_TIME = 3.0
# Farther from the axis [rad] it is another speaker, or the first one went elsewhere unseen: it turns at once.
LARGEST_ANGLE = pi / 4


class JointHistory:
    """The last joint positions that a robot told; one thread may add while another asks."""

    def __init__(self, robot: Robot) -> None:
        legs = [] if robot.platform is None else [leg.joint for leg in robot.platform.legs]
        moving = [*(robot.joint_names[i] for i in robot.chain), *legs]
        self._moving = {name: robot.joint_names.index(name) for name in moving}
        self._rest: FloatArray = np.array(robot.neutral)
        self._stamps: list[int] = []
        self._positions: list[FloatArray] = []
        self._lock = threading.Lock()

    def add(self, positions: Mapping[str, float], stamp_ns: int) -> None:
        """Take measured positions [rad] by joint, stamped ``stamp_ns``, in any order of arrival.

        Positions without all joints that carry the head are left out: a robot may tell of its other joints
        elsewhere. A stamp more than a second before the others comes from a clock that went back: the others
        are forgotten. UserError for a position that is not finite.
        """
        if any(name not in positions for name in self._moving):
            return
        row = self._rest.copy()
        for name, index in self._moving.items():
            row[index] = positions[name]
            if not isfinite(row[index]):
                raise UserError(f"joint_states say {row[index]} for {name}; look at the joint's encoder")
        with self._lock:
            self._insert(row, stamp_ns)

    def at(self, stamp_ns: int) -> FloatArray:
        """Positions [J] in rad, in the order of ``robot.joint_names``, at a stamp.

        Between two states they are interpolated linearly; up to 10 ms after the newest they go on at its
        velocity. Joints that do not carry the head stay at their neutral position. UserError, with the
        reason, where that is not known.
        """
        with self._lock:
            following = bisect_left(self._stamps, stamp_ns)
            if following == len(self._stamps):
                return self._beyond(stamp_ns)
            if self._stamps[following] == stamp_ns:
                return self._positions[following]
            if following == 0:
                raise UserError(
                    f"no joint_states from before the image; the oldest is {self._ms(0, stamp_ns)} ms younger"
                )
            return self._on_line(following - 1, following, stamp_ns)

    def _insert(self, row: FloatArray, stamp_ns: int) -> None:
        if self._stamps and stamp_ns < self._stamps[-1] - NS_PER_S:
            self._stamps.clear()
            self._positions.clear()
        index = bisect_left(self._stamps, stamp_ns)
        if index < len(self._stamps) and self._stamps[index] == stamp_ns:
            self._positions[index] = row
            return
        self._stamps.insert(index, stamp_ns)
        self._positions.insert(index, row)
        del self._stamps[:-HISTORY], self._positions[:-HISTORY]

    def _beyond(self, stamp_ns: int) -> FloatArray:
        if not self._stamps:
            raise UserError(f"no joint_states yet; the head's joints are {', '.join(self._moving)}")
        newest = self._stamps[-1]
        # A state some time before the newest: noise of neighbours would make a wild velocity.
        earlier = bisect_right(self._stamps, newest - EXTRAPOLATION_NS) - 1
        if stamp_ns - newest > EXTRAPOLATION_NS or earlier < 0:
            age = -self._ms(-1, stamp_ns)
            raise UserError(f"no joint_states as young as the image; the newest is {age} ms older")
        return self._on_line(earlier, -1, stamp_ns)

    def _on_line(self, first: int, second: int, stamp_ns: int) -> FloatArray:
        """Positions on the line through two states, at most LARGEST_GAP_NS apart."""
        gap = self._stamps[second] - self._stamps[first]
        if gap > LARGEST_GAP_NS:
            raise UserError(
                f"joint_states with a gap about the image; of {gap // MILLISECOND_NS} ms, more than "
                f"{LARGEST_GAP_NS // MILLISECOND_NS}"
            )
        start, share = self._positions[first], (stamp_ns - self._stamps[first]) / gap
        return start + share * (self._positions[second] - start)

    def _ms(self, index: int, stamp_ns: int) -> int:
        return (self._stamps[index] - stamp_ns) // MILLISECOND_NS


class StillCamera:
    """A virtual camera that the head's motion does not move, and what it sees of the speaker.

    It stays at ``place`` [3] m in the body frame; without one, where the camera is when it first sees
    somebody. It is level, and its axis follows the direction to the speaker's head with a time constant of
    3 s, since a listener expects a speaker whom it faces. That direction does not depend on the pose of the
    robot's head, so that no motion of the head comes back through it.
    """

    def __init__(self, place: FloatArray | None = None) -> None:
        self._place = place
        self._stamp_ns: int | None = None
        self._pan, self._tilt = 0.0, 0.0

    def see(
        self, seen: Coefficients, camera: FloatArray, stamp_ns: int, focal: tuple[float, float]
    ) -> tuple[Coefficients, FloatArray]:
        """What the moving camera saw, as this one sees it, and the head's position [3] m in the body frame.

        ``seen`` is valid and in the optical frame of ``camera``, whose focal lengths ``focal`` [px] place the
        crop of bfm2009. When stamps go back, the camera turns to the speaker anew.
        """
        translation = seen.translation.astype(np.float64)
        position = camera[:3, :3] @ translation + camera[:3, 3]
        if self._place is None:
            self._place = camera[:3, 3].copy()
        away = position - self._place
        self._turn_to(away, stamp_ns)
        axes = self._axes()
        turned = rotation_angles(axes.T @ camera[:3, :3] @ rotation_matrix(seen.rotation))
        moved = axes.T @ away
        crop = seen.crop if not seen.crop.size else _crop_at(seen.crop, translation, moved, focal)
        there = replace(
            seen, rotation=turned.astype(np.float32), translation=moved.astype(np.float32), crop=crop
        )
        return there, position

    def _turn_to(self, away: FloatArray, stamp_ns: int) -> None:
        x, y, z = away.tolist()
        pan, tilt = atan2(y, x), atan2(z, hypot(x, y))
        pan_left, tilt_left = remainder(pan - self._pan, 2 * pi), tilt - self._tilt
        elapsed_ns = -1 if self._stamp_ns is None else stamp_ns - self._stamp_ns
        self._stamp_ns = stamp_ns
        if elapsed_ns < 0 or hypot(pan_left, tilt_left) > LARGEST_ANGLE:
            self._pan, self._tilt = pan, tilt
            return
        share = 1.0 - exp(-elapsed_ns / NS_PER_S / TURNING_TIME)
        self._pan += share * pan_left
        self._tilt += share * tilt_left

    def _axes(self) -> FloatArray:
        """Its optical frame in the body frame [3, 3]: z to the speaker, x level."""
        sin_pan, cos_pan = sin(self._pan), cos(self._pan)
        sin_tilt, cos_tilt = sin(self._tilt), cos(self._tilt)
        return np.array(
            [
                [sin_pan, sin_tilt * cos_pan, cos_tilt * cos_pan],
                [-cos_pan, sin_tilt * sin_pan, cos_tilt * sin_pan],
                [0.0, -cos_tilt, sin_tilt],
            ]
        )


def _crop_at(
    crop: NDArray[np.float32], before: FloatArray, after: FloatArray, focal: tuple[float, float]
) -> NDArray[np.float32]:
    """The crop (scale, x, y up) of a face that is moved from ``before`` to ``after`` [3] m (pinhole)."""
    depth, depth_before = max(after[2], NEAREST), max(before[2], NEAREST)
    right, down = after[:2] / depth - before[:2] / depth_before
    scale = crop[0] * depth / depth_before
    return np.array([scale, crop[1] + focal[0] * right, crop[2] - focal[1] * down], np.float32)
