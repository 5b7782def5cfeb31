"""From the expression of one face model to the ARKit shapes of another, by how the landmarks move.

So robots and avatars, which speak ARKit, work with networks trained on the Basel Face Model.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg.lapack import dposv
from scipy.spatial.transform import Rotation

from listener_head.errors import UserError
from listener_head.face.model import FaceModel
from listener_head.face.prior import expression_information

FloatArray = NDArray[np.float64]

# iBUG landmarks that are compared: chin, brows, nose, eyes and mouth. Beside the ears nothing moves.
USED = np.r_[5:12, 17:68]
EYE_CORNERS = (36, 45)
# Shapes that landmarks do not tell from others: gaze only drags the lids, the tongue only parts the lips.
UNSEEN = ("eyeLook", "tongueOut")
# How well the shapes of two models agree where they mean the same [m]: small keeps the size of what
# is clearly seen, large keeps shapes that barely move landmarks from explaining the difference.
AGREEMENT = 0.3e-3
# Weights beyond this say no more; without a limit the arithmetic could overflow.
LARGEST_WEIGHT = 1e3
# The search for the shapes that rest at a bound: rounds in all (7 as a rule, once in thousands over 100), and
# those without progress before it goes on one shape at a time.
ROUNDS, PATIENCE = 1000, 3


class Retarget:
    """Maps expression weights of ``source`` to those of ``target``, an arkit52 model.

    The shapes' weights x minimise |A x - b|^2 / AGREEMENT^2 + x' P x within 0..1, where b is how far
    ``source`` moves its landmarks, brought to the target's size and orientation, A how far the target's
    shapes do, and P what is expected of weights before anything is seen (``prior``). ``UNSEEN`` shapes
    stay at zero. Raises UserError for another target.
    """

    def __init__(self, source: FaceModel, target: FaceModel) -> None:
        if target.name != "arkit52":
            raise UserError(
                f"expressions cannot be retargeted to '{target.name}'; the target must be arkit52"
            )
        self._source = source
        names = target.expression_names
        self._size, self._seen = len(names), [i for i, n in enumerate(names) if not n.startswith(UNSEEN)]
        driven = _landmark_moves(source) @ _similarity(source, target).T
        shapes = _landmark_moves(target)[self._seen].reshape(len(self._seen), -1)
        prior = expression_information(names)[np.ix_(self._seen, self._seen)]
        self._covariance = np.linalg.inv(shapes @ shapes.T / AGREEMENT**2 + prior)
        self._unbounded = self._covariance @ shapes @ driven.reshape(len(driven), -1).T / AGREEMENT**2

    def expression(self, weights: ArrayLike) -> NDArray[np.float32]:
        """Weights [52] float32 in 0..1 of the target for weights [E] of the source.

        Raises UserError for another number of weights and for any that is not finite.
        """
        given = np.asarray(weights, np.float64)
        needed = self._unbounded.shape[1]
        if given.shape != (needed,):
            raise UserError(f"expression has shape {given.shape}; {self._source.name} needs ({needed},)")
        if not np.isfinite(given).all():
            raise UserError(f"expression of {self._source.name} is not finite; send finite numbers")
        free = self._unbounded @ np.clip(given, -LARGEST_WEIGHT, LARGEST_WEIGHT)
        result = np.zeros(self._size, np.float32)
        result[self._seen] = self._within_bounds(free)
        return result

    def _within_bounds(self, free: FloatArray) -> FloatArray:
        """The best weights in 0..1, given the best ones without bounds.

        Holding some at their bounds is conditioning a Gaussian: the others follow by the covariance. Weights
        out of bounds are taken to theirs and those that are pushed inwards let go, all at once, until there
        are none of either (block principal pivoting, Judice and Pires 1994).
        """
        at_one = free > 1.0
        held = at_one | (free < 0.0)
        fewest, patience = len(free) + 1, PATIENCE
        for _ in range(ROUNDS):
            x, push = self._conditioned(free, held, at_one)
            out = ~held & ((x < 0.0) | (x > 1.0))
            wrong = (out | (held & (np.where(at_one, push, -push) < 0.0))).nonzero()[0]
            if not len(wrong):
                break
            patience = PATIENCE if len(wrong) < fewest else patience - 1
            fewest = min(fewest, len(wrong))
            if patience < 0:
                wrong = wrong[-1:]
            held[wrong] = ~held[wrong]
            at_one[wrong] = held[wrong] & (x[wrong] > 1.0)
        return np.clip(x, 0.0, 1.0)

    def _conditioned(
        self, free: FloatArray, held: NDArray[np.bool_], at_one: NDArray[np.bool_]
    ) -> tuple[FloatArray, FloatArray]:
        """All weights when some are held at 0 or 1, and how hard each of those pushes outwards at one."""
        at, push = held.nonzero()[0], np.zeros(len(free))
        if not len(at):
            return free, push
        columns = self._covariance[:, at]
        _, push[at], _ = dposv(columns[at], free[at] - at_one[at])
        x = free - columns @ push[at]
        x[at] = at_one[at]
        return x, push


def _landmark_moves(model: FaceModel) -> FloatArray:
    """How far the compared landmarks go [E, L, 3] m with each shape."""
    return model.expression_basis[:, model.landmarks[USED]].astype(np.float64)


def _similarity(source: FaceModel, target: FaceModel) -> FloatArray:
    """Rotation times scale [3, 3] from the source's neutral face to the target's."""
    inner = USED[USED >= 17]
    ours, theirs = (model.mean[model.landmarks[inner]].astype(np.float64) for model in (source, target))
    rotation, _ = Rotation.align_vectors(theirs - theirs.mean(0), ours - ours.mean(0))
    eyes = [
        np.linalg.norm(np.subtract(*model.mean[model.landmarks[list(EYE_CORNERS)]].astype(np.float64)))
        for model in (source, target)
    ]
    turned: FloatArray = rotation.as_matrix() * (eyes[1] / eyes[0])
    return turned
