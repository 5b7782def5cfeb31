import numpy as np
import pytest

from listener_head.dyads.phonemes import SOUNDS
from listener_head.dyads.source_filter import SourceFilterVoice
from listener_head.dyads.speaker import LAYOUT, VISEMES, SpeakerStyle, talking_face
from listener_head.dyads.speech import Phoneme, Speech, monologue
from listener_head.dyads.tracking import track
from listener_head.timing import RATE_HZ


@pytest.fixture(scope="module")
def speech():
    return monologue(SourceFilterVoice(), 30, np.random.default_rng(5))


@pytest.fixture(scope="module")
def face(speech):
    return talking_face(speech, np.random.default_rng(6))


def shape(motion, name):
    return motion[:, LAYOUT.index(name)]


def test_every_sound_has_a_mouth_of_existing_shapes():
    assert {sound.viseme for sound in SOUNDS.values()} <= set(VISEMES)
    for weights in VISEMES.values():
        for name in weights:
            assert name in LAYOUT.expression_names or f"{name}Left" in LAYOUT.expression_names


def test_one_frame_per_grid_step_within_bounds(speech, face):
    assert face.shape == (30 * RATE_HZ, 58) and np.isfinite(face).all()
    expression = face[:, LAYOUT.expression]
    assert expression.min() >= 0 and expression.max() <= 1
    turns = np.degrees(np.abs(np.diff(face[:, LAYOUT.rotation], axis=0)))
    assert turns.max() < 4 and np.degrees(np.abs(face[:, LAYOUT.rotation])).max() < 30


def test_the_jaw_moves_in_speech_and_rests_in_pauses(speech, face):
    times = np.arange(len(face)) / RATE_HZ
    speaking = np.zeros(len(face), bool)
    resting = np.ones(len(face), bool)
    for start, end in speech.phrases:
        speaking |= (times > start) & (times < end)
        resting &= (times < start - 0.15) | (times > end + 0.15)
    jaw = shape(face, "jawOpen")
    assert jaw[speaking].mean() > 0.08 and jaw[speaking].std() > 0.05
    assert jaw[resting].max() < 0.02


def test_lips_close_on_m_between_open_vowels():
    symbols = ["a", "m", "a", "m", "a"]
    phonemes = tuple(Phoneme(s, 0.5 + 0.12 * i, 0.5 + 0.12 * (i + 1)) for i, s in enumerate(symbols))
    face = talking_face(Speech(np.zeros(32000, np.float32), phonemes), np.random.default_rng(0))
    jaw = shape(face, "jawOpen")
    at = {i: round((0.5 + 0.12 * (i + 0.5)) * RATE_HZ) for i in range(5)}
    assert max(jaw[at[1]], jaw[at[3]]) < 0.35 * jaw[at[2]]
    assert shape(face, "mouthPressLeft")[at[1]] > 0.1


def test_the_face_blinks_as_often_as_people_do(face):
    closed = shape(face, "eyeBlinkLeft") > 0.5
    blinks = np.count_nonzero(closed[1:] & ~closed[:-1])
    assert 3 <= blinks <= 20


def test_style_scales_the_movement(speech):
    calm, lively = (
        talking_face(speech, np.random.default_rng(6), SpeakerStyle(head=scale)) for scale in (0.5, 1.5)
    )
    np.testing.assert_allclose(3 * calm[:, LAYOUT.rotation], lively[:, LAYOUT.rotation], atol=1e-5)


def test_silence_and_an_empty_sound_have_a_face_too():
    silent = talking_face(Speech(np.zeros(16000, np.float32), ()), np.random.default_rng(0))
    assert silent.shape == (30, 58) and np.isfinite(silent).all()


def test_tracking_errs_but_keeps_what_matters(face):
    seen = [track(face, np.random.default_rng(seed)) for seed in range(8)]
    for tracked in seen:
        assert tracked.shape == face.shape and np.isfinite(tracked).all()
        expression = tracked[:, LAYOUT.expression]
        assert expression.min() >= 0 and expression.max() <= 1
        yaw = np.corrcoef(face[:, 1], tracked[:, 1])[0, 1]
        smile = np.corrcoef(shape(face, "mouthSmileLeft"), shape(tracked, "mouthSmileLeft"))[0, 1]
        assert yaw > 0.9 and smile > 0.8
    distances = [tracked[:, LAYOUT.translation][:, 2].mean() for tracked in seen]
    assert max(distances) > 1.5 * min(distances)
