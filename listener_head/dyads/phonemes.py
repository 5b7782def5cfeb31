"""The sounds of speech: how each looks on the lips and how it is made in the throat.

Symbols are those of the International Phonetic Alphabet, one character each. Formant frequencies are
rounded textbook values for an adult voice of middle size.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Sound:
    """One sound: its mouth shape, its formants [Hz], how loud voice and hiss are (0 to 1), its length [s]."""

    viseme: str
    formants: tuple[float, float, float] = (500.0, 1500.0, 2500.0)
    voice: float = 0.0
    hiss: float = 0.0
    hiss_hz: float = 4000.0
    duration: float = 0.07

    @property
    def is_vowel(self) -> bool:
        """Whether a syllable can stand on it."""
        return self.voice >= 0.9


def _vowel(viseme: str, *formants: float) -> Sound:
    return Sound(viseme, (formants[0], formants[1], formants[2]), voice=1.0, duration=0.1)


def _hum(viseme: str, *formants: float) -> Sound:
    return Sound(viseme, (formants[0], formants[1], formants[2]), voice=0.5, duration=0.065)


def _hiss(viseme: str, hiss_hz: float, hiss: float = 0.5, voice: float = 0.0) -> Sound:
    return Sound(viseme, (300.0, 1600.0, 2600.0), voice, hiss, hiss_hz, 0.09)


SOUNDS: dict[str, Sound] = {
    "a": _vowel("open", 750, 1300, 2500),
    "ɑ": _vowel("open", 720, 1100, 2450),
    "ɐ": _vowel("open", 650, 1350, 2500),
    "ʌ": _vowel("open", 640, 1200, 2400),
    "æ": _vowel("wide_open", 680, 1750, 2450),
    "ɛ": _vowel("half_open", 560, 1850, 2500),
    "e": _vowel("half_open", 440, 2050, 2600),
    "ɜ": _vowel("half_open", 500, 1400, 1800),
    "ə": _vowel("neutral", 500, 1450, 2450),
    "ɚ": _vowel("neutral", 490, 1350, 1700),
    "i": _vowel("spread", 290, 2250, 2950),
    "ɪ": _vowel("spread", 390, 2000, 2600),
    "ɨ": _vowel("spread", 320, 1700, 2500),
    "y": _vowel("rounded", 280, 1900, 2200),
    "ø": _vowel("round_open", 400, 1600, 2300),
    "œ": _vowel("round_open", 550, 1500, 2350),
    "ɒ": _vowel("round_open", 650, 950, 2450),
    "ɔ": _vowel("round_open", 540, 880, 2450),
    "o": _vowel("round_open", 430, 850, 2400),
    "u": _vowel("rounded", 310, 870, 2250),
    "ʊ": _vowel("rounded", 420, 1050, 2300),
    "ɯ": _vowel("spread", 310, 1200, 2300),
    "p": Sound("closed", hiss=0.25, hiss_hz=800, duration=0.08),
    "b": Sound("closed", (250, 900, 2200), voice=0.15, duration=0.07),
    "m": _hum("closed", 250, 1050, 2200),
    "f": _hiss("lip_teeth", 5000, 0.25),
    "v": _hiss("lip_teeth", 4500, 0.15, 0.4),
    "θ": _hiss("tongue_teeth", 5500, 0.2),
    "ð": _hiss("tongue_teeth", 5000, 0.1, 0.45),
    "t": Sound("ridge", hiss=0.4, hiss_hz=4500, duration=0.075),
    "d": Sound("ridge", (300, 1700, 2600), voice=0.2, duration=0.06),
    "n": _hum("ridge", 280, 1650, 2550),
    "l": _hum("ridge", 360, 1250, 2600),
    "ɫ": _hum("ridge", 380, 900, 2500),
    "ɾ": _hum("ridge", 400, 1600, 2500),
    "s": _hiss("teeth", 6000, 0.6),
    "z": _hiss("teeth", 5800, 0.35, 0.4),
    "ʃ": _hiss("hush", 3300, 0.6),
    "ʒ": _hiss("hush", 3100, 0.35, 0.4),
    "ɕ": _hiss("hush", 3800, 0.5),
    "k": Sound("back", hiss=0.35, hiss_hz=2000, duration=0.08),
    "g": Sound("back", (280, 1900, 2300), voice=0.2, duration=0.065),
    "ɡ": Sound("back", (280, 1900, 2300), voice=0.2, duration=0.065),
    "ŋ": _hum("back", 280, 1900, 2400),
    "x": _hiss("back", 1800, 0.35),
    "ç": _hiss("spread", 3500, 0.35),
    "h": _hiss("back", 1400, 0.25),
    "ʁ": _hum("back", 500, 1200, 2400),
    "r": _hum("bunched", 420, 1250, 1700),
    "ɹ": _hum("bunched", 400, 1200, 1600),
    "w": _hum("rounded", 310, 750, 2250),
    "j": _hum("spread", 290, 2200, 2900),
    "β": _hum("closed", 300, 1000, 2300),
}

# A symbol of a language that the table does not know sounds and looks like a murmur.
UNKNOWN = SOUNDS["ə"]


def sound_of(symbol: str) -> Sound:
    """The sound of one symbol; marks of length and the like fall back to a murmur."""
    return SOUNDS.get(symbol, UNKNOWN)
