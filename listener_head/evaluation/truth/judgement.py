"""Policies beside the true listener of a recording: the paper's Table 2, later measures, responsiveness.

A recording is one clip: its frame 0 is the reference m₁, its frame k the instant of grid step k after it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from listener_head.dyads.clips import DyadClip
from listener_head.errors import UserError
from listener_head.evaluation.dyads.judge import TRUTH, Judge
from listener_head.evaluation.dyads.responsiveness import LEAST_CLIP_S
from listener_head.evaluation.offline.data import BoolArray, FloatArray, Listened, Seen
from listener_head.evaluation.truth.grid import reference_motion, truth_on_grid
from listener_head.timing import RATE_HZ

# Of fewer there is no variance.
LEAST_FRAMES = 2


def judge(listened: Mapping[str, Listened], truth: Seen, seed: int = 0) -> dict[str, Any]:
    """What policies by name did over the same steps, against the true listener.

    - ``distances``: FD × 100 by policy, of rotation, expression and translation;
    - ``measures``: by policy and ``truth``, of expression and pose, those of `evaluation.dyads.metrics`;
    - ``responsiveness``: by policy and ``truth``, both scores of `evaluation.dyads.responsiveness`; None when
      the true listener was seen for less than LEAST_CLIP_S;
    - ``frames``: how many were ``compared``, and how many not, for the true listener was ``unseen``.

    A step that was left out keeps the motion of the one before it. Frames without the true listener do not
    count in distances and measures; for responsiveness, whose controls all have the same, the last one seen
    stands there. The same input and seed give the same numbers.

    UserError when the true listener has another face model, or was seen in fewer than LEAST_FRAMES frames.
    """
    inputs = next(iter(listened.values()))
    if truth.layout != inputs.layout:
        raise UserError(
            f"the true listener is fitted with {truth.layout.face_model}, and the listener moves with "
            f"{inputs.layout.face_model}; fit the recording with the listener's face model"
        )
    indices = inputs.indices
    steps = np.arange(indices[0], indices[-1] + 1) if len(indices) else indices
    # The instant of the last step's motion has no speaker beside it.
    motion, seen = truth_on_grid(truth, steps[:-1])
    if seen.sum() < LEAST_FRAMES:
        raise UserError(
            f"the true listener was seen in {seen.sum()} of {len(seen)} frames, {LEAST_FRAMES} are needed; "
            "give a recording in which both people are in view at once"
        )
    begin, end = np.flatnonzero(seen)[[0, -1]] + (0, 1)
    span = slice(begin, end)
    clip = _clip(inputs, steps[begin : end + 1], _filled(motion[span], seen[span]), reference_motion(truth))
    one = Judge([clip], inputs.layout, seed, [seen[span]])
    motions = {name: _held(each, steps)[span] for name, each in listened.items()}
    motions[TRUTH] = clip.listener[1:]
    long = seen.sum() >= LEAST_CLIP_S * RATE_HZ
    return {
        "distances": {name: one.distances([motions[name]])["average"] for name in listened},
        "measures": {name: one.measures([each]) for name, each in motions.items()},
        "responsiveness": {name: one.responsiveness([each]) for name, each in motions.items()}
        if long
        else None,
        "frames": {"compared": int(seen.sum()), "unseen": int((~seen).sum())},
    }


def pool(results: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Means over recordings of what `judge` gave for each, as the paper's are over clips; frames are summed.

    All need the same policies. Responsiveness is that of the recordings that have it: also its percentile
    and z are then those of single recordings in the mean.
    """
    answered = [each["responsiveness"] for each in results if each["responsiveness"] is not None]
    return {
        "distances": _mean([each["distances"] for each in results]),
        "measures": _mean([each["measures"] for each in results]),
        "responsiveness": _mean(answered) if answered else None,
        "frames": {kind: sum(each["frames"][kind] for each in results) for kind in ("compared", "unseen")},
    }


def _mean(values: Sequence[Any]) -> Any:
    """The mean of numbers, or of each number in nested mappings that are alike."""
    if isinstance(values[0], Mapping):
        return {key: _mean([each[key] for each in values]) for key in values[0]}
    return float(np.mean(values))


def _clip(inputs: Listened, steps: NDArray[np.int64], truth: FloatArray, reference: FloatArray) -> DyadClip:
    """The recording over some steps [T], with the true listener [T - 1, M] after the first."""
    rows = _rows(inputs, steps)
    return DyadClip(
        name="recording",
        audio=inputs.audio[rows],
        speaker=inputs.speaker[rows],
        listener=np.concatenate([reference[None], truth]),
        attitude="",
        speaker_id="",
        listener_id="",
        split="",
    )


def _held(listened: Listened, steps: NDArray[np.int64]) -> FloatArray:
    """Motion [T - 1, M] for the instants of all steps [T] but the first."""
    return listened.motion[_rows(listened, steps[:-1])]


def _rows(listened: Listened, steps: NDArray[np.int64]) -> NDArray[np.intp]:
    """For each step its row, or that of the newest one before it."""
    return np.searchsorted(listened.indices, steps, side="right") - 1


def _filled(motion: FloatArray, seen: BoolArray) -> FloatArray:
    """The motion [T, M] with the last one that was seen where none is; the first one is."""
    newest = np.maximum.accumulate(np.where(seen, np.arange(len(seen)), 0))
    return motion[newest]
