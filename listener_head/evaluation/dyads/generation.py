"""A policy's motion for the clips of a set."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from listener_head.dyads.clips import DyadClip
from listener_head.policies.policy import Policy

FloatArray = NDArray[np.float32]


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
    audio, speaker = clip.audio[:-1], clip.speaker[:-1]
    if not hears:
        audio = np.broadcast_to(policy.quiet_audio, audio.shape)
    if not sees:
        speaker = np.broadcast_to(policy.absent_speaker, speaker.shape)
    attitude = clip.attitude if clip.attitude and policy.attitudes else None
    return generate(policy, audio, speaker, clip.listener[0], attitude)
