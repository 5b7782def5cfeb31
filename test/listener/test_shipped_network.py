"""What the network that ships must do: answer its speaker, look like its attitude, live, and last."""

from dataclasses import replace

import numpy as np
import pytest

from listener_head.coefficients import LAYOUTS
from listener_head.dyads.sets import synthesise_set
from listener_head.dyads.speaker import LAYOUT as SPEAKER_LAYOUT
from listener_head.evaluation.dyads.generation import generate, respond
from listener_head.evaluation.dyads.metrics import feature_distance
from listener_head.listener import load_listener
from listener_head.timing import RATE_HZ

LAYOUT = LAYOUTS["arkit52"]
ATTITUDES = ("positive", "neutral", "negative")
# Far from the seed of any training run.
SEED = 900_000


@pytest.fixture(scope="module")
def listener():
    return load_listener()


@pytest.fixture(scope="module")
def dyads():
    return list(synthesise_set(9, 40, SEED))


@pytest.fixture(scope="module")
def motions(listener, dyads):
    """The listener's motion [dyads, T, M] by attitude."""
    return {
        attitude: np.stack([generate(listener, d.audio, d.speaker, None, attitude) for d in dyads[:3]])
        for attitude in ATTITUDES
    }


def shape(motion, name):
    return motion[..., LAYOUT.index(name)]


def test_its_card_is_complete_and_its_kind_right(listener):
    assert listener.face_model == SPEAKER_LAYOUT.face_model and listener.audio_layout == "paper45"
    assert listener.attitudes == ATTITUDES
    card = listener.card
    assert all(card[key] for key in ("name", "data", "held_out", "date", "seed", "command", "scores"))


@pytest.mark.parametrize("part", ["rotation", "expression"])
def test_it_answers_its_speaker(listener, dyads, part):
    """With the speaker's sound and face shifted by ten seconds the error is clearly worse."""
    own, shifted = [], []
    for dyad in dyads:
        for shift, distances in ((0, own), (10 * RATE_HZ, shifted)):
            audio, speaker = (np.roll(signal, shift, axis=0) for signal in (dyad.audio, dyad.speaker))
            motion = respond(listener, replace(dyad, audio=audio, speaker=speaker))
            distances.append(feature_distance(motion, dyad.listener[1:], LAYOUT)[part])
    assert np.mean(shifted) > 1.1 * np.mean(own)
    assert np.mean(np.array(shifted) > np.array(own)) >= 0.75


def test_attitudes_can_be_told_apart(motions):
    smile = {name: shape(motion, "mouthSmileLeft").mean() for name, motion in motions.items()}
    frown = {name: shape(motion, "browDownLeft").mean() for name, motion in motions.items()}
    assert smile["positive"] - smile["negative"] > 0.15 and smile["positive"] > smile["neutral"]
    assert frown["negative"] - frown["positive"] > 0.1 and frown["negative"] > frown["neutral"]


@pytest.mark.parametrize("attitude", ATTITUDES)
def test_it_neither_freezes_nor_jitters(motions, attitude):
    turns = np.degrees(motions[attitude][..., LAYOUT.rotation])
    assert np.ptp(turns[..., 0], axis=1).min() > 3
    assert np.abs(np.diff(turns, axis=1)).max() < 3
    windows = np.lib.stride_tricks.sliding_window_view(turns, 2 * RATE_HZ, axis=1)
    assert np.ptp(windows, axis=-1).max(axis=2).min() > 0.15
    # Energy above 6 Hz, faster than a head moves, is a small part of that of all movement.
    spectrum = np.abs(np.fft.rfft(np.diff(turns, axis=1), axis=1)) ** 2
    frequency = np.fft.rfftfreq(turns.shape[1] - 1, 1 / RATE_HZ)
    assert spectrum[:, frequency > 6].sum() < 0.1 * spectrum.sum()


@pytest.mark.parametrize("attitude", ATTITUDES)
def test_it_blinks(motions, attitude):
    closed = shape(motions[attitude], "eyeBlinkLeft") > 0.5
    per_minute = np.count_nonzero(closed[:, 1:] & ~closed[:, :-1]) / closed.size * RATE_HZ * 60
    assert 5 < per_minute < 45


def test_an_attitude_lasts_and_can_be_changed(listener, dyads):
    """Ten minutes on, the attitudes are still there, and so is the change to another one."""
    audio = np.concatenate([dyad.audio for dyad in dyads] * 2)[: 600 * RATE_HZ]
    speaker = np.concatenate([dyad.speaker for dyad in dyads] * 2)[: 600 * RATE_HZ]
    last = slice(-60 * RATE_HZ, None)
    smiles = {}
    for attitude in ("positive", "negative"):
        smiles[attitude] = shape(
            generate(listener, audio, speaker, None, attitude)[last], "mouthSmileLeft"
        ).mean()
    assert smiles["positive"] - smiles["negative"] > 0.15
    listener.set_attitude("positive")
    changed = np.stack([listener.step(*frame) for frame in zip(audio[:1200], speaker[:1200], strict=True)])
    assert np.degrees(np.abs(np.diff(changed[:, LAYOUT.rotation], axis=0))).max() < 3
    assert shape(changed[300:], "mouthSmileLeft").mean() > smiles["negative"] + 0.15
