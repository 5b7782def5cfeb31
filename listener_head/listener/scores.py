"""How well a network listens: feature distance by attitude, and whether it answers its speaker at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from listener_head.coefficients import Layout
from listener_head.dyads.clips import DyadClip
from listener_head.evaluation.dyads.metrics import feature_distance
from listener_head.listener.batches import Batch, Batcher
from listener_head.listener.export import Statistics
from listener_head.listener.network import ListenerNetwork

FloatArray = NDArray[np.float32]
Row = dict[str, float]

UNIT = "feature distance x 100, radians, weights and metres"
AVERAGE = "average"
# Clips that are answered at once.
TOGETHER = 16


def score_network(
    network: ListenerNetwork,
    statistics: Statistics,
    training: Sequence[DyadClip],
    clips: Sequence[DyadClip],
    layout: Layout,
) -> dict[str, Any]:
    """Feature distances on ``clips`` of the network, of the training mean, and with shifted speakers.

    By attitude, and as the average over all clips. ``response_percent`` is by how much the distance grows
    when each speaker is shifted circularly by half the clip: nothing for a listener that ignores it.
    """
    shifted = [_with_shifted_speaker(clip) for clip in clips]
    own = _distances(predict(network, statistics, clips, layout), clips, layout)
    other = _distances(predict(network, statistics, shifted, layout), clips, layout)
    mean = _mean_by_attitude(training)
    still = [np.broadcast_to(mean[clip.attitude], (len(clip) - 1, layout.size)) for clip in clips]
    return {
        "feature_distance": own,
        "mean_baseline": _distances(still, clips, layout),
        "shifted_speaker": other,
        "response_percent": {
            part: round(100 * (other[AVERAGE][part] / own[AVERAGE][part] - 1), 1) for part in own[AVERAGE]
        },
    }


def predict(
    network: ListenerNetwork, statistics: Statistics, clips: Sequence[DyadClip], layout: Layout
) -> list[FloatArray]:
    """The network's motion [T - 1, M] for the frames of each clip after the first, raw units."""
    motions: list[FloatArray] = []
    for _, batch in Batcher(clips, layout, network.config.attitudes, statistics).whole(TOGETHER):
        motions += raw_motions(answer(network, batch), batch, statistics)
    return motions


@torch.no_grad()
def answer(network: ListenerNetwork, batch: Batch) -> torch.Tensor:
    """The network's motion [B, T, M], standardised, for whole sequences."""
    network.eval()
    answered: torch.Tensor = network(batch.audio, batch.speaker, batch.reference, batch.attitude)
    return answered


def raw_motions(standardised: torch.Tensor, batch: Batch, statistics: Statistics) -> list[FloatArray]:
    """The sequences [B, T, M] of a batch, each [T, M] to its own end, in raw units."""
    raw = standardised.numpy() * statistics.listener_std + statistics.listener_mean
    lengths = batch.present.sum(dim=1).int().tolist()
    return [motion[:length] for motion, length in zip(raw, lengths, strict=True)]


def mean_distance(motions: Sequence[FloatArray], clips: Sequence[DyadClip], layout: Layout) -> Row:
    """Feature distance of motions [T - 1, M] to the listeners of clips, mean over the clips."""
    rows = [
        feature_distance(motion, clip.listener[1:], layout)
        for motion, clip in zip(motions, clips, strict=True)
    ]
    return {part: round(float(np.mean([row[part] for row in rows])), 3) for part in rows[0]}


def _distances(motions: Sequence[FloatArray], clips: Sequence[DyadClip], layout: Layout) -> dict[str, Row]:
    """Mean distance of the clips of each attitude, and ``average`` of all."""
    distances = {}
    for attitude in dict.fromkeys(clip.attitude for clip in clips if clip.attitude):
        own = [number for number, clip in enumerate(clips) if clip.attitude == attitude]
        distances[attitude] = mean_distance([motions[i] for i in own], [clips[i] for i in own], layout)
    return {**distances, AVERAGE: mean_distance(motions, clips, layout)}


def _mean_by_attitude(clips: Sequence[DyadClip]) -> dict[str, FloatArray]:
    attitudes = {clip.attitude for clip in clips}
    return {
        name: np.concatenate([clip.listener for clip in clips if clip.attitude == name]).mean(axis=0)
        for name in attitudes
    }


def _with_shifted_speaker(clip: DyadClip) -> DyadClip:
    audio, speaker = (np.roll(part, len(clip) // 2, axis=0) for part in (clip.audio, clip.speaker))
    return replace(clip, audio=audio, speaker=speaker)
