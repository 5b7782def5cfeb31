"""Trains the listener generator as the paper does (Eq. 4 to 6) and exports it with its card."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from listener_head.coefficients import Layout
from listener_head.errors import UserError
from listener_head.listener.batches import Batch, Batcher, measure
from listener_head.listener.configuration import LossConfig, TrainingConfig
from listener_head.listener.dataset import TrainingData, gather
from listener_head.listener.decoders import State
from listener_head.listener.export import export_network, make_card
from listener_head.listener.network import ListenerNetwork, NetworkConfig
from listener_head.listener.network_file import ABOUT_REFERENCE
from listener_head.listener.processes import Processes, join
from listener_head.listener.saved_run import load_run, save_run
from listener_head.listener.scores import (
    TOGETHER,
    UNIT,
    answer,
    mean_distance,
    raw_motions,
    score_network,
)

_LARGEST_GRADIENT = 1.0


@dataclass(frozen=True)
class Progress:
    """Where a run is: ``done`` of ``total`` of a stage, and what the last epoch came to.

    ``loss`` is that of training, ``validation_loss`` and ``distance`` (feature distance x 100 by part of the
    motion) are of the validation clips.
    """

    stage: str
    done: int
    total: int
    loss: float = 0.0
    validation_loss: float = 0.0
    distance: dict[str, float] | None = None


Report = Callable[[Progress], None]


def train(
    config: TrainingConfig, output: Path, command: str, report: Report, resume: bool = False
) -> dict[str, Any] | None:
    """Train on the dyads of ``config``, score on D_test and D_ood, write the network to ``output``; its card.

    Each epoch the run is saved beside ``output`` (`saved_path`); with ``resume`` it goes on from there, and
    ends as if it had never stopped. On one machine the same configuration gives the same network. Under
    ``torchrun`` the processes share each batch, and only the first one reports, saves and exports; the others
    give None. UserError as from `gather`, `load_run` and `save_run`, or when ``output`` cannot be written.
    """
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    processes = join()

    def count(done: int, total: int) -> None:
        report(Progress("making dyads", done, total))

    data = processes.leader_first(lambda: gather(config.data, config.seed, count))
    trainer = Trainer(config, data, processes)
    if resume:
        trainer.restore(processes.decided(lambda: load_run(saved_path(output), config, data.hash)))
    trainer.run(saved_path(output), report)
    return _export(trainer, output, command) if processes.leads else None


def saved_path(output: Path) -> Path:
    """Where the run that will write ``output`` is saved."""
    return output.with_suffix(".run.pt")


def listener_loss(
    predicted: Tensor, truth: Tensor, present: Tensor, layout: Layout, weights: LossConfig
) -> Tensor:
    """Eq. 6 averaged over the frames that are ``present`` [B, T], for [B, T, M] in standardised units.

    Per frame the L2 norm of the error of expression and of pose (Eq. 4), and of the errors of their
    changes from frame to frame (Eq. 5).
    """
    error = predicted - truth
    change, changing = error[:, 1:] - error[:, :-1], present[:, 1:]
    expression = list(range(layout.expression.start, layout.expression.stop))
    pose = [i for i in range(layout.size) if i not in expression]

    def length(vectors: Tensor, counted: Tensor) -> Tensor:
        lengths = torch.linalg.vector_norm(vectors + 1e-8, dim=-1)
        return (lengths * counted).sum() / counted.sum().clamp(min=1)

    return (
        length(error[..., expression], present)
        + length(error[..., pose], present)
        + weights.expression_change * length(change[..., expression], changing)
        + weights.pose_change * length(change[..., pose], changing)
    )


class Objective(nn.Module):
    """A window of a batch to its loss and the state after it: all that a step of training computes."""

    def __init__(self, network: ListenerNetwork, layout: Layout, weights: LossConfig) -> None:
        super().__init__()
        self.network = network
        self._layout, self._weights = layout, weights

    def forward(self, window: Batch, state: State | None) -> tuple[Tensor, State]:
        """Without a ``state`` the sequence begins here. No gradient goes back through the state."""
        if state is None:
            state = self.network.initial_state(window.reference, window.attitude)
        predicted, state = self.network.decode(window.audio, window.speaker, state)
        loss = listener_loss(predicted, window.truth, window.present, self._layout, self._weights)
        return loss, tuple(part.detach() for part in state)


class Trainer:
    """A run: network, optimiser, and how far it is."""

    def __init__(self, config: TrainingConfig, data: TrainingData, processes: Processes) -> None:
        settings = config.optimiser
        if min(settings.batch, len(data.training)) < processes.count:
            raise UserError(
                f"{processes.count} processes cannot share a batch of {settings.batch} of "
                f"{len(data.training)} clips; start fewer"
            )
        torch.manual_seed(config.seed)
        self.config, self.data, self.processes = config, data, processes
        self.statistics = measure(data.training, data.layout, data.audio_layout)
        sizes = config.network.model_dump()
        self.network = ListenerNetwork(NetworkConfig(data.layout.size, attitudes=data.attitudes, **sizes))
        self.network.initialise_memory()
        self._objective: nn.Module = Objective(self.network, data.layout, config.loss)
        if processes.count > 1:
            # Only the first window of a sequence uses the weights that make its initial state.
            self._objective = nn.parallel.DistributedDataParallel(
                self._objective, find_unused_parameters=True
            )
        self._optimiser = torch.optim.AdamW(
            self.network.parameters(), settings.learning_rate, weight_decay=settings.weight_decay
        )
        self._schedule = torch.optim.lr_scheduler.StepLR(
            self._optimiser, settings.decay_every, settings.decay
        )
        self._rng = np.random.default_rng(config.seed)
        self._batches, self._watched = (
            Batcher(clips, data.layout, data.attitudes, self.statistics)
            for clips in (data.training, data.validation)
        )
        self.epoch = 0
        self._least_loss, self._best, self._waited = np.inf, self.network.state_dict(), 0

    def run(self, path: Path, report: Report) -> None:
        """Train to the end, saving every epoch at ``path``; the network is then the one that counts."""
        settings, patience = self.config.optimiser, self.config.optimiser.patience
        data_hash = self.data.hash if self.processes.leads else ""
        while self.epoch < settings.epochs and (patience is None or self._waited < patience):
            loss = self._train_epoch()
            self.epoch += 1
            validation_loss, distance = self.processes.decided(self._validate)
            self._note(validation_loss)
            if self.processes.leads:
                save_run(path, self.config, data_hash, self.state())
                progress = Progress("training", self.epoch, settings.epochs, loss, validation_loss, distance)
                report(progress)
        if patience is not None:
            self.network.load_state_dict(self._best)

    def _train_epoch(self) -> float:
        self.network.train()
        settings = self.config.optimiser
        length = settings.windows[self.epoch * len(settings.windows) // settings.epochs]
        processes = self.processes
        losses = []
        for batch in self._batches.drawn(
            self._rng, settings.batch, settings.sequence, processes.rank, processes.count
        ):
            state = None
            for window in batch.windows(length):
                loss, state = self._objective(window, state)
                self._optimiser.zero_grad()
                loss.backward()
                nn.utils.clip_grad_norm_(self.network.parameters(), _LARGEST_GRADIENT)
                self._optimiser.step()
                losses.append(float(loss.detach()))
        self._schedule.step()
        return float(np.mean(losses))

    def _validate(self) -> tuple[float, dict[str, float]]:
        layout, losses, motions = self.data.layout, [], []
        for _, batch in self._watched.whole(TOGETHER):
            predicted = answer(self.network, batch)
            loss = listener_loss(predicted, batch.truth, batch.present, layout, self.config.loss)
            losses.append(float(loss) * float(batch.present.sum()))
            motions += raw_motions(predicted, batch, self.statistics)
        frames = sum(len(motion) for motion in motions)
        return sum(losses) / frames, mean_distance(motions, self.data.validation, layout)

    def _note(self, validation_loss: float) -> None:
        if validation_loss < self._least_loss:
            self._least_loss, self._waited = validation_loss, 0
            self._best = deepcopy(self.network.state_dict())
        else:
            self._waited += 1

    def state(self) -> dict[str, Any]:
        """All that the rest of the run depends on."""
        return {
            "epoch": self.epoch,
            "network": self.network.state_dict(),
            "optimiser": self._optimiser.state_dict(),
            "schedule": self._schedule.state_dict(),
            "rng": self._rng.bit_generator.state,
            "least_loss": self._least_loss,
            "best": self._best,
            "waited": self._waited,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a state."""
        self.epoch, self._least_loss, self._waited = state["epoch"], state["least_loss"], state["waited"]
        self._best = state["best"]
        self.network.load_state_dict(state["network"])
        self._optimiser.load_state_dict(state["optimiser"])
        self._schedule.load_state_dict(state["schedule"])
        self._rng.bit_generator.state = state["rng"]


def _export(trainer: Trainer, output: Path, command: str) -> dict[str, Any]:
    """Score the network and write it with its card."""
    data, config, statistics = trainer.data, trainer.config, trainer.statistics
    card = make_card(config.name, data.layout, data.attitudes, data.audio_layout, statistics)
    card |= {
        "pose": ABOUT_REFERENCE,
        "data": data.source,
        "held_out": ", ".join(f"{len(clips)} clips of D_{name}" for name, clips in data.scored.items()),
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "seed": config.seed,
        "command": command,
        "configuration": config.model_dump(mode="json"),
        "epochs": trainer.epoch,
        "scores": _scores(trainer),
    }
    if data.skipped:
        card["skipped"] = f"{len(data.skipped)} clips, the first: {data.skipped[0]}"
    if data.layout.crop_size:
        # All zeros would be an impossible crop; the mean of the training data is a face at rest.
        card["reference"] = data.reference.tolist()
    try:
        export_network(trainer.network, data.layout, statistics, card, output)
    except OSError as error:
        raise UserError(
            f"network '{output}' cannot be written ({error.strerror}); make room and go on with --resume"
        ) from None
    return card


def _scores(trainer: Trainer) -> dict[str, Any]:
    data, network, statistics = trainer.data, trainer.network, trainer.statistics
    train = (*data.training, *data.validation)
    return {
        "unit": UNIT,
        **{
            name: score_network(network, statistics, train, clips, data.layout)
            for name, clips in data.scored.items()
        },
    }
