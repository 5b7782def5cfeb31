"""Synthetic people: each listens, speaks and looks in its own way, whoever it meets."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from listener_head.dyads.behaviour import ListenerPerson, random_person, seated
from listener_head.dyads.speaker import SpeakerStyle, random_style
from listener_head.dyads.speech import Voice
from listener_head.dyads.voice import random_voice
from listener_head.face import load_face_model

FloatArray = NDArray[np.float32]

# Deviation of a face from the mean one, in that of the model's modes, and the largest.
_IDENTITY_DEVIATION, _IDENTITY_LARGEST = 0.9, 2.0


@dataclass(frozen=True)
class Person:
    """One identity: how it listens, how it talks, its voice, and its face's ``identity`` [I] of arkit52."""

    name: str
    listening: ListenerPerson
    style: SpeakerStyle
    voice: Voice
    identity: FloatArray


def make_person(name: str, seed: tuple[int, ...]) -> Person:
    """The person of a name and a seed, always the same."""
    rng = np.random.default_rng([*seed, *name.encode()])
    modes = len(load_face_model("arkit52").identity_names)
    identity = _IDENTITY_DEVIATION * rng.standard_normal(modes)
    return Person(
        name,
        listening=seated(random_person(rng), rng),
        style=random_style(rng),
        voice=random_voice(rng),
        identity=identity.clip(-_IDENTITY_LARGEST, _IDENTITY_LARGEST).astype(np.float32),
    )
