from dataclasses import replace

import numpy as np
import pytest

from listener_head.dyads.behaviour import MANNERS, listen, pauses, random_person, seated
from listener_head.dyads.source_filter import SourceFilterVoice
from listener_head.dyads.speaker import LAYOUT, talking_face
from listener_head.dyads.speech import SAMPLE_RATE, Phoneme, Speech, monologue
from listener_head.timing import RATE_HZ

PERSON = replace(random_person(np.random.default_rng(0)), strength=1.0, lateness=0.0, restlessness=0.0)


def shape(motion, name):
    return motion[:, LAYOUT.index(name)]


def answer(speech, face, attitude):
    return listen(speech, face, attitude, PERSON, np.random.default_rng(3))


@pytest.fixture(scope="module")
def speech():
    return monologue(SourceFilterVoice(), 40, np.random.default_rng(5))


@pytest.fixture(scope="module")
def face(speech):
    return talking_face(speech, np.random.default_rng(6))


@pytest.fixture(scope="module")
def motions(speech, face):
    return {attitude: answer(speech, face, attitude) for attitude in MANNERS}


def test_a_listener_reacts_to_the_past_alone(speech, face):
    cut = 20.0
    frame = round(cut * RATE_HZ)
    # The phrase that is being spoken at the cut is cut off, and everything after it is another's.
    samples = speech.samples.copy()
    samples[round(cut * SAMPLE_RATE) :] = 0
    phonemes = tuple(p for p in speech.phonemes if p.end <= cut)
    other_face = face.copy()
    other_face[frame:] = np.roll(face, 100, axis=0)[frame:]
    changed = answer(Speech(samples, phonemes), other_face, "positive")
    original = answer(speech, face, "positive")
    np.testing.assert_array_equal(changed[:frame], original[:frame])
    assert np.abs(changed[frame:] - original[frame:]).max() > 0.05


def test_attitudes_look_different(motions):
    smile = {name: shape(motion, "mouthSmileLeft").mean() for name, motion in motions.items()}
    frown = {name: shape(motion, "browDownLeft").mean() for name, motion in motions.items()}
    assert smile["positive"] - 0.2 > smile["neutral"] > smile["negative"]
    assert frown["negative"] - 0.2 > frown["neutral"] >= frown["positive"]
    assert abs(np.degrees(motions["negative"][:, 2].mean() - motions["neutral"][:, 2].mean())) > 2


def test_phrases_end_in_nods_or_shakes(speech, motions):
    def movement(motion, axis):
        """Range [degrees] in the second and a half after each noticed pause."""
        starts = [round((start + 0.3) * RATE_HZ) for start, _, _ in pauses(speech, len(motion))]
        angles = np.degrees(motion[:, axis])
        return np.mean([np.ptp(angles[start : start + 45]) for start in starts if start + 45 < len(motion)])

    assert movement(motions["positive"], 0) > 5
    assert movement(motions["positive"], 0) > movement(motions["negative"], 0) + 2
    assert movement(motions["negative"], 1) > movement(motions["positive"], 1) + 3


def test_it_smiles_back(speech, face):
    still = face.copy()
    still[:, [LAYOUT.index("mouthSmileLeft"), LAYOUT.index("mouthSmileRight")]] = 0
    smiling = still.copy()
    smiling[300:360, [LAYOUT.index("mouthSmileLeft"), LAYOUT.index("mouthSmileRight")]] = 0.8
    difference = shape(answer(speech, smiling, "neutral"), "mouthSmileLeft") - shape(
        answer(speech, still, "neutral"), "mouthSmileLeft"
    )
    assert np.abs(difference[:305]).max() < 1e-6 and difference[315:360].max() > 0.2
    assert difference[420:].max() < 0.02


def test_it_blinks_and_never_leaps(motions):
    for motion in motions.values():
        assert np.isfinite(motion).all()
        closed = shape(motion, "eyeBlinkLeft") > 0.5
        per_minute = np.count_nonzero(closed[1:] & ~closed[:-1]) / (len(motion) / RATE_HZ) * 60
        assert 6 <= per_minute <= 40
        assert np.degrees(np.abs(np.diff(motion[:, LAYOUT.rotation], axis=0))).max() < 3


def test_silence_has_a_listener_too():
    silence = Speech(np.zeros(3 * SAMPLE_RATE, np.float32), ())
    face = np.tile(LAYOUT.neutral(), (90, 1))
    motion = answer(silence, face, "neutral")
    assert motion.shape == (90, 58) and np.isfinite(motion).all()


def test_a_cough_is_no_pause():
    speech = Speech(np.zeros(32000, np.float32), (Phoneme("a", 0.2, 0.6), Phoneme("a", 0.75, 1.0)))
    assert [round(start, 2) for start, _, _ in pauses(speech, 60)] == [1.0]


def test_from_rest_it_begins_with_its_reference(speech, face):
    person = replace(seated(PERSON, np.random.default_rng(2)), restlessness=0.0)
    begun, listening = (
        listen(speech, face, "positive", person, np.random.default_rng(3), from_rest)
        for from_rest in (True, False)
    )
    np.testing.assert_allclose(begun[0], person.reference, atol=1e-6)
    assert shape(begun, "mouthSmileLeft")[0] + 0.2 < shape(listening, "mouthSmileLeft")[0]
    np.testing.assert_allclose(begun[60:], listening[60:], atol=1e-6)


def test_where_a_person_sits_is_kept(speech, face):
    here, there = (seated(PERSON, np.random.default_rng(seed)) for seed in (1, 2))
    moved = there.reference - here.reference
    assert np.abs(moved[LAYOUT.translation]).max() > 0.03
    first, second = (
        listen(speech, face, "neutral", person, np.random.default_rng(3)) for person in (here, there)
    )
    pose = np.r_[LAYOUT.rotation, LAYOUT.translation]
    np.testing.assert_allclose((second - first)[:, pose], np.tile(moved[pose], (len(first), 1)), atol=1e-5)


def test_doubt_tilts_further_to_the_side_of_rest(speech, face):
    turned = PERSON.reference.copy()
    turned[2] = np.radians(-6)
    other = listen(speech, face, "negative", replace(PERSON, reference=turned), np.random.default_rng(3))
    assert answer(speech, face, "negative")[:, 2].mean() > np.radians(2)
    assert other[:, 2].mean() < np.radians(-8)


def test_the_body_leans_in_while_somebody_speaks_and_goes_along(speech, face):
    depth = LAYOUT.translation.stop - 1
    assert (
        answer(speech, face, "positive")[:, depth].mean()
        < answer(speech, face, "negative")[:, depth].mean() - 0.04
    )
    nearer = face.copy()
    nearer[300:, depth] -= 0.05
    change = answer(speech, nearer, "positive")[:, depth] - answer(speech, face, "positive")[:, depth]
    assert np.abs(change[:300]).max() < 1e-6 and change[330:390].min() < -0.02
