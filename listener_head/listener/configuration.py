"""What a training run is made of, read from one YAML file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from listener_head.errors import UserError


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class DataConfig(_Section):
    """How many synthetic dyads to make, and their length [s]."""

    training_dyads: int = Field(ge=1)
    held_out_dyads: int = Field(ge=1)
    seconds: float = Field(ge=25, le=600, description="longer than the shift of the response test")


class SizeConfig(_Section):
    """Sizes of the network."""

    fused_size: int = Field(default=192, ge=1)
    hidden_size: int = Field(default=96, ge=1)


class LossConfig(_Section):
    """Weights w₁ and w₂ of the paper's Eq. 5."""

    expression_change: float = Field(default=0.1, ge=0)
    pose_change: float = Field(default=1e-4, ge=0)


class OptimiserConfig(_Section):
    """AdamW, its exponential decay, and how the data is walked through.

    ``windows`` are lengths of backpropagation [frames], each for an equal share of the epochs.
    """

    learning_rate: float = Field(gt=0)
    decay: float = Field(gt=0, le=1)
    decay_every: int = Field(ge=1)
    weight_decay: float = Field(ge=0)
    epochs: int = Field(ge=1)
    batch: int = Field(ge=1)
    windows: tuple[Annotated[int, Field(ge=2)], ...] = Field(min_length=1)


class TrainingConfig(_Section):
    """A whole training run; `load_config` reads one from a file."""

    name: str = Field(min_length=1)
    seed: int = Field(ge=0)
    data: DataConfig
    network: SizeConfig = SizeConfig()
    loss: LossConfig = LossConfig()
    optimiser: OptimiserConfig


def load_config(path: Path) -> TrainingConfig:
    """Read a training configuration; UserError naming the file, the entry and what is wrong with it."""
    try:
        return TrainingConfig.model_validate(yaml.safe_load(path.read_text()))
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"training configuration '{path}' cannot be read ({error})") from None
    except yaml.YAMLError as error:
        reason = " ".join(str(error).split())
        raise UserError(f"training configuration '{path}' is no YAML ({reason})") from None
    except ValidationError as error:
        first = error.errors()[0]
        entry = ".".join(str(part) for part in first["loc"]) or "the file"
        raise UserError(f"training configuration '{path}': {entry}: {first['msg']}") from None
