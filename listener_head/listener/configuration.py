"""What a training run is made of, read from one YAML file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from listener_head.errors import UserError


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class DataConfig(_Section):
    """The dyads: those in ``folder``, a set in ViCo's layout, or where it is empty a synthetic set.

    A synthetic set has ``clips`` clips, of which D_test and D_ood get a tenth each, of ``seconds`` [s].
    ``validation`` is the share of D_train that is not trained on, to watch the run by.
    """

    folder: str = ""
    clips: int = Field(default=600, ge=8)
    seconds: float = Field(default=40, ge=2, le=600)
    validation: float = Field(default=0.05, gt=0, le=0.5)


class SizeConfig(_Section):
    """Kind and sizes of the network; ``window`` [frames] is how far back the transformer sees."""

    decoder: Literal["lstm", "gru", "transformer"] = "lstm"
    fused_size: int = Field(default=192, ge=1)
    hidden_size: int = Field(default=96, ge=4, multiple_of=4, description="the transformer has four heads")
    window: int = Field(default=90, ge=2)


class LossConfig(_Section):
    """Weights w₁ and w₂ of the paper's Eq. 5."""

    expression_change: float = Field(default=0.1, ge=0)
    pose_change: float = Field(default=1e-4, ge=0)


class OptimiserConfig(_Section):
    """AdamW, its exponential decay, and how the data is walked through.

    ``sequence`` [frames] is the longest part of a clip that is gone through at once, with the state carried
    on from window to window; ``windows`` are lengths of backpropagation [frames], each for an equal share of
    the epochs. With ``patience`` the run ends after so many epochs without a better loss on the validation
    clips, and the best network counts; without, the last one does.
    """

    learning_rate: float = Field(gt=0)
    decay: float = Field(gt=0, le=1)
    decay_every: int = Field(ge=1)
    weight_decay: float = Field(ge=0)
    epochs: int = Field(ge=1)
    batch: int = Field(ge=1)
    sequence: int = Field(default=900, ge=2)
    windows: tuple[Annotated[int, Field(ge=2)], ...] = Field(min_length=1)
    patience: int | None = Field(default=None, ge=1)


class TrainingConfig(_Section):
    """A whole training run; `load_config` reads one from a file."""

    name: str = Field(min_length=1)
    seed: int = Field(ge=0)
    data: DataConfig = DataConfig()
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
