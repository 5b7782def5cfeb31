"""k-means that takes any points."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.vq import kmeans2

_ROUNDS = 25


def cluster(
    points: NDArray[np.float32], count: int, rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Centres [C, D] and the label [N] of each point [N, D]; at most ``count`` clusters, none empty."""
    different = len(np.unique(points, axis=0))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="One of the clusters is empty")
        centres, labels = kmeans2(points, min(count, different), _ROUNDS, minit="++", rng=rng)
    found, labels = np.unique(labels, return_inverse=True)
    return centres[found], labels
