import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from listener_head.dyads.espeak import EspeakVoice, espeak_available
from listener_head.dyads.source_filter import SourceFilterVoice
from listener_head.dyads.speech import SAMPLE_RATE, monologue, speak
from listener_head.dyads.voice import default_voice, random_voice
from listener_head.errors import UserError

needs_espeak = pytest.mark.skipif(not espeak_available(), reason="espeakng-loader is not installed")
VOICES = [SourceFilterVoice(), pytest.param(EspeakVoice(), marks=needs_espeak)]
TEXT = "my old teacher talked about the music"


@pytest.mark.parametrize("voice", VOICES)
def test_phonemes_follow_one_another_through_the_sound(voice):
    speech = voice.say(TEXT)
    assert 1 < speech.duration < 6 and len(speech.phonemes) > 15 and len(speech.stresses) >= 3
    for before, after in zip(speech.phonemes, speech.phonemes[1:], strict=False):
        assert before.start < before.end <= after.start + 1e-6
    assert speech.phonemes[-1].end <= speech.duration + 1e-3
    assert np.isfinite(speech.samples).all() and 0.01 < np.abs(speech.samples).max() <= 1


@pytest.mark.parametrize("voice", VOICES)
def test_hisses_are_bright_and_vowels_are_not(voice):
    speech = voice.say("see the sea so soon")

    def centre(symbols):
        """Mean frequency [Hz] of the sound of some phonemes."""
        centres = []
        for phoneme in speech.phonemes:
            middle = int((phoneme.start + phoneme.end) / 2 * SAMPLE_RATE)
            if phoneme.symbol in symbols and middle > 256:
                spectrum = np.abs(np.fft.rfft(speech.samples[middle - 256 : middle + 256])) ** 2
                centres.append((spectrum * np.fft.rfftfreq(512, 1 / SAMPLE_RATE)).sum() / spectrum.sum())
        return np.mean(centres)

    assert centre("s") > 2 * centre("iuʌɛɒʊo")


def test_the_same_words_sound_the_same():
    voice = SourceFilterVoice(seed=3)
    np.testing.assert_array_equal(voice.say(TEXT).samples, voice.say(TEXT).samples)


@needs_espeak
def test_an_unknown_voice_is_named():
    with pytest.raises(UserError, match="no voice 'xx-none'"):
        EspeakVoice("xx-none").say(TEXT)


def test_pauses_lie_between_the_phrases():
    speech = speak(SourceFilterVoice(), [("hello there", 0.5), ("how are you", 1.0)], lead=0.3)
    (first, end), (start, last) = speech.phrases
    assert first == pytest.approx(0.3, abs=1e-3)
    assert start - end == pytest.approx(0.5, abs=2e-3)
    assert speech.duration - last == pytest.approx(1.0, abs=2e-3)
    silence = speech.samples[int(end * SAMPLE_RATE) + 20 : int(start * SAMPLE_RATE) - 20]
    assert np.abs(silence).max() == 0


@given(st.integers(0, 2**32 - 1), st.floats(1, 12))
@settings(deadline=None, max_examples=8)
def test_monologues_of_any_seed_and_length(seed, seconds):
    rng = np.random.default_rng(seed)
    speech = monologue(random_voice(rng), seconds, rng)
    assert len(speech.samples) == round(seconds * SAMPLE_RATE)
    assert np.isfinite(speech.samples).all()
    assert all(0 <= start < end <= seconds for start, end in speech.phrases)


def test_there_is_always_a_default_voice():
    assert default_voice().say("hello").duration > 0.1
