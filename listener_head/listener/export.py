"""Writes a trained network as one self-contained ONNX file: raw units in, raw units out.

The graph is one step of the listener for any batch size. Inputs: ``signals`` [B, audio + motion] and the
arrays of the decoder's state, for the LSTM ``h0 c0 h1 c1`` [1, B, hidden]; outputs: ``motion`` [B, motion]
and ``next_h0`` and so on. An axis of the listeners is named "batch". Standardisation is part of the graph.
Metadata: ``format``; ``card``, a JSON object (see `make_card`); ``initial_state``, a second small ONNX graph
in base64 that makes the first state from ``reference`` [B, motion] and ``attitude`` int64 [B]. It stands
apart so that a step does not pay for it.
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
from onnx import TensorProto, helper

from listener_head.coefficients import Layout
from listener_head.files import whole
from listener_head.listener.decoder_graphs import DECODER_GRAPHS, NEXT, DecoderGraph
from listener_head.listener.network import ListenerNetwork, NetworkConfig
from listener_head.listener.network_file import FILE_FORMAT
from listener_head.listener.onnx_graph import GraphBuilder, value

FloatArray = NDArray[np.float32]


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
    """The facts that the runtime needs; training adds data, date, seed, command and scores.

    An entry ``reference``, a list of floats [M], takes the place of the still face that a listener starts
    from.
    """
    return {
        "name": name,
        "face_model": layout.face_model,
        "audio_layout": audio_layout,
        "attitudes": list(attitudes),
        "statistics": {key: array.tolist() for key, array in vars(statistics).items()},
    }


def export_network(
    network: ListenerNetwork, layout: Layout, statistics: Statistics, card: dict[str, Any], path: Path
) -> None:
    """Write ``path``; the file appears whole or not at all. OSError when it cannot be written."""
    config = network.config
    weights = {key: tensor.detach().cpu().numpy() for key, tensor in network.state_dict().items()}
    decoder = DECODER_GRAPHS[config.decoder](config, weights)
    model = _step_graph(config, decoder, weights, layout, statistics)
    initial = _initial_state_graph(config, decoder, weights, statistics)
    entries = {
        "format": FILE_FORMAT,
        "card": json.dumps(card | {"decoder": config.decoder}),
        "initial_state": base64.b64encode(initial.SerializeToString()).decode(),
    }
    helper.set_model_props(model, entries)
    with whole(path) as partial:
        partial.write_bytes(model.SerializeToString())


def _step_graph(
    config: NetworkConfig,
    decoder: DecoderGraph,
    weights: dict[str, FloatArray],
    layout: Layout,
    statistics: Statistics,
) -> onnx.ModelProto:
    graph = GraphBuilder()
    mean = np.concatenate([statistics.audio_mean, statistics.speaker_mean])
    std = np.concatenate([statistics.audio_std, statistics.speaker_std])
    driven = graph.layer_norm(
        graph.standardise("signals", mean, std),
        weights["fusion.layernorm_driven.weight"],
        weights["fusion.layernorm_driven.bias"],
    )
    graph.linear(driven, "fused", weights["fusion.fusion.0.weight"], weights["fusion.fusion.0.bias"])
    hidden = decoder.step(graph, graph.apply("Tanh", ["fused"], "fused_tanh"))
    scale = statistics.listener_std
    bounded = layout.face_model == "arkit52"
    graph.linear(
        hidden,
        "motion_unbounded" if bounded else "motion",
        weights["dynam_3dmm_fc.weight"] * scale[:, None],
        weights["dynam_3dmm_fc.bias"] * scale + statistics.listener_mean,
    )
    if bounded:
        _bound_expression(graph, layout)
    inputs = [value("signals", ["batch", config.audio_size + config.motion_size]), *decoder.state_values()]
    outputs = [value("motion", ["batch", config.motion_size]), *decoder.state_values(NEXT)]
    return graph.model("listener_step", inputs, outputs)


def _bound_expression(graph: GraphBuilder, layout: Layout) -> None:
    """Blend shape weights stay within 0 to 1; pose is left free."""
    low = np.full(layout.size, -np.inf, np.float32)
    high = np.full(layout.size, np.inf, np.float32)
    low[layout.expression], high[layout.expression] = 0, 1
    above = graph.apply("Max", ["motion_unbounded", graph.constant("low", low)], "motion_above")
    graph.apply("Min", [above, graph.constant("high", high)], "motion")


def _initial_state_graph(
    config: NetworkConfig, decoder: DecoderGraph, weights: dict[str, FloatArray], statistics: Statistics
) -> onnx.ModelProto:
    graph = GraphBuilder()
    reference = graph.layer_norm(
        graph.standardise("reference", statistics.listener_mean, statistics.listener_std),
        weights["fusion.layernorm_init.weight"],
        weights["fusion.layernorm_init.bias"],
    )
    key = "fusion.get_initial_state"
    graph.linear(reference, "first", weights[f"{key}.0.weight"], weights[f"{key}.0.bias"])
    first = graph.apply("Tanh", ["first"], "first_tanh")
    flat = graph.linear(first, "state", weights[f"{key}.2.weight"], weights[f"{key}.2.bias"])
    inputs = [value("reference", ["batch", config.motion_size])]
    if config.attitudes:
        attitudes = graph.constant("attitudes", weights["attitude.weight"])
        mood = graph.apply("Gather", [attitudes, "attitude"], "mood")
        flat = graph.apply("Add", [flat, mood], "state_with_attitude")
        inputs.append(value("attitude", ["batch"], TensorProto.INT64))
    decoder.start(graph, flat)
    return graph.model("listener_initial_state", inputs, decoder.state_values())
