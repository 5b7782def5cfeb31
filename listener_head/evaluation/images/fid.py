"""Fréchet Inception distance (Heusel et al., 2017) between many pictures and many others, by torchmetrics."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from listener_head.errors import UserError

if TYPE_CHECKING:
    from torch import Tensor

WEIGHTS_FILE = "pt_inception-2015-12-05-6726825d.pth"
WEIGHTS_URL = f"https://github.com/mseitzer/pytorch-fid/releases/download/fid_weights/{WEIGHTS_FILE}"
LEAST_PICTURES = 2  # of which there is a covariance


class FrechetInception:
    """Distances of groups of clips, from one pass over the pictures.

    ``weights`` is the published file of `inception.load_inception`. Raises UserError when a package is not
    installed, and for a file that is missing or not what it should be.
    """

    def __init__(self, weights: Path) -> None:
        for package in ("torch", "torchmetrics"):
            if find_spec(package) is None:
                raise UserError(
                    f"FID needs the package '{package}'; install listener_head with its extras: "
                    "pip install 'listener_head[train,evaluation]', or leave out --inception"
                )
        from listener_head.evaluation.images.inception import load_inception

        self._network = load_inception(weights)
        # Features of the generated and of the true pictures, 8 kB each.
        self._groups: dict[str, tuple[list[Tensor], list[Tensor]]] = {}

    def add(self, groups: Iterable[str], generated: NDArray[np.uint8], truth: NDArray[np.uint8]) -> None:
        """Count pictures [N, H, W, 3] RGB in each of the groups."""
        ours, theirs = self._network.features(generated), self._network.features(truth)
        for name in groups:
            group = self._groups.setdefault(name, ([], []))
            group[0].append(ours)
            group[1].append(theirs)

    def distance(self, group: str) -> float | None:
        """FID of a group; None with fewer than LEAST_PICTURES pictures."""
        import torch

        ours, theirs = (torch.cat(features).double() for features in self._groups[group])
        if min(len(ours), len(theirs)) < LEAST_PICTURES:
            return None
        if len(ours) + len(theirs) < ours.shape[1]:
            # In the axes of the space that they span the distance is the same and takes much less time.
            axes = torch.linalg.qr(torch.cat([ours, theirs]).T).Q
            ours, theirs = ours @ axes, theirs @ axes
        return _frechet_distance(ours, theirs)


def _frechet_distance(ours: Tensor, theirs: Tensor) -> float:
    from torch import nn
    from torchmetrics.image.fid import FrechetInceptionDistance

    # The features are there already; of its "pictures" the metric wants to know how many they are.
    metric = FrechetInceptionDistance(feature=nn.Identity(), input_img_size=(1, 1, ours.shape[1]))
    metric.update(ours, real=False)
    metric.update(theirs, real=True)
    # Rounding makes the distance of a set to itself a little less than zero.
    return max(0.0, float(metric.compute()))
