"""Layers of the generator as nodes of an ONNX graph, by the names of their weights."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from listener_head.listener.onnx_graph import GraphBuilder
from listener_head.render.neural.published import EPSILON, SLOPE

FloatArray = NDArray[np.float32]


class Layers(GraphBuilder):
    """A graph whose layers take their weights by name; each method gives its output's name.

    Features are [1, C, H, W]. ``weights`` are those of the network's state. Adaptive normalisations read the
    node named ``descriptor`` [1, 256].
    """

    def __init__(self, weights: dict[str, FloatArray]) -> None:
        super().__init__()
        self.weights = weights

    def convolution(
        self,
        source: str,
        layer: str,
        output: str = "",
        *,
        colours: slice | None = None,
        stride: int = 1,
        padding: int | None = None,
        bias: bool = True,
    ) -> str:
        """A Conv2d; of its inputs only the ``colours`` if given. Its padding keeps the size unless given."""
        kernel = self.weights[f"{layer}.weight"]
        if colours is not None:
            kernel = kernel[:, colours]
        inputs = [source, self.constant(f"{layer}.weight", kernel)]
        if bias:
            inputs.append(self._weight(f"{layer}.bias"))
        pads = [kernel.shape[2] // 2 if padding is None else padding] * 4
        return self.apply("Conv", inputs, output or layer, strides=[stride] * 2, pads=pads)

    def convolution_over_time(self, source: str, layer: str, dilation: int = 1) -> str:
        """A Conv1d without padding."""
        inputs = [source, self._weight(f"{layer}.weight"), self._weight(f"{layer}.bias")]
        return self.apply("Conv", inputs, layer, dilations=[dilation])

    def transposed(self, source: str, layer: str) -> str:
        """A ConvTranspose2d of kernel 3 and stride 2 that doubles the size."""
        inputs = [source, self._weight(f"{layer}.weight"), self._weight(f"{layer}.bias")]
        pads = [1, 1, 1, 1]
        return self.apply("ConvTranspose", inputs, layer, strides=[2, 2], pads=pads, output_padding=[1, 1])

    def enlarging_convolution(self, source: str, layer: str) -> str:
        """Each pixel doubled in both directions, then a Conv2d of kernel 3, in four ninths of the products.

        To double pixels is a transposed convolution with a kernel of 2 x 2 ones; with the convolution after
        it, that is one transposed convolution whose kernel is the convolution of both.
        """
        turned = self.weights[f"{layer}.weight"][:, :, ::-1, ::-1].transpose(1, 0, 2, 3)
        kernel = np.zeros((*turned.shape[:2], 4, 4), np.float32)
        for row, column in np.ndindex(2, 2):
            kernel[:, :, row : row + 3, column : column + 3] += turned
        inputs = [source, self.constant(f"{layer}.weight", kernel), self._weight(f"{layer}.bias")]
        return self.apply("ConvTranspose", inputs, layer, strides=[2, 2], pads=[1, 1, 1, 1])

    def convolution_block(self, source: str, block: str) -> str:
        """A convolution, a picture normalisation and a rectifier."""
        return self.normalised_rectified(self.convolution(source, f"{block}.0"), f"{block}.1")

    def enlarging_block(self, source: str, block: str) -> str:
        """The same for each pixel doubled."""
        return self.normalised_rectified(self.enlarging_convolution(source, f"{block}.0"), f"{block}.1")

    def normalised_rectified(self, source: str, norm: str) -> str:
        """Normalisation over all channels and pixels, then a rectifier.

        Sums are made channel by channel first: one float32 sum over millions of numbers would be too coarse.
        """
        mean = self._mean(self._mean(source, f"{norm}.means", 2, 3), f"{norm}.mean", 1)
        squares = self.apply("Mul", [source, source], f"{norm}.squares")
        power = self._mean(self._mean(squares, f"{norm}.powers", 2, 3), f"{norm}.power", 1)
        variance = self.apply("Sub", [power, self.apply("Mul", [mean, mean], f"{norm}.mean2")], f"{norm}.var")
        safe = self.apply(
            "Add", [variance, self.constant("epsilon", np.array(EPSILON, np.float32))], f"{norm}.safe"
        )
        deviation = self.apply("Sqrt", [safe], f"{norm}.deviation")
        scale = self.apply("Div", [self._weight(f"{norm}.weight"), deviation], f"{norm}.scale")
        offset = self.apply("Mul", [mean, scale], f"{norm}.offset")
        shift = self.apply("Sub", [self._weight(f"{norm}.bias"), offset], f"{norm}.shift")
        scaled = self.apply("Mul", [source, scale], f"{norm}.scaled")
        return self.rectify(self.apply("Add", [scaled, shift], norm))

    def rectify(self, source: str) -> str:
        """A leaky rectifier."""
        return self.apply("LeakyRelu", [source], f"{source}.rectified", alpha=SLOPE)

    def instance_norm(self, source: str, channels: int, output: str = "") -> str:
        """Each channel normalised by itself."""
        one = self.constant(f"ones{channels}", np.ones(channels, np.float32))
        zero = self.constant(f"zeros{channels}", np.zeros(channels, np.float32))
        output = output or f"{source}.normalised"
        return self.apply("InstanceNormalization", [source, one, zero], output, epsilon=EPSILON)

    def modulate(self, normalised: str, norm: str) -> str:
        """What an adaptive normalisation does after the instance normalisation: scale and shift."""
        hidden = self._linear("descriptor", f"{norm}.mlp_shared.0")
        hidden = self.apply("Relu", [hidden], f"{norm}.hidden")
        scale, shift = (
            self._linear(hidden, f"{norm}.mlp_gamma", 1.0),
            self._linear(hidden, f"{norm}.mlp_beta"),
        )
        axes = self.integers(2, 3)
        scale, shift = (self.apply("Unsqueeze", [part, axes], f"{part}.planes") for part in (scale, shift))
        scaled = self.apply("Mul", [normalised, scale], f"{norm}.scaled")
        return self.apply("Add", [scaled, shift], norm)

    def adaptive_norm(self, source: str, norm: str, channels: int) -> str:
        """Instance normalisation, then the descriptor's scale and shift."""
        return self.modulate(self.instance_norm(source, channels), norm)

    def _linear(self, source: str, layer: str, more: float = 0.0) -> str:
        """A Linear with ``more`` added to what it gives."""
        bias = self.weights[f"{layer}.bias"] + np.float32(more)
        return self.linear(source, layer, self.weights[f"{layer}.weight"], bias)

    def _mean(self, source: str, output: str, *axes: int) -> str:
        return self.apply("ReduceMean", [source], output, axes=list(axes), keepdims=1)

    def _weight(self, name: str) -> str:
        return self.constant(name, self.weights[name])
