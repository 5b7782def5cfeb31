"""Many listeners of one network in one step."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from listener_head.errors import UserError
from listener_head.listener.fade import AttitudeFade
from listener_head.listener.network_file import NetworkFile
from listener_head.listener.runtime import wrong_shape
from listener_head.listener.saved_state import SavedState
from listener_head.listener.stepper import GraphStepper

FloatArray = NDArray[np.float32]


class ListenerBatch:
    """``count`` listeners, numbered from 0, each with its own state, reference and attitude; on every core.

    Each moves as a `Listener` with the same inputs would. ``path`` is a network's file, by default the one
    that ships; UserError as from `load_listener`, or for a count below 1.
    """

    def __init__(self, path: str | Path | None, count: int) -> None:
        if count < 1:
            raise UserError(f"a batch of {count} listeners cannot be; give 1 or more")
        self.network = network = NetworkFile(path)
        session = network.open_graph(network.model, threads=0)
        self._current, self._next = (GraphStepper(network, session, count) for _ in range(2))
        self._motion = np.zeros((count, network.layout.size), np.float32)
        self._references, self._rests = self._motion.copy(), self._motion.copy()
        self._fades = [AttitudeFade(None)] * count
        self._fading: set[int] = set()
        self.reset()

    def __len__(self) -> int:
        return len(self._fades)

    @property
    def attitudes(self) -> list[str | None]:
        """The attitude of each listener that was set last, from which its motion may still be fading."""
        return [fade.wanted for fade in self._fades]

    def reset(
        self, index: int | None = None, reference: ArrayLike | None = None, attitude: str | None = None
    ) -> None:
        """Start listener ``index``, or all of them, anew as `Listener.reset` does."""
        network = self.network
        motion = network.reference(reference)
        attitude = network.default_attitude if attitude is None else attitude
        rest = network.rest(motion)
        state = network.initial_state((motion - rest)[None], [attitude])
        for row in range(len(self)) if index is None else [self._checked(index)]:
            self._current.start(state, row)
            self._references[row], self._rests[row], self._motion[row] = motion, rest, motion - rest
            self._fades[row] = AttitudeFade(attitude)
            self._fading.discard(row)

    def set_attitude(self, index: int, attitude: str) -> None:
        """Change the attitude of one listener as `Listener.set_attitude` does."""
        row = self._checked(index)
        self.network.attitude_index(attitude)
        if self._fades[row].ask(attitude):
            self._next.start(self.network.initial_state(self._motion[[row]], [attitude]), row)
            self._fading.add(row)

    def step(self, audio: ArrayLike, speaker: ArrayLike) -> FloatArray:
        """One frame on: audio features [N, A] and speaker motion [N, M] in, listener motion [N, M] out.

        UserError, and no change of any state, for wrong sizes or values that are not finite. While any
        listener fades to another attitude a step costs twice as much.
        """
        audio, speaker = np.asarray(audio), np.asarray(speaker)
        rows = (len(self),)
        wanted = (*rows, len(self.network.quiet_audio)), (*rows, self.network.layout.size)
        if (audio.shape, speaker.shape) != wanted:
            raise wrong_shape(self.network, audio.shape, speaker.shape, rows)
        motion = self._current.step(audio, speaker)
        if self._fading:
            self._continue_fades(motion, self._next.step(audio, speaker))
        self._motion[:] = motion
        return motion + self._rests

    def _continue_fades(self, motion: FloatArray, fading_in: FloatArray) -> None:
        for row in sorted(self._fading):
            fade = self._fades[row]
            motion[row] += fade.weight * (fading_in[row] - motion[row])
            if fade.advance():
                self._current.start(self._next.state(row), row)
                self._fading.discard(row)
                waiting = fade.next()
                if waiting is not None:
                    self._motion[row] = motion[row]
                    self.set_attitude(row, waiting)

    def state(self, index: int) -> bytes:
        """The state of one listener, which a `Listener` or any batch of the same network can `restore`."""
        row = self._checked(index)
        fade, fading = self._fades[row], self._next.state(row) if row in self._fading else None
        saved = SavedState(self._references[row], self._motion[row], fade, self._current.state(row), fading)
        return saved.to_bytes(self.network)

    def restore(self, index: int, state: bytes) -> None:
        """Let one listener go on from a saved state; UserError, and no change, for one of another network."""
        row, saved = self._checked(index), SavedState.from_bytes(state, self.network)
        self._references[row], self._motion[row], self._fades[row] = saved.reference, saved.motion, saved.fade
        self._rests[row] = self.network.rest(saved.reference)
        self._current.start(saved.current, row)
        self._fading.discard(row)
        if saved.fading is not None:
            self._next.start(saved.fading, row)
            self._fading.add(row)

    def _checked(self, index: int) -> int:
        if not 0 <= index < len(self):
            raise UserError(f"listener {index} is not in the batch; it has listeners 0 to {len(self) - 1}")
        return index
