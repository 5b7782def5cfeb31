import numpy as np

from listener_head.audio.voice_activity import VoiceActivity

FPS = 30


def run(levels_db: np.ndarray) -> np.ndarray:
    activity = VoiceActivity(FPS)
    return np.array([activity.step(float(level)) for level in levels_db])


def test_silence_is_no_voice():
    assert np.all(run(np.full(300, -80.0)) == 0.0)


def test_steady_noise_is_no_voice_once_it_is_known():
    noise = -30.0 + np.random.default_rng(0).uniform(-3, 3, 300)
    assert np.all(run(noise)[5 * FPS :] == 0.0)


def test_voice_over_noise_is_found_at_once_and_fades_within_the_hangover():
    levels = np.full(300, -60.0)
    levels[150:180] = -25.0
    activity = run(levels)
    assert np.all(activity[:150] == 0.0)
    assert np.all(activity[150:180] == 1.0)
    assert np.all(np.diff(activity[180:200]) <= 0.0)
    assert activity[183] > 0.5
    assert np.all(activity[190:] == 0.0)


def test_short_pauses_between_words_do_not_end_the_activity():
    levels = np.where(np.arange(600) % 15 < 11, -25.0, -60.0)
    assert run(levels)[30:].min() > 0.5


def test_activity_is_between_zero_and_one_whatever_comes():
    levels = np.random.default_rng(1).uniform(-80, 120, 500)
    activity = run(levels)
    assert activity.min() >= 0.0
    assert activity.max() <= 1.0
