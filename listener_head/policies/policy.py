"""What every listener policy offers."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from listener_head.coefficients import Layout

FloatArray = NDArray[np.float32]


class Policy(Protocol):
    """A listener that is stepped frame by frame at 30 Hz: `listener_head.listener.Listener`, or a baseline.

    A step takes the speaker's sound [A] and motion [M] of frame t and gives the listener's motion [M] of
    frame t + 1 (paper Eq. 1), all in raw units. Wrong sizes, numbers that are not finite and attitudes that
    the policy does not know are UserErrors and change nothing.
    """

    @property
    def name(self) -> str:
        """Name of the policy or of its network."""

    @property
    def hash(self) -> str:
        """First 12 hex digits of the SHA-256 of the file it was made from; empty without a file."""

    @property
    def layout(self) -> Layout:
        """Layout of the motion vectors in and out."""

    @property
    def face_model(self) -> str:
        """Face model of the motion in and out."""

    @property
    def audio_layout(self) -> str:
        """Layout of the audio features that `step` takes."""

    @property
    def attitudes(self) -> tuple[str, ...]:
        """Attitudes that the policy knows; empty when it has none."""

    @property
    def attitude(self) -> str | None:
        """The attitude set last."""

    @property
    def reference(self) -> FloatArray:
        """The reference motion m₁ [M] of the last reset (a copy)."""

    @property
    def quiet_audio(self) -> FloatArray:
        """Audio features [A] of silence."""

    @property
    def absent_speaker(self) -> FloatArray:
        """The speaker's motion [M] to give while nobody is in view."""

    def reset(self, reference: ArrayLike | None = None, attitude: str | None = None) -> None:
        """Start anew from a reference motion m₁ [M] and an attitude; by default a still face and neutral."""

    def set_attitude(self, attitude: str) -> None:
        """Change the attitude; the motion follows smoothly."""

    def step(self, audio: ArrayLike, speaker: ArrayLike) -> FloatArray:
        """One frame on: audio features [A] and speaker motion [M] in, listener motion [M] out."""
