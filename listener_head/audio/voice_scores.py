"""How well the voice activity agrees with the truth of synthetic scenes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import rankdata

from listener_head.audio.stream import FeatureStream
from listener_head.audio.voice_scenes import NOISES, SAMPLE_RATE, SECONDS, Scene, make_scene
from listener_head.timing import RATE_HZ

RATIOS_DB = (30.0, 20.0, 10.0, 5.0)  # signal to noise
FRAMES = round(SECONDS * RATE_HZ)  # of a scene
# Frames this long after a stretch of speech [s] count neither way: echo and hangover.
UNDECIDED_TIME = 0.3
SPEECH, NONE, UNDECIDED = 1, 0, -1


def scenes(seed: int, rounds: int) -> Iterator[Scene]:
    """``rounds`` scenes of every noise at every ratio; the same seed makes the same scenes."""
    for number in range(rounds):
        for place, noise in enumerate(NOISES):
            for ratio in RATIOS_DB:
                yield make_scene(np.random.default_rng([seed, number, place, int(ratio)]), noise, ratio)


def truth_of(scene: Scene) -> NDArray[np.int8]:
    """SPEECH, NONE or UNDECIDED for every frame [T], by the middle of its 1/30 s."""
    middle = (np.arange(FRAMES) + 0.5) / RATE_HZ
    truth = np.full(FRAMES, NONE, np.int8)
    for _, end in scene.speech:
        truth[(middle > end) & (middle <= end + UNDECIDED_TIME)] = UNDECIDED
    for begin, end in scene.speech:
        truth[(middle >= begin) & (middle <= end)] = SPEECH
    return truth


def activity_of(scene: Scene) -> NDArray[np.float32]:
    """Voice activity of every frame [T]."""
    # The first frame of paper45 ends where the scene begins.
    frames = FeatureStream(SAMPLE_RATE).push_frames(np.append(scene.samples, 0.0))
    return frames.voice_activity[1 : FRAMES + 1]


def score(activity: ArrayLike, truth: ArrayLike) -> dict[str, float]:
    """Scores of the activity [N] against the truth [N].

    ``auc`` is the area under the receiver operating characteristic. At the threshold 0.5: ``f1``, the share
    of frames without speech that are taken for it (``false_alarms``) and of speech that is not (``misses``).
    Both must occur in the truth.
    """
    decided = np.asarray(truth) != UNDECIDED
    values, speech = np.asarray(activity)[decided], np.asarray(truth)[decided] == SPEECH
    active, count = values > 0.5, int(speech.sum())
    others = len(speech) - count
    area = (rankdata(values)[speech].sum() - count * (count + 1) / 2) / (count * others)
    found = int((active & speech).sum())
    results = {
        "auc": area,
        "f1": 2 * found / (int(active.sum()) + count),
        "false_alarms": int((active & ~speech).sum()) / others,
        "misses": 1.0 - found / count,
    }
    return {name: round(float(value), 4) for name, value in results.items()}
