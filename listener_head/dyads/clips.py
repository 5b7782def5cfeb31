"""Dyads as clips: what a listener was given and what it did, however they were come by.

The synthetic generator (`listener_head.dyads.sets`) and recordings of people in ViCo's layout
(`listener_head.dyads.vico`) both give these; training and evaluation take nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from listener_head.coefficients import Layout
from listener_head.errors import UserError

FloatArray = NDArray[np.float32]

ATTITUDES = ("positive", "neutral", "negative")
# The paper's parts of a set (section 4): the identities of D_test all occur in D_train, those of D_ood never.
SPLITS = ("train", "test", "ood")


def _unknown() -> FloatArray:
    return np.zeros(0, np.float32)


@dataclass(frozen=True)
class DyadClip:
    """One speaker and one listener over T frames at 30 a second, raw units: row k is frame k.

    ``audio`` [T, A], ``speaker`` [T, M] and ``listener`` [T, M] float32; the listener's first row is its
    reference motion m₁ (paper, section 3). ``attitude`` is one of ATTITUDES, or empty where nobody said,
    and ``split`` one of SPLITS, or empty. Speaker and listener ids are of one kind: the same id is the same
    person in either role. ``video_id`` names the recording that the clip is from.

    The rest is empty where nobody knows: ``speaker_identity`` and ``listener_identity`` [I] are the face
    model's, ``voice_activity`` [T] is 0 to 1.
    """

    name: str
    audio: FloatArray
    speaker: FloatArray
    listener: FloatArray
    attitude: str
    speaker_id: str
    listener_id: str
    split: str
    video_id: str = ""
    speaker_identity: FloatArray = field(default_factory=_unknown)
    listener_identity: FloatArray = field(default_factory=_unknown)
    voice_activity: FloatArray = field(default_factory=_unknown)

    def __len__(self) -> int:
        return len(self.listener)

    @property
    def identities(self) -> frozenset[str]:
        """Who is in it."""
        return frozenset((self.speaker_id, self.listener_id))

    def part(self, start: int, stop: int) -> DyadClip:
        """The frames from ``start`` to before ``stop``; its arrays are views of these."""
        frames = slice(start, stop)
        return replace(
            self,
            audio=self.audio[frames],
            speaker=self.speaker[frames],
            listener=self.listener[frames],
            voice_activity=self.voice_activity[frames],
        )


@dataclass(frozen=True)
class DyadClips:
    """Clips of one face model and one layout of sound; ``skipped`` says what was left out and why."""

    layout: Layout
    audio_layout: str
    clips: tuple[DyadClip, ...]
    skipped: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.clips)

    def __iter__(self) -> Iterator[DyadClip]:
        return iter(self.clips)

    def of(self, split: str = "", attitude: str = "") -> DyadClips:
        """The clips of a split and an attitude; an empty name takes all. UserError for an unknown one."""
        for what, name, known in (("split", split, SPLITS), ("attitude", attitude, ATTITUDES)):
            if name and name not in known:
                raise UserError(f"{what} '{name}' is unknown; choose one of {', '.join(known)}")
        chosen = tuple(
            clip for clip in self.clips if split in ("", clip.split) and attitude in ("", clip.attitude)
        )
        return DyadClips(self.layout, self.audio_layout, chosen)


def windows(clips: DyadClips, length: int, hop: int) -> Iterator[DyadClip]:
    """Parts of ``length`` frames that begin every ``hop`` frames; the last one of a clip ends with it.

    A clip no longer than ``length`` is given whole, as in the baseline. UserError when ``length`` is below
    2 or ``hop`` below 1.
    """
    if length < 2 or hop < 1:
        raise UserError(
            f"windows of {length} frames every {hop} frames are impossible; give at least 2 and 1"
        )
    for clip in clips:
        last = max(len(clip) - length, 0)
        for start in dict.fromkeys([*range(0, last, hop), last]):
            yield clip.part(start, start + length)
