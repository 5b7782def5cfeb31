"""State dicts of published checkpoints into networks: nothing missing, nothing over. Needs torch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from listener_head.errors import UserError

PREFIX = "module."  # of the keys of a network that was trained on several GPUs

_NAMED = 3


def load_strictly(
    network: nn.Module, weights: Mapping[str, Any], name: str, what: str, optional: str = ""
) -> None:
    """Put ``weights`` into ``network``; keys may all begin with `module.`.

    Keys that end with ``optional`` may be missing. Raises UserError that names the keys which are missing,
    unexpected, of another shape or not finite; in it ``name`` says whose they are and ``what`` what they
    should be.
    """
    expected = network.state_dict()
    if weights and all(key.startswith(PREFIX) for key in weights):
        weights = {key.removeprefix(PREFIX): value for key, value in weights.items()}
    needed = [key for key in expected if not (optional and key.endswith(optional))]
    faults = [
        named("missing", [key for key in needed if key not in weights]),
        named("unexpected", [str(key) for key in weights if key not in expected]),
        named("of another shape", _misshapen(weights, expected)),
    ]
    if any(faults):
        raise UserError(
            f"{name} is not {what}: {'; '.join(filter(None, faults))}; give the published checkpoint"
        )
    spoilt = [key for key, value in weights.items() if not torch.isfinite(value).all()]
    if spoilt:
        raise UserError(f"{name} is damaged: {named('not finite', spoilt)}; fetch it again")
    network.load_state_dict({**expected, **weights})


def named(what: str, items: list[str]) -> str:
    """How many of ``items`` there are and the first few of them, or an empty string."""
    more = ", ..." if len(items) > _NAMED else ""
    return f"{len(items)} {what} ({', '.join(items[:_NAMED])}{more})" if items else ""


def _misshapen(weights: Mapping[str, Any], expected: dict[str, torch.Tensor]) -> list[str]:
    found = []
    for key, tensor in expected.items():
        value = weights.get(key, tensor)
        if not isinstance(value, torch.Tensor):
            found.append(f"{key} is {type(value).__name__}")
        elif value.shape != tensor.shape:
            found.append(f"{key} is {tuple(value.shape)} instead of {tuple(tensor.shape)}")
    return found
