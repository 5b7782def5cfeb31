"""Rendered pictures beside those of the true listener: SSIM, PSNR, CPBD and FID of the paper's Table 3.

The portrait is the true listener's first picture with a face, whose coefficients are the reference m₁; all
of the true pictures are cut as the renderer cuts it. What comes later than it is compared, at every instant
at which the true listener was seen.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from listener_head.coefficients import Coefficients
from listener_head.errors import UserError
from listener_head.evaluation.images.cpbd import BLOCK, cpbd
from listener_head.evaluation.images.fid import FrechetInception
from listener_head.evaluation.images.similarity import (
    peak_signal_to_noise,
    require_scikit_image,
    structural_similarity,
)
from listener_head.evaluation.offline.data import FloatArray, Listened, Seen
from listener_head.evaluation.truth.framing import Framing, framing_of
from listener_head.evaluation.truth.grid import first_row, truth_at
from listener_head.progress import Report
from listener_head.render.factory import NEURAL, PORTRAIT, Renderer
from listener_head.rendering.encoder import Held, Pixels, Timed
from listener_head.rendering.renderers import Look

_BATCH = 4  # pictures that Inception sees at once; more are no faster on a processor
_GROUP = "recording"  # of Inception's


def compare_rendered(
    listened: Listened,
    truth: Seen,
    pictures: Iterable[Timed],
    look: Look,
    weights: Path | None = None,
    report: Report | None = None,
) -> dict[str, Any]:
    """Render what a listener did and compare it: ``ssim``, ``psnr_db``, ``cpbd``, ``fid`` and ``frames``.

    ``pictures`` are the true listener's (stamp [ns], RGB [H, W, 3]) in order of time, all of those that
    ``truth`` was fitted to. The portrait of ``look`` is left aside. ``fid`` is None without the ``weights``
    of Inception. One picture of either kind is held at a time.

    Raises UserError for the renderer head, a missing package, a true listener who is never seen or never at
    the same time, a first picture that is no portrait, and whatever the renderer and Inception refuse.
    """
    true = _TrueListener(look.renderer, truth, pictures)
    times = listened.stamp_ns
    with closing(_open(look, true.portrait, true.reference)) as renderer:
        drawn = _drawn(listened, renderer, true.start_ns)
        later = int((times > true.start_ns).sum())
        return _compare(drawn, later, true, weights, report)


def compare_recorded(
    recorded: Iterable[Timed],
    truth: Seen,
    pictures: Iterable[Timed],
    renderer: str,
    weights: Path | None = None,
    report: Report | None = None,
) -> dict[str, Any]:
    """As `compare_rendered`, of the pictures that ``renderer`` drew live, by their stamps.

    They show the true listener if the portrait of the live run was the first picture with a face, or one with
    the face at the same place.
    """
    true = _TrueListener(renderer, truth, pictures)
    later = (each for each in recorded if each[0] > true.start_ns)
    return _compare(later, 0, true, weights, report)


class _TrueListener:
    """The portrait, its motion and its stamp, and the pictures after it cut like it."""

    def __init__(self, renderer: str, truth: Seen, pictures: Iterable[Timed]) -> None:
        require_scikit_image()
        row = first_row(truth)
        self.start_ns, self.reference = int(truth.stamp_ns[row]), truth.motion[row]
        self._truth = truth
        later = (each for each in pictures if each[0] >= self.start_ns)
        first = next(later, None)
        if first is None or first[0] != self.start_ns:
            raise UserError(
                f"the true listener's pictures have none stamped {self.start_ns} ns, where the first face "
                "was fitted; give the pictures that were fitted"
            )
        self.portrait = first[1]
        self._framing: Framing = framing_of(renderer, self.portrait)
        self._pictures = chain([first], later)
        self._held: Held | None = None

    def at(self, time_ns: int, side: int) -> Pixels | None:
        """The picture [side, side, 3] at a time, None when the face was not seen; times must not go back."""
        if self._held is None:
            self._held = Held(self._pictures, lambda picture: self._framing(picture, side))
        picture = self._held.at(time_ns)
        _, seen = truth_at(self._truth, np.array([time_ns]))
        return picture if seen[0] else None


def _open(look: Look, portrait: Pixels, reference: FloatArray) -> Renderer:
    if look.renderer == PORTRAIT:
        from listener_head.render.portrait import PortraitRenderer  # loads the face tracker

        return PortraitRenderer(portrait, look.size, look.device, reference)
    from listener_head.render.neural import NeuralRenderer  # loads ONNX Runtime

    if look.network is None:
        raise UserError(f"renderer '{NEURAL}' needs --network: a file of 'listener_head import-checkpoint'")
    return NeuralRenderer(look.network, portrait, look.size, look.device)


def _drawn(listened: Listened, renderer: Renderer, start_ns: int) -> Iterator[Timed]:
    for stamp_ns, motion in zip(listened.stamp_ns.tolist(), listened.motion, strict=True):
        if stamp_ns > start_ns:
            yield stamp_ns, renderer.render(Coefficients.from_motion(listened.layout.face_model, motion))


def _compare(
    drawn: Iterable[Timed], total: int, true: _TrueListener, weights: Path | None, report: Report | None
) -> dict[str, Any]:
    scores = _Scores(FrechetInception(weights) if weights else None)
    for done, (stamp_ns, picture) in enumerate(drawn, start=1):
        side = picture.shape[0]
        if picture.shape != (side, side, 3) or side < BLOCK:
            raise UserError(
                f"pictures of {picture.shape[1]}x{side} cannot be compared with the true listener's; "
                f"square ones of at least {BLOCK} px are needed"
            )
        truth = true.at(stamp_ns, side)
        if truth is not None:
            scores.add(picture, truth)
        if report:
            report("comparing pictures", done, total or done)
    return scores.means()


class _Scores:
    """Means over pairs of pictures as they come."""

    def __init__(self, inception: FrechetInception | None) -> None:
        self._inception = inception
        self._values: list[tuple[float, float, float]] = []
        self._batch: list[tuple[Pixels, Pixels]] = []

    def add(self, picture: Pixels, truth: Pixels) -> None:
        """Compare a pair [S, S, 3] RGB."""
        alike, signal = structural_similarity(picture, truth), peak_signal_to_noise(picture, truth)
        self._values.append((alike, signal, cpbd(picture)))
        if self._inception is not None:
            self._batch.append((picture, truth))
            if len(self._batch) == _BATCH:
                self._look()

    def _look(self) -> None:
        assert self._inception is not None
        ours, theirs = (np.stack(pictures) for pictures in zip(*self._batch, strict=True))
        self._inception.add([_GROUP], ours, theirs)
        self._batch = []

    def means(self) -> dict[str, Any]:
        """By name; UserError when there was no pair."""
        if not self._values:
            raise UserError("the true listener was in view at none of the rendered pictures' times")
        if self._batch:
            self._look()
        ssim, psnr, sharpness = np.mean(self._values, axis=0).tolist()
        distance = None if self._inception is None else self._inception.distance(_GROUP)
        frames = len(self._values)
        return {"ssim": ssim, "psnr_db": psnr, "cpbd": sharpness, "fid": distance, "frames": frames}
