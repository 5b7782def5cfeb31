"""Voices to speak with: those of espeak-ng where it is installed, our own everywhere."""

from __future__ import annotations

import numpy as np

from listener_head.dyads.espeak import LANGUAGES, VARIANTS, EspeakVoice, espeak_available
from listener_head.dyads.source_filter import SourceFilterVoice
from listener_head.dyads.speech import Voice


def default_voice() -> Voice:
    """A clear voice at a calm speed, for demonstrations."""
    if espeak_available():
        return EspeakVoice("en-us+f3", words_per_minute=150, pitch=55, pitch_range=60)
    return SourceFilterVoice(pitch_hz=170, formant_scale=1.1, speed=0.9)


def random_voice(rng: np.random.Generator) -> Voice:
    """A voice of random language, size, pitch and speed; one in five is our own even beside espeak-ng."""
    if not espeak_available() or rng.random() < 0.2:
        return SourceFilterVoice(
            pitch_hz=float(rng.uniform(85, 240)),
            formant_scale=float(rng.uniform(0.9, 1.2)),
            speed=float(rng.uniform(0.75, 1.3)),
            seed=int(rng.integers(1 << 30)),
        )
    return EspeakVoice(
        f"{rng.choice(LANGUAGES)}{rng.choice(VARIANTS)}",
        words_per_minute=int(rng.integers(120, 220)),
        pitch=int(rng.integers(20, 85)),
        pitch_range=int(rng.integers(25, 90)),
    )
