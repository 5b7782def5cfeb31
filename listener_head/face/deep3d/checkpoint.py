"""Weights of a published checkpoint into the network."""

from __future__ import annotations

from typing import Any

from listener_head.checkpoints import PREFIX, load_strictly
from listener_head.face.deep3d.network import ReconstructionNetwork

CHECKPOINT_KEY = "net_recon"
_STEM = "backbone.conv1.weight"
_UNUSED = "num_batches_tracked"  # a count of training steps; older checkpoints have none


def find_weights(content: object) -> dict[str, Any] | None:
    """The network's state in a checkpoint file's content: under `net_recon`, or bare; else None."""
    if not isinstance(content, dict):
        return None
    if isinstance(content.get(CHECKPOINT_KEY), dict):
        return dict(content[CHECKPOINT_KEY])
    return dict(content) if _STEM in content or PREFIX + _STEM in content else None


def load_weights(weights: dict[str, Any], name: str) -> ReconstructionNetwork:
    """The network with these weights, for inference.

    Keys may all begin with `module.`. Raises UserError that names the keys which are missing, unexpected, of
    another shape or not finite; ``name`` says in it whose they are.
    """
    network = ReconstructionNetwork()
    load_strictly(network, weights, name, "the ResNet-50 of Deep3DFaceReconstruction", optional=_UNUSED)
    return network.eval().requires_grad_(False)
