"""What the simple listeners have in common."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod

import numpy as np
from numpy.typing import ArrayLike, NDArray

from listener_head.coefficients import Layout
from listener_head.errors import UserError
from listener_head.policies.data import PolicyData

FloatArray = NDArray[np.float32]

# Steps of rotation are cut to this length [rad]; a head that turns faster looks broken.
_LARGEST_STEP = float(np.deg2rad(2.0))


class Baseline(ABC):
    """A listener without a network; a `Policy` that follows the motion which its subclass wants.

    What is wanted is kept within bounds: weights of arkit52 within 0 to 1, no step of rotation above 2°, and
    the crop of bfm2009 as in the reference. The same seed and calls give the same motion; `reset` draws on.
    """

    name: str

    def __init__(self, data: PolicyData, seed: int = 0) -> None:
        self._data = data
        self._rng = np.random.default_rng(seed)
        self.quiet_audio: FloatArray = np.zeros(data.audio_size, np.float32)
        self.absent_speaker: FloatArray = data.speaker_mean.copy()
        # Looked up once: a step takes little longer than the look-ups would.
        layout = data.layout
        self._rotation, self._expression, self._crop = layout.rotation, layout.expression, layout.crop
        self._poses = (layout.rotation, layout.translation)
        self._has_weights = layout.face_model == "arkit52"
        self.reset()

    @property
    def hash(self) -> str:
        """First 12 hex digits of the SHA-256 of the policy data's file."""
        return self._data.hash

    @property
    def layout(self) -> Layout:
        """Layout of the motion vectors in and out."""
        return self._data.layout

    @property
    def face_model(self) -> str:
        """Face model of the motion in and out."""
        return self._data.layout.face_model

    @property
    def audio_layout(self) -> str:
        """Layout of the audio features that `step` takes, and that no baseline listens to."""
        return self._data.audio_layout

    @property
    def attitudes(self) -> tuple[str, ...]:
        """Attitudes of the training listeners."""
        return self._data.attitudes

    @property
    def attitude(self) -> str | None:
        """The attitude set last."""
        return self._attitude

    @property
    def reference(self) -> FloatArray:
        """The reference motion m₁ [M] of the last reset (a copy)."""
        return self._reference.copy()

    def reset(self, reference: ArrayLike | None = None, attitude: str | None = None) -> None:
        """Start anew from a reference motion m₁ [M] and an attitude; by default a still face and neutral."""
        motion = self.layout.neutral() if reference is None else np.array(reference, np.float32)
        if motion.shape != (self.layout.size,) or not np.isfinite(motion).all():
            raise UserError(
                f"reference motion must be {self.layout.size} finite numbers ({self.face_model}), "
                f"got shape {motion.shape}"
            )
        if attitude is not None:
            self._check_attitude(attitude)
        elif self.attitudes:
            attitude = "neutral" if "neutral" in self.attitudes else self.attitudes[0]
        self._reference, self._attitude, self._motion = motion, attitude, motion
        self._begin()

    def set_attitude(self, attitude: str) -> None:
        """Change the attitude; the motion follows smoothly. UserError for one that is not known."""
        self._check_attitude(attitude)
        self._attitude = attitude

    def step(self, audio: ArrayLike, speaker: ArrayLike) -> FloatArray:
        """One frame on: audio features [A] and speaker motion [M] in, listener motion [M] out."""
        heard = self._checked(audio, self.quiet_audio.shape, "audio features")
        seen = self._checked(speaker, self._reference.shape, "speaker motion")
        if not (_finite(heard) and _finite(seen)):
            raise UserError(
                "a listener step got numbers that are NaN or infinite; drop invalid frames before stepping"
            )
        self._motion = self._bounded(self._wanted(seen))
        return self._motion.copy()

    @abstractmethod
    def _begin(self) -> None:
        """Forget the past; reference and attitude are set, the present motion is the reference."""

    @abstractmethod
    def _wanted(self, speaker: FloatArray) -> FloatArray:
        """The next motion [M], before bounds, as a new array."""

    def _check_attitude(self, attitude: str) -> None:
        if attitude not in self.attitudes:
            known = ", ".join(self.attitudes) or "none, the training clips had no attitude"
            raise UserError(f"attitude '{attitude}' is unknown to policy '{self.name}'; it knows {known}")

    def _checked(self, values: ArrayLike, shape: tuple[int, ...], what: str) -> FloatArray:
        array = np.asarray(values, np.float32)
        if array.shape != shape:
            raise UserError(
                f"{what} have shape {array.shape}; policy '{self.name}' needs {shape} "
                f"({self.audio_layout}, {self.face_model})"
            )
        return array

    def _bounded(self, motion: FloatArray) -> FloatArray:
        if self._has_weights:
            expression = motion[self._expression]
            np.maximum(expression, 0.0, out=expression)
            np.minimum(expression, 1.0, out=expression)
        before, rotation = self._motion[self._rotation], motion[self._rotation]
        step = rotation - before
        length = float(np.sqrt(step @ step))
        if length > _LARGEST_STEP:
            rotation[:] = before + step * np.float32(_LARGEST_STEP / length)
        motion[self._crop] = self._reference[self._crop]
        return motion


def _finite(values: FloatArray) -> bool:
    # A dot product is the cheapest test; one that overflows is no proof.
    return math.isfinite(values.dot(values)) or bool(np.isfinite(values).all())


def eased(phase: float) -> np.float32:
    """Smooth passage from 0 to 1 while ``phase`` goes from 0 to 1, at rest at both ends and beyond."""
    phase = min(max(phase, 0.0), 1.0)
    return np.float32(phase * phase * (3 - 2 * phase))
