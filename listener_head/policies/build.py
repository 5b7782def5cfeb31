"""Makes policy data from training clips."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from listener_head.coefficients import Layout
from listener_head.dyads.clips import DyadClips
from listener_head.errors import UserError
from listener_head.policies.clusters import cluster
from listener_head.policies.data import PATTERN_FRAMES, Patterns, PolicyData

FloatArray = NDArray[np.float32]

# Windows begin every half of a pattern, and a set has at most so many patterns.
_PATTERN_COUNT = 12
# More windows than this make no better patterns.
_MOST_WINDOWS = 6000


def build_policy_data(training: DyadClips, seed: int = 0) -> PolicyData:
    """Statistics of training clips; clips with numbers that are not finite are passed over.

    UserError when no clip is as long as a pattern (2 s).
    """
    layout = training.layout
    usable = [
        clip
        for clip in training
        if len(clip) >= PATTERN_FRAMES
        and np.isfinite(clip.listener).all()
        and np.isfinite(clip.speaker).all()
    ]
    if not usable:
        raise UserError(
            f"the training part of the dyads has {len(training)} clips, none of 2 s or more; the baseline "
            "policies are made of its listeners: give a set with longer clips and the split 'train'"
        )
    rng = np.random.default_rng(seed)
    centred = np.concatenate([clip.listener - clip.listener.mean(axis=0) for clip in usable])
    deviation = centred.std(axis=0)
    mean, patterns = {}, {}
    for attitude in ("", *dict.fromkeys(clip.attitude for clip in usable if clip.attitude)):
        listeners = [clip.listener for clip in usable if attitude in ("", clip.attitude)]
        mean[attitude] = np.concatenate(listeners).mean(axis=0, dtype=np.float64).astype(np.float32)
        patterns[attitude] = _frequent_patterns(listeners, layout, deviation, rng)
    speaker_mean = np.concatenate([clip.speaker for clip in usable]).mean(axis=0, dtype=np.float64)
    return PolicyData(
        layout,
        training.audio_layout,
        usable[0].audio.shape[1],
        mean,
        patterns,
        deviation,
        speaker_mean.astype(np.float32),
    )


def _frequent_patterns(
    listeners: list[FloatArray], layout: Layout, deviation: FloatArray, rng: np.random.Generator
) -> Patterns:
    """Clusters (k-means) of all windows: of each the window nearest its centre, and its share."""
    windows = np.concatenate([_windows(motion, layout) for motion in listeners])
    if len(windows) > _MOST_WINDOWS:
        windows = windows[rng.choice(len(windows), _MOST_WINDOWS, replace=False)]
    moving = deviation > 1e-6
    points = (windows[:, :, moving] / deviation[moving]).reshape(len(windows), -1)
    points = np.hstack([points, np.zeros((len(points), 1), np.float32)])  # k-means needs a number at least
    centres, labels = cluster(points, _PATTERN_COUNT, rng)
    nearest = []
    for number, centre in enumerate(centres):
        members = np.flatnonzero(labels == number)
        distance = np.linalg.norm(points[members] - centre, axis=1)
        nearest.append(members[distance.argmin()])
    share = np.bincount(labels) / len(labels)
    return Patterns(windows[nearest], share.astype(np.float32))


def _windows(motion: FloatArray, layout: Layout) -> FloatArray:
    """All windows [W, PATTERN_FRAMES, M] of a clip [T, M], pose relative to the clip's mean."""
    relative = motion.copy()
    for pose in (layout.rotation, layout.translation):
        relative[:, pose] -= motion[:, pose].mean(axis=0)
    relative[:, layout.crop] = 0.0
    starts = range(0, len(motion) - PATTERN_FRAMES + 1, PATTERN_FRAMES // 2)
    return np.stack([relative[start : start + PATTERN_FRAMES] for start in starts])
