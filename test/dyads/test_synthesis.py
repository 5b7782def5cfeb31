import subprocess
import sys

import numpy as np
import pytest

from listener_head.dyads.recording import record
from listener_head.dyads.source_filter import SourceFilterVoice
from listener_head.dyads.synthesis import synthesise_dyad


@pytest.fixture(scope="module")
def dyad():
    return synthesise_dyad(seed=11, seconds=12)


def test_everything_is_on_the_same_frames(dyad):
    assert dyad.audio.shape == (360, 45) and dyad.speaker.shape == (360, 58)
    assert set(dyad.listeners) == {"positive", "neutral", "negative"}
    for array in (dyad.audio, dyad.speaker, dyad.reference, *dyad.listeners.values()):
        assert array.dtype == np.float32 and np.isfinite(array).all()
    assert all(motion.shape == (360, 58) for motion in dyad.listeners.values())


def test_a_seed_is_a_dyad(dyad):
    script = """
from listener_head.dyads.synthesis import synthesise_dyad
dyad = synthesise_dyad(11, 12)
print(dyad.audio.sum(), dyad.speaker.sum(), dyad.listeners["negative"].sum())
"""
    first, second = (subprocess.check_output([sys.executable, "-c", script]) for _ in range(2))
    assert first == second
    other = synthesise_dyad(seed=12, seconds=12)
    assert np.abs(other.speaker - dyad.speaker).max() > 0.1


def test_a_recording_keeps_length_and_range():
    voice = SourceFilterVoice().say("thank you so much")
    for seed in range(5):
        heard = record(voice.samples, np.random.default_rng(seed))
        assert heard.shape == voice.samples.shape and np.isfinite(heard).all()
        assert np.sqrt(np.mean(heard**2)) > 1e-3 and np.abs(heard).max() <= 1


def test_silence_can_be_recorded():
    heard = record(np.zeros(16000, np.float32), np.random.default_rng(0))
    assert np.isfinite(heard).all() and heard.std() > 0
