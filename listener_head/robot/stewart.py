"""Kinematics of a head on a Stewart platform with rotary motors: six motors swing arms, six rods lift it.

In a motor's frame the arm's end is l (cos a, sin a, 0), with l the arm's length, and the rod's far end is the
ball (x, y, z) on the head. A rod of length d makes

    x cos a + y sin a = (x^2 + y^2 + z^2 + l^2 - d^2) / 2l

which has the two solutions a = atan2(y, x) +- acos((x^2 + y^2 + z^2 + l^2 - d^2) / 2l sqrt(x^2 + y^2)): the
elbow on either side of the plane through the motor's axis and the ball. The closed form is that of rotary
hexapods (e.g. R. Eisele, "Inverse Kinematics of a Stewart Platform", 2019); the way back has none and is
found by Newton's method.

An assembled leg cannot change its elbow's side without being stretched or folded flat. The side is the one
that puts the motor nearer to zero at rest, and every pose keeps it: angles are continuous all over the reach.

Rotations here are the head's relative to rest, in the axes of the head frame at rest (x forward, y left,
z up: those of the REP 103 body frame).
"""

from __future__ import annotations

from math import atan2, cos, pi, tau

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial.transform import Rotation

from listener_head.errors import UserError
from listener_head.robot.description import Platform
from listener_head.robot.transforms import transform, transform_of

FloatArray = NDArray[np.float64]

# A pose cut at the edge of the reach still counts as reached after rounding [rad].
EDGE_TOLERANCE = 1e-6
# How finely `reachable` looks for the edge: the share is found to 1 / SAMPLES^ROUNDS, always rounded down.
SAMPLES, ROUNDS = 64, 2
STEPS_OF_SHARE = np.arange(1, SAMPLES)
# Newton: half the error of a squared rod length [m^2], which takes about five steps from rest.
CLOSED, NEWTON_STEPS = 1e-15, 30


class StewartPlatform:
    """Inverse and forward kinematics; UserError when the rods of ``platform`` do not reach its rest pose."""

    def __init__(self, platform: Platform):
        motors = np.array([transform_of(leg.motor) for leg in platform.legs])
        self._motors, self._axes = motors[:, :3, 3], motors[:, :3, :3]
        self._balls = np.array([leg.ball for leg in platform.legs])
        self._rest = transform_of(platform.rest)
        self._arm, self._rod = platform.arm_length, platform.rod_length
        self._max_tilt = platform.max_tilt + EDGE_TOLERANCE
        self._max_turn = platform.max_turn + EDGE_TOLERANCE
        self._place_balls()
        self._choose_elbows()

    def _place_balls(self) -> None:
        """Make the balls in their motors' frames, x of six legs, then y, then z, linear in a rotation [9]."""
        axes = self._axes.transpose(0, 2, 1)
        turn = np.einsum("lij,lk->iljk", axes @ self._rest[:3, :3], self._balls).reshape(3, 6, 9)
        shift = np.einsum("lij,lj->il", axes, self._rest[:3, 3] - self._motors)
        x, y, _ = turn @ np.eye(3).ravel() + shift
        # Each motor's x is turned to the ball at rest: atan2 then jumps only half a turn away from rest.
        self._toward_ball = np.arctan2(y, x)
        c, s = np.cos(self._toward_ball), np.sin(self._toward_ball)
        zero, one = np.zeros(6), np.ones(6)
        aligned = np.array([[c, s, zero], [-s, c, zero], [zero, zero, one]])
        self._turn = np.einsum("ijl,jlk->ilk", aligned, turn).reshape(18, 9)
        self._shift = np.einsum("ijl,jl->il", aligned, shift).reshape(18, 1)

    def _choose_elbows(self) -> None:
        self._elbows = np.ones(6)
        bends, reached = self._solve(np.eye(3).reshape(9, 1))
        if not reached[0]:
            raise UserError(
                f"platform: arms of {self._arm:g} m and rods of {self._rod:g} m do not reach the head at "
                "rest; correct arm_length, rod_length, rest or legs"
            )
        bend = bends[:, 0] - self._toward_ball
        solutions = np.array([self._toward_ball + bend, self._toward_ball - bend])
        turns = np.round(solutions / tau) * tau
        nearer = np.argmin(np.abs(solutions - turns), axis=0)
        self._elbows = np.where(nearer == 0, 1.0, -1.0)
        self._toward_ball = self._toward_ball - np.choose(nearer, turns)
        ends = self._arm_ends(self._toward_ball + self._elbows * bend)
        _, slopes = self._rods(ends, self._rest[:3, :3], self._rest[:3, 3])
        self._volume_at_rest = float(np.linalg.det(slopes))

    def angles(self, rotation: ArrayLike) -> FloatArray | None:
        """Motor angles float64 [6] in rad, in the legs' order, that turn the head by ``rotation`` [3, 3].

        The head frame's origin stays where it is at rest. None when the rods do not reach, or beyond the
        platform's largest tilt or turn. The motors' own limits are for the caller, or for `reachable`.
        UserError when it is not 3 x 3 finite numbers.
        """
        angles, reached = self._solve(_checked(rotation).reshape(9, 1))
        return angles[:, 0] if reached[0] else None

    def reachable(self, rotation: ArrayLike, low: FloatArray, high: FloatArray) -> float:
        """Largest share (0 to 1) of ``rotation`` [3, 3] before the way from rest leaves the reach.

        The way turns about the rotation's own axis: the share multiplies its rotation vector, as SciPy gives
        it. The reach ends where `angles` has none or a motor leaves its limits ``low`` to ``high`` [6] in
        rad. Rounded down, to 0.03 % of the rotation.
        """
        checked = _checked(rotation)
        if self._inside(checked.reshape(9, 1), low, high)[0]:
            return 1.0
        axis, angle = _axis_and_angle(checked)
        share, width = 0.0, 1.0
        for _ in range(ROUNDS):
            width /= SAMPLES
            # The last sample is known to be outside: there the round before saw the edge.
            inside = self._inside(_turns(axis, angle * (share + width * STEPS_OF_SHARE)), low, high)
            share += width * int(np.argmin(np.append(inside, False)))
        return share

    def pose(self, angles: ArrayLike) -> FloatArray:
        """Head frame [4, 4] in the frame that the motors stand in, for motor angles [6] in rad.

        The pose is of the assembly that rest has. UserError when the rods do not close for these angles, or
        only in a pose beyond a singular one, where the motors cannot take the head.
        """
        swing = np.asarray(angles, np.float64)
        if swing.shape != (6,) or not np.isfinite(swing).all():
            raise UserError(f"motor angles {swing.tolist()}; a platform needs six finite angles in rad")
        ends = self._arm_ends(swing)
        turn, place = self._rest[:3, :3], self._rest[:3, 3]
        for _ in range(NEWTON_STEPS):
            error, slopes = self._rods(ends, turn, place)
            if np.abs(error).max() < CLOSED:
                if np.linalg.det(slopes) * self._volume_at_rest > 0:
                    return transform(tuple(place), turn)
                break
            try:
                step = np.linalg.solve(slopes, -error)
            except np.linalg.LinAlgError:
                break
            turn = Rotation.from_rotvec(step[:3]).as_matrix() @ turn
            place = place + step[3:]
        raise UserError(
            f"motor angles {swing.round(4).tolist()} rad fit no pose of the head; check the names, the order "
            "and the zero positions of the platform's joints"
        )

    def rotation(self, angles: ArrayLike) -> FloatArray:
        """Rotation [3, 3] of the head relative to rest for motor angles [6] in rad; errors as of `pose`."""
        relative: FloatArray = self._rest[:3, :3].T @ self.pose(angles)[:3, :3]
        return relative

    def _arm_ends(self, angles: FloatArray) -> FloatArray:
        """Ends of the arms [6, 3] in the frame that the motors stand in."""
        cosine, sine = np.cos(angles)[:, None], np.sin(angles)[:, None]
        return self._motors + self._arm * (cosine * self._axes[:, :, 0] + sine * self._axes[:, :, 1])

    def _rods(self, ends: FloatArray, turn: FloatArray, place: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Half the error of squared rod lengths [6], and its slopes [6, 6] by the head's turn and shift."""
        balls = self._balls @ turn.T
        rods = balls + place - ends
        error = 0.5 * ((rods * rods).sum(axis=1) - self._rod**2)
        return error, np.hstack([_cross(balls, rods), rods])

    def _inside(self, rotations: FloatArray, low: FloatArray, high: FloatArray) -> NDArray[np.bool_]:
        angles, reached = self._solve(rotations)
        return reached & ((angles >= low[:, None]) & (angles <= high[:, None])).all(axis=0)

    def _solve(self, rotations: FloatArray) -> tuple[FloatArray, NDArray[np.bool_]]:
        """Angles [6, N] for rotations [9, N] (rows of the matrices), and which [N] of them are in reach."""
        x, y, z = (self._turn @ rotations + self._shift).reshape(3, 6, -1)
        flat = np.maximum(x * x + y * y, 1e-12)
        cosine = (flat + z * z + (self._arm**2 - self._rod**2)) / (2 * self._arm * np.sqrt(flat))
        bend = np.arccos(np.clip(cosine, -1.0, 1.0))
        angles = self._toward_ball[:, None] + np.arctan2(y, x) + self._elbows[:, None] * bend
        # Tilt and turn: the head's crown away from rest, and the turn about the crown that is left then.
        turn = np.arctan2(rotations[3] - rotations[1], rotations[0] + rotations[4])
        held = (rotations[8] >= cos(self._max_tilt)) & (np.abs(turn) <= self._max_turn)
        return angles, held & (np.abs(cosine) <= 1.0).all(axis=0)


def _checked(rotation: ArrayLike) -> FloatArray:
    matrix = np.asarray(rotation, np.float64)
    if matrix.shape != (3, 3) or not np.isfinite(matrix).all():
        raise UserError(f"rotation {matrix.tolist()}; it must be a matrix of 3 x 3 finite numbers")
    return matrix


def _axis_and_angle(rotation: FloatArray) -> tuple[FloatArray, float]:
    """Unit axis [3] and angle in rad of a rotation [3, 3] other than none."""
    skew = 0.5 * np.array([rotation[2, 1], rotation[0, 2], rotation[1, 0]])
    skew -= 0.5 * np.array([rotation[1, 2], rotation[2, 0], rotation[0, 1]])
    sine = float(np.sqrt(skew @ skew))
    if sine < 1e-6:  # half a turn, about either way of its axis: the one that SciPy takes
        vector = Rotation.from_matrix(rotation).as_rotvec()
        return vector / pi, pi
    return skew / sine, atan2(sine, 0.5 * (float(rotation.trace()) - 1.0))


def _turns(axis: FloatArray, angles: FloatArray) -> FloatArray:
    """Rotations [9, N] (rows of the matrices) about a unit axis by angles [N] in rad: Rodrigues' formula."""
    x, y, z = axis
    cross = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    sines, versines = np.sin(angles), 1.0 - np.cos(angles)
    turned: FloatArray = np.eye(3).reshape(9, 1) + np.outer(cross, sines) + np.outer(cross @ cross, versines)
    return turned


def _cross(a: FloatArray, b: FloatArray) -> FloatArray:
    """Cross products of rows [N, 3]: numpy's own is slow on so few."""
    return a[:, [1, 2, 0]] * b[:, [2, 0, 1]] - a[:, [2, 0, 1]] * b[:, [1, 2, 0]]
