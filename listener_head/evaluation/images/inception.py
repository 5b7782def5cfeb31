"""The Inception network by whose features FID compares pictures, with the published weights. Needs torch.

Szegedy et al. (2016), as TensorFlow trained it in December 2015 and Heusel et al. (2017) use it for FID. The
weights in torch's form, with the names of layers below, are published with pytorch-fid.
"""

from __future__ import annotations

from pathlib import Path

import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from listener_head.errors import UserError
from listener_head.evaluation.images.fid import WEIGHTS_URL

FEATURES = 2048

_SIDE = 299  # px of the network's picture
_BATCH_NORM_EPSILON = 1e-3

# A convolution: name, channels out, kernel (height, width), stride. A fork: convolutions side by side.
_Convolution = tuple[str, int, tuple[int, int], int]
_Path = tuple[_Convolution | tuple[_Convolution, _Convolution], ...]


def _conv(name: str, channels: int, height: int = 1, width: int = 0, stride: int = 1) -> _Convolution:
    return name, channels, (height, width or height), stride


def _block_a(pooled: int) -> tuple[_Path, ...]:
    return (
        (_conv("branch1x1", 64),),
        (_conv("branch5x5_1", 48), _conv("branch5x5_2", 64, 5)),
        (
            _conv("branch3x3dbl_1", 64),
            _conv("branch3x3dbl_2", 96, 3),
            _conv("branch3x3dbl_3", 96, 3),
        ),
        (_conv("branch_pool", pooled),),
    )


_BLOCK_B: tuple[_Path, ...] = (
    (_conv("branch3x3", 384, 3, stride=2),),
    (
        _conv("branch3x3dbl_1", 64),
        _conv("branch3x3dbl_2", 96, 3),
        _conv("branch3x3dbl_3", 96, 3, stride=2),
    ),
    (),
)


def _block_c(middle: int) -> tuple[_Path, ...]:
    return (
        (_conv("branch1x1", 192),),
        (
            _conv("branch7x7_1", middle),
            _conv("branch7x7_2", middle, 1, 7),
            _conv("branch7x7_3", 192, 7, 1),
        ),
        (
            _conv("branch7x7dbl_1", middle),
            _conv("branch7x7dbl_2", middle, 7, 1),
            _conv("branch7x7dbl_3", middle, 1, 7),
            _conv("branch7x7dbl_4", middle, 7, 1),
            _conv("branch7x7dbl_5", 192, 1, 7),
        ),
        (_conv("branch_pool", 192),),
    )


_BLOCK_D: tuple[_Path, ...] = (
    (_conv("branch3x3_1", 192), _conv("branch3x3_2", 320, 3, stride=2)),
    (
        _conv("branch7x7x3_1", 192),
        _conv("branch7x7x3_2", 192, 1, 7),
        _conv("branch7x7x3_3", 192, 7, 1),
        _conv("branch7x7x3_4", 192, 3, stride=2),
    ),
    (),
)
_BLOCK_E: tuple[_Path, ...] = (
    (_conv("branch1x1", 320),),
    (
        _conv("branch3x3_1", 384),
        (_conv("branch3x3_2a", 384, 1, 3), _conv("branch3x3_2b", 384, 3, 1)),
    ),
    (
        _conv("branch3x3dbl_1", 448),
        _conv("branch3x3dbl_2", 384, 3),
        (_conv("branch3x3dbl_3a", 384, 1, 3), _conv("branch3x3dbl_3b", 384, 3, 1)),
    ),
    (_conv("branch_pool", 192),),
)

# Name, channels in, paths whose results are put together, the last of them after the pool.
_BLOCKS: tuple[tuple[str, int, tuple[_Path, ...], str], ...] = (
    ("Mixed_5b", 192, _block_a(32), "mean"),
    ("Mixed_5c", 256, _block_a(64), "mean"),
    ("Mixed_5d", 288, _block_a(64), "mean"),
    ("Mixed_6a", 288, _BLOCK_B, "reduce"),
    ("Mixed_6b", 768, _block_c(128), "mean"),
    ("Mixed_6c", 768, _block_c(160), "mean"),
    ("Mixed_6d", 768, _block_c(160), "mean"),
    ("Mixed_6e", 768, _block_c(192), "mean"),
    ("Mixed_7a", 768, _BLOCK_D, "reduce"),
    ("Mixed_7b", 1280, _BLOCK_E, "mean"),
    ("Mixed_7c", 2048, _BLOCK_E, "largest"),  # as trained, though the mean was meant
)


class _BasicConvolution(nn.Module):
    """A convolution, batch norm and a rectifier; same size at stride 1 unless ``padded`` is false."""

    def __init__(
        self, inputs: int, channels: int, kernel: tuple[int, int], stride: int = 1, padded: bool = True
    ) -> None:
        super().__init__()
        padding = (kernel[0] // 2, kernel[1] // 2) if padded and stride == 1 else (0, 0)
        self.conv = nn.Conv2d(inputs, channels, kernel, stride, padding, bias=False)
        self.bn = nn.BatchNorm2d(channels, eps=_BATCH_NORM_EPSILON)

    def forward(self, x: Tensor) -> Tensor:
        return functional.relu(self.bn(self.conv(x)))


class _Block(nn.Module):
    """Paths from one input, put together by channel; ``pool`` is before the last one."""

    def __init__(self, inputs: int, paths: tuple[_Path, ...], pool: str) -> None:
        super().__init__()
        self._paths = paths
        self._pool = pool
        for path in paths:
            channels = inputs
            for step in path:
                side_by_side = _side_by_side(step)
                for name, outputs, kernel, stride in side_by_side:
                    self.add_module(name, _BasicConvolution(channels, outputs, kernel, stride))
                channels = sum(outputs for _, outputs, _, _ in side_by_side)

    def forward(self, x: Tensor) -> Tensor:
        results = []
        for number, path in enumerate(self._paths):
            y = self._pooled(x) if number == len(self._paths) - 1 else x
            for step in path:
                y = torch.cat([self.get_submodule(name)(y) for name, *_ in _side_by_side(step)], 1)
            results.append(y)
        return torch.cat(results, 1)

    def _pooled(self, x: Tensor) -> Tensor:
        if self._pool == "reduce":
            return functional.max_pool2d(x, 3, 2)
        if self._pool == "largest":
            return functional.max_pool2d(x, 3, 1, 1)
        return functional.avg_pool2d(x, 3, 1, 1, count_include_pad=False)


def _side_by_side(
    step: _Convolution | tuple[_Convolution, _Convolution],
) -> tuple[_Convolution, ...]:
    """The convolutions of one step."""
    return (step,) if isinstance(step[0], str) else step


class Inception(nn.Module):
    """Pictures uint8 [N, 3, H, W] RGB to features float32 [N, 2048]; weights are random until loaded."""

    def __init__(self) -> None:
        super().__init__()
        self.Conv2d_1a_3x3 = _BasicConvolution(3, 32, (3, 3), stride=2)
        self.Conv2d_2a_3x3 = _BasicConvolution(32, 32, (3, 3), padded=False)
        self.Conv2d_2b_3x3 = _BasicConvolution(32, 64, (3, 3))
        self.Conv2d_3b_1x1 = _BasicConvolution(64, 80, (1, 1))
        self.Conv2d_4a_3x3 = _BasicConvolution(80, 192, (3, 3), padded=False)
        for name, inputs, paths, pool in _BLOCKS:
            self.add_module(name, _Block(inputs, paths, pool))
        self.eval().requires_grad_(False)

    def forward(self, pictures: Tensor) -> Tensor:
        """Features [N, 2048]."""
        x = (_resized(pictures.float()) - 128.0) / 128.0
        x = self.Conv2d_2b_3x3(self.Conv2d_2a_3x3(self.Conv2d_1a_3x3(x)))
        x = functional.max_pool2d(x, 3, 2)
        x = self.Conv2d_4a_3x3(self.Conv2d_3b_1x1(x))
        x = functional.max_pool2d(x, 3, 2)
        for name, *_ in _BLOCKS:
            x = self.get_submodule(name)(x)
        return x.mean(dim=(2, 3))

    def features(self, pictures: NDArray) -> Tensor:
        """Features [N, 2048] of pictures uint8 [N, H, W, 3] RGB."""
        with torch.inference_mode():
            return self(torch.from_numpy(pictures).permute(0, 3, 1, 2))


def load_inception(path: Path) -> Inception:
    """The network with the weights of a file.

    Nothing in the file is executed. Raises UserError that names the file and where it comes from when it is
    missing, damaged, or has other layers or shapes.
    """
    remedy = f"download {WEIGHTS_URL}"
    if not path.is_file():
        raise UserError(f"weights of Inception '{path}' are not a file; {remedy}")
    try:
        stored = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as problem:  # of a damaged file torch may make anything
        reason = getattr(problem, "strerror", None) or type(problem).__name__
        raise UserError(f"weights of Inception '{path}' cannot be read ({reason}); {remedy}") from None
    network = Inception()
    # What torch counts while it trains need not be there; the layer of classes may, FID has no use for it.
    wanted = {
        name: values for name, values in network.state_dict().items() if not name.endswith("batches_tracked")
    }
    for name, values in wanted.items():
        found = stored.get(name) if isinstance(stored, dict) else None
        if not isinstance(found, Tensor) or found.shape != values.shape:
            shape = tuple(found.shape) if isinstance(found, Tensor) else "missing"
            expected = tuple(values.shape)
            raise UserError(f"weights of Inception '{path}': {name} is {shape}, not {expected}; {remedy}")
        if not found.isfinite().all():
            raise UserError(f"weights of Inception '{path}': {name} has values that are not finite; {remedy}")
    network.load_state_dict({name: stored[name] for name in wanted}, strict=False)
    return network


def _resized(pictures: Tensor) -> Tensor:
    """Bilinear to 299 x 299 as TensorFlow 1 did it: pixel i of the result is from i times the scale."""
    height, width = pictures.shape[-2:]
    return _weights(height) @ pictures @ _weights(width).T


def _weights(size: int) -> Tensor:
    """What each of 299 pixels takes of ``size`` pixels [299, size]."""
    place = torch.arange(_SIDE, dtype=torch.float64) * size / _SIDE
    lower = place.long()
    upper = (lower + 1).clamp(max=size - 1)
    share = (place - lower).float()[:, None]
    rows = torch.eye(size)
    return rows[lower] * (1 - share) + rows[upper] * share
