"""What is lasting about a face: learned over the first frames, then held.

Three things, from coarse to fine: the model's identity modes; a *rest*, how the resting face differs
from the model's, in the expression shapes but signed; and for each landmark what offset still remains.
Zero expression then means this person at rest.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve

from listener_head.face.correspondence import EYES, LIPS
from listener_head.face.fitted_model import FittedModel
from listener_head.face.gauss_newton import ShapeBasis
from listener_head.face.pose import Array

FRAMES = 30  # to learn from
WORTH = 4.0  # independent frames that they are worth: the same errors are in each
LARGEST_LID_SCALE, LID_CLOSURE = 1.5, 0.7  # the tracker sees a shut eye as a third open


class Person:
    """Identity and rest of one face as weights [I + R] on ``basis``, and the points [L, 3] m they give."""

    def __init__(self, model: FittedModel):
        self._model, prior = model, model.prior
        self.basis = np.concatenate([model.identity, model.expression[prior.rest_shapes]])
        self._shapes = ShapeBasis(self.basis)
        self._lids = [model.correspondence.gaps_of(eye) for eye in EYES]
        self._lips = model.correspondence.gaps_of(LIPS[1])
        self._prior = np.diag(np.concatenate([np.ones(len(model.identity)), prior.rest_spread]) ** -2.0)
        self.forget()

    def forget(self) -> None:
        """Back to the model's mean face."""
        self.weights = np.zeros(len(self.basis))
        self.information = self._prior.copy()
        self.points = self._model.mean
        self._misfit = np.zeros(self.points.shape)
        self.frames = 0

    @property
    def held(self) -> bool:
        """Whether it has been learned."""
        return self.frames >= FRAMES

    @property
    def identity(self) -> Array:
        """Weights of the model's identity modes [I]."""
        return self.weights[: len(self._model.identity)]

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
        self.points = self._model.mean + self._shapes.displacement(weights)
        if self.held:
            remaining = self._misfit / self.frames
            remaining[self._lips] = remaining[self._lips].mean(0)  # lips rest closed, whatever they did here
            self.points = self.points + remaining

    def scaled_expression(self) -> Array:
        """The expression shapes [E, L, 3] with those of the lids as large as this person's eyes are open."""
        shapes = self._model.expression.copy()
        for indices, (upper, lower) in zip(self._model.prior.lid_shapes, self._lids, strict=True):
            opening, usual = (
                np.linalg.norm((points[upper] - points[lower]).mean(0))
                for points in (self.points, self._model.mean)
            )
            shapes[indices] *= LID_CLOSURE * np.clip(
                opening / usual, 1.0 / LARGEST_LID_SCALE, LARGEST_LID_SCALE
            )
        return shapes
