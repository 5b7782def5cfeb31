"""What real recordings are like must lie inside what the synthetic ones are like."""

import numpy as np
import pytest

from listener_head.audio import extract_features
from listener_head.dyads.recording import record
from listener_head.dyads.speech import SAMPLE_RATE, monologue
from listener_head.dyads.voice import random_voice
from listener_head.extraction.grid import sound_on_grid
from listener_head.extraction.media import read_sound
from listener_head.timing import RATE_HZ

CLIPS = ("speaker_office.mp4", "speaker_short.mp4", "two_people.avi")
COUNT, SECONDS = 40, 12


@pytest.fixture(scope="module")
def synthetic():
    """Features of many voices in many rooms [T, 45]."""
    features = []
    for seed in range(1000, 1000 + COUNT):
        rng = np.random.default_rng(seed)
        speech = monologue(random_voice(rng), SECONDS, rng)
        features.append(extract_features(record(speech.samples, rng), SAMPLE_RATE))
    return np.concatenate(features)


@pytest.mark.parametrize("name", CLIPS)
def test_real_speech_lies_inside_the_training_range(real_clips, synthetic, name):
    """Nine tenths of every feature of a real clip lie within 99 per cent of the synthetic ones."""
    sound = read_sound(real_clips / name)
    count = len(sound.samples) * RATE_HZ // sound.sample_rate
    real = sound_on_grid(sound, count, "paper45").values
    lowest, highest = np.quantile(synthetic, (0.005, 0.995), axis=0)
    low, high = np.quantile(real, (0.05, 0.95), axis=0)
    outside = np.flatnonzero((low < lowest) | (high > highest))
    assert not len(outside), f"features {outside}: {low[outside]} to {high[outside]}"
