"""The decoders of `listener_head.listener.decoders` as ONNX nodes: one step, and the first state.

A state is a set of named arrays with an axis "batch". The step reads them by name and writes ``next_`` and
the name.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np

from listener_head.listener.decoders import HEADS
from listener_head.listener.network import NetworkConfig
from listener_head.listener.onnx_graph import FloatArray, GraphBuilder, value

NEXT = "next_"


class DecoderGraph(ABC):
    """Adds a decoder's nodes; ``weights`` are those of the whole network by their torch names."""

    def __init__(self, config: NetworkConfig, weights: dict[str, FloatArray]) -> None:
        self.config = config
        prefix = f"fusion.{config.decoder}_layers."
        self.weights = {
            key.removeprefix(prefix): array for key, array in weights.items() if key.startswith(prefix)
        }

    @abstractmethod
    def state_shapes(self) -> dict[str, list[Any]]:
        """Names and shapes of the state's arrays."""

    @abstractmethod
    def step(self, graph: GraphBuilder, fused: str) -> str:
        """From fused signals [B, F] to hidden values [B, H], and the next state."""

    @abstractmethod
    def start(self, graph: GraphBuilder, flat: str) -> None:
        """From the flat initial state to the first state."""

    def state_values(self, prefix: str = "") -> list[Any]:
        """Declarations of the state's arrays."""
        return [value(prefix + name, shape) for name, shape in self.state_shapes().items()]


class _RecurrentGraph(DecoderGraph):
    """What LSTM and GRU have in common; a state's array is [1, B, H]."""

    operator: str
    parts: str  # letters of the arrays that a layer has

    def state_shapes(self) -> dict[str, list[Any]]:
        names = [f"{part}{layer}" for layer in range(self.config.layers) for part in self.parts]
        return {name: [1, "batch", self.config.hidden_size] for name in names}

    def step(self, graph: GraphBuilder, fused: str) -> str:
        axis = graph.integers(0)
        sequence = graph.apply("Unsqueeze", [fused, axis], "sequence")
        for layer in range(self.config.layers):
            before = [f"{part}{layer}" for part in self.parts]
            graph.node(
                self.operator,
                [sequence, *self._constants(graph, layer), "", *before],
                ["", *(NEXT + name for name in before)],
                hidden_size=self.config.hidden_size,
                **self._attributes(),
            )
            # Of one frame the last hidden state is the sequence for the next layer.
            sequence = NEXT + before[0]
        return graph.apply("Squeeze", [sequence, axis], "hidden")

    def start(self, graph: GraphBuilder, flat: str) -> None:
        # All h come first, then all c.
        names = [f"{part}{layer}" for part in self.parts for layer in range(self.config.layers)]
        sizes = graph.integers(*[self.config.hidden_size] * len(names))
        graph.node("Split", [flat, sizes], [f"{name}_flat" for name in names], axis=1)
        for name in names:
            graph.apply("Unsqueeze", [f"{name}_flat", graph.integers(0)], name)

    @abstractmethod
    def _constants(self, graph: GraphBuilder, layer: int) -> list[str]:
        """W, R and B of the operator."""

    def _attributes(self) -> dict[str, Any]:
        return {}


class LstmGraph(_RecurrentGraph):
    """Torch orders the gates input, forget, cell, output; ONNX input, output, forget, cell."""

    operator, parts = "LSTM", "hc"

    def _constants(self, graph: GraphBuilder, layer: int) -> list[str]:
        names = []
        for name in (f"weight_ih_l{layer}", f"weight_hh_l{layer}"):
            entrance, forget, cell, output = np.split(self.weights[name], 4)
            names.append(graph.constant(name, np.concatenate([entrance, output, forget, cell])[None]))
        return [*names, ""]


class GruGraph(_RecurrentGraph):
    """Torch orders the gates reset, update, new; ONNX update, reset, new."""

    operator, parts = "GRU", "h"

    def _constants(self, graph: GraphBuilder, layer: int) -> list[str]:
        names = []
        for name in (f"weight_ih_l{layer}", f"weight_hh_l{layer}"):
            names.append(graph.constant(name, self._ordered(name)[None]))
        biases = [self._ordered(f"bias_ih_l{layer}"), self._ordered(f"bias_hh_l{layer}")]
        return [*names, graph.constant(f"bias_l{layer}", np.concatenate(biases)[None])]

    def _attributes(self) -> dict[str, Any]:
        return {"linear_before_reset": 1}

    def _ordered(self, name: str) -> FloatArray:
        reset, update, new = np.split(self.weights[name], 3)
        return np.concatenate([update, reset, new])


class TransformerGraph(DecoderGraph):
    """The state is each layer's window of keys and values [B, window, H], the start's first."""

    def state_shapes(self) -> dict[str, list[Any]]:
        """Names and shapes of the state's arrays."""
        names = [f"{part}{layer}" for layer in range(self.config.layers) for part in ("keys", "values")]
        return {name: ["batch", self.config.window, self.config.hidden_size] for name in names}

    def step(self, graph: GraphBuilder, fused: str) -> str:
        """One frame: what `TransformerDecoder` does with T = 1."""
        hidden = graph.linear(
            fused, "entrance", self.weights["entrance.weight"], self.weights["entrance.bias"]
        )
        for layer in range(self.config.layers):
            hidden = self._layer(graph, hidden, layer)
        return graph.layer_norm(hidden, self.weights["norm.weight"], self.weights["norm.bias"], "norm")

    def start(self, graph: GraphBuilder, flat: str) -> None:
        """Windows full of each layer's start."""
        layers, size = self.config.layers, self.config.hidden_size
        tokens = [f"token{layer}" for layer in range(layers)]
        graph.node("Split", [flat, graph.integers(*[size] * layers)], tokens, axis=1)
        for layer, token in enumerate(tokens):
            _, key, value = self._project(graph, token, layer)
            for name, source in ((f"keys{layer}", key), (f"values{layer}", value)):
                row = graph.apply("Unsqueeze", [source, graph.integers(1)], f"{name}_row")
                graph.apply("Tile", [row, graph.integers(1, self.config.window, 1)], name)

    def _layer(self, graph: GraphBuilder, inputs: str, layer: int) -> str:
        query, key, value = self._project(graph, inputs, layer)
        keys = self._slide(graph, f"keys{layer}", key)
        values = self._slide(graph, f"values{layer}", value)
        mixed = self._attend(graph, query, keys, values, layer)
        attended = self._linear(graph, mixed, layer, "attended")
        outputs = graph.apply("Add", [inputs, attended], f"outputs{layer}")
        inner = self._linear(graph, self._norm(graph, outputs, layer, "norm_forward"), layer, "forward_in")
        inner = graph.apply("Relu", [inner], f"inner{layer}")
        change = self._linear(graph, inner, layer, "forward_out")
        return graph.apply("Add", [outputs, change], f"layer{layer}")

    def _project(self, graph: GraphBuilder, inputs: str, layer: int) -> tuple[str, str, str]:
        normed = self._norm(graph, inputs, layer, "norm_attention")
        both = self._linear(graph, normed, layer, "projection")
        query, key, value = (f"{name}_{layer}" for name in ("query", "key", "value"))
        sizes = graph.integers(*[self.config.hidden_size] * 3)
        graph.node("Split", [both, sizes], [query, key, value], axis=1)
        return query, key, value

    def _slide(self, graph: GraphBuilder, name: str, newest: str) -> str:
        """The window with its newest row [B, window + 1, H]; the next one lacks the oldest but the start."""
        row = graph.apply("Unsqueeze", [newest, graph.integers(1)], f"{name}_row")
        whole = graph.apply("Concat", [name, row], f"{name}_whole", axis=1)
        kept = graph.constant("kept_rows", np.array([0, *range(2, self.config.window + 1)], np.int64))
        graph.apply("Gather", [whole, kept], NEXT + name, axis=1)
        return whole

    def _attend(self, graph: GraphBuilder, query: str, keys: str, values: str, layer: int) -> str:
        """Softmax(q k / sqrt(d) + bias) v, by head."""
        depth = self.config.hidden_size // HEADS
        by_head = graph.integers(0, -1, HEADS, depth)
        q, k, v = (
            graph.apply("Reshape", [source, by_head], f"{source}_by_head") for source in (query, keys, values)
        )
        q = graph.apply("Transpose", [q], f"{q}_first", perm=[0, 2, 1, 3])
        k = graph.apply("Transpose", [k], f"{k}_first", perm=[0, 2, 3, 1])
        v = graph.apply("Transpose", [v], f"{v}_first", perm=[0, 2, 1, 3])
        scale = graph.constant("attention_scale", np.array(depth**-0.5, np.float32))
        bias = graph.constant(f"age_bias{layer}", self.weights[f"layers.{layer}.age_bias"][None, :, None])
        scores = graph.apply("MatMul", [q, k], f"scores{layer}")
        scores = graph.apply("Mul", [scores, scale], f"scores{layer}_scaled")
        scores = graph.apply("Add", [scores, bias], f"scores{layer}_biased")
        share = graph.apply("Softmax", [scores], f"share{layer}", axis=-1)
        mixed = graph.apply("MatMul", [share, v], f"mixed{layer}_by_head")
        return graph.apply("Reshape", [mixed, graph.integers(0, self.config.hidden_size)], f"mixed{layer}")

    def _norm(self, graph: GraphBuilder, source: str, layer: int, name: str) -> str:
        key = f"layers.{layer}.{name}"
        weight, bias = self.weights[f"{key}.weight"], self.weights[f"{key}.bias"]
        return graph.layer_norm(source, weight, bias, f"{name}{layer}")

    def _linear(self, graph: GraphBuilder, source: str, layer: int, name: str) -> str:
        key = f"layers.{layer}.{name}"
        weight, bias = self.weights[f"{key}.weight"], self.weights[f"{key}.bias"]
        return graph.linear(source, f"{name}{layer}", weight, bias)


DECODER_GRAPHS: dict[str, type[DecoderGraph]] = {
    "lstm": LstmGraph,
    "gru": GruGraph,
    "transformer": TransformerGraph,
}
