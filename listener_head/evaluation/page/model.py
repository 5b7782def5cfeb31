"""What is read of a metrics.json, checked: it may come from another version, or from anywhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from listener_head.checked_json import parse, reason_of
from listener_head.errors import UserError
from listener_head.files import RESULTS

FORMAT = "listener_head.evaluation/1"
# Above an evaluation of a day by far.
_MAX_BYTES = 100_000_000

# No measure is larger by far, and sums of such numbers stay finite.
LARGEST = 1e12
Number = Annotated[float, Field(ge=-LARGEST, le=LARGEST, allow_inf_nan=False)]
Numbers = dict[str, Number | None]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True)


class Bag(_Part):
    """The recording."""

    name: str
    hash: str
    duration_s: Number


class Listener(_Part):
    """Who listened."""

    policy: str
    name: str
    hash: str
    attitude: str
    face_model: str
    audio_layout: str
    liveliness: bool
    seed: int


class Schedule(_Part):
    """Which picture each step saw."""

    rule: str
    perception_delay_ms: Number
    step_delay_ms: Number


class Statistic(_Part):
    """A number about the motion, and the range of people."""

    label: str
    unit: str
    value: Number | None
    human: tuple[Number, Number] | None


class Windows(_Part):
    """Means of pieces of the recording."""

    length_s: Number
    start_s: list[Number]
    values: dict[str, list[Number | None]]

    @model_validator(mode="after")
    def _as_many(self) -> Windows:
        for key, values in self.values.items():
            if len(values) != len(self.start_s):
                raise ValueError(f"{key[:40]} has {len(values)} values for {len(self.start_s)} windows")
        return self


class Truth(_Part):
    """Policies beside the true listener."""

    distances: dict[str, dict[str, Number]]
    measures: dict[str, dict[str, dict[str, Number]]]


class Separability(_Part):
    """How well attitudes are told apart."""

    accuracy: Number | None


def _this_format(name: str) -> str:
    if name != FORMAT:
        raise ValueError(f"it is '{name[:60]}', this version reads '{FORMAT}'")
    return name


class Evaluation(_Part):
    """The part of metrics.json that evaluations are compared by."""

    format: Annotated[str, AfterValidator(_this_format)]
    bag: Bag
    listener: Listener
    schedule: Schedule
    statistics: dict[str, Statistic]
    separability: Separability | None
    truth: Truth | None
    windows: Windows
    latency: dict[str, Numbers | None]
    live: dict[str, Any] | None
    versions: dict[str, str]


def read_evaluation(path: Path) -> Evaluation:
    """The evaluation in a metrics.json or in its folder; UserError for anything else."""
    file = path / RESULTS if path.is_dir() else path
    try:
        if file.stat().st_size > _MAX_BYTES:
            raise ValueError(f"it is larger than {_MAX_BYTES / 1e6:.0f} MB")
        return parse(Evaluation, file.read_bytes())
    except (OSError, ValueError) as problem:
        raise UserError(
            f"'{file}' cannot be read ({reason_of(problem)}); give the folder or the {RESULTS} of "
            "`listener_head evaluate`"
        ) from None
