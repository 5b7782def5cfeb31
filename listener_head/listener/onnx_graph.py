"""Builds ONNX graphs by hand: small, and with names that the runtime relies on."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

FloatArray = NDArray[np.float32]

# Opset 17 brings LayerNormalization; every ONNX Runtime since 1.12 reads it.
_OPSET, _IR_VERSION = 17, 8


class GraphBuilder:
    """Collects nodes and constants of one ONNX graph. Methods that add a node return its output's name."""

    def __init__(self) -> None:
        self._nodes: list[onnx.NodeProto] = []
        self._constants: dict[str, onnx.TensorProto] = {}

    def constant(self, name: str, value: NDArray[Any]) -> str:
        """A constant, by its name, which may be given again."""
        self._constants[name] = numpy_helper.from_array(np.ascontiguousarray(value), name)
        return name

    def integers(self, *values: int) -> str:
        """A constant of int64 [n], as axes and shapes are given."""
        return self.constant("integers_" + "_".join(map(str, values)), np.array(values, np.int64))

    def node(self, operator: str, inputs: list[str], outputs: list[str], **attributes: Any) -> None:
        """Any node."""
        self._nodes.append(helper.make_node(operator, inputs, outputs, **attributes))

    def apply(self, operator: str, inputs: list[str], output: str, **attributes: Any) -> str:
        """A node with one output."""
        self.node(operator, inputs, [output], **attributes)
        return output

    def standardise(self, name: str, mean: FloatArray, std: FloatArray) -> str:
        """(x - mean) / std of an input [B, n]."""
        scale = self.constant(f"{name}_scale", (1 / std)[None])
        shift = self.constant(f"{name}_shift", (-mean / std)[None])
        scaled = self.apply("Mul", [name, scale], f"{name}_scaled")
        return self.apply("Add", [scaled, shift], f"{name}_standardised")

    def layer_norm(self, source: str, weight: FloatArray, bias: FloatArray, name: str = "") -> str:
        """Torch's LayerNorm over the last axis; its constants are named after ``name``, or the source."""
        name = name or source
        names = [self.constant(f"{name}_weight", weight), self.constant(f"{name}_bias", bias)]
        return self.apply("LayerNormalization", [source, *names], f"{source}_normed", axis=-1, epsilon=1e-5)

    def linear(self, source: str, output: str, weight: FloatArray, bias: FloatArray) -> str:
        """Torch's Linear of [B, n]."""
        names = [self.constant(f"{output}_weight", weight), self.constant(f"{output}_bias", bias)]
        return self.apply("Gemm", [source, *names], output, transB=1)

    def model(self, name: str, inputs: list[Any], outputs: list[Any]) -> onnx.ModelProto:
        """The whole graph, checked."""
        graph = helper.make_graph(self._nodes, name, inputs, outputs, list(self._constants.values()))
        opsets = [helper.make_opsetid("", _OPSET)]
        model = helper.make_model(
            graph, opset_imports=opsets, ir_version=_IR_VERSION, producer_name="listener_head"
        )
        onnx.checker.check_model(model)
        return model


def value(name: str, shape: list[Any], kind: int = TensorProto.FLOAT) -> onnx.ValueInfoProto:
    """Declares an input or output; an axis named "batch" is that of the listeners."""
    return helper.make_tensor_value_info(name, kind, shape)
