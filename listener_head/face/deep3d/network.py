"""The network of Deep3DFaceReconstruction in torch: a ResNet-50 and seven linear heads. For import and its
tests.

After He et al., "Deep Residual Learning for Image Recognition" (arXiv 1512.03385), with the stride of a
block in its 3 x 3 convolution; modules are named as in the published checkpoint, whose keys are the names
of the state here.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from listener_head.face.deep3d.published import HEADS

EXPANSION = 4
STAGES = ((64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2))  # width, blocks, stride of the first
FEATURES = EXPANSION * STAGES[-1][0]

# Outputs of the published heads: the last six numbers are rotation, lighting, x and y, z.
HEAD_SIZES = (*(size for _, size in HEADS[:-1]), 2, 1)


class Bottleneck(nn.Module):
    """1 x 1, 3 x 3 and 1 x 1 convolutions beside a shortcut."""

    def __init__(self, entrance: int, width: int, stride: int) -> None:
        super().__init__()
        leaving = EXPANSION * width
        self.conv1 = nn.Conv2d(entrance, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, leaving, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(leaving)
        self.downsample: nn.Sequential | None = None
        if stride != 1 or entrance != leaving:
            shortcut = nn.Conv2d(entrance, leaving, 1, stride, bias=False)
            self.downsample = nn.Sequential(shortcut, nn.BatchNorm2d(leaving))

    def forward(self, features: Tensor) -> Tensor:
        """[B, entrance, H, W] to [B, 4 width, H / stride, W / stride]."""
        x = torch.relu(self.bn1(self.conv1(features)))
        x = torch.relu(self.bn2(self.conv2(x)))
        shortcut = features if self.downsample is None else self.downsample(features)
        return torch.relu(self.bn3(self.conv3(x)) + shortcut)


class Backbone(nn.Module):
    """ResNet-50 up to the mean over the picture."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, 2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.maxpool = nn.MaxPool2d(3, 2, padding=1)
        entrance = 64
        for number, (width, blocks, stride) in enumerate(STAGES, start=1):
            stage = [Bottleneck(entrance, width, stride)]
            entrance = EXPANSION * width
            stage += [Bottleneck(entrance, width, 1) for _ in range(blocks - 1)]
            self.add_module(f"layer{number}", nn.Sequential(*stage))

    def blocks(self) -> list[tuple[str, Bottleneck]]:
        """The blocks in order, with their names."""
        return [(name, module) for name, module in self.named_modules() if isinstance(module, Bottleneck)]

    def forward(self, faces: Tensor) -> Tensor:
        """[B, 3, 224, 224] to [B, 2048, 1, 1]."""
        features = self.maxpool(torch.relu(self.bn1(self.conv1(faces))))
        for _, block in self.blocks():
            features = block(features)
        return features.mean(dim=(2, 3), keepdim=True)


class ReconstructionNetwork(nn.Module):
    """Aligned faces [B, 3, 224, 224], RGB 0..1, to the 257 numbers [B, 257] of `published.HEADS`."""

    def __init__(self) -> None:
        super().__init__()
        self.backbone = Backbone()
        self.final_layers = nn.ModuleList(nn.Conv2d(FEATURES, size, 1) for size in HEAD_SIZES)

    def forward(self, faces: Tensor) -> Tensor:
        """[B, 3, 224, 224] to [B, 257]."""
        features = self.backbone(faces)
        return torch.cat([head(features) for head in self.final_layers], dim=1).flatten(1)

    def heads(self) -> tuple[Tensor, Tensor]:
        """Weight [257, 2048] and bias [257] of all heads as one linear layer."""
        layers = [layer for layer in self.final_layers if isinstance(layer, nn.Conv2d)]
        weight = torch.cat([layer.weight for layer in layers]).flatten(1)
        return weight, torch.cat([layer.bias for layer in layers if layer.bias is not None])
