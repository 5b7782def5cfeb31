"""The listener at run time: one step per frame, state kept between steps, no torch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from listener_head.coefficients import Layout
from listener_head.errors import UserError
from listener_head.listener.fade import AttitudeFade
from listener_head.listener.network_file import DEFAULT_NETWORK, NetworkFile
from listener_head.listener.saved_state import SavedState
from listener_head.listener.stepper import stepper_pair

__all__ = ["DEFAULT_NETWORK", "Listener", "load_listener"]

FloatArray = NDArray[np.float32]


class Listener:
    """A listener that is stepped frame by frame at 30 Hz; made by `load_listener`.

    A step takes the speaker's sound and motion of frame t and gives the listener's motion of frame t + 1
    (paper Eq. 1), all in raw units. The state lives in this object; one object is one listener.
    """

    def __init__(self, network: NetworkFile) -> None:
        self._network = network
        self.quiet_audio, self.absent_speaker = network.quiet_audio, network.absent_speaker
        self._audio_shape, self._speaker_shape = self.quiet_audio.shape, self.absent_speaker.shape
        self._current, self._next = stepper_pair(network)
        self.reset()

    @property
    def path(self) -> Path:
        """The network's file."""
        return self._network.path

    @property
    def name(self) -> str:
        """Name of the network."""
        return self._network.name

    @property
    def hash(self) -> str:
        """First 12 hex digits of the file's SHA-256."""
        return self._network.hash

    @property
    def card(self) -> dict[str, Any]:
        """What is known of the network: data, date, seed, command, scores, statistics."""
        return self._network.card

    @property
    def face_model(self) -> str:
        """Face model of the motion in and out."""
        return self._network.layout.face_model

    @property
    def layout(self) -> Layout:
        """Layout of the motion vectors in and out."""
        return self._network.layout

    @property
    def audio_layout(self) -> str:
        """Layout of the audio features that `step` takes."""
        return self._network.audio_layout

    @property
    def attitudes(self) -> tuple[str, ...]:
        """Attitudes that the network knows; empty for one trained without."""
        return self._network.attitudes

    @property
    def attitude(self) -> str | None:
        """The attitude set last, from which the motion may still be fading."""
        return self._fade.wanted

    @property
    def reference(self) -> FloatArray:
        """The reference motion m₁ [M] of the last reset (a copy)."""
        return self._reference.copy()

    def reset(self, reference: ArrayLike | None = None, attitude: str | None = None) -> None:
        """Start anew from a reference motion m₁ [M] (default: the card's, or a still face) and an attitude.

        The default attitude is neutral. UserError for a wrong size, a value that is not finite, or an
        attitude that the network does not know.
        """
        motion = self._network.reference(reference)
        attitude = self._network.default_attitude if attitude is None else attitude
        rest = self._network.rest(motion)
        self._current.start(self._network.initial_state((motion - rest)[None], [attitude]))
        self._reference, self._rest, self._motion = motion, rest, motion - rest
        self._fade = AttitudeFade(attitude)

    def set_attitude(self, attitude: str) -> None:
        """Change the attitude: the motion fades over a second; UserError for one the network lacks.

        A second state starts from the present motion and the new attitude (the reference no longer
        binds the first). A change that arrives while one is fading waits for its end.
        """
        self._network.attitude_index(attitude)
        if self._fade.ask(attitude):
            self._next.start(self._network.initial_state(self._motion[None], [attitude]))

    def step(self, audio: ArrayLike, speaker: ArrayLike) -> FloatArray:
        """One frame on: audio features [A] and speaker motion [M] in, listener motion [M] out.

        UserError, and no change of state, for a wrong size or a value that is not finite.
        """
        audio, speaker = np.asarray(audio), np.asarray(speaker)
        if audio.shape != self._audio_shape or speaker.shape != self._speaker_shape:
            raise wrong_shape(self._network, audio.shape, speaker.shape)
        motion = self._current.step(audio, speaker)
        if self._fade.frame is not None:
            self._continue_fade(motion, self._next.step(audio, speaker))
        self._motion = motion
        return motion + self._rest

    def _continue_fade(self, motion: FloatArray, fading_in: FloatArray) -> None:
        motion += self._fade.weight * (fading_in - motion)
        if self._fade.advance():
            self._current, self._next = self._next, self._current
            waiting = self._fade.next()
            if waiting is not None:
                self._motion = motion
                self.set_attitude(waiting)

    def state(self) -> bytes:
        """Everything that the next steps depend on, to go on from later, or in another process."""
        fading = self._next.state() if self._fade.frame is not None else None
        saved = SavedState(self._reference, self._motion, self._fade, self._current.state(), fading)
        return saved.to_bytes(self._network)

    def restore(self, state: bytes) -> None:
        """Go on from a saved state; UserError, and no change, for a broken one or another network's."""
        saved = SavedState.from_bytes(state, self._network)
        self._current.start(saved.current)
        if saved.fading is not None:
            self._next.start(saved.fading)
        self._reference, self._motion, self._fade = saved.reference, saved.motion, saved.fade
        self._rest = self._network.rest(saved.reference)


def load_listener(path: str | Path | None = None) -> Listener:
    """Load a listener network; the shipped one by default.

    A step is fastest where the package onnx is installed, and the environment has said OMP_NUM_THREADS=1
    before NumPy was imported.

    UserError naming the path and the fix when the file is missing, broken or of another kind.
    """
    return Listener(NetworkFile(path))


def wrong_shape(
    network: NetworkFile, audio: tuple[int, ...], speaker: tuple[int, ...], rows: tuple[int, ...] = ()
) -> UserError:
    """The error of a step that was given arrays of other shapes; ``rows`` is the shape of many listeners."""
    wanted = (*rows, len(network.quiet_audio)), (*rows, network.layout.size)
    what, found, right = (
        ("audio features", audio, wanted[0]) if audio != wanted[0] else ("speaker motion", speaker, wanted[1])
    )
    return UserError(
        f"{what} have shape {found}; network '{network.name}' needs {right} "
        f"({network.audio_layout}, {network.layout.face_model})"
    )
