"""Trains the listener generator as the paper does (Eq. 4 to 6) and exports it with its card."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from listener_head.coefficients import LAYOUTS, Layout
from listener_head.dyads.synthesis import AUDIO_LAYOUT
from listener_head.listener.configuration import LossConfig, TrainingConfig
from listener_head.listener.dataset import DyadSet, make_dyads
from listener_head.listener.export import Statistics, export_network, make_card
from listener_head.listener.network import ATTITUDES, ListenerNetwork, NetworkConfig
from listener_head.listener.scores import score_network
from listener_head.timing import RATE_HZ

FloatArray = NDArray[np.float32]

LAYOUT = LAYOUTS["arkit52"]

# No feature counts as stiller than this: noise of a shape that hardly moves is not worth learning.
_LEAST_EXPRESSION_STD, _LEAST_ROTATION_STD, _LEAST_TRANSLATION_STD = 0.03, 0.01, 0.005
# A sequence begins within this share of a dyad, so that every epoch sees other beginnings.
_START_SHARE = 0.25


@dataclass(frozen=True)
class Progress:
    """Where a run is; ``distance`` is the feature distance x 100 of rotation, expression, translation."""

    stage: str
    done: int
    total: int
    loss: float = 0.0
    distance: tuple[float, float, float] | None = None


def train(
    config: TrainingConfig, output: Path, command: str, report: Callable[[Progress], None]
) -> dict[str, Any]:
    """Make the dyads, train, score on held-out dyads, write the network to ``output``; gives its card.

    Runs on one thread, and the same configuration gives the same network on the same machine.
    """
    torch.set_num_threads(1)
    torch.manual_seed(config.seed)
    torch.use_deterministic_algorithms(True)
    training, held_out = _make_sets(config, report)
    statistics = measure(training, LAYOUT)
    network = ListenerNetwork(NetworkConfig(LAYOUT.size, **config.network.model_dump()))
    network.initialise_memory()
    _fit(network, config, training, held_out, statistics, report)
    card = make_card(config.name, LAYOUT, ATTITUDES, AUDIO_LAYOUT, statistics)
    card |= {
        "data": f"{config.data.training_dyads} synthetic speakers ({training.hours:.1f} h), each answered in "
        f"{len(ATTITUDES)} attitudes; no recording of a person",
        "held_out": f"{config.data.held_out_dyads} other synthetic speakers and listeners",
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "seed": config.seed,
        "command": command,
        "configuration": config.model_dump(),
        "scores": score_network(network, statistics, training, held_out, LAYOUT),
    }
    export_network(network, LAYOUT, statistics, card, output)
    return card


def measure(dyads: DyadSet, layout: Layout) -> Statistics:
    """Mean and standard deviation of sound, speaker and listener over a set."""
    least = np.zeros(layout.size, np.float32)
    least[layout.rotation] = _LEAST_ROTATION_STD
    least[layout.expression] = _LEAST_EXPRESSION_STD
    least[layout.translation] = _LEAST_TRANSLATION_STD
    audio, speaker, listener = (
        part.reshape(-1, part.shape[-1]) for part in (dyads.audio, dyads.speaker, dyads.listener)
    )
    return Statistics(
        audio_mean=audio.mean(axis=0),
        audio_std=np.maximum(audio.std(axis=0), 1e-3),
        speaker_mean=speaker.mean(axis=0),
        speaker_std=np.maximum(speaker.std(axis=0), least),
        listener_mean=listener.mean(axis=0),
        listener_std=np.maximum(listener.std(axis=0), least),
        quiet_audio=dyads.quiet_audio,
    )


def listener_loss(predicted: Tensor, truth: Tensor, layout: Layout, weights: LossConfig) -> Tensor:
    """Eq. 6 averaged over frames, for [B, T, M] in standardised units.

    Per frame the L2 norm of the error of expression and of pose (Eq. 4), and of the errors of their
    changes from frame to frame (Eq. 5).
    """
    error = predicted - truth
    change = error[:, 1:] - error[:, :-1]
    expression = list(range(layout.expression.start, layout.expression.stop))
    pose = [i for i in range(layout.size) if i not in expression]

    def length(vectors: Tensor) -> Tensor:
        return torch.linalg.vector_norm(vectors + 1e-8, dim=-1).mean()

    return (
        length(error[..., expression])
        + length(error[..., pose])
        + weights.expression_change * length(change[..., expression])
        + weights.pose_change * length(change[..., pose])
    )


def _make_sets(config: TrainingConfig, report: Callable[[Progress], None]) -> tuple[DyadSet, DyadSet]:
    data, done = config.data, 0
    total = data.training_dyads + data.held_out_dyads

    def count() -> None:
        nonlocal done
        done += 1
        report(Progress("making dyads", done, total))

    # Seeds far apart, so that no speaker is in two sets or in two runs' sets.
    first = config.seed * 1_000_000
    training = make_dyads(first, data.training_dyads, data.seconds, count)
    return training, make_dyads(first + 500_000, data.held_out_dyads, data.seconds, count)


def _fit(
    network: ListenerNetwork,
    config: TrainingConfig,
    training: DyadSet,
    held_out: DyadSet,
    statistics: Statistics,
    report: Callable[[Progress], None],
) -> None:
    settings = config.optimiser
    rng = np.random.default_rng(config.seed)
    optimiser = torch.optim.AdamW(
        network.parameters(), settings.learning_rate, weight_decay=settings.weight_decay
    )
    schedule = torch.optim.lr_scheduler.StepLR(optimiser, settings.decay_every, settings.decay)
    distance = None
    for epoch in range(settings.epochs):
        network.train()
        window = settings.windows[epoch * len(settings.windows) // settings.epochs]
        losses = []
        for batch in _batches(training, statistics, settings.batch, rng):
            losses.append(_walk(network, optimiser, batch, window, config.loss))
        schedule.step()
        if epoch % settings.decay_every == 0 or epoch == settings.epochs - 1:
            scores = score_network(network, statistics, training, held_out, LAYOUT)
            average = scores["feature_distance"]["average"]
            distance = (average["rotation"], average["expression"], average["translation"])
        report(Progress("training", epoch + 1, settings.epochs, float(np.mean(losses)), distance))


@dataclass(frozen=True)
class _Batch:
    """Standardised sequences: ``audio`` and ``speaker`` [B, T, ...], ``truth`` one frame later."""

    audio: Tensor
    speaker: Tensor
    truth: Tensor
    reference: Tensor
    attitude: Tensor


def _walk(
    network: ListenerNetwork,
    optimiser: torch.optim.Optimizer,
    batch: _Batch,
    window: int,
    weights: LossConfig,
) -> float:
    """Go through a batch of long sequences window by window, carrying the state on."""
    losses = []
    state = network.initial_state(batch.reference, batch.attitude)
    for start in range(0, batch.truth.shape[1], window):
        span = slice(start, start + window)
        predicted, state = network.decode(batch.audio[:, span], batch.speaker[:, span], state)
        loss = listener_loss(predicted, batch.truth[:, span], LAYOUT, weights)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        state = (state[0].detach(), state[1].detach())
        losses.append(float(loss.detach()))
    return float(np.mean(losses))


def _batches(dyads: DyadSet, statistics: Statistics, size: int, rng: np.random.Generator) -> Iterator[_Batch]:
    """Every dyad in every attitude once, in random order."""
    order = rng.permutation(len(dyads.audio) * len(ATTITUDES))
    frames = dyads.audio.shape[1]
    for chosen in np.array_split(order, max(1, len(order) // size)):
        start = int(rng.integers(int(_START_SHARE * frames) + 1))
        length = frames - int(_START_SHARE * frames) - 1
        who, attitude = chosen // len(ATTITUDES), chosen % len(ATTITUDES)
        truth = _beginnings(dyads, who, attitude, slice(start, start + length + 1), rng)
        span = slice(start, start + length)
        yield _Batch(
            audio=_standardised(dyads.audio[who, span], statistics.audio_mean, statistics.audio_std),
            speaker=_standardised(dyads.speaker[who, span], statistics.speaker_mean, statistics.speaker_std),
            truth=_standardised(truth[:, 1:], statistics.listener_mean, statistics.listener_std),
            reference=_standardised(truth[:, 0], statistics.listener_mean, statistics.listener_std),
            attitude=torch.from_numpy(attitude),
        )


def _beginnings(
    dyads: DyadSet,
    who: NDArray[np.int64],
    attitude: NDArray[np.int64],
    span: slice,
    rng: np.random.Generator,
) -> FloatArray:
    """The listeners [B, T, M] of a batch, begun as the product begins them.

    A third start from the still reference, a third in the midst of their motion, a third from the
    motion of another attitude; the first and the last pass into their own motion within a second.
    """
    truth = dyads.listener[who, attitude, span]
    other = (attitude + rng.integers(1, len(ATTITUDES), len(who))) % len(ATTITUDES)
    still = np.broadcast_to(dyads.reference[who][:, None], truth.shape)
    before = np.stack([still, truth, dyads.listener[who, other, span]])
    before = before[rng.integers(len(before), size=len(who)), np.arange(len(who))]
    phase = np.clip(np.arange(truth.shape[1], dtype=np.float32) / RATE_HZ, 0, 1)
    weight = (phase * phase * (3 - 2 * phase))[None, :, None]
    begun: FloatArray = before + weight * (truth - before)
    return begun


def _standardised(values: FloatArray, mean: FloatArray, std: FloatArray) -> Tensor:
    return torch.from_numpy((values - mean) / std)
