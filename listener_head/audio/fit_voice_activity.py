"""Fits the network of the voice activity on synthetic scenes, scores it on others and writes its weights.

``python -m listener_head.audio.fit_voice_activity`` (needs torch), again when the cues change. The scenes are
made of the voices at hand: with the optional package espeakng-loader of those of espeak-ng too.
"""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from rich.progress import track

from listener_head.audio.voice_activity import WEIGHTS_PATH
from listener_head.audio.voice_cues import SIZE, VoiceCues
from listener_head.audio.voice_scenes import NOISES, SAMPLE_RATE, Scene
from listener_head.audio.voice_scores import (
    FRAMES,
    RATIOS_DB,
    SPEECH,
    UNDECIDED,
    activity_of,
    scenes,
    score,
    truth_of,
)
from listener_head.timing import RATE_HZ

Array = NDArray[np.float64]

TRAINING_SEED, TRAINING_ROUNDS = 1, 10
HELD_OUT_SEED, HELD_OUT_ROUNDS = 2, 4
UNITS = 16
EPOCHS, BATCH, LEARNING_RATE, WEIGHT_DECAY = 40, 1024, 5e-3, 1e-3
_SCENES_A_ROUND = len(NOISES) * len(RATIOS_DB)


def cues_of(scene: Scene) -> Array:
    """Cues [T, 36] of every frame."""
    cues = VoiceCues(SAMPLE_RATE, RATE_HZ)
    ends = np.arange(FRAMES + 1) * SAMPLE_RATE // RATE_HZ
    return np.array([cues.step(scene.samples[a:b]) for a, b in pairwise(ends)])


def fit(cues: Array, speech: NDArray[np.bool_]) -> dict[str, Any]:
    """Weights of the network from frames [N, 36] and whether somebody speaks in them [N]."""
    torch.manual_seed(TRAINING_SEED)
    mean, scale = cues.mean(axis=0), cues.std(axis=0) + 1e-6
    inputs = torch.tensor((cues - mean) / scale, dtype=torch.float32)
    wanted = torch.tensor(speech, dtype=torch.float32)
    hidden, output = torch.nn.Linear(SIZE, UNITS), torch.nn.Linear(UNITS, 1)
    network = torch.nn.Sequential(hidden, torch.nn.Tanh(), output, torch.nn.Flatten(0))
    optimizer = torch.optim.AdamW(network.parameters(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    steps = EPOCHS * (len(inputs) // BATCH)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for _ in track(range(steps), "fitting"):
        chosen = torch.randint(len(inputs), (BATCH,))
        loss = torch.nn.functional.binary_cross_entropy_with_logits(network(inputs[chosen]), wanted[chosen])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    weights = hidden.weight.detach().double().numpy() / scale  # of raw cues
    bias = hidden.bias.detach().double().numpy() - weights @ mean
    return {
        "hidden": np.round(weights, 5).tolist(),
        "hidden_bias": np.round(bias, 5).tolist(),
        "output": np.round(output.weight.detach().double().numpy()[0], 5).tolist(),
        "output_bias": round(output.bias.item(), 5),
    }


def held_out_scores() -> dict[str, dict[str, float]]:
    """Scores of the written weights on new scenes: of all, of each noise and of each ratio."""
    groups: dict[str, list[tuple[NDArray[np.float32], NDArray[np.int8]]]] = {}
    total = HELD_OUT_ROUNDS * _SCENES_A_ROUND
    for scene in track(scenes(HELD_OUT_SEED, HELD_OUT_ROUNDS), "scoring", total=total):
        pair = (activity_of(scene), truth_of(scene))
        for group in ("all", f"noise {scene.noise}", f"{scene.snr_db:g} dB"):
            groups.setdefault(group, []).append(pair)
    return {
        group: score(*(np.concatenate(parts) for parts in zip(*pairs, strict=True)))
        for group, pairs in groups.items()
    }


def main() -> None:
    """Fit, write and score."""
    made = scenes(TRAINING_SEED, TRAINING_ROUNDS)
    total = TRAINING_ROUNDS * _SCENES_A_ROUND
    frames = [(cues_of(scene), truth_of(scene)) for scene in track(made, "hearing", total=total)]
    cues, truth = (np.concatenate(parts) for parts in zip(*frames, strict=True))
    decided = truth != UNDECIDED
    table = fit(cues[decided], truth[decided] == SPEECH)
    WEIGHTS_PATH.write_text(json.dumps(table) + "\n")
    table["held_out"] = held_out_scores()
    WEIGHTS_PATH.write_text(json.dumps(table) + "\n")
    for group, scores in table["held_out"].items():
        print(f"{group:16s}", "  ".join(f"{name} {value:.3f}" for name, value in scores.items()))


if __name__ == "__main__":
    main()
