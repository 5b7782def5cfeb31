"""Writes the generator as one ONNX file: two graphs, so that a frame costs only what changes with it.

The file's own graph draws a frame. Inputs: ``motion`` float32 [73, 27]; ``portrait`` [1, 3, S, S], RGB -1..1;
``normalised`` and ``portrait_part``, which the second graph makes of ``portrait`` once: the first layers of
the warping and of the editing network, as far as no motion comes in. Outputs: ``image`` [1, 3, S, S], -1..1,
and ``picture`` uint8 [S, S, 3], RGB.
Metadata: ``format``; ``card``, a JSON object; ``portrait_graph``, the second graph in base64.

What the published code computes without using it is left out.
"""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper

from listener_head.files import whole
from listener_head.listener.onnx_graph import value
from listener_head.render.neural.card import FILE_FORMAT
from listener_head.render.neural.layers import FloatArray, Layers
from listener_head.render.neural.network import FaceGenerator
from listener_head.render.neural.published import (
    COLOURS,
    EDIT_BASE,
    EDIT_BLOCKS,
    EDIT_LEVELS,
    MAPPING_BLOCKS,
    MAPPING_DILATION,
    MOTION,
    WARP_BASE,
    WARP_DOWN,
    WARP_UP,
    WINDOW,
    width,
)

_INPUT_LAYER, _FIRST = "warpping_net.hourglass.encoder.input_layer", "editing_net.encoder.first.model"


def export_network(network: FaceGenerator, card: dict[str, Any], path: Path) -> None:
    """Write ``path``, for pictures of the card's ``size``; the file appears whole or not at all."""
    weights = {key: tensor.detach().cpu().numpy() for key, tensor in network.state_dict().items()}
    size = card["size"]
    model, portrait_graph = _frame_graph(weights, size), _portrait_graph(weights, size)
    entries = {
        "format": FILE_FORMAT,
        "card": json.dumps(card),
        "portrait_graph": base64.b64encode(portrait_graph.SerializeToString()).decode(),
    }
    helper.set_model_props(model, entries)
    with whole(path) as partial:
        partial.write_bytes(model.SerializeToString())


def _portrait_graph(weights: dict[str, FloatArray], size: int) -> onnx.ModelProto:
    graph = Layers(weights)
    features = graph.convolution("portrait", _INPUT_LAYER)
    graph.instance_norm(features, WARP_BASE, "normalised")
    graph.convolution("portrait", f"{_FIRST}.0", "portrait_part", colours=slice(COLOURS))
    return graph.model("pirenderer_portrait", [_portrait_value(size)], _part_values(size))


def _frame_graph(weights: dict[str, FloatArray], size: int) -> onnx.ModelProto:
    graph = Layers(weights)
    _mapping(graph)
    warped = _warp(graph, _flow(graph), size)
    image = _editing(graph, warped)
    pixels = graph.apply("Squeeze", [image, graph.integers(0)], "planes")
    pixels = graph.apply("Transpose", [pixels], "pixels", perm=[1, 2, 0])
    # As published: 0..255, fractions cut off.
    half = graph.constant("half_range", np.array(127.5, np.float32))
    bright = graph.apply("Add", [graph.apply("Mul", [pixels, half], "scaled"), half], "bright")
    graph.apply("Cast", [bright], "picture", to=TensorProto.UINT8)
    inputs = [value("motion", [MOTION, WINDOW]), _portrait_value(size), *_part_values(size)]
    outputs = [
        value("image", [1, COLOURS, size, size]),
        value("picture", [size, size, COLOURS], TensorProto.UINT8),
    ]
    return graph.model("pirenderer_frame", inputs, outputs)


def _portrait_value(size: int) -> onnx.ValueInfoProto:
    return value("portrait", [1, COLOURS, size, size])


def _part_values(size: int) -> list[onnx.ValueInfoProto]:
    """What the second graph gives to the first."""
    return [
        value("normalised", [1, WARP_BASE, size, size]),
        value("portrait_part", [1, EDIT_BASE, size, size]),
    ]


def _mapping(graph: Layers) -> None:
    """The descriptor [1, 256]."""
    x = graph.apply("Unsqueeze", ["motion", graph.integers(0)], "window")
    x = graph.convolution_over_time(x, "mapping_net.first.0")
    edges = [graph.integers(MAPPING_DILATION), graph.integers(-MAPPING_DILATION), graph.integers(2)]
    for index in range(MAPPING_BLOCKS):
        layer = f"mapping_net.encoder{index}.1"
        shortcut = graph.apply("Slice", [x, *edges], f"{layer}.shortcut")
        x = graph.convolution_over_time(graph.rectify(x), layer, MAPPING_DILATION)
        x = graph.apply("Add", [x, shortcut], f"{layer}.sum")
    graph.apply("ReduceMean", [x], "descriptor", axes=[2], keepdims=0)


def _flow(graph: Layers) -> str:
    """The flow field [1, 2, S / 4, S / 4] in its own pixels."""
    net = "warpping_net.hourglass"
    normalised, levels = "normalised", {}
    for level in range(WARP_DOWN):
        block, channels = f"{net}.encoder.encoder{level}", width(WARP_BASE, level + 1)
        x = graph.rectify(graph.modulate(normalised, f"{block}.norm_0"))
        x = graph.convolution(x, f"{block}.conv_0", stride=2, padding=1)
        x = graph.rectify(graph.adaptive_norm(x, f"{block}.norm_1", channels))
        levels[level] = graph.convolution(x, f"{block}.conv_1")
        normalised = graph.instance_norm(levels[level], channels)
    for level in reversed(range(WARP_DOWN - WARP_UP, WARP_DOWN)):
        block, channels = f"{net}.decoder.decoder{level}", width(WARP_BASE, level)
        x = _up_block(graph, normalised, block, channels)
        x = graph.apply("Concat", [x, levels[level - 1]], f"{block}.joined", axis=1)
        normalised = graph.instance_norm(x, 2 * channels)
    x = graph.normalised_rectified(x, "warpping_net.flow_out.0")
    return graph.convolution(x, "warpping_net.flow_out.2")


def _up_block(graph: Layers, normalised: str, block: str, channels: int) -> str:
    """Twice the size; ``normalised`` serves the shortcut and the way beside it."""
    shortcut = graph.rectify(graph.modulate(normalised, f"{block}.norm_s"))
    shortcut = graph.transposed(shortcut, f"{block}.conv_s")
    x = graph.convolution(graph.rectify(graph.modulate(normalised, f"{block}.norm_0")), f"{block}.conv_0")
    x = graph.rectify(graph.adaptive_norm(x, f"{block}.norm_1", channels))
    return graph.apply("Add", [graph.transposed(x, f"{block}.conv_1"), shortcut], f"{block}.sum")


def _warp(graph: Layers, flow: str, size: int) -> str:
    """The portrait with each pixel fetched from where the flow says."""
    side = size // 2 ** (WARP_DOWN - WARP_UP)
    line = np.linspace(-1, 1, side, dtype=np.float32)
    still = graph.constant("still", np.stack(np.meshgrid(line, line))[None])
    moved = graph.apply("Mul", [flow, graph.constant("pixel", np.array(2 / (side - 1), np.float32))], "moved")
    places = graph.apply("Add", [still, moved], "coarse_places")
    enlargement = graph.constant("enlargement", np.array([1, 1, size / side, size / side], np.float32))
    places = graph.apply(
        "Resize", [places, "", enlargement], "fine_places", mode="linear",
        coordinate_transformation_mode="half_pixel",
    )  # fmt: skip
    grid = graph.apply("Transpose", [places], "places", perm=[0, 2, 3, 1])
    return graph.apply("GridSample", ["portrait", grid], "warped", mode="bilinear", align_corners=0)


def _editing(graph: Layers, warped: str) -> str:
    """The picture -1..1."""
    own = graph.convolution(
        warped, f"{_FIRST}.0", "warped_part", colours=slice(COLOURS, 2 * COLOURS), bias=False
    )
    x = graph.apply("Add", [own, "portrait_part"], "both_parts")
    levels = [graph.normalised_rectified(x, f"{_FIRST}.1")]
    for level in range(EDIT_LEVELS):
        x = graph.convolution_block(levels[-1], f"editing_net.encoder.down{level}.model")
        levels.append(graph.apply("AveragePool", [x], f"level{level}", kernel_shape=[2, 2], strides=[2, 2]))
    x, net = levels[-1], "editing_net.decoder"
    for level in reversed(range(EDIT_LEVELS)):
        channels = width(EDIT_BASE, level + 1)
        for index in range(EDIT_BLOCKS):
            block = f"{net}.res{level}.res{index}"
            changed = graph.adaptive_norm(graph.convolution(x, f"{block}.conv2"), f"{block}.norm2", channels)
            x = graph.apply("Add", [changed, x], f"{block}.sum")
        x = graph.enlarging_block(x, f"{net}.up{level}.model")
        jump = graph.convolution_block(levels[level], f"{net}.jump{level}.model")
        x = graph.apply("Add", [x, jump], f"decoded{level}")
    return graph.apply("Tanh", [graph.convolution(x, f"{net}.final.model.0")], "image")
