"""Speech with timed phonemes, and monologues put together from phrases and pauses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]

SAMPLE_RATE = 16_000
# Root mean square of every phrase, full scale 1: all voices speak equally loud.
LOUDNESS = 0.08

# A silence inside a phrase shorter than this is a stop consonant, not a pause [s].
SHORTEST_PAUSE = 0.2


@dataclass(frozen=True)
class Phoneme:
    """One sound (an IPA character) from ``start`` to ``end`` [s]."""

    symbol: str
    start: float
    end: float
    stressed: bool = False


@dataclass(frozen=True)
class Speech:
    """Clean speech: ``samples`` [N] at 16 kHz and the phonemes in it; silence lies between them."""

    samples: FloatArray
    phonemes: tuple[Phoneme, ...]

    @property
    def duration(self) -> float:
        """Length [s]."""
        return len(self.samples) / SAMPLE_RATE

    @property
    def phrases(self) -> list[tuple[float, float]]:
        """Start and end [s] of every stretch of speech between pauses."""
        spans: list[tuple[float, float]] = []
        for phoneme in self.phonemes:
            if spans and phoneme.start - spans[-1][1] < SHORTEST_PAUSE:
                spans[-1] = (spans[-1][0], phoneme.end)
            else:
                spans.append((phoneme.start, phoneme.end))
        return spans

    @property
    def stresses(self) -> list[float]:
        """Times [s] of the stressed syllables: the middle of their vowel."""
        return [(p.start + p.end) / 2 for p in self.phonemes if p.stressed]


class Voice(Protocol):
    """Something that speaks a text; made of one speaker's fixed properties."""

    def say(self, text: str) -> Speech:
        """Speak one phrase, without silence around it."""
        ...


def speak(voice: Voice, script: Sequence[tuple[str, float]], lead: float = 0.0) -> Speech:
    """Speak phrases one after another, each followed by its pause [s]; ``lead`` seconds of silence first."""
    pieces, phonemes = [np.zeros(round(lead * SAMPLE_RATE), np.float32)], []
    length = len(pieces[0])
    for text, pause in script:
        phrase = voice.say(text)
        start = length / SAMPLE_RATE
        phonemes += [Phoneme(p.symbol, p.start + start, p.end + start, p.stressed) for p in phrase.phonemes]
        pieces += [_at_loudness(phrase.samples), np.zeros(round(pause * SAMPLE_RATE), np.float32)]
        length += len(pieces[-2]) + len(pieces[-1])
    return Speech(np.concatenate(pieces), tuple(phonemes))


def _at_loudness(samples: FloatArray) -> FloatArray:
    power = float(np.mean(np.square(samples))) if len(samples) else 0.0
    return samples * np.float32(LOUDNESS / np.sqrt(power)) if power > 0 else samples


def monologue(voice: Voice, seconds: float, rng: np.random.Generator) -> Speech:
    """Speech of exactly ``seconds``, of random phrases and of pauses from a breath to a long thought."""
    script: list[tuple[str, float]] = []
    lead = rng.uniform(0.1, 1.5)
    spoken = lead
    while spoken < seconds:
        text = _phrase(rng)
        pause = float(rng.choice(_PAUSES, p=_PAUSE_SHARES) * rng.uniform(0.75, 1.35))
        script.append((text, pause))
        # A low guess of the length: at least 24 letters a second are never spoken.
        spoken += len(text) / 24 + pause
    speech = speak(voice, script, lead)
    samples = np.zeros(round(seconds * SAMPLE_RATE), np.float32)
    heard = min(len(samples), len(speech.samples))
    samples[:heard] = speech.samples[:heard]
    return Speech(samples, tuple(p for p in speech.phonemes if p.end <= seconds))


_PAUSES = (0.3, 0.55, 0.9, 1.4, 2.6)
_PAUSE_SHARES = (0.2, 0.25, 0.3, 0.18, 0.07)

_OPENERS = (
    "well",
    "you know",
    "honestly",
    "so",
    "look",
    "of course",
    "I mean",
    "yesterday",
    "in the end",
    "",
)
_SUBJECTS = (
    "my sister", "the robot", "our neighbour", "the whole team", "this little machine", "my old teacher",
    "the weather", "everybody here", "the train to the city", "a friend of mine", "the doctor", "I",
)  # fmt: skip
_VERBS = (
    "wanted to see", "never understood", "really enjoyed", "talked about", "was waiting for", "forgot",
    "finally finished", "laughed about", "could not believe", "remembered", "has been looking for",
)  # fmt: skip
_OBJECTS = (
    "the garden behind the house", "that strange idea", "the music", "a very long story", "the first snow",
    "what we said on Monday", "the big decision", "a cup of hot tea", "the people in the office",
    "an old photograph", "the way home", "something completely different",
)  # fmt: skip
_TAILS = (
    "and it was wonderful", "but nobody noticed", "before the summer", "as far as I know", "which is a pity",
    "because there was no time", "right in the middle of the night", "and then we had to go", "", "", "",
)  # fmt: skip
_SHORT = (
    "do you see", "it was great", "I am not so sure", "that is the point", "can you imagine that", "no way",
    "what do you think", "it really hurt", "and that was all", "thank you so much", "let me explain",
)  # fmt: skip


def _phrase(rng: np.random.Generator) -> str:
    if rng.random() < 0.25:
        return str(rng.choice(_SHORT))
    opener, tail = str(rng.choice(_OPENERS)), str(rng.choice(_TAILS))
    middle = " ".join(str(rng.choice(part)) for part in (_SUBJECTS, _VERBS, _OBJECTS))
    kind = rng.random()
    if kind < 0.4:
        return middle
    return f"{opener} {middle}".strip() if kind < 0.8 else f"{middle} {tail}".strip()
