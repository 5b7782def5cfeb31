"""Speech from espeak-ng, called as a tool through ctypes; needs the optional package espeakng-loader.

espeak-ng is under the GPL: nothing of it ships with this project and nothing here needs it; where it is
absent, `listener_head.dyads.source_filter` speaks. It carries a little state from phrase to phrase: the
same phrases in the same order in a new process sound the same, out of order they differ by some samples.
"""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from typing import Any

import numpy as np
from scipy.signal import resample_poly

from listener_head.dyads.speech import SAMPLE_RATE, Phoneme, Speech
from listener_head.errors import UserError

LANGUAGES = ("en-us", "de", "fr", "es", "it", "nl", "sv", "pl", "pt", "tr", "fi", "hu", "ro")
VARIANTS = (
    "",
    "+m1",
    "+m3",
    "+m5",
    "+m7",
    "+f1",
    "+f2",
    "+f3",
    "+f4",
    "+klatt2",
    "+klatt4",
    "+linda",
    "+max",
)

# From speak_lib.h: playback mode, phoneme events in IPA, parameter numbers, event types.
_SYNCHRONOUS, _PHONEME_EVENTS, _PHONEME_IPA = 2, 1, 2
_RATE, _PITCH, _RANGE = 1, 3, 4
_END_OF_LIST, _PHONEME = 0, 7
_UTF8 = 1


class _EventId(ctypes.Union):
    _fields_ = [
        ("number", ctypes.c_int),
        ("name", ctypes.c_char_p),
        ("string", ctypes.c_char * 8),
    ]


class _Event(ctypes.Structure):
    _fields_ = [
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _EventId),
    ]


class _Library:
    """The loaded library; it is one synthesiser for the whole process."""

    def __init__(self) -> None:
        import espeakng_loader

        self.calls: Any = ctypes.CDLL(espeakng_loader.get_library_path())
        data = espeakng_loader.get_data_path().encode()
        self.rate = self.calls.espeak_Initialize(_SYNCHRONOUS, 0, data, _PHONEME_EVENTS | _PHONEME_IPA)
        if self.rate <= 0:
            raise UserError("espeak-ng found no voice data; reinstall the package 'espeakng-loader'")
        # Breathy voices take random noise, which is seeded by the clock unless told otherwise.
        self.calls.espeak_ng_SetRandSeed(ctypes.c_long(1))
        self.sound = bytearray()
        self.events: list[tuple[int, str]] = []
        kind = ctypes.CFUNCTYPE(
            ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event)
        )
        self._callback = kind(self._receive)  # the library keeps only a pointer
        self.calls.espeak_SetSynthCallback(self._callback)

    def _receive(self, wave: Any, count: int, events: Any) -> int:
        if wave and count > 0:
            self.sound += ctypes.string_at(wave, 2 * count)
        position = 0
        while events[position].type != _END_OF_LIST:
            event = events[position]
            if event.type == _PHONEME:
                self.events.append((event.sample, event.id.string.decode("utf-8", "ignore")))
            position += 1
        return 0


_library = cache(_Library)


def espeak_available() -> bool:
    """Whether the optional package is installed."""
    return find_spec("espeakng_loader") is not None


@dataclass(frozen=True)
class EspeakVoice:
    """A voice of espeak-ng: language with variant, words a minute, pitch and pitch range (0 to 100)."""

    name: str = "en-us"
    words_per_minute: int = 165
    pitch: int = 50
    pitch_range: int = 50

    def say(self, text: str) -> Speech:
        """Speak one phrase; UserError when the voice does not exist."""
        library = _library()
        if library.calls.espeak_SetVoiceByName(self.name.encode()) != 0:
            raise UserError(f"espeak-ng has no voice '{self.name}'; 'espeak-ng --voices' lists them")
        settings = ((_RATE, self.words_per_minute), (_PITCH, self.pitch), (_RANGE, self.pitch_range))
        for parameter, value in settings:
            library.calls.espeak_SetParameter(parameter, value, 0)
        library.sound.clear()
        library.events.clear()
        encoded = text.encode()
        library.calls.espeak_Synth(encoded, len(encoded) + 1, 0, 1, 0, _UTF8, None, None)
        sound = np.frombuffer(bytes(library.sound), np.int16).astype(np.float32) / 32768
        phonemes = _timed(library.events, len(sound), library.rate)
        samples = resample_poly(sound, SAMPLE_RATE, library.rate).astype(np.float32)
        end = phonemes[-1].end if phonemes else 0.0
        return Speech(samples[: round(end * SAMPLE_RATE)], phonemes)


def _timed(events: list[tuple[int, str]], total: int, rate: int) -> tuple[Phoneme, ...]:
    """Phonemes from the start events; one of several characters (a diphthong) is split evenly."""
    phonemes: list[Phoneme] = []
    ends = [sample for sample, _ in events[1:]] + [total]
    for (start, label), end in zip(events, ends, strict=True):
        symbols = [character for character in label if character.isalpha() and character not in "ːʲʰ"]
        length = (end - start) / rate / max(len(symbols), 1)
        for position, symbol in enumerate(symbols):
            begin = start / rate + position * length
            phonemes.append(Phoneme(symbol, begin, begin + length, "ˈ" in label and position == 0))
    return tuple(phonemes)
