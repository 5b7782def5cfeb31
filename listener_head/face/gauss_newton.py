"""Regularised Gauss-Newton on landmarks: the numbers behind FaceFitter.

Unknowns are a left-multiplied rotation increment, the translation and weights of shapes. Residuals are in
metres on the face divided by their standard deviation, so that nothing depends on the size of the image.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.lapack import dposv

from listener_head.face.geometry import OPTICAL_FROM_MODEL

Array = NDArray[np.float64]

NEAREST = 0.05  # m, no face is closer to a camera
LARGEST_TURN = 0.5  # rad in one step: a linearised rotation is no good beyond


@dataclass
class Pose:
    """Where the model is: a model point X is at ``rotation @ OPTICAL_FROM_MODEL @ X + translation``."""

    rotation: Array
    translation: Array


class ShapeBasis:
    """Linear shapes [P, L, 3] of L points, laid out for the Jacobian: one [P, L] matrix per axis."""

    def __init__(self, shapes: Array):
        self.count = len(shapes)
        self.x, self.y, self.z = (np.ascontiguousarray(shapes[:, :, axis], np.float64) for axis in range(3))
        self._flat = np.ascontiguousarray(shapes.reshape(self.count, -1), np.float64)

    def displacement(self, weights: Array) -> Array:
        """Sum of the weighted shapes [L, 3]."""
        return (weights @ self._flat).reshape(-1, 3)


class Residuals:
    """What is compared: L points, and G gaps between two of them, seen in normalised image coordinates.

    A gap (upper minus lower lip, upper minus lower lid) repeats what its two points say, free of
    what moves both: with a small standard deviation it carries jaw and blink.
    """

    def __init__(self, sigma: Array, gaps: NDArray[np.intp], gap_sigma: Array):
        self.sigma, self.gaps, self.gap_sigma = sigma, gaps, gap_sigma
        self._points, self._rows = len(sigma), len(sigma) + len(gaps)

    def linearise(
        self, seen: Array, points: Array, pose: Pose, weights: Array, basis: ShapeBasis, visible: Array
    ) -> tuple[Array, Array]:
        """Residuals [2 (L + G)] and their Jacobian, transposed: [6 + P, 2 (L + G)].

        ``seen`` [L, 2] normalised image coordinates, ``points`` [L, 3] the model's without the
        shapes, ``visible`` [L] 0..1.
        """
        to_optical = pose.rotation @ OPTICAL_FROM_MODEL
        turned = (points + basis.displacement(weights)) @ to_optical.T
        inverse_depth = 1.0 / np.maximum(turned[:, 2] + pose.translation[2], NEAREST)
        u = (turned[:, 0] + pose.translation[0]) * inverse_depth
        v = (turned[:, 1] + pose.translation[1]) * inverse_depth

        count = self._points
        jacobian = np.empty((6 + basis.count, 2 * self._rows))
        for axis, value, out in ((0, u, slice(0, count)), (1, v, slice(self._rows, self._rows + count))):
            along, across = inverse_depth, -value * inverse_depth  # d(value)/d(axis), d(value)/dz
            x, y, z = turned.T
            block = jacobian[:, out]
            if axis == 0:
                block[0], block[1], block[2] = y * across, z * along - x * across, -y * along
            else:
                block[0], block[1], block[2] = y * across - z * along, -x * across, x * along
            block[3:5] = 0.0
            block[3 + axis], block[5] = along, across
            direction = along[:, None] * to_optical[axis] + across[:, None] * to_optical[2]
            shapes = block[6:]
            np.multiply(basis.x, direction[:, 0], out=shapes)
            shapes += basis.y * direction[:, 1]
            shapes += basis.z * direction[:, 2]
        residuals = np.zeros(2 * self._rows)
        residuals[:count] = seen[:, 0] - u
        residuals[self._rows : self._rows + count] = seen[:, 1] - v

        self._append_gaps(residuals, jacobian)
        scale = np.concatenate([visible / self.sigma, visible[self.gaps].min(1) / self.gap_sigma])
        scale = np.tile(scale * pose.translation[2], 2)
        residuals *= scale
        jacobian *= scale
        return residuals, jacobian

    def _append_gaps(self, residuals: Array, jacobian: Array) -> None:
        first, second = self.gaps.T
        for start in (0, self._rows):
            out = slice(start + self._points, start + self._rows)
            residuals[out] = residuals[start + first] - residuals[start + second]
            jacobian[:, out] = jacobian[:, start + first] - jacobian[:, start + second]


@dataclass
class Problem:
    """One frame: from what is ``seen`` [L, 2] to a pose and weights [P] of ``basis`` on ``points`` [L, 3].

    It minimises the squared residuals plus ``w @ information @ w - 2 * pull @ w`` for weights w in ``lower``
    to ``upper``.
    """

    residuals: Residuals
    seen: Array
    points: Array
    basis: ShapeBasis
    visible: Array
    information: Array
    pull: Array
    lower: Array
    upper: Array

    def linearise(self, pose: Pose, weights: Array) -> tuple[Array, Array]:
        """Residuals and transposed Jacobian without the terms of the weights alone."""
        return self.residuals.linearise(self.seen, self.points, pose, weights, self.basis, self.visible)

    def solve(self, pose: Pose, weights: Array, steps: int) -> Solution:
        """After so many Gauss-Newton steps from a start."""
        for _ in range(steps):
            residuals, jacobian = self.linearise(pose, weights)
            normal, gradient = jacobian @ jacobian.T, jacobian @ residuals
            normal[6:, 6:] += self.information
            gradient[6:] += self.pull - self.information @ weights
            step, free = solve_bounded(normal, gradient, weights, self.lower, self.upper)
            pose = move(pose, step)
            weights = np.clip(weights + step[6:], self.lower, self.upper)
        return Solution(pose, weights, normal, free, self._misfit(pose, weights))

    def _misfit(self, pose: Pose, weights: Array) -> Array:
        to_optical = pose.rotation @ OPTICAL_FROM_MODEL
        points = (self.points + self.basis.displacement(weights)) @ to_optical.T + pose.translation
        depth = np.maximum(points[:, 2:], NEAREST)
        return (self.seen * depth - points[:, :2]) @ to_optical[:2]


@dataclass
class Solution:
    """Where a problem was left, with the last normal matrix and which unknowns [6 + P] took part in it.

    ``misfit`` [L, 3] m leads from the model's points to those seen, parallel to the image, in
    the model frame.
    """

    pose: Pose
    weights: Array
    normal: Array
    free: NDArray[np.bool_]
    misfit: Array

    @property
    def error(self) -> float:
        """Root mean square length [m] of the misfit."""
        return float(np.sqrt(np.mean(np.sum(self.misfit**2, axis=1))))


def solve_bounded(
    normal: Array, gradient: Array, weights: Array, lower: Array, upper: Array
) -> tuple[Array, NDArray[np.bool_]]:
    """Step of ``normal @ step = gradient`` with weights (all but the first 6 unknowns) kept inside bounds.

    A weight at its bound that would be pushed further out is left out of the system (two-metric
    projection, Bertsekas 1982); the caller clips the rest. Returns the step and which unknowns moved.
    """
    free = np.ones(len(gradient), bool)
    push = gradient[6:]
    free[6:] = ~(((weights <= lower) & (push < 0.0)) | ((weights >= upper) & (push > 0.0)))
    kept = np.flatnonzero(free)
    step = np.zeros(len(gradient))  # dposv alone: cho_factor and cho_solve spend more on checks than on sums
    step[kept] = dposv(normal[np.ix_(kept, kept)], gradient[kept])[1]
    return step, free


def move(pose: Pose, step: Array) -> Pose:
    """The pose after the first six numbers of a step: rotation vector [rad], translation [m]."""
    turn = step[:3]
    angle = float(np.linalg.norm(turn))
    if angle > LARGEST_TURN:
        turn = turn * (LARGEST_TURN / angle)
    translation = pose.translation + step[3:6]
    translation[2] = max(translation[2], NEAREST)
    return Pose(_rotation(turn) @ pose.rotation, translation)


def _rotation(turn: Array) -> Array:
    """Matrix of a rotation vector (Rodrigues); scipy's takes ten times as long for one."""
    x, y, z = turn
    cross = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    angle = float(np.sqrt(x * x + y * y + z * z))
    sine, versine = np.sinc(angle / np.pi), 0.5 * np.sinc(angle / (2 * np.pi)) ** 2
    return np.eye(3) + sine * cross + versine * cross @ cross


def weak_perspective_pose(points: Array, seen: Array) -> Pose:
    """Pose [R, t] from scratch (POS, DeMenthon and Davis 1995): model points [L, 3], normalised [L, 2]."""
    centre, target = points.mean(0), seen.mean(0)
    axes = np.linalg.lstsq((points - centre) @ OPTICAL_FROM_MODEL.T, seen - target, rcond=None)[0].T
    left, scales, right = np.linalg.svd(axes, full_matrices=False)
    rows = left @ right
    rotation = np.vstack([rows, np.cross(rows[0], rows[1])])
    depth = max(1.0 / max(float(scales.mean()), 1e-6), NEAREST)
    centre_seen = depth * np.array([target[0], target[1], 1.0])
    return Pose(rotation, centre_seen - rotation @ OPTICAL_FROM_MODEL @ centre)
