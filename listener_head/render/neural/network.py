"""The PIRenderer's generator in torch, for import and its tests.

After Ren et al. (see `published`): a mapping network turns a window of motion into one descriptor, a warping
network moves the portrait's pixels by a flow field, an editing network draws the final picture. Modules are
named as in the published checkpoint, whose keys are the names of the state here.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from listener_head.render.neural.published import (
    COLOURS,
    DESCRIPTOR,
    EDIT_BASE,
    EDIT_BLOCKS,
    EDIT_LEVELS,
    EPSILON,
    MAPPING_BLOCKS,
    MAPPING_DILATION,
    MAPPING_KERNEL,
    MODULATION,
    MOTION,
    SLOPE,
    WARP_BASE,
    WARP_DOWN,
    WARP_UP,
    width,
)


def _rectify(features: Tensor) -> Tensor:
    return F.leaky_relu(features, SLOPE)


class MappingNet(nn.Module):
    """Motion [B, 73, 27] to a descriptor [B, 256]: convolutions over time, then the mean."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Sequential(nn.Conv1d(MOTION, DESCRIPTOR, MAPPING_KERNEL))
        for index in range(MAPPING_BLOCKS):
            layer = nn.Conv1d(DESCRIPTOR, DESCRIPTOR, 3, dilation=MAPPING_DILATION)
            self.add_module(f"encoder{index}", nn.Sequential(nn.LeakyReLU(SLOPE), layer))

    def forward(self, motion: Tensor) -> Tensor:
        """[B, 73, 27] to [B, 256]."""
        x = self.first(motion)
        for index in range(MAPPING_BLOCKS):
            shortcut = x[:, :, MAPPING_DILATION:-MAPPING_DILATION]
            x = self.get_submodule(f"encoder{index}")(x) + shortcut
        return x.mean(dim=2)


class AdaptiveNorm(nn.Module):
    """Instance normalisation whose scale and shift come from the descriptor (AdaIN)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.mlp_shared = nn.Sequential(nn.Linear(DESCRIPTOR, MODULATION), nn.ReLU())
        self.mlp_gamma = nn.Linear(MODULATION, channels)
        self.mlp_beta = nn.Linear(MODULATION, channels)

    def forward(self, features: Tensor, descriptor: Tensor) -> Tensor:
        """[B, C, H, W] and [B, 256] to [B, C, H, W]."""
        hidden = self.mlp_shared(descriptor)
        gamma, beta = (layer(hidden)[..., None, None] for layer in (self.mlp_gamma, self.mlp_beta))
        return F.instance_norm(features, eps=EPSILON) * (1 + gamma) + beta


class PictureNorm(nn.Module):
    """Normalisation over all channels and pixels, then a scale and a shift for each channel."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels, 1, 1))
        self.bias = nn.Parameter(torch.zeros(channels, 1, 1))

    def forward(self, features: Tensor) -> Tensor:
        """[B, C, H, W] to the same."""
        return F.layer_norm(features, features.shape[1:], eps=EPSILON) * self.weight + self.bias


class DownBlock(nn.Module):
    """Halves the size: two convolutions, each after an adaptive normalisation."""

    def __init__(self, entrance: int, leaving: int) -> None:
        super().__init__()
        self.conv_0 = nn.Conv2d(entrance, leaving, 4, 2, padding=1)
        self.conv_1 = nn.Conv2d(leaving, leaving, 3, padding=1)
        self.norm_0 = AdaptiveNorm(entrance)
        self.norm_1 = AdaptiveNorm(leaving)

    def forward(self, features: Tensor, descriptor: Tensor) -> Tensor:
        """[B, entrance, H, W] to [B, leaving, H / 2, W / 2]."""
        x = self.conv_0(_rectify(self.norm_0(features, descriptor)))
        return self.conv_1(_rectify(self.norm_1(x, descriptor)))


class UpBlock(nn.Module):
    """Doubles the size: a convolution and a transposed one beside a transposed shortcut."""

    def __init__(self, entrance: int, leaving: int) -> None:
        super().__init__()
        self.conv_0 = nn.Conv2d(entrance, leaving, 3, padding=1)
        self.conv_1 = nn.ConvTranspose2d(leaving, leaving, 3, 2, padding=1, output_padding=1)
        self.conv_s = nn.ConvTranspose2d(entrance, leaving, 3, 2, padding=1, output_padding=1)
        self.norm_0 = AdaptiveNorm(entrance)
        self.norm_1 = AdaptiveNorm(leaving)
        self.norm_s = AdaptiveNorm(entrance)

    def forward(self, features: Tensor, descriptor: Tensor) -> Tensor:
        """[B, entrance, H, W] to [B, leaving, 2 H, 2 W]."""
        shortcut = self.conv_s(_rectify(self.norm_s(features, descriptor)))
        x = self.conv_0(_rectify(self.norm_0(features, descriptor)))
        return self.conv_1(_rectify(self.norm_1(x, descriptor))) + shortcut


class WarpingEncoder(nn.Module):
    """The portrait's features at every size, steered by the descriptor."""

    def __init__(self) -> None:
        super().__init__()
        self.input_layer = nn.Conv2d(COLOURS, WARP_BASE, 7, padding=3)
        for level in range(WARP_DOWN):
            block = DownBlock(width(WARP_BASE, level), width(WARP_BASE, level + 1))
            self.add_module(f"encoder{level}", block)

    def forward(self, portrait: Tensor, descriptor: Tensor) -> list[Tensor]:
        """[B, 3, H, W] and [B, 256] to the features of each level, full size first."""
        levels = [self.input_layer(portrait)]
        for level in range(WARP_DOWN):
            levels.append(self.get_submodule(f"encoder{level}")(levels[-1], descriptor))
        return levels


class WarpingDecoder(nn.Module):
    """Back up to a quarter of the picture's size, each level joined with the encoder's."""

    def __init__(self) -> None:
        super().__init__()
        for level in reversed(range(WARP_DOWN - WARP_UP, WARP_DOWN)):
            entrance = width(WARP_BASE, level + 1) * (1 if level == WARP_DOWN - 1 else 2)
            self.add_module(f"decoder{level}", UpBlock(entrance, width(WARP_BASE, level)))

    def forward(self, levels: list[Tensor], descriptor: Tensor) -> Tensor:
        """The encoder's features to [B, 256, H / 4, W / 4]."""
        x = levels[-1]
        for level in reversed(range(WARP_DOWN - WARP_UP, WARP_DOWN)):
            x = torch.cat([self.get_submodule(f"decoder{level}")(x, descriptor), levels[level]], dim=1)
        return x


class Hourglass(nn.Module):
    """The warping network's encoder and decoder."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = WarpingEncoder()
        self.decoder = WarpingDecoder()

    def forward(self, portrait: Tensor, descriptor: Tensor) -> Tensor:
        """[B, 3, H, W] and [B, 256] to [B, 256, H / 4, W / 4]."""
        return self.decoder(self.encoder(portrait, descriptor), descriptor)


class WarpingNet(nn.Module):
    """Moves the portrait's pixels by a flow field, which is counted in its own pixels."""

    def __init__(self) -> None:
        super().__init__()
        self.hourglass = Hourglass()
        channels = 2 * width(WARP_BASE, WARP_DOWN - WARP_UP)
        flow = nn.Conv2d(channels, 2, 7, padding=3)
        self.flow_out = nn.Sequential(PictureNorm(channels), nn.LeakyReLU(SLOPE), flow)

    def forward(self, portrait: Tensor, descriptor: Tensor) -> Tensor:
        """[B, 3, H, W] and [B, 256] to the warped portrait [B, 3, H, W]."""
        flow = self.flow_out(self.hourglass(portrait, descriptor))
        height, across = flow.shape[2:]
        y, x = (torch.linspace(-1, 1, side, dtype=flow.dtype) for side in (height, across))
        still = torch.stack([x.expand(height, across), y[:, None].expand(height, across)])
        pixel = torch.tensor([2 / (across - 1), 2 / (height - 1)], dtype=flow.dtype)
        places = still.to(flow.device) + flow * pixel.to(flow.device)[:, None, None]
        places = F.interpolate(places, portrait.shape[2:], mode="bilinear", align_corners=False)
        return F.grid_sample(portrait, places.permute(0, 2, 3, 1), align_corners=False)


class ConvolutionBlock(nn.Module):
    """A convolution, a normalisation and a rectifier; ``model`` is the published name."""

    def __init__(self, entrance: int, leaving: int, kernel: int = 3) -> None:
        super().__init__()
        layer = nn.Conv2d(entrance, leaving, kernel, padding=kernel // 2)
        self.model = nn.Sequential(layer, PictureNorm(leaving), nn.LeakyReLU(SLOPE))

    def forward(self, features: Tensor) -> Tensor:
        """[B, entrance, H, W] to [B, leaving, H, W]."""
        return self.model(features)


class ResidualBlock(nn.Module):
    """A convolution with an adaptive normalisation beside a shortcut.

    The published block computes ``conv1`` and ``norm1`` too but does not use the result: they are here for
    their weights' names alone.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)
        self.norm1 = AdaptiveNorm(channels)
        self.norm2 = AdaptiveNorm(channels)

    def forward(self, features: Tensor, descriptor: Tensor) -> Tensor:
        """[B, C, H, W] to the same."""
        return self.norm2(self.conv2(features), descriptor) + features


class EditingEncoder(nn.Module):
    """Features of the portrait and the warped portrait at every size."""

    def __init__(self) -> None:
        super().__init__()
        self.first = ConvolutionBlock(2 * COLOURS, EDIT_BASE, 7)
        for level in range(EDIT_LEVELS):
            block = ConvolutionBlock(width(EDIT_BASE, level), width(EDIT_BASE, level + 1))
            self.add_module(f"down{level}", block)

    def forward(self, pictures: Tensor) -> list[Tensor]:
        """[B, 6, H, W] to the features of each level, full size first."""
        levels = [self.first(pictures)]
        for level in range(EDIT_LEVELS):
            levels.append(F.avg_pool2d(self.get_submodule(f"down{level}")(levels[-1]), 2))
        return levels


class EditingDecoder(nn.Module):
    """Features back to a picture, steered by the descriptor."""

    def __init__(self) -> None:
        super().__init__()
        for level in reversed(range(EDIT_LEVELS)):
            coarse, fine = width(EDIT_BASE, level + 1), width(EDIT_BASE, level)
            self.add_module(f"up{level}", ConvolutionBlock(coarse, fine))
            blocks = {f"res{index}": ResidualBlock(coarse) for index in range(EDIT_BLOCKS)}
            self.add_module(f"res{level}", nn.ModuleDict(blocks))
            self.add_module(f"jump{level}", ConvolutionBlock(fine, fine))
        self.final = nn.ModuleDict({"model": nn.Sequential(nn.Conv2d(EDIT_BASE, COLOURS, 7, padding=3))})

    def forward(self, levels: list[Tensor], descriptor: Tensor) -> Tensor:
        """The encoder's features and [B, 256] to [B, 3, H, W], -1..1."""
        x = levels[-1]
        for level in reversed(range(EDIT_LEVELS)):
            for index in range(EDIT_BLOCKS):
                x = self.get_submodule(f"res{level}.res{index}")(x, descriptor)
            x = self.get_submodule(f"up{level}")(F.interpolate(x, scale_factor=2))
            x = x + self.get_submodule(f"jump{level}")(levels[level])
        return torch.tanh(self.final["model"](x))


class EditingNet(nn.Module):
    """Draws the picture from the portrait, the warped portrait and the descriptor."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = EditingEncoder()
        self.decoder = EditingDecoder()

    def forward(self, portrait: Tensor, warped: Tensor, descriptor: Tensor) -> Tensor:
        """[B, 3, H, W] twice and [B, 256] to [B, 3, H, W], -1..1."""
        return self.decoder(self.encoder(torch.cat([portrait, warped], dim=1)), descriptor)


class FaceGenerator(nn.Module):
    """Portraits [B, 3, H, W], RGB -1..1, and motion [B, 73, 27] to pictures [B, 3, H, W], -1..1.

    H and W are 256 as published, or other multiples of 32.
    """

    def __init__(self) -> None:
        super().__init__()
        self.mapping_net = MappingNet()
        self.warpping_net = WarpingNet()
        self.editing_net = EditingNet()

    def forward(self, portrait: Tensor, motion: Tensor) -> Tensor:
        """[B, 3, H, W] and [B, 73, 27] to [B, 3, H, W]."""
        descriptor = self.mapping_net(motion)
        warped = self.warpping_net(portrait, descriptor)
        return self.editing_net(portrait, warped, descriptor)
