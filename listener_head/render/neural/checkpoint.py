"""Weights of a published PIRenderer checkpoint into the generator."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import nn
from torch.nn.utils import remove_spectral_norm, spectral_norm

from listener_head.checkpoints import PREFIX, load_strictly
from listener_head.render.neural.network import FaceGenerator

CHECKPOINT_KEY = "net_G_ema"
_NETS = ("mapping_net.", "warpping_net.", "editing_net.")
_UNNORMALISED = ".weight_orig"  # a weight before its spectral normalisation


def find_generator_weights(content: object) -> dict[str, Any] | None:
    """The generator's state in a checkpoint file's content: under `net_G_ema`, or bare; else None.

    Recognised by any key of the generator; other networks are kept under that name too.
    """
    if not isinstance(content, Mapping):
        return None
    weights = content.get(CHECKPOINT_KEY, content)
    if not isinstance(weights, Mapping):
        return None
    known = any(str(key).removeprefix(PREFIX).startswith(_NETS) for key in weights)
    return {str(key): value for key, value in weights.items()} if known else None


def load_generator(weights: dict[str, Any], name: str) -> FaceGenerator:
    """The generator with these weights, for inference.

    Keys may all begin with `module.`. The published configuration trains without spectral normalisation; of
    a checkpoint that was trained with it (``weight_orig``, ``weight_u``, ``weight_v``) the weights are
    divided by their norm. Raises UserError that names the keys which are missing, unexpected, of another
    shape or not finite; ``name`` says in it whose they are.
    """
    network = FaceGenerator()
    normalised = _spectrally_normalised(network, weights)
    for layer in normalised:
        spectral_norm(layer)
    load_strictly(network, weights, name, "the generator of PIRenderer")
    for layer in normalised:
        remove_spectral_norm(layer)
    return network.eval().requires_grad_(False)


def _spectrally_normalised(network: FaceGenerator, weights: dict[str, Any]) -> list[nn.Module]:
    keys = {key.removeprefix(PREFIX) for key in weights if key.endswith(_UNNORMALISED)}
    return [
        layer
        for name, layer in network.named_modules()
        if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d)) and name + _UNNORMALISED in keys
    ]
