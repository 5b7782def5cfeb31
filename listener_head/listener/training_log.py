"""Logs of a training run for TensorBoard."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType

from listener_head.errors import UserError
from listener_head.listener.training import Progress


class TrainingLog:
    """Writes the losses and the feature distances of every epoch; UserError without tensorboard."""

    def __init__(self, folder: Path) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError:
            raise UserError(
                "--tensorboard needs the package 'tensorboard'; install it or leave the option out"
            ) from None
        try:
            self._writer = SummaryWriter(str(folder))
        except OSError as error:
            raise UserError(
                f"TensorBoard logs cannot be written to '{folder}' ({error.strerror}); give another folder"
            ) from None

    def __enter__(self) -> TrainingLog:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._writer.close()

    def write(self, progress: Progress) -> None:
        """Take note of an epoch; other stages have nothing to note."""
        if progress.distance is None:
            return
        values = {"loss/training": progress.loss, "loss/validation": progress.validation_loss}
        values |= {f"feature_distance/{part}": value for part, value in progress.distance.items()}
        for name, value in values.items():
            self._writer.add_scalar(name, value, progress.done)
