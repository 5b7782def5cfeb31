"""Writes a trained network as one self-contained ONNX file: raw units in, raw units out.

The graph is one step of the listener for any batch size. Inputs: ``signals`` [B, audio + motion] and the
state ``h0 c0 h1 c1`` [1, B, hidden]; outputs: ``motion`` [B, motion] and ``next_h0`` and so on.
Standardisation is part of the graph. Metadata: ``format``; ``card``, a JSON object (see `make_card`);
``initial_state``, a second small ONNX graph in base64 that makes the first state from ``reference``
[B, motion] and ``attitude`` int64 [B]. It stands apart so that a step does not pay for it.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from listener_head.coefficients import Layout
from listener_head.listener.network import ListenerNetwork
from listener_head.listener.runtime import FILE_FORMAT

FloatArray = NDArray[np.float32]

# Opset 17 brings LayerNormalization; every ONNX Runtime since 1.12 reads it.
_OPSET, _IR_VERSION = 17, 8


@dataclass(frozen=True)
class Statistics:
    """Mean and standard deviation of the training data, raw units; ``quiet_audio`` is its mean silence."""

    audio_mean: FloatArray
    audio_std: FloatArray
    speaker_mean: FloatArray
    speaker_std: FloatArray
    listener_mean: FloatArray
    listener_std: FloatArray
    quiet_audio: FloatArray


def make_card(
    name: str, layout: Layout, attitudes: tuple[str, ...], audio_layout: str, statistics: Statistics
) -> dict[str, Any]:
    """The facts that the runtime needs; training adds data, date, seed, command and scores."""
    return {
        "name": name,
        "face_model": layout.face_model,
        "audio_layout": audio_layout,
        "attitudes": list(attitudes),
        "statistics": {key: value.tolist() for key, value in vars(statistics).items()},
    }


def export_network(
    network: ListenerNetwork, layout: Layout, statistics: Statistics, card: dict[str, Any], path: Path
) -> None:
    """Write ``path``; the file appears whole or not at all."""
    weights = {key: value.detach().cpu().numpy() for key, value in network.state_dict().items()}
    model = _step_graph(network, weights, layout, statistics)
    initial = _initial_state_graph(network, weights, statistics)
    encoded = base64.b64encode(initial.SerializeToString()).decode()
    helper.set_model_props(model, {"format": FILE_FORMAT, "card": json.dumps(card), "initial_state": encoded})
    partial = path.with_suffix(".partial")
    partial.write_bytes(model.SerializeToString())
    partial.replace(path)


class _Graph:
    """Collects nodes and constants of one ONNX graph."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def constant(self, name: str, value: NDArray[Any]) -> str:
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def node(self, operator: str, inputs: list[str], outputs: list[str], **attributes: Any) -> None:
        self.nodes.append(helper.make_node(operator, inputs, outputs, **attributes))

    def standardise(self, name: str, mean: FloatArray, std: FloatArray) -> str:
        scale = self.constant(f"{name}_scale", (1 / std)[None])
        shift = self.constant(f"{name}_shift", (-mean / std)[None])
        self.node("Mul", [name, scale], [f"{name}_scaled"])
        self.node("Add", [f"{name}_scaled", shift], [f"{name}_standardised"])
        return f"{name}_standardised"

    def layer_norm(self, source: str, weight: FloatArray, bias: FloatArray) -> str:
        names = [self.constant(f"{source}_weight", weight), self.constant(f"{source}_bias", bias)]
        self.node("LayerNormalization", [source, *names], [f"{source}_normed"], axis=-1, epsilon=1e-5)
        return f"{source}_normed"

    def linear(self, source: str, output: str, weight: FloatArray, bias: FloatArray) -> str:
        names = [self.constant(f"{output}_weight", weight), self.constant(f"{output}_bias", bias)]
        self.node("Gemm", [source, *names], [output], transB=1)
        return output

    def model(self, name: str, inputs: list[Any], outputs: list[Any]) -> onnx.ModelProto:
        graph = helper.make_graph(self.nodes, name, inputs, outputs, self.constants)
        opsets = [helper.make_opsetid("", _OPSET)]
        model = helper.make_model(
            graph, opset_imports=opsets, ir_version=_IR_VERSION, producer_name="listener_head"
        )
        onnx.checker.check_model(model)
        return model


def _values(names: list[str], shape: list[Any], kind: int = TensorProto.FLOAT) -> list[Any]:
    return [helper.make_tensor_value_info(name, kind, shape) for name in names]


def _state_names(layers: int, prefix: str = "") -> list[str]:
    return [f"{prefix}{part}{layer}" for layer in range(layers) for part in "hc"]


def _onnx_gates(weight: FloatArray) -> FloatArray:
    """Torch orders an LSTM's gates input, forget, cell, output; ONNX input, output, forget, cell."""
    entrance, forget, cell, output = np.split(weight, 4)
    return np.concatenate([entrance, output, forget, cell])[None]


def _step_graph(
    network: ListenerNetwork, weights: dict[str, FloatArray], layout: Layout, statistics: Statistics
) -> onnx.ModelProto:
    config, graph = network.config, _Graph()
    mean = np.concatenate([statistics.audio_mean, statistics.speaker_mean])
    std = np.concatenate([statistics.audio_std, statistics.speaker_std])
    driven = graph.layer_norm(
        graph.standardise("signals", mean, std),
        weights["fusion.layernorm_driven.weight"],
        weights["fusion.layernorm_driven.bias"],
    )
    graph.linear(driven, "fused", weights["fusion.fusion.0.weight"], weights["fusion.fusion.0.bias"])
    graph.node("Tanh", ["fused"], ["fused_tanh"])
    axis = graph.constant("time_axis", np.array([0], np.int64))
    graph.node("Unsqueeze", ["fused_tanh", axis], ["sequence0"])
    for layer in range(config.layers):
        gates = [
            graph.constant(kind, _onnx_gates(weights[f"fusion.lstm_layers.{kind}"]))
            for kind in (f"weight_ih_l{layer}", f"weight_hh_l{layer}")
        ]
        graph.node(
            "LSTM",
            [f"sequence{layer}", *gates, "", "", f"h{layer}", f"c{layer}"],
            ["", f"next_h{layer}", f"next_c{layer}"],
            hidden_size=config.hidden_size,
        )
        # One step: the last hidden state [1, B, hidden] is the sequence for the next layer.
        if layer + 1 < config.layers:
            graph.node("Identity", [f"next_h{layer}"], [f"sequence{layer + 1}"])
    graph.node("Squeeze", [f"next_h{config.layers - 1}", axis], ["hidden"])
    scale = statistics.listener_std
    output = "motion_unbounded" if layout.face_model == "arkit52" else "motion"
    graph.linear(
        "hidden",
        output,
        weights["dynam_3dmm_fc.weight"] * scale[:, None],
        weights["dynam_3dmm_fc.bias"] * scale + statistics.listener_mean,
    )
    if layout.face_model == "arkit52":
        _bound_expression(graph, layout)
    state_shape = [1, "batch", config.hidden_size]
    inputs = _values(["signals"], ["batch", config.audio_size + config.motion_size])
    outputs = _values(["motion"], ["batch", config.motion_size])
    return graph.model(
        "listener_step",
        inputs + _values(_state_names(config.layers), state_shape),
        outputs + _values(_state_names(config.layers, "next_"), state_shape),
    )


def _bound_expression(graph: _Graph, layout: Layout) -> None:
    """Blend shape weights stay within 0 to 1; pose is left free."""
    low = np.full(layout.size, -np.inf, np.float32)
    high = np.full(layout.size, np.inf, np.float32)
    low[layout.expression], high[layout.expression] = 0, 1
    graph.node("Max", ["motion_unbounded", graph.constant("low", low)], ["motion_above"])
    graph.node("Min", ["motion_above", graph.constant("high", high)], ["motion"])


def _initial_state_graph(
    network: ListenerNetwork, weights: dict[str, FloatArray], statistics: Statistics
) -> onnx.ModelProto:
    config, graph = network.config, _Graph()
    reference = graph.layer_norm(
        graph.standardise("reference", statistics.listener_mean, statistics.listener_std),
        weights["fusion.layernorm_init.weight"],
        weights["fusion.layernorm_init.bias"],
    )
    key = "fusion.get_initial_state"
    graph.linear(reference, "first", weights[f"{key}.0.weight"], weights[f"{key}.0.bias"])
    graph.node("Tanh", ["first"], ["first_tanh"])
    state = graph.linear("first_tanh", "state", weights[f"{key}.2.weight"], weights[f"{key}.2.bias"])
    inputs = _values(["reference"], ["batch", config.motion_size])
    if config.attitudes:
        graph.node("Gather", [graph.constant("attitudes", weights["attitude.weight"]), "attitude"], ["mood"])
        graph.node("Add", [state, "mood"], ["state_with_attitude"])
        state = "state_with_attitude"
        inputs += _values(["attitude"], ["batch"], TensorProto.INT64)
    # The state reads as (h or c, layer, hidden): all h first, then all c.
    parts = [f"{part}{layer}" for part in "hc" for layer in range(config.layers)]
    sizes = graph.constant("sizes", np.full(len(parts), config.hidden_size, np.int64))
    graph.node("Split", [state, sizes], [f"{part}_flat" for part in parts], axis=1)
    axis = graph.constant("layer_axis", np.array([0], np.int64))
    for part in parts:
        graph.node("Unsqueeze", [f"{part}_flat", axis], [part])
    outputs = _values(_state_names(config.layers), [1, "batch", config.hidden_size])
    return graph.model("listener_initial_state", inputs, outputs)
