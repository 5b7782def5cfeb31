"""The file from which an interrupted training run goes on."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import torch

from listener_head.errors import UserError
from listener_head.files import replacing
from listener_head.listener.configuration import TrainingConfig

_FORMAT = "listener_head.training/1"
_FIX = "resume with what the run was begun with, or begin anew without --resume"


def save_run(path: Path, config: TrainingConfig, data_hash: str, state: dict[str, Any]) -> None:
    """Write a run's ``state``: tensors, numbers and plain containers.

    The file that was there stays until the new one is whole. UserError when it cannot be written.
    """
    content = {
        "format": _FORMAT,
        "configuration": config.model_dump(mode="json"),
        "data": data_hash,
        "state": state,
    }
    # By way of memory: torch has an error of its own for a disk that is full.
    buffer = io.BytesIO()
    torch.save(content, buffer)
    with replacing(path) as partial:
        partial.write_bytes(buffer.getbuffer())


def load_run(path: Path, config: TrainingConfig, data_hash: str) -> dict[str, Any]:
    """The state in a file of `save_run`; UserError when it is missing, damaged or of another run."""
    try:
        content = torch.load(io.BytesIO(path.read_bytes()), weights_only=True)
        kind, data, state = content["format"], content["data"], content["state"]
        known = TrainingConfig.model_validate(content["configuration"])
    except OSError as error:
        raise UserError(
            f"there is no run to resume: '{path}' cannot be read ({error.strerror}); give the run's --output"
        ) from None
    except Exception:  # whatever pickle and zip make of a damaged file
        kind = None
    if kind != _FORMAT:
        raise UserError(f"'{path}' is damaged or no training run; begin anew without --resume")
    if known != config:
        changed = [
            name for name in TrainingConfig.model_fields if getattr(known, name) != getattr(config, name)
        ]
        raise UserError(f"run '{path}' has another configuration in {', '.join(changed)}; {_FIX}")
    if data != data_hash:
        raise UserError(f"run '{path}' was trained on other dyads; {_FIX}")
    return dict(state)
