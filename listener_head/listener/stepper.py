"""Steps of the network: in ONNX Runtime for any decoder and number of listeners, or in NumPy for one LSTM.

A stepper holds the recurrent state. A step with numbers that are not finite is refused and changes nothing.
"""

from __future__ import annotations

import math
import os
from importlib.util import find_spec
from typing import Protocol

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from listener_head.listener.lstm_stepper import LstmStepper, LstmWeights, not_finite
from listener_head.listener.network_file import NetworkFile, State

FloatArray = NDArray[np.float32]


class Stepper(Protocol):
    """One listener's recurrent state and the step on it."""

    def start(self, state: State) -> None:
        """Begin from a state as `NetworkFile.initial_state` gives it for one listener."""

    def state(self) -> State:
        """The state, in the same form; a copy."""

    def step(self, audio: FloatArray, speaker: FloatArray) -> FloatArray:
        """Audio features [A] and speaker motion [M] in, a new array of motion [M] out."""


def stepper_pair(network: NetworkFile) -> tuple[Stepper, Stepper]:
    """Two steppers of one network for one listener, the fastest there are, sharing the weights."""
    # The package onnx reads the weights; running needs it for nothing else.
    if network.decoder == "lstm" and _blas_has_one_thread() and find_spec("onnx"):
        weights = LstmWeights(network)
        return LstmStepper(weights), LstmStepper(weights)
    session = network.open_graph(network.model)
    return GraphStepper(network, session), GraphStepper(network, session)


def _blas_has_one_thread() -> bool:
    """Whether NumPy multiplies in the calling thread: spread over more, such small products take longer."""
    names = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS")
    threads = next((os.environ[name] for name in names if name in os.environ), "")
    return threads == "1" or os.cpu_count() == 1


class GraphStepper:
    """Runs the graph of the file; two sets of preallocated buffers take turns, so that nothing is copied.

    With ``rows`` audio features are [rows, A] and motion is [rows, M]; without there is one listener and no
    such axis.
    """

    def __init__(self, network: NetworkFile, session: ort.InferenceSession, rows: int | None = None) -> None:
        self._network, self._session = network, session
        count, size = rows or 1, network.layout.size
        audio_size = len(network.quiet_audio)
        self._signals = np.zeros((count, audio_size + size), np.float32)
        self._audio, self._speaker = self._signals[:, :audio_size], self._signals[:, audio_size:]
        self._motion = np.zeros((count, size), np.float32)
        self._flat_motion = self._motion.reshape(-1)
        self._motion_out = self._motion if rows else self._motion[0]
        self._states = [
            {name: np.zeros(network.state_shape(name, count), np.float32) for name in network.state_names}
            for _ in range(2)
        ]
        self._bindings = self._bind()
        self._now = 0

    def _bind(self) -> list[ort.IOBinding]:
        from_numpy = ort.OrtValue.ortvalue_from_numpy
        signals, motion = from_numpy(self._signals), from_numpy(self._motion)
        values = [{name: from_numpy(array) for name, array in state.items()} for state in self._states]
        bindings = []
        for now in range(2):
            binding = self._session.io_binding()
            binding.bind_ortvalue_input("signals", signals)
            binding.bind_ortvalue_output("motion", motion)
            for name in self._states[now]:
                binding.bind_ortvalue_input(name, values[now][name])
                binding.bind_ortvalue_output(f"next_{name}", values[1 - now][name])
            bindings.append(binding)
        return bindings

    def start(self, state: State, row: int | None = None) -> None:
        """Begin from a state of all rows, or give one row a state of one listener."""
        for name, array in self._states[self._now].items():
            if row is None:
                array[:] = state[name]
            else:
                array[self._place(name, row)] = state[name][self._place(name, 0)]

    def state(self, row: int | None = None) -> State:
        """The state of all rows, or of one; a copy."""
        states = self._states[self._now]
        if row is None:
            return {name: array.copy() for name, array in states.items()}
        return {name: array.take([row], self._network.row_axis(name)) for name, array in states.items()}

    def step(self, audio: FloatArray, speaker: FloatArray) -> FloatArray:
        """One frame of all rows."""
        self._audio[:] = audio
        self._speaker[:] = speaker
        self._session.run_with_iobinding(self._bindings[self._now])
        # A dot product is the cheapest test for numbers that are not finite.
        if not math.isfinite(self._flat_motion.dot(self._flat_motion)):
            bad = np.flatnonzero(~np.isfinite(self._motion).all(axis=1)).tolist()
            raise not_finite(bad if self._motion_out is self._motion else None)
        self._now = 1 - self._now
        return self._motion_out.copy()

    def _place(self, name: str, row: int) -> tuple[slice | int, ...]:
        return (*[slice(None)] * self._network.row_axis(name), row)
