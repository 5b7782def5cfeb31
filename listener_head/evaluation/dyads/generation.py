"""A policy's motion for the clips of a set."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from listener_head.dyads.clips import DyadClip
from listener_head.listener.batch import ListenerBatch
from listener_head.listener.runtime import Listener
from listener_head.policies.policy import Policy

FloatArray = NDArray[np.float32]

# So many listeners of a network are stepped at once at most; more gain little.
TOGETHER = 256
# Their signals are laid out for so many frames at a time: memory does not grow with the clips' length.
BLOCK_FRAMES = 90


def generate(
    policy: Policy,
    audio: FloatArray,
    speaker: FloatArray,
    reference: ArrayLike | None = None,
    attitude: str | None = None,
) -> FloatArray:
    """Motion [T, M] of a policy stepped through a whole clip: row k is the prediction for frame k + 1."""
    policy.reset(reference, attitude)
    return np.stack([policy.step(*frame) for frame in zip(audio, speaker, strict=True)])


def respond(policy: Policy, clip: DyadClip, hears: bool = True, sees: bool = True) -> FloatArray:
    """Motion [T − 1, M] for the frames 1 to T − 1 of a clip; its first frame is the reference m₁ (Eq. 3).

    A policy that does not hear gets silence, one that does not see a speaker who keeps the training mean. The
    clip's attitude is told to a policy that has attitudes.
    """
    audio, speaker = _signals(policy, clip, hears, sees)
    return generate(policy, audio, speaker, clip.listener[0], _attitude(policy, clip))


def respond_all(
    policy: Policy,
    clips: Sequence[DyadClip],
    answered: Callable[[], None],
    hears: bool = True,
    sees: bool = True,
) -> list[FloatArray]:
    """What `respond` gives for each of the clips, in their order; ``answered`` is called after each.

    Listeners of a network advance together: the same numbers up to rounding, in a fraction of the time.
    """
    if isinstance(policy, Listener):
        return _Crowd(policy, clips, hears, sees).answers(answered)
    motions = []
    for clip in clips:
        motions.append(respond(policy, clip, hears, sees))
        answered()
    return motions


class _Crowd:
    """Listeners of one network in a batch; whoever comes to the end of a clip gets the next one."""

    def __init__(self, policy: Listener, clips: Sequence[DyadClip], hears: bool, sees: bool) -> None:
        self._policy, self._clips = policy, clips
        self._signals = [_signals(policy, clip, hears, sees) for clip in clips]
        self._motions = [np.empty(speaker.shape, np.float32) for _, speaker in self._signals]
        lengths = [len(motion) for motion in self._motions]
        # No more than are busy to the end; the longest clips come first.
        self._batch = ListenerBatch(policy.path, min(TOGETHER, -(-sum(lengths) // max(lengths))))
        self._waiting = deque(sorted(range(len(clips)), key=lambda number: -lengths[number]))
        self._listening: dict[int, tuple[int, int]] = {}  # row of the batch: number of its clip, next frame
        rows = BLOCK_FRAMES, len(self._batch)
        self._audio = np.empty((*rows, len(policy.quiet_audio)), np.float32)
        self._speaker = np.empty((*rows, policy.layout.size), np.float32)
        self._moved = np.empty_like(self._speaker)

    def answers(self, answered: Callable[[], None]) -> list[FloatArray]:
        """Motion [T − 1, M] for each clip."""
        while self._waiting or self._listening:
            self._seat()
            for frame in range(self._lay_out()):
                self._moved[frame] = self._batch.step(self._audio[frame], self._speaker[frame])
            self._collect(answered)
        return self._motions

    def _seat(self) -> None:
        for row in range(len(self._batch)):
            if row not in self._listening and self._waiting:
                number = self._waiting.popleft()
                clip = self._clips[number]
                self._batch.reset(row, clip.listener[0], _attitude(self._policy, clip))
                self._listening[row] = number, 0

    def _lay_out(self) -> int:
        """Puts down what is heard and seen next, and tells for how many frames."""
        # Who has nothing more is in silence before nobody.
        self._audio[:], self._speaker[:] = self._policy.quiet_audio, self._policy.absent_speaker
        most = 0
        for row, (number, start) in self._listening.items():
            audio, speaker = (signal[start : start + BLOCK_FRAMES] for signal in self._signals[number])
            self._audio[: len(audio), row], self._speaker[: len(speaker), row] = audio, speaker
            most = max(most, len(audio))
        return most

    def _collect(self, answered: Callable[[], None]) -> None:
        for row, (number, start) in list(self._listening.items()):
            motion = self._motions[number][start : start + BLOCK_FRAMES]
            motion[:] = self._moved[: len(motion), row]
            if start + BLOCK_FRAMES < len(self._motions[number]):
                self._listening[row] = number, start + BLOCK_FRAMES
            else:
                del self._listening[row]
                answered()


def _signals(policy: Policy, clip: DyadClip, hears: bool, sees: bool) -> tuple[FloatArray, FloatArray]:
    """Sound [T − 1, A] and speaker [T − 1, M] that a policy is given."""
    audio, speaker = clip.audio[:-1], clip.speaker[:-1]
    if not hears:
        audio = np.broadcast_to(policy.quiet_audio, audio.shape)
    if not sees:
        speaker = np.broadcast_to(policy.absent_speaker, speaker.shape)
    return audio, speaker


def _attitude(policy: Policy, clip: DyadClip) -> str | None:
    return clip.attitude if clip.attitude and policy.attitudes else None
