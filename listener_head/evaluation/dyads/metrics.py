"""Distances between generated and true listeners, and what later work measures beside them.

The paper (Zhou et al., "Responsive Listening Head Generation", ECCV 2022) has the feature distance. Fréchet
distance, paired Fréchet distance, variation and Shannon index of listeners come from Ng et al., "Learning to
Listen" (CVPR 2022); their form here, with the numbers of clusters and the residual correlation, is that of
Tran et al., "Dyadic Interaction Modeling for Social Behavior Generation" (ECCV 2024). A head that ignores its
speaker can do well by all of them: see `listener_head.evaluation.dyads.responsiveness`.

A clip here is a motion [T, D] in raw units; lists of clips are in the same order.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.vq import vq

from listener_head.coefficients import Layout
from listener_head.policies.clusters import cluster

FloatArray = NDArray[np.float32]
Motion = NDArray[np.floating]

# Clusters of the Shannon index (Tran et al.).
CLUSTERS = {"expression": 40, "pose": 20}
# Frames that the clusters are made of are drawn from a larger set.
_MOST_FRAMES = 20_000


def feature_distance(predicted: Motion, truth: Motion, layout: Layout) -> dict[str, float]:
    """The paper's FD × 100: mean absolute difference of [..., M] in raw units, by part of the motion."""
    error = 100 * np.abs(predicted - truth)
    parts = {"rotation": layout.rotation, "expression": layout.expression, "translation": layout.translation}
    return {name: float(error[..., part].mean(dtype=np.float64)) for name, part in parts.items()}


def part_of(motion: Motion, layout: Layout, name: str) -> Motion:
    """``expression`` [T, E] or ``pose`` [T, 6] (rotation, translation: the paper's p) of a motion [T, M]."""
    if name == "expression":
        return motion[:, layout.expression]
    return np.hstack([motion[:, layout.rotation], motion[:, layout.translation]])


def frechet_distance(one: Motion, other: Motion) -> float:
    """Fréchet distance between the normal distributions of the frames of two clips [T, D].

    |μ₁ − μ₂|² + tr(Σ₁ + Σ₂ − 2 (Σ₁Σ₂)^½), Dowson and Landau (1982). tr (Σ₁Σ₂)^½ is the nuclear norm of
    Σ₁^½ Σ₂^½, which needs no inverse: short clips with singular covariances are no special case.
    """
    mean_one, root_one = _normal(one)
    mean_other, root_other = _normal(other)
    common = np.linalg.svd(root_one @ root_other, compute_uv=False).sum()
    spread = np.square(root_one).sum() + np.square(root_other).sum() - 2 * common
    return float(np.square(mean_one - mean_other).sum() + max(spread, 0.0))


def paired_frechet_distance(predicted: Motion, truth: Motion, speaker: Motion) -> float:
    """Fréchet distance between the frames [speaker, predicted] and [speaker, truth], each clip [T, D]."""
    return frechet_distance(np.hstack([speaker, predicted]), np.hstack([speaker, truth]))


def _normal(clip: Motion) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and symmetric root of the covariance, which is zero for a single frame."""
    frames = np.asarray(clip, np.float64)
    mean = frames.mean(axis=0)
    centred = frames - mean
    values, vectors = np.linalg.eigh(centred.T @ centred / max(len(frames) - 1, 1))
    return mean, (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T


def mean_squared_error(predicted: Motion, truth: Motion) -> float:
    """Mean of the squared differences."""
    return float(np.square(predicted - truth).mean(dtype=np.float64))


def variance(clip: Motion) -> float:
    """Variance over time of a clip [T, D], mean over its numbers."""
    return float(clip.var(axis=0, dtype=np.float64).mean())


def residual_correlation(
    predicted: Sequence[Motion], truth: Sequence[Motion], speaker: Sequence[Motion]
) -> float:
    """|PCC(truth, speaker) − PCC(predicted, speaker)|, each over all numbers of all frames of all clips."""
    seen = np.concatenate(speaker).ravel()
    return abs(_correlation(np.concatenate(truth), seen) - _correlation(np.concatenate(predicted), seen))


def _correlation(values: Motion, others: Motion) -> float:
    """Pearson's correlation; zero where one of them does not vary."""
    one = np.asarray(values, np.float64).ravel()
    one, other = one - one.mean(), np.asarray(others, np.float64) - others.mean(dtype=np.float64)
    scale = np.sqrt((one @ one) * (other @ other))
    return float(one @ other / scale) if scale > 0 else 0.0


class Diversity:
    """Shannon index for diversity (SID): entropy [bits] of the clusters in which a listener's frames fall.

    The clusters (k-means) are those of the true listeners; a listener that shows all that they do, as often,
    has their entropy, one that keeps still has zero.
    """

    def __init__(self, truth: Sequence[Motion], clusters: int, seed: int = 0) -> None:
        rng = np.random.default_rng(seed)
        frames = np.concatenate(truth).astype(np.float32)
        if len(frames) > _MOST_FRAMES:
            frames = frames[rng.choice(len(frames), _MOST_FRAMES, replace=False)]
        self._centres, _ = cluster(frames, clusters, rng)

    def index(self, clips: Sequence[Motion]) -> float:
        """The index of clips [T, D]."""
        labels, _ = vq(np.concatenate(clips).astype(np.float32), self._centres, check_finite=False)
        share = np.bincount(labels) / len(labels)
        share = share[share > 0]
        return float(abs(share @ np.log2(share)))
