"""What is measured of some listeners against the true ones, in a set of dyads or in a recording."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

import numpy as np
from numpy.typing import NDArray

from listener_head.coefficients import Layout
from listener_head.dyads.clips import DyadClip
from listener_head.evaluation.dyads.metrics import (
    CLUSTERS,
    Diversity,
    feature_distance,
    frechet_distance,
    mean_squared_error,
    paired_frechet_distance,
    part_of,
    residual_correlation,
    variance,
)
from listener_head.evaluation.dyads.responsiveness import Controls, long_enough

FloatArray = NDArray[np.float32]
BoolArray = NDArray[np.bool_]
Row = dict[str, float]

# The name that the true listener has among the policies.
TRUTH = "truth"


class Judge:
    """Some clips, with what is the same for all policies: their motions [T − 1, M] are for frames 1 to T − 1.

    ``counted`` [T − 1] of each clip says in which frames the true listener was seen, by default in all; the
    others are no part of distances and measures. Every clip needs at least one that is.
    """

    def __init__(
        self,
        clips: Sequence[DyadClip],
        layout: Layout,
        seed: int,
        counted: Sequence[BoolArray] | None = None,
    ) -> None:
        self._clips, self._layout = clips, layout
        self._counted = counted or [np.ones(len(clip) - 1, bool) for clip in clips]
        self._truth = {name: self._parts([c.listener[1:] for c in clips], name) for name in CLUSTERS}
        # Frame by frame, as it stands beside the listener's.
        self._speaker = {name: self._parts([c.speaker[1:] for c in clips], name) for name in CLUSTERS}
        self._diversity = {
            name: Diversity(self._truth[name], count, seed) for name, count in CLUSTERS.items()
        }
        self.groups = {
            attitude: [number for number, clip in enumerate(clips) if clip.attitude == attitude]
            for attitude in dict.fromkeys(clip.attitude for clip in clips if clip.attitude)
        }
        self.groups["all"] = list(range(len(clips)))
        chosen = {id(clip) for clip in long_enough(clips)}
        self._long = [number for number, clip in enumerate(clips) if id(clip) in chosen]
        self.controls = Controls([clips[i] for i in self._long], layout, seed) if self._long else None

    def _seen(self, motions: Sequence[FloatArray]) -> list[FloatArray]:
        return [motion[counted] for motion, counted in zip(motions, self._counted, strict=True)]

    def _parts(self, motions: Sequence[FloatArray], name: str) -> list[NDArray[np.floating]]:
        return [part_of(motion, self._layout, name) for motion in self._seen(motions)]

    def distances(self, motions: Sequence[FloatArray]) -> dict[str, Row]:
        """FD × 100 of each attitude, and the average over clips as in the paper."""
        truth = self._seen([clip.listener[1:] for clip in self._clips])
        own = [
            feature_distance(motion, true, self._layout)
            for motion, true in zip(self._seen(motions), truth, strict=True)
        ]
        return {
            "average" if group == "all" else group: mean_row([own[i] for i in members])
            for group, members in self.groups.items()
        }

    def measures(self, motions: Sequence[FloatArray]) -> dict[str, Row]:
        """The measures of later work of expression and pose; those of single clips averaged over clips."""
        rows = {}
        for name in CLUSTERS:
            parts, truth, speaker = self._parts(motions, name), self._truth[name], self._speaker[name]
            rows[name] = mean_row(
                [
                    {
                        "frechet_distance": frechet_distance(own, true),
                        "paired_frechet_distance": paired_frechet_distance(own, true, seen),
                        "mean_squared_error": mean_squared_error(own, true),
                        "variance": variance(own),
                    }
                    for own, true, seen in zip(parts, truth, speaker, strict=True)
                ]
            )
            rows[name]["shannon_index"] = self._diversity[name].index(parts)
            rows[name]["residual_correlation"] = residual_correlation(parts, truth, speaker)
        return rows

    def responsiveness(self, motions: Sequence[FloatArray]) -> dict[str, Row]:
        """Both gains over shifted speakers on the clips of a minute or more."""
        assert self.controls is not None
        chosen = [motions[i] for i in self._long]
        return {
            "responsiveness": asdict(self.controls.responsiveness(chosen)),
            "granger": asdict(self.controls.granger(chosen)),
        }


def mean_row(rows: Sequence[Row]) -> Row:
    """The mean of rows that have the same numbers."""
    return {key: float(np.mean([row[key] for row in rows])) for key in rows[0]}
