"""Clips of any length as batches of standardised sequences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from listener_head.audio.paper45 import Paper45
from listener_head.coefficients import Layout
from listener_head.dyads.clips import DyadClip
from listener_head.listener.export import Statistics
from listener_head.timing import RATE_HZ

FloatArray = NDArray[np.float32]

# No feature counts as stiller than this: noise of a number that hardly moves is not worth learning.
_LEAST_EXPRESSION_STD, _LEAST_ROTATION_STD, _LEAST_TRANSLATION_STD, _LEAST_STD = 0.03, 0.01, 0.005, 1e-3
# Which audio feature tells silence from sound: the logarithm of energy.
_ENERGY = {"paper45": Paper45.energy, "vico45": 0}
# A listener that begins in another attitude passes into its own within this time [frames].
_PASSAGE = RATE_HZ


def measure(clips: Sequence[DyadClip], layout: Layout, audio_layout: str) -> Statistics:
    """Mean and standard deviation of sound, speaker and listener over all frames, and the mean silence."""
    least = np.full(layout.size, _LEAST_STD, np.float32)
    least[layout.rotation] = _LEAST_ROTATION_STD
    least[layout.expression] = _LEAST_EXPRESSION_STD
    least[layout.translation] = _LEAST_TRANSLATION_STD
    audio, speaker, listener = (
        np.concatenate([getattr(clip, name) for clip in clips]) for name in ("audio", "speaker", "listener")
    )
    return Statistics(
        audio_mean=audio.mean(axis=0),
        audio_std=np.maximum(audio.std(axis=0), _LEAST_STD),
        speaker_mean=speaker.mean(axis=0),
        speaker_std=np.maximum(speaker.std(axis=0), least),
        listener_mean=listener.mean(axis=0),
        listener_std=np.maximum(listener.std(axis=0), least),
        quiet_audio=np.concatenate([_quietest(clip.audio, audio_layout) for clip in clips]).mean(axis=0),
    )


def _quietest(audio: FloatArray, audio_layout: str) -> FloatArray:
    """The quietest tenth of a clip's frames."""
    energy = audio[:, _ENERGY[audio_layout]]
    quiet: FloatArray = audio[energy <= np.quantile(energy, 0.1)]
    return quiet


@dataclass(frozen=True)
class Batch:
    """B sequences of T frames, standardised: the network makes ``truth`` of ``audio`` and ``speaker``.

    ``audio`` [B, T, A] and ``speaker`` [B, T, M] are of frames t, ``truth`` [B, T, M] of frames t + 1,
    ``reference`` [B, M] is the motion of the first t. ``present`` [B, T] is 1 up to the end of a sequence and
    then 0. ``attitude`` int64 [B], or None.
    """

    audio: Tensor
    speaker: Tensor
    truth: Tensor
    present: Tensor
    reference: Tensor
    attitude: Tensor | None

    def windows(self, length: int) -> Iterator[Batch]:
        """The batch in pieces of ``length`` frames, one after another."""
        parts = (part.split(length, dim=1) for part in (self.audio, self.speaker, self.truth, self.present))
        for audio, speaker, truth, present in zip(*parts, strict=True):
            yield Batch(audio, speaker, truth, present, self.reference, self.attitude)


class Batcher:
    """Makes batches of clips."""

    def __init__(
        self, clips: Sequence[DyadClip], layout: Layout, attitudes: Sequence[str], statistics: Statistics
    ) -> None:
        self._clips, self._attitudes, self._statistics = clips, attitudes, statistics
        self._others = [_other_attitudes(clip, clips) for clip in clips]
        # Where each listener sits and how it holds its head: its mean motion without the expression.
        self._seats = np.stack([clip.listener.mean(axis=0) for clip in clips])
        self._seats[:, layout.expression] = 0

    def whole(self, size: int) -> Iterator[tuple[Sequence[DyadClip], Batch]]:
        """All clips from beginning to end, ``size`` at once."""
        for first in range(0, len(self._clips), size):
            clips = self._clips[first : first + size]
            yield clips, self._batch(clips, [clip.listener for clip in clips])

    def drawn(
        self, rng: np.random.Generator, size: int, longest: int, rank: int = 0, processes: int = 1
    ) -> Iterator[Batch]:
        """An epoch: parts of at most ``longest`` frames of all clips, in random order, ``size`` at once.

        A clip is drawn as often as parts of that length fit into it. Of ``processes`` with equal ``rng`` each
        gets its share of every batch, padded to the same length.
        """
        times = [max(1, round(len(clip) / longest)) for clip in self._clips]
        order = rng.permutation(np.repeat(np.arange(len(self._clips)), times))
        for chosen in np.array_split(order, max(1, len(order) // size)):
            drawn = [self._draw(index, longest + 1, rng) for index in chosen]
            frames = max(len(clip) for clip, _ in drawn) - 1
            clips, motions = zip(*drawn[rank::processes], strict=True)
            yield self._batch(clips, motions, frames)

    def _draw(self, index: int, longest: int, rng: np.random.Generator) -> tuple[DyadClip, FloatArray]:
        """A part of a clip, and its listener's motion, begun as the product begins.

        A third is from the beginning of the clip, a third from its midst; in the last third the listener
        comes from the motion of another attitude, where it has shown one in another clip.
        """
        clip, beginning = self._clips[index], rng.integers(3)
        length = min(len(clip), longest)
        start = 0 if beginning == 0 else int(rng.integers(len(clip) - length + 1))
        part = clip.part(start, start + length)
        others = self._others[index]
        if beginning < 2 or not others:
            return part, part.listener
        other = others[rng.integers(len(others))]
        before = self._clips[other].listener + (self._seats[index] - self._seats[other])
        first = int(rng.integers(len(before)))
        return part, _passing(before[first : first + _PASSAGE], part.listener)

    def _batch(
        self, clips: Sequence[DyadClip], motions: Sequence[FloatArray], frames: int | None = None
    ) -> Batch:
        s = self._statistics
        audio = [_standardised(clip.audio[:-1], s.audio_mean, s.audio_std) for clip in clips]
        speaker = [_standardised(clip.speaker[:-1], s.speaker_mean, s.speaker_std) for clip in clips]
        listener = [_standardised(motion, s.listener_mean, s.listener_std) for motion in motions]
        attitudes = [self._attitudes.index(clip.attitude) for clip in clips if clip.attitude]
        return Batch(
            _padded(audio, frames),
            _padded(speaker, frames),
            _padded([motion[1:] for motion in listener], frames),
            _padded([torch.ones(len(motion) - 1) for motion in motions], frames),
            torch.stack([motion[0] for motion in listener]),
            torch.tensor(attitudes) if attitudes else None,
        )


def _other_attitudes(clip: DyadClip, clips: Sequence[DyadClip]) -> list[int]:
    """The clips in which the same listener has another attitude."""
    return [
        index
        for index, other in enumerate(clips)
        if other.listener_id == clip.listener_id and other.attitude != clip.attitude
    ]


def _passing(before: FloatArray, motion: FloatArray) -> FloatArray:
    """``motion`` [T, M] with a beginning that comes smoothly from ``before``."""
    count = min(len(before), len(motion))
    phase = (np.arange(count, dtype=np.float32) / _PASSAGE)[:, None]
    weight = phase * phase * (3 - 2 * phase)
    passing = motion.copy()
    passing[:count] = before[:count] + weight * (motion[:count] - before[:count])
    return passing


def _standardised(values: FloatArray, mean: FloatArray, std: FloatArray) -> Tensor:
    return torch.from_numpy((values - mean) / std)


def _padded(sequences: list[Tensor], frames: int | None) -> Tensor:
    """[B, T, ...] with zeros after the end of each; T is ``frames`` or the longest one's."""
    padded: Tensor = pad_sequence(sequences, batch_first=True)
    missing = 0 if frames is None else frames - padded.shape[1]
    if missing:
        zeros = padded.new_zeros(len(padded), missing, *padded.shape[2:])
        padded = torch.cat([padded, zeros], dim=1)
    return padded
