"""What the network does with only a part of the speaker (the paper's Fig. 8), without being trained anew.

The part that is left out is replaced: sound by silence, the face by the training speakers' mean.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from listener_head.coefficients import Layout
from listener_head.dyads.clips import DyadClip
from listener_head.evaluation.dyads.generation import respond_all
from listener_head.evaluation.dyads.metrics import feature_distance, part_of, variance
from listener_head.policies.policy import Policy

FloatArray = NDArray[np.float32]

# Name of the input: whether the network hears and whether it sees.
INPUTS = {"sound and face": (True, True), "sound only": (True, False), "face only": (False, True)}


def ablate(
    network: Policy, clips: Sequence[DyadClip], progress: Callable[[], None]
) -> dict[str, dict[str, float]]:
    """By input: FD × 100 of each part, variance over time of expression and pose; means over the clips.

    ``progress`` is called after every clip of every input.
    """
    layout = network.layout
    rows = {}
    for name, (hears, sees) in INPUTS.items():
        motions = respond_all(network, clips, progress, hears, sees)
        scores = [_scores(motion, clip, layout) for motion, clip in zip(motions, clips, strict=True)]
        rows[name] = {key: float(np.mean([score[key] for score in scores])) for key in scores[0]}
    return rows


def _scores(motion: FloatArray, clip: DyadClip, layout: Layout) -> dict[str, float]:
    varied = {f"{name}_variance": variance(part_of(motion, layout, name)) for name in ("expression", "pose")}
    return feature_distance(motion, clip.listener[1:], layout) | varied
