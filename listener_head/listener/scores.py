"""How well a network listens: feature distance by attitude, and whether it answers its speaker at all."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from listener_head.coefficients import Layout
from listener_head.listener.dataset import DyadSet
from listener_head.listener.export import Statistics
from listener_head.listener.network import ATTITUDES, ListenerNetwork
from listener_head.listener.runtime import Listener
from listener_head.timing import RATE_HZ

FloatArray = NDArray[np.float32]

# Shift of the speaker against the listener in the response test [s].
SHIFT_S = 10


def feature_distance(predicted: FloatArray, truth: FloatArray, layout: Layout) -> dict[str, float]:
    """The paper's FD x 100: mean absolute difference of [..., M] in raw units, by part of the motion."""
    error = 100 * np.abs(predicted - truth)
    parts = {"rotation": layout.rotation, "expression": layout.expression, "translation": layout.translation}
    return {name: round(float(error[..., part].mean()), 3) for name, part in parts.items()}


def generate(
    listener: Listener,
    audio: FloatArray,
    speaker: FloatArray,
    reference: ArrayLike | None = None,
    attitude: str | None = None,
) -> FloatArray:
    """Motion [T, M] of a listener stepped through a whole clip: row k is the prediction for frame k + 1."""
    listener.reset(reference, attitude)
    return np.stack([listener.step(*frame) for frame in zip(audio, speaker, strict=True)])


def score_network(
    network: ListenerNetwork, statistics: Statistics, training: DyadSet, held_out: DyadSet, layout: Layout
) -> dict[str, Any]:
    """Feature distances on held-out dyads of the network, of the training mean, and with shifted speakers.

    ``response`` is by how many per cent the distance grows when the speaker is shifted by ten seconds:
    zero for a listener that ignores its speaker.
    """
    shifted = held_out.shifted(SHIFT_S * RATE_HZ)
    own = _distances(network, statistics, held_out, layout)
    other = _distances(network, statistics, shifted, layout)
    mean = {
        name: feature_distance(
            training.listener[:, index].mean(axis=(0, 1)), held_out.listener[:, index], layout
        )
        for index, name in enumerate(ATTITUDES)
    }
    mean["average"] = _average(mean)
    return {
        "unit": "feature distance x 100, radians, weights and metres",
        "feature_distance": own,
        "mean_baseline": mean,
        "shifted_speaker": other,
        "response_percent": {
            part: round(100 * (other["average"][part] / own["average"][part] - 1), 1)
            for part in own["average"]
        },
    }


def _distances(
    network: ListenerNetwork, statistics: Statistics, dyads: DyadSet, layout: Layout
) -> dict[str, dict[str, float]]:
    distances = {}
    for index, name in enumerate(ATTITUDES):
        predicted = predict(network, statistics, dyads, index)
        distances[name] = feature_distance(predicted[:, :-1], dyads.listener[:, index, 1:], layout)
    distances["average"] = _average(distances)
    return distances


@torch.no_grad()
def predict(network: ListenerNetwork, statistics: Statistics, dyads: DyadSet, attitude: int) -> FloatArray:
    """The network's motion [N, T, M] for a set, begun from each listener's first frame."""
    network.eval()

    def tensor(values: FloatArray, mean: FloatArray, std: FloatArray) -> torch.Tensor:
        return torch.from_numpy((values - mean) / std)

    s = statistics
    output = network(
        tensor(dyads.audio, s.audio_mean, s.audio_std),
        tensor(dyads.speaker, s.speaker_mean, s.speaker_std),
        tensor(dyads.listener[:, attitude, 0], s.listener_mean, s.listener_std),
        torch.full((len(dyads.audio),), attitude),
    )
    motion: FloatArray = output.numpy() * s.listener_std + s.listener_mean
    return motion


def _average(distances: dict[str, dict[str, float]]) -> dict[str, float]:
    parts = next(iter(distances.values()))
    return {part: round(float(np.mean([row[part] for row in distances.values()])), 3) for part in parts}
