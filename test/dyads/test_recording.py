import numpy as np

from listener_head.dyads.recording import record
from listener_head.dyads.source_filter import SourceFilterVoice


def test_a_recording_keeps_length_and_range():
    voice = SourceFilterVoice().say("thank you so much")
    for seed in range(5):
        heard = record(voice.samples, np.random.default_rng(seed))
        assert heard.shape == voice.samples.shape and np.isfinite(heard).all()
        assert np.sqrt(np.mean(heard**2)) > 1e-3 and np.abs(heard).max() <= 1


def test_silence_can_be_recorded():
    heard = record(np.zeros(16000, np.float32), np.random.default_rng(0))
    assert np.isfinite(heard).all() and heard.std() > 0
