"""Writes the network as one self-contained ONNX file.

Input ``faces`` float32 [B, 3, 224, 224], aligned, RGB 0..1; output ``coefficients`` [B, 257]. Batch
normalisation is folded into the convolutions. Metadata: ``format`` and ``card``, a JSON object with all
that the runtime needs.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from listener_head.face.deep3d.card import FILE_FORMAT
from listener_head.face.deep3d.network import Bottleneck, ReconstructionNetwork
from listener_head.face.deep3d.published import COUNT, CROP_SIZE
from listener_head.files import whole

# Opset 17 and this IR are read by every ONNX Runtime since 1.12.
_OPSET, _IR_VERSION = 17, 8


def export_network(network: ReconstructionNetwork, card: dict[str, Any], path: Path) -> None:
    """Write ``path``; the file appears whole or not at all."""
    graph = _Graph()
    backbone = network.backbone
    graph.convolution("faces", "stem", backbone.conv1, backbone.bn1, relu=True)
    graph.node("MaxPool", ["stem"], "pooled", kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
    features = "pooled"
    for name, block in backbone.blocks():
        features = graph.bottleneck(features, name, block)
    graph.node("GlobalAveragePool", [features], "mean")
    graph.node("Flatten", ["mean"], "features")
    weight, bias = network.heads()
    names = [graph.constant("heads.weight", weight), graph.constant("heads.bias", bias)]
    graph.node("Gemm", ["features", *names], "coefficients", transB=1)
    model = graph.model()
    helper.set_model_props(model, {"format": FILE_FORMAT, "card": json.dumps(card)})
    with whole(path) as partial:
        partial.write_bytes(model.SerializeToString())


class _Graph:
    """Collects nodes and constants; a node is named after its output."""

    def __init__(self) -> None:
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []

    def constant(self, name: str, value: Tensor) -> str:
        self._constants.append(numpy_helper.from_array(np.ascontiguousarray(value.detach().numpy()), name))
        return name

    def node(self, operator: str, inputs: list[str], output: str, **attributes: Any) -> str:
        self._nodes.append(helper.make_node(operator, inputs, [output], name=output, **attributes))
        return output

    def convolution(
        self, source: str, output: str, layer: nn.Conv2d, norm: nn.BatchNorm2d, *, relu: bool
    ) -> str:
        folded = fuse_conv_bn_eval(layer, norm)
        assert folded.bias is not None
        weight = self.constant(f"{output}.weight", folded.weight)
        bias = self.constant(f"{output}.bias", folded.bias)
        linear = f"{output}.linear" if relu else output
        pads = [int(side) for side in folded.padding] * 2
        self.node("Conv", [source, weight, bias], linear, strides=list(folded.stride), pads=pads)
        return self.node("Relu", [linear], output) if relu else output

    def bottleneck(self, source: str, name: str, block: Bottleneck) -> str:
        x = self.convolution(source, f"{name}.1", block.conv1, block.bn1, relu=True)
        x = self.convolution(x, f"{name}.2", block.conv2, block.bn2, relu=True)
        x = self.convolution(x, f"{name}.3", block.conv3, block.bn3, relu=False)
        shortcut = source
        if block.downsample is not None:
            shortcut = self.convolution(source, f"{name}.shortcut", *block.downsample, relu=False)
        self.node("Add", [x, shortcut], f"{name}.sum")
        return self.node("Relu", [f"{name}.sum"], name)

    def model(self) -> onnx.ModelProto:
        shape: list[str | int | None] = ["batch", 3, CROP_SIZE, CROP_SIZE]
        faces = helper.make_tensor_value_info("faces", TensorProto.FLOAT, shape)
        numbers = helper.make_tensor_value_info("coefficients", TensorProto.FLOAT, ["batch", COUNT])
        graph = helper.make_graph(self._nodes, "deep3d", [faces], [numbers], self._constants)
        opsets = [helper.make_opsetid("", _OPSET)]
        model = helper.make_model(
            graph, opset_imports=opsets, ir_version=_IR_VERSION, producer_name="listener_head"
        )
        onnx.checker.check_model(model)
        return model
