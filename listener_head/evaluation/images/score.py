"""Clips scored picture by picture and put together by split and attitude, as in the paper's Table 3."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import zip_longest

import numpy as np
from numpy.typing import NDArray

from listener_head.dyads.clips import ATTITUDES, SPLITS
from listener_head.errors import UserError
from listener_head.evaluation.images.clips import Pair, count_pictures, read_pictures
from listener_head.evaluation.images.cpbd import BLOCK, cpbd
from listener_head.evaluation.images.fid import FrechetInception
from listener_head.evaluation.images.labels import Label
from listener_head.evaluation.images.similarity import peak_signal_to_noise, structural_similarity

AVERAGE = "average"  # of all pictures of a split, as the paper's
_BATCH = 16  # pictures that Inception sees at once

Pixels = NDArray[np.uint8]
Group = tuple[str, str]  # split, attitude


@dataclass(frozen=True)
class Scores:
    """Means over the pictures of some clips; ``fid`` is of all of them together, None when not asked for."""

    clips: int
    pictures: int
    fid: float | None
    ssim: float
    psnr_db: float
    cpbd: float

    def as_json(self) -> dict[str, float | None]:
        """By name."""
        return asdict(self)


def score(
    pairs: Sequence[Pair],
    labels: Mapping[str, Label],
    inception: FrechetInception | None,
    report: Callable[[int, int], None],
) -> dict[Group, Scores]:
    """Scores for each split and attitude that occurs, and for AVERAGE, in the paper's order.

    Clips without a label count in the average alone. ``report`` is told clips done, of how many.

    Raises UserError that names the clip when its pictures and the true ones differ in size or number, or are
    too small.
    """
    for pair in pairs:  # at once, not after an hour
        _check_lengths(pair, count_pictures(pair.generated), count_pictures(pair.truth))
    rows: dict[Group, list[NDArray[np.float64]]] = {}
    for done, pair in enumerate(pairs):
        report(done, len(pairs))
        label = labels.get(pair.name, Label())
        groups = [(label.split, name) for name in (label.attitude, AVERAGE) if name]
        values = []
        for generated, truth in _batches(pair):
            values += [
                (structural_similarity(a, b), peak_signal_to_noise(a, b), cpbd(a))
                for a, b in zip(generated, truth, strict=True)
            ]
            if inception is not None:
                inception.add(map("/".join, groups), generated, truth)
        for group in groups:
            rows.setdefault(group, []).append(np.array(values))
    report(len(pairs), len(pairs))
    ordered = sorted(rows, key=_paper_order)
    return {group: _scores(group, rows[group], inception) for group in ordered}


def _scores(group: Group, clips: list[NDArray[np.float64]], inception: FrechetInception | None) -> Scores:
    pictures = np.concatenate(clips)
    distance = inception.distance("/".join(group)) if inception is not None else None
    ssim, psnr, sharpness = pictures.mean(axis=0).tolist()
    return Scores(len(clips), len(pictures), distance, ssim, psnr, sharpness)


def _paper_order(group: Group) -> tuple[int, int]:
    split, attitude = group
    return ["", *SPLITS].index(split), [*ATTITUDES, AVERAGE].index(attitude)


def _batches(pair: Pair) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.uint8]]]:
    """Generated and true pictures [N, H, W, 3], a few at a time."""
    ours: list[Pixels] = []
    theirs: list[Pixels] = []
    size: tuple[int, ...] | None = None
    count = 0
    for generated, truth in zip_longest(read_pictures(pair.generated), read_pictures(pair.truth)):
        if generated is None or truth is None:
            raise _ends_early(pair, count)
        size = size or truth.shape
        _check_sizes(pair, count, generated, truth, size)
        ours.append(generated)
        theirs.append(truth)
        count += 1
        if len(ours) == _BATCH:
            yield np.stack(ours), np.stack(theirs)
            ours, theirs = [], []
    if not count:
        raise UserError(f"'{pair.generated}' and '{pair.truth}' hold no picture that can be decoded")
    if ours:
        yield np.stack(ours), np.stack(theirs)


def _ends_early(pair: Pair, count: int) -> UserError:
    return UserError(
        f"one of '{pair.generated}' and '{pair.truth}' ends after {count} pictures, the other does not; "
        "give clips of equal length, from the same first picture and at the same rate"
    )


def _check_sizes(pair: Pair, number: int, ours: Pixels, theirs: Pixels, size: tuple[int, ...]) -> None:
    if ours.shape != theirs.shape or ours.shape != size:
        what = " and ".join(f"{each.shape[1]}x{each.shape[0]}" for each in (ours, theirs))
        raise UserError(
            f"clip '{pair.name}', picture {number}: generated and true are {what}, and the clip began with "
            f"{size[1]}x{size[0]}; give all pictures of a clip one size"
        )
    if min(size[:2]) < BLOCK:
        raise UserError(
            f"clip '{pair.name}' has pictures of {size[1]}x{size[0]}; at least {BLOCK} px are needed"
        )


def _check_lengths(pair: Pair, ours: int, theirs: int) -> None:
    """UserError when both lengths are known and differ."""
    if ours and theirs and ours != theirs:
        raise UserError(
            f"'{pair.generated}' has {ours} pictures and '{pair.truth}' has {theirs}; "
            "give clips of equal length, from the same first picture and at the same rate"
        )
