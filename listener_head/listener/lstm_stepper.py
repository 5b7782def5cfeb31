"""One LSTM listener's step in NumPy, faster than ONNX Runtime, whose operators cost more than their work.

The step is bound by reading 0.8 MB of weights from the cache, so what is not a matrix product is folded away:

- layer norm (after standardisation to z): W (w * (z - mean(z)) / s + b) = A z / s + c, with A = W w less the
  mean of its rows; c is one more column, for a 1 after z / s.
- gates: sigmoid(x) = (1 + tanh(x / 2)) / 2, so that one tanh serves all four; halves are in the weights.
  What is kept of a layer is 2 h, not h.
- the matrices on the input and on the last hidden state stand side by side, as do the vectors, in memory.

Matrices are in Fortran order and aligned to cache lines, which BLAS multiplies by a vector a quarter faster.
"""

from __future__ import annotations

import math

import numpy as np
from numpy import add, maximum, minimum, multiply, subtract, tanh
from numpy.typing import NDArray

from listener_head.errors import UserError
from listener_head.listener.network_file import NetworkFile, State

FloatArray = NDArray[np.float32]

_NORM_EPSILON = 1e-5
_CACHE_LINE = 64  # [bytes]


class LstmWeights:
    """The folded weights of a network's file; steppers of one network share them.

    UserError when the file has no LSTM as `listener_head.listener.export` writes it.
    """

    def __init__(self, network: NetworkFile) -> None:
        weights = _constants(network)
        try:
            self._fold_entrance(weights)
            self.layers = self._folded_layers(weights)
            bounded = "low" in weights
            output = "motion_unbounded" if bounded else "motion"
            self.output = _aligned(0.5 * weights[f"{output}_weight"])
            self.output_bias = weights[f"{output}_bias"]
            self.bounds = (weights["low"], weights["high"]) if bounded else None
        except (KeyError, ValueError) as error:
            raise UserError(
                f"listener network '{network.path}' has no LSTM of the known form ({error}); export it again "
                "with 'listener_head train'"
            ) from None
        if not all(np.isfinite(matrix).all() for matrix in (self.entrance, *self.layers, self.output)):
            raise UserError(
                f"listener network '{network.path}' has weights that are not finite; train it again"
            )
        self.audio_size = len(network.quiet_audio)
        self.hidden_size = self.output.shape[1]

    def _fold_entrance(self, weights: dict[str, FloatArray]) -> None:
        scale, shift = weights["signals_scale"][0], weights["signals_shift"][0]
        self.scale, self.mean = scale, -shift / scale
        fused = weights["fused_weight"].astype(np.float64)
        bias = fused @ weights["signals_standardised_bias"] + weights["fused_bias"]
        fused = fused * weights["signals_standardised_weight"]
        fused -= fused.mean(axis=1, keepdims=True)
        self.entrance = _aligned(np.column_stack([fused, bias]))

    def _folded_layers(self, weights: dict[str, FloatArray]) -> list[FloatArray]:
        count = sum(name.startswith("weight_hh_l") for name in weights)
        layers = []
        for layer in range(count):
            on_input, on_hidden = (weights[f"weight_{kind}_l{layer}"][0] for kind in ("ih", "hh"))
            # What comes from a layer is twice its h.
            both = np.hstack([on_input * (1.0 if layer == 0 else 0.5), 0.5 * on_hidden])
            entrance, output, forget, cell = np.split(both, 4)  # the order of ONNX
            layers.append(_aligned(np.vstack([0.5 * entrance, 0.5 * forget, 0.5 * output, cell])))
        return layers


class LstmStepper:
    """A `Stepper` for one listener with an LSTM; its state is ``h0 c0 h1 c1`` and so on, each [1, 1, H]."""

    def __init__(self, weights: LstmWeights) -> None:
        self._weights = weights
        hidden, fused = weights.hidden_size, len(weights.entrance)
        # Standardised signals and a 1; fused signals and every layer's 2 h.
        self._driven = _aligned(np.ones(weights.entrance.shape[1]))
        self._signals = self._driven[:-1]
        self._audio, self._speaker = np.split(self._signals, [weights.audio_size])
        self._audio_mean, self._speaker_mean = np.split(weights.mean, [weights.audio_size])
        self._inverse_deviation = np.zeros(1, np.float32)
        self._mean_of = np.full(len(self._signals), 1 / len(self._signals), np.float32)
        chain = _aligned(np.zeros(fused + len(weights.layers) * hidden))
        self._fused = chain[:fused]
        starts = [0, *range(fused, len(chain) - hidden, hidden)]
        stops = range(fused + hidden, len(chain) + 1, hidden)
        self._layers = [
            _Layer(matrix, chain[start:stop])
            for matrix, start, stop in zip(weights.layers, starts, stops, strict=True)
        ]

    def start(self, state: State) -> None:
        """Begin from the state of one listener."""
        for index, layer in enumerate(self._layers):
            layer.doubled_hidden[:] = 2 * state[f"h{index}"][0, 0]
            layer.cell[:] = state[f"c{index}"][0, 0]

    def state(self) -> State:
        """A copy of the state."""
        state = {}
        for index, layer in enumerate(self._layers):
            state[f"h{index}"] = 0.5 * layer.doubled_hidden[None, None]
            state[f"c{index}"] = layer.cell[None, None].copy()
        return state

    def step(self, audio: FloatArray, speaker: FloatArray) -> FloatArray:
        """Audio features [A] and speaker motion [M] in, a new array of motion [M] out."""
        weights, signals = self._weights, self._signals
        subtract(audio, self._audio_mean, self._audio)
        subtract(speaker, self._speaker_mean, self._speaker)
        multiply(signals, weights.scale, signals)
        mean, square = signals.dot(self._mean_of).item(), signals.dot(signals).item()
        # Beyond this everything is bounded: a state that was finite stays so.
        if not math.isfinite(square):
            raise not_finite()
        variance = max(square / len(signals) - mean * mean, 0.0)
        self._inverse_deviation[0] = 1 / math.sqrt(variance + _NORM_EPSILON)
        multiply(signals, self._inverse_deviation, signals)
        weights.entrance.dot(self._driven, self._fused)
        tanh(self._fused, self._fused)
        for layer in self._layers:
            layer.step()
        motion = weights.output.dot(self._layers[-1].doubled_hidden)
        motion += weights.output_bias
        if weights.bounds is not None:
            maximum(motion, weights.bounds[0], motion)
            minimum(motion, weights.bounds[1], motion)
        return motion


class _Layer:
    """One layer's buffers; in memory follow each other gates input, forget, output, cell and the state c."""

    def __init__(self, matrix: FloatArray, vector: FloatArray) -> None:
        hidden = len(matrix) // 4
        self._matrix, self._vector = matrix, vector
        self.doubled_hidden = vector[-hidden:]
        buffer = _aligned(np.zeros(5 * hidden))
        self._gates, self._sigmoids = buffer[: 4 * hidden], buffer[: 3 * hidden]
        self._input_forget, self._output = buffer[: 2 * hidden], buffer[2 * hidden : 3 * hidden]
        self._new_old, self.cell = buffer[3 * hidden :], buffer[4 * hidden :]
        self._one = np.ones(3 * hidden, np.float32)
        self._products = _aligned(np.zeros(2 * hidden))
        self._product_rows = self._products.reshape(2, hidden)
        self._half = np.full(2, 0.5, np.float32)
        self._cell_tanh = np.zeros(hidden, np.float32)

    def step(self) -> None:
        """From the vector's inputs and last 2 h to the next c and 2 h."""
        self._matrix.dot(self._vector, self._gates)
        tanh(self._gates, self._gates)
        add(self._sigmoids, self._one, self._sigmoids)  # twice the sigmoids
        multiply(self._input_forget, self._new_old, self._products)
        self._half.dot(self._product_rows, self.cell)
        tanh(self.cell, self._cell_tanh)
        multiply(self._output, self._cell_tanh, self.doubled_hidden)


def not_finite(rows: list[int] | None = None) -> UserError:
    """The error of a step on numbers that are not finite; ``rows`` tells whose, of many listeners."""
    whose = f" for listener {', '.join(map(str, rows))}" if rows else ""
    return UserError(
        f"a listener step got numbers that are NaN, infinite or absurdly large{whose}; "
        "drop invalid frames before stepping"
    )


def _constants(network: NetworkFile) -> dict[str, FloatArray]:
    # Slow to import, and needed here only.
    import onnx
    from onnx import numpy_helper

    graph = onnx.load_model_from_string(network.model).graph
    return {constant.name: numpy_helper.to_array(constant) for constant in graph.initializer}


def _aligned(values: NDArray) -> FloatArray:
    """A copy in float32 and Fortran order that begins at a cache line."""
    buffer = np.zeros(4 * values.size + _CACHE_LINE, np.uint8)
    offset = -buffer.ctypes.data % _CACHE_LINE
    copy = buffer[offset : offset + 4 * values.size].view(np.float32).reshape(values.shape, order="F")
    copy[:] = values
    return copy
