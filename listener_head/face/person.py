"""What is lasting about a face: learned over the first frames, then held.

Three things, from coarse to fine: the model's identity modes; a *rest*, how the resting face differs
from the model's, in the expression shapes but signed; and for each landmark what offset still remains.
Zero expression then means this person at rest.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve

from listener_head.face.correspondence import LID_GAPS, LIP_GAPS, Correspondence, landmark_shapes
from listener_head.face.gauss_newton import Array, ShapeBasis
from listener_head.face.model import FaceModel
from listener_head.face.prior import spread

FRAMES = 30  # to learn from
WORTH = 4.0  # independent frames that they are worth: the same errors are in each
REST_SPREAD = 0.1  # of the expected size of the same shape in expression
CLOSED_AT_REST = ("jawOpen", "mouthClose", "mouthLowerDown", "mouthUpperUp")  # people may start in mid-word
NO_REST_SPREAD = 0.02
LID_SHAPES = ("eyeBlink", "eyeSquint", "eyeWide")
LARGEST_LID_SCALE, LID_CLOSURE = 1.5, 0.7  # the tracker sees a shut eye as a third open


class Person:
    """Identity and rest of one face as weights [I + E] on ``basis``, and the points [L, 3] m they give."""

    def __init__(self, model: FaceModel, correspondence: Correspondence):
        self.mean, identity, self.expression = landmark_shapes(model, correspondence)
        self.basis = np.concatenate([identity, self.expression])
        self._shapes = ShapeBasis(self.basis)
        self._names = model.expression_names
        half = len(LID_GAPS) // 2
        self._lids = {
            "Right": _pairs(correspondence, LID_GAPS[:half]),
            "Left": _pairs(correspondence, LID_GAPS[half:]),
        }
        self._lips = _pairs(correspondence, LIP_GAPS)
        rest = REST_SPREAD * spread(self._names)
        rest[[name.startswith(CLOSED_AT_REST) for name in self._names]] = NO_REST_SPREAD
        sizes = np.concatenate([np.ones(len(identity)), rest])
        self._prior = np.diag(sizes**-2)
        self._identity_count = len(identity)
        self.forget()

    def forget(self) -> None:
        """Back to the model's mean face."""
        self.weights = np.zeros(len(self.basis))
        self.information = self._prior.copy()
        self.points = self.mean
        self._misfit = np.zeros(self.mean.shape)
        self.frames = 0

    @property
    def held(self) -> bool:
        """Whether it has been learned."""
        return self.frames >= FRAMES

    @property
    def identity(self) -> Array:
        """Weights of the model's identity modes [I]."""
        return self.weights[: self._identity_count]

    def learn(self, weights: Array, normal: Array, free: NDArray[np.bool_], misfit: Array) -> None:
        """Take what one frame tells.

        ``normal`` is the normal matrix of its fit, the person's weights last, of which ``free`` [6 + P] took
        part; what is not the person's is marginalised out (Schur complement). ``misfit`` [L, 3] m is what the
        fit left, in the model frame.
        """
        start = len(normal) - len(self.weights)
        others = np.flatnonzero(free[:start])
        mixed = normal[others, start:]
        known = solve(normal[np.ix_(others, others)], mixed, assume_a="pos", check_finite=False)
        evidence = normal[start:, start:] - self.information - mixed.T @ known
        self.information += (evidence + evidence.T) * (0.5 * WORTH / FRAMES)
        self.weights = weights
        self._misfit += misfit
        self.frames += 1
        self.points = self.mean + self._shapes.displacement(weights)
        if self.held:
            remaining = self._misfit / self.frames
            remaining[self._lips] = remaining[self._lips].mean(0)  # lips rest closed, whatever they did here
            self.points = self.points + remaining

    def scaled_expression(self) -> Array:
        """The expression shapes [E, L, 3] with those of the lids as large as this person's eyes are open."""
        shapes = self.expression.copy()
        for side, (upper, lower) in self._lids.items():
            opening, usual = (
                np.linalg.norm((points[upper] - points[lower]).mean(0)) for points in (self.points, self.mean)
            )
            scale = LID_CLOSURE * np.clip(opening / usual, 1.0 / LARGEST_LID_SCALE, LARGEST_LID_SCALE)
            for index, name in enumerate(self._names):
                if name.startswith(LID_SHAPES) and name.endswith(side):
                    shapes[index] *= scale
        return shapes


def _pairs(correspondence: Correspondence, gaps: tuple[tuple[int, int], ...]) -> NDArray[np.intp]:
    """Positions [2, n] of the upper and the lower points of gaps."""
    order = list(correspondence.landmark)
    return np.array([[order.index(upper), order.index(lower)] for upper, lower in gaps]).T
