"""Synthetic dyads: what the listener hears and sees of a speaker, and how it moves in each attitude."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from listener_head.audio import extract_features
from listener_head.dyads.behaviour import MANNERS, listen, random_person
from listener_head.dyads.recording import record
from listener_head.dyads.speaker import random_style, talking_face
from listener_head.dyads.speech import SAMPLE_RATE, monologue
from listener_head.dyads.tracking import track
from listener_head.dyads.voice import random_voice
from listener_head.timing import RATE_HZ

FloatArray = NDArray[np.float32]

AUDIO_LAYOUT = "paper45"


@dataclass(frozen=True)
class Dyad:
    """One speaker and one listener, answering in every attitude; row k of each array is frame k.

    ``audio`` [T, 45] and ``speaker`` [T, 58] are what microphone and tracker give; ``listeners`` holds the
    listener's motion [T, 58] by attitude, ``reference`` [58] its still face m₁.
    """

    audio: FloatArray
    speaker: FloatArray
    listeners: dict[str, FloatArray]
    reference: FloatArray


def synthesise_dyad(seed: int, seconds: float) -> Dyad:
    """The dyad of a seed: a new speaker, voice, room, camera and listener.

    The same seeds in the same order in a new process give the same dyads (`listener_head.dyads.espeak`).
    """
    rng = np.random.default_rng(seed)
    speech = monologue(random_voice(rng), seconds, rng)
    face = talking_face(speech, rng, random_style(rng))
    person = random_person(rng)
    sway = int(rng.integers(1 << 32))
    listeners = {
        attitude: listen(speech, face, attitude, person, np.random.default_rng(sway)) for attitude in MANNERS
    }
    audio = extract_features(record(speech.samples, rng), SAMPLE_RATE, layout=AUDIO_LAYOUT)
    count = round(seconds * RATE_HZ)
    return Dyad(
        audio=audio[:count],
        speaker=track(face, rng)[:count],
        listeners={attitude: motion[:count] for attitude, motion in listeners.items()},
        reference=person.reference,
    )
