import json
from itertools import count, islice

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from listener_head.audio import FeatureStream
from listener_head.audio.voice_activity import HANGOVER_TIME, VoiceActivity, load_weights
from listener_head.audio.voice_cues import CUES, SIZE, VoiceCues
from listener_head.audio.voice_scenes import NOISES, SAMPLE_RATE, make_scene
from listener_head.audio.voice_scores import NONE, SPEECH, UNDECIDED, activity_of, score, truth_of
from listener_head.dyads.source_filter import SourceFilterVoice
from listener_head.errors import UserError

FPS = 30
VOICE = SourceFilterVoice(pitch_hz=140).say("my sister wanted to see the garden behind the house").samples
FADE = round(HANGOVER_TIME * FPS)


def activity(samples, rate=SAMPLE_RATE):
    """Frame by frame from vectors of sound [N] at 16 kHz; frame k begins at k / 30 s."""
    return FeatureStream(rate).push_frames(np.append(samples, 0.0)).voice_activity[1:]


def noise(seconds, level=0.003):
    return level * np.random.default_rng(0).standard_normal(round(seconds * SAMPLE_RATE))


@pytest.fixture(scope="module")
def scenes():
    """Scenes with a voice whose seeds the fit has not seen, two of each noise: activity and truth."""
    pairs = {}
    for place, name in enumerate(NOISES):
        made = (make_scene(np.random.default_rng([77, place, n]), name, (20, 10)[n % 2]) for n in count())
        spoken = islice((scene for scene in made if scene.speech), 2)
        pairs[name] = [(activity_of(scene), truth_of(scene)) for scene in spoken]
    return pairs


def scores_of(pairs):
    return score(*(np.concatenate(parts) for parts in zip(*pairs, strict=True)))


def test_silence_is_no_voice():
    assert activity(np.zeros(3 * SAMPLE_RATE)).max() == 0.0


def test_steady_noise_is_no_voice():
    assert activity(noise(5.0)).max() < 0.3


def test_a_voice_is_found_at_once_and_held_through_short_pauses_and_no_longer():
    before, after = 60, 60
    quiet = noise(before / FPS)
    samples = np.concatenate((quiet, VOICE, quiet)) + noise((2 * len(quiet) + len(VOICE)) / SAMPLE_RATE)
    found = activity(samples)
    spoken = len(VOICE) * FPS // SAMPLE_RATE
    assert found[:before].max() < 0.5
    assert found[before + 3 : before + spoken].min() > 0.5
    assert found[before + spoken + FADE + 6 :][: after - FADE - 6].max() < 0.5


def test_after_the_voice_activity_fades_within_the_hangover():
    """Digital silence: the network has no say, the hangover alone is left."""
    found = activity(np.concatenate((VOICE, np.zeros(SAMPLE_RATE))))
    last = int(np.flatnonzero(np.diff(found) < 0)[-FADE:][0])
    fading = found[last : last + FADE + 2]
    np.testing.assert_allclose(np.diff(fading)[:-2], -1 / (HANGOVER_TIME * FPS), atol=0.01)
    assert fading[-1] == 0.0


def test_scenes_with_every_noise_are_told_from_the_voice(scenes):
    overall = scores_of([pair for pairs in scenes.values() for pair in pairs])
    assert overall["auc"] > 0.96
    assert overall["f1"] > 0.92
    assert overall["false_alarms"] < 0.12


@pytest.mark.parametrize("name", [name for name in NOISES if name != "babble"])
def test_no_noise_defeats_it(scenes, name):
    """All but babble, which is voices."""
    assert scores_of(scenes[name])["f1"] > 0.85


def test_both_layouts_hear_the_same_voice():
    samples = np.concatenate((noise(1.0), VOICE, noise(1.0)))
    paper = activity(samples)
    vico = FeatureStream(SAMPLE_RATE, "vico45").push_frames(samples).voice_activity
    assert len(paper) == len(vico)
    assert np.mean((paper > 0.5) == (vico > 0.5)) > 0.95


@pytest.mark.parametrize("gain", [0.1, 0.3, 3.0])
def test_the_level_does_not_matter(gain):
    samples = np.concatenate((noise(2.0), VOICE, noise(1.0)))
    assert np.mean((activity(samples) > 0.5) == (activity(gain * samples) > 0.5)) > 0.93


@given(
    levels=st.lists(st.sampled_from([0.0, 1e-9, 1e-4, 0.1, 1.0, 1e6]), min_size=1, max_size=60),
    rate=st.sampled_from([16000, 44100]),
)
@settings(deadline=None, max_examples=40)
def test_activity_is_between_zero_and_one_whatever_comes(levels, rate):
    voice_activity, random = VoiceActivity(rate, FPS), np.random.default_rng(1)
    for level in levels:
        sound = level * random.standard_normal(rate // FPS)
        assert 0.0 <= voice_activity.step(sound, float(np.mean(sound**2))) <= 1.0


@given(
    pitch=st.floats(90.0, 300.0),
    rate=st.sampled_from([16000, 44100]),
)
@settings(deadline=None, max_examples=25)
def test_the_period_of_a_voice_is_found(pitch, rate):
    time = np.arange(round(0.3 * rate)) / rate
    buzz = 0.1 * np.sin(2 * np.pi * pitch * np.arange(1, 12)[:, None] * time).sum(axis=0)
    cues = VoiceCues(rate, FPS)
    for start in range(0, len(buzz), rate // FPS):
        values = cues.step(buzz[start : start + rate // FPS])
    assert values.shape == (SIZE,) == (4 * len(CUES),)
    assert values[CUES.index("periodicity")] > 0.7
    # A multiple of the period fits as well.
    octaves = np.log2(100.0 / pitch * np.arange(1, 5))
    assert np.abs(values[CUES.index("period")] - octaves).min() < 0.1


@pytest.mark.parametrize("name", ["speaker_office.mp4", "speaker_short.mp4", "two_people.avi"])
def test_real_voices_are_heard(real_clips, name):
    """People who speak most of the time."""
    with av.open(str(real_clips / name)) as container:
        resampler = av.AudioResampler(format="s16", layout="mono", rate=SAMPLE_RATE)
        frames = [part for frame in container.decode(audio=0) for part in resampler.resample(frame)]
    samples = np.concatenate([frame.to_ndarray()[0] for frame in frames])
    for layout in ("paper45", "vico45"):
        found = FeatureStream(SAMPLE_RATE, layout).push_frames(samples).voice_activity > 0.5
        assert found.mean() > 0.65


def test_scores_of_known_cases():
    truth = np.array([SPEECH, SPEECH, NONE, NONE, UNDECIDED])
    assert score([0.9, 0.8, 0.1, 0.2, 0.9], truth) == {"auc": 1, "f1": 1, "false_alarms": 0, "misses": 0}
    assert score([0.9, 0.1, 0.8, 0.0, 0.0], truth) == {
        "auc": 0.75,
        "f1": 0.5,
        "false_alarms": 0.5,
        "misses": 0.5,
    }


@pytest.mark.parametrize(
    "content", ["", "{}", json.dumps({"hidden": [[1.0]], "hidden_bias": [0], "output": [0]})]
)
def test_broken_weights_are_named_with_the_fix(tmp_path, monkeypatch, content):
    path = tmp_path / "voice_activity.json"
    path.write_text(content)
    monkeypatch.setattr("listener_head.audio.voice_activity.WEIGHTS_PATH", path)
    load_weights.cache_clear()
    try:
        with pytest.raises(UserError, match=f"{path}.*fit_voice_activity"):
            load_weights()
    finally:
        load_weights.cache_clear()
