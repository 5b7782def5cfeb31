"""Regularised, robust Gauss-Newton on landmarks: the numbers behind FaceFitter.

Unknowns are a left-multiplied rotation increment, the translation and weights of shapes. Residuals are in
metres on the face divided by their standard deviation, so that nothing depends on the size of the image.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.lapack import dposv

from listener_head.face.pose import NEAREST, Array, Pose

RIGID_STEPS, ROBUST_STEPS = 3, 4  # where some landmarks are outliers
ACTIVE_SET_ROUNDS = 3
# A residual longer than this many times the usual one is an outlier, and counts less the longer it is.
CUTOFF = 4.0
LARGEST_SCALE = 2.0  # that the usual one is taken to have: beyond, most are outliers
USUAL_LENGTH = 1.18  # median length of a residual whose two numbers are N(0, 1)


class ShapeBasis:
    """Linear shapes [P, L, 3] of L points, laid out for the Jacobian: [L, 3, P]."""

    def __init__(self, shapes: Array):
        self.count = len(shapes)
        self.by_point = np.ascontiguousarray(shapes.transpose(1, 2, 0), np.float64)
        self._flat = self.by_point.reshape(-1, self.count)

    def displacement(self, weights: Array) -> Array:
        """Sum of the weighted shapes [L, 3]."""
        return (self._flat @ weights).reshape(-1, 3)


@dataclass
class Accuracy:
    """What L points may deviate, and G gaps between two of them (no point in two gaps), as information.

    A gap (upper minus lower lip, upper minus lower lid) repeats what its two points say, free of
    what moves both: with a small standard deviation it carries jaw and blink.
    """

    point: Array  # [L] 1/m^2
    gaps: NDArray[np.intp]  # [2, G] positions of the upper and the lower points
    gap: Array  # [G] 1/m^2

    def whitening(self, weight: Array) -> tuple[Array, Array]:
        """Factors that make the information of points with ``weight`` [L] the identity, gaps included.

        ``(scale [L], mix [G])``: residuals times their scale, then to each upper point's its lower
        point's times mix. It is the Cholesky factor of [[a + g, -g], [-g, b + g]] for information
        a, b of the points and g of the gap, so that the gaps need no rows of their own.
        """
        information = weight * self.point
        upper, lower = self.gaps
        gap = np.minimum(weight[upper], weight[lower]) * self.gap
        first = information[upper] + gap
        information[lower] += gap - gap * gap / first
        information[upper] = first
        scale = np.sqrt(information)
        return scale, -gap / (scale[upper] * scale[lower])


@dataclass
class Solution:
    """Where a problem was left, with the last normal matrix and which unknowns [6 + P] took part in it.

    ``misfit`` [L, 3] m leads from the model's points to those seen, parallel to the image, in
    the model frame; ``error`` m is its root mean square, weighted by trust and accuracy. ``trusted`` 0..1
    is the mean trust, about the share of the landmarks that fit with the others.
    """

    pose: Pose
    weights: Array
    normal: Array
    free: NDArray[np.bool_]
    misfit: Array
    error: float
    trusted: float


@dataclass
class Problem:
    """One frame: from what is ``seen`` [L, 2] to a pose and weights [P] of ``basis`` on ``points`` [L, 3].

    ``seen`` is in normalised image coordinates, ``visible`` [L] 0..1, and ``depth`` m turns image coordinates
    into metres. It minimises the squared residuals plus ``w @ information @ w - 2 * pull @ w`` for weights w
    in ``lower`` to ``upper``.
    """

    accuracy: Accuracy
    seen: Array
    points: Array
    basis: ShapeBasis
    visible: Array
    depth: float
    information: Array
    pull: Array
    lower: Array
    upper: Array

    def __post_init__(self) -> None:
        self._base = np.square(self.visible * self.depth)
        self.set_trust(np.ones(len(self.seen)))

    def set_trust(self, trust: Array) -> None:
        """How far each landmark counts [L], 0..1."""
        self.trust = trust
        self._scale, self._mix = self.accuracy.whitening(self._base * trust)

    def residuals(self, pose: Pose, weights: Array) -> Array:
        """What is minimised of the landmarks [2 L], whitened."""
        ahead, _ = self._place(pose, weights)
        return self._whiten((self.seen - ahead[:, :2] / ahead[:, 2:]) * self._scale[:, None]).reshape(-1)

    def linearise(self, pose: Pose, weights: Array) -> tuple[Array, Array]:
        """Residuals [2 L] and their derivative, negated: [2 L, 6 + P]."""
        ahead, turned = self._place(pose, weights)
        inverse_depth = 1.0 / ahead[:, 2]
        image = ahead[:, :2] * inverse_depth[:, None]
        inverse_depth *= self._scale
        by_place = np.zeros((len(image), 2, 3))
        by_place[:, 0, 0] = by_place[:, 1, 1] = inverse_depth
        np.multiply(image, -inverse_depth[:, None], out=by_place[:, :, 2])

        jacobian = np.empty((len(image), 2, 6 + self.basis.count))
        cross = np.zeros((len(image), 3, 3))  # of a turn with the turned point
        cross[:, 0, 1], cross[:, 1, 2], cross[:, 2, 0] = turned[:, 2], turned[:, 0], turned[:, 1]
        cross -= cross.transpose(0, 2, 1)
        np.matmul(by_place, cross, out=jacobian[:, :, :3])
        jacobian[:, :, 3:6] = by_place
        np.matmul(by_place @ pose.to_optical, self.basis.by_point, out=jacobian[:, :, 6:])
        residuals = self._whiten((self.seen - image) * self._scale[:, None])
        return residuals.reshape(-1), self._whiten(jacobian).reshape(-1, 6 + self.basis.count)

    def solve(self, pose: Pose, weights: Array, steps: int) -> Solution:
        """After so many Gauss-Newton steps from a start, or robustly from it where landmarks are outliers."""
        start, start_weights = pose, weights
        for step in range(steps):
            pose, weights, normal, free = self._step(pose, weights)
            if step in (0, steps - 1) and self._trust(pose, weights).min() < 1.0:
                return self._solve_robustly(start, start_weights, steps)
        return self._solution(pose, weights, normal, free)

    def _solve_robustly(self, pose: Pose, weights: Array, steps: int) -> Solution:
        """The pose alone first, which the landmarks decide that go with most; then all unknowns."""
        for _ in range(RIGID_STEPS):
            self.set_trust(self._trust(pose, weights))
            residuals, jacobian = self.linearise(pose, weights)
            rigid = jacobian[:, :6]
            pose = pose.moved(dposv(rigid.T @ rigid, residuals @ rigid)[1])
        for _ in range(ROBUST_STEPS + steps):
            self.set_trust(self._trust(pose, weights))
            pose, weights, normal, free = self._step(pose, weights)
        return self._solution(pose, weights, normal, free)

    def _step(self, pose: Pose, weights: Array) -> tuple[Pose, Array, Array, NDArray[np.bool_]]:
        residuals, jacobian = self.linearise(pose, weights)
        normal, gradient = jacobian.T @ jacobian, residuals @ jacobian
        normal[6:, 6:] += self.information
        gradient[6:] += self.pull - self.information @ weights
        step, free = solve_bounded(normal, gradient, weights, self.lower, self.upper)
        return pose.moved(step), weights + step[6:], normal, free

    def _place(self, pose: Pose, weights: Array) -> tuple[Array, Array]:
        """The points in the optical frame [L, 3], and the same before they were moved."""
        turned = (self.points + self.basis.displacement(weights)) @ pose.to_optical.T
        ahead = turned + pose.translation
        np.maximum(ahead[:, 2], NEAREST, out=ahead[:, 2])
        return ahead, turned

    def _whiten(self, rows: Array) -> Array:
        """Rows [L, 2, ...] that were scaled: mix those of gaps."""
        upper, lower = self.accuracy.gaps
        mix = self._mix.reshape(-1, *(1,) * (rows.ndim - 1))
        rows[upper] += mix * rows[lower]
        return rows

    def _misfit(self, pose: Pose, weights: Array) -> Array:
        """From the model's points to those seen [L, 2] m, across the line of sight."""
        ahead, _ = self._place(pose, weights)
        return self.seen * ahead[:, 2:] - ahead[:, :2]

    def _solution(self, pose: Pose, weights: Array, normal: Array, free: NDArray[np.bool_]) -> Solution:
        misfit = self._misfit(pose, weights) @ pose.to_optical[:2]
        share = self.trust * self.accuracy.point
        error = sqrt(share @ np.einsum("lk,lk->l", misfit, misfit) / share.sum())
        return Solution(pose, weights, normal, free, misfit, error, float(self.trust.mean()))

    def _lengths(self, pose: Pose, weights: Array) -> Array:
        """Lengths [L] of the misfit in standard deviations."""
        misfit = self._misfit(pose, weights)
        return np.sqrt(np.einsum("lk,lk->l", misfit, misfit) * self.accuracy.point) * self.visible

    def _trust(self, pose: Pose, weights: Array) -> Array:
        """Trust [L] in landmarks: 1 up to the cutoff, then falling with the fourth power of the length.

        Like Geman and McClure's, its influence goes to zero, but what is no outlier has full weight.
        """
        length = self._lengths(pose, weights)
        middle = len(length) // 2
        median = float(np.partition(length, middle)[middle])  # a tenth of the time of np.median
        cutoff = CUTOFF * min(max(median / USUAL_LENGTH, 1.0), LARGEST_SCALE)
        return (cutoff / np.maximum(length, cutoff)) ** 4


def solve_bounded(
    normal: Array, gradient: Array, weights: Array, lower: Array, upper: Array
) -> tuple[Array, NDArray[np.bool_]]:
    """Step of ``normal @ step = gradient`` with weights (all but the first 6 unknowns) kept inside bounds.

    A weight at its bound that would be pushed further out stays; one that the step would carry out goes
    to its bound, and the others are solved again with it there (active sets, Nocedal and Wright 2006, 16.5).
    Returns the step and which unknowns were free to the end.
    """
    push, step, free = gradient[6:], np.zeros(len(gradient)), np.ones(len(gradient), bool)
    down, up = lower - weights, upper - weights
    np.logical_not(((down >= 0.0) & (push < 0.0)) | ((up <= 0.0) & (push > 0.0)), out=free[6:])
    for _ in range(ACTIVE_SET_ROUNDS):
        kept = np.flatnonzero(free)
        rows = normal[kept]
        target = gradient[kept] - rows @ np.where(free, 0.0, step)
        step[kept] = dposv(rows[:, kept], target)[
            1
        ]  # cho_factor and cho_solve spend more on checks than sums
        inside = np.minimum(np.maximum(step[6:], down), up)
        out = inside != step[6:]
        if not out.any():
            break
        step[6:] = inside
        free[6:] &= ~out
    return step, free
