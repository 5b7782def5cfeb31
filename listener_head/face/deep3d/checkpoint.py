"""Weights of a published checkpoint into the network: nothing missing, nothing over."""

from __future__ import annotations

from typing import Any

import torch

from listener_head.errors import UserError
from listener_head.face.deep3d.network import ReconstructionNetwork

CHECKPOINT_KEY = "net_recon"
_STEM = "backbone.conv1.weight"
_PREFIX = "module."  # of a network that was trained on several GPUs
_UNUSED = "num_batches_tracked"  # a count of training steps; older checkpoints have none
_NAMED = 3


def find_weights(content: object) -> dict[str, Any] | None:
    """The network's state in a checkpoint file's content: under `net_recon`, or bare; else None."""
    if not isinstance(content, dict):
        return None
    if isinstance(content.get(CHECKPOINT_KEY), dict):
        return dict(content[CHECKPOINT_KEY])
    return dict(content) if _STEM in content or _PREFIX + _STEM in content else None


def load_weights(weights: dict[str, Any], name: str) -> ReconstructionNetwork:
    """The network with these weights, for inference.

    Keys may all begin with `module.`. Raises UserError that names the keys which are missing, unexpected, of
    another shape or not finite; ``name`` says in it whose they are.
    """
    network = ReconstructionNetwork()
    expected = network.state_dict()
    if weights and all(key.startswith(_PREFIX) for key in weights):
        weights = {key.removeprefix(_PREFIX): value for key, value in weights.items()}
    faults = [
        _named("missing", [key for key in expected if key not in weights and not key.endswith(_UNUSED)]),
        _named("unexpected", [str(key) for key in weights if key not in expected]),
        _named("of another shape", _misshapen(weights, expected)),
    ]
    if any(faults):
        raise UserError(
            f"{name} is not the ResNet-50 of Deep3DFaceReconstruction: {'; '.join(filter(None, faults))}; "
            "give the published checkpoint"
        )
    spoilt = [key for key, value in weights.items() if not torch.isfinite(value).all()]
    if spoilt:
        raise UserError(f"{name} is damaged: {_named('not finite', spoilt)}; fetch it again")
    network.load_state_dict({**expected, **weights})
    return network.eval().requires_grad_(False)


def _misshapen(weights: dict[str, Any], expected: dict[str, torch.Tensor]) -> list[str]:
    found = []
    for key, tensor in expected.items():
        value = weights.get(key, tensor)
        if not isinstance(value, torch.Tensor):
            found.append(f"{key} is {type(value).__name__}")
        elif value.shape != tensor.shape:
            found.append(f"{key} is {tuple(value.shape)} instead of {tuple(tensor.shape)}")
    return found


def _named(what: str, items: list[str]) -> str:
    more = ", ..." if len(items) > _NAMED else ""
    return f"{len(items)} {what} ({', '.join(items[:_NAMED])}{more})" if items else ""
