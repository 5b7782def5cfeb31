import numpy as np
import pytest

from listener_head.dyads.clips import ATTITUDES
from listener_head.dyads.sets import synthesise_set
from listener_head.dyads.speaker import LAYOUT
from listener_head.dyads.splits import check_splits
from listener_head.errors import UserError

PARTS = ("audio", "speaker", "listener", "voice_activity", "speaker_identity", "listener_identity")


@pytest.fixture(scope="module")
def made():
    return synthesise_set(12, 8, seed=3, processes=2, held_out_seconds=9)


def test_a_set_has_all_attitudes_and_parts(made):
    assert len(made) == 12 and made.audio_layout == "paper45" and check_splits(made) == ()
    for split, frames in (("train", 240), ("test", 270), ("ood", 270)):
        members = made.of(split)
        assert {clip.attitude for clip in members} == set(ATTITUDES)
        assert all(len(clip) == frames for clip in members)
    for clip in made:
        assert len(clip.audio) == len(clip.speaker) == len(clip.voice_activity) == len(clip)
        for part in PARTS:
            values = getattr(clip, part)
            assert values.dtype == np.float32 and np.isfinite(values).all()
        for motion in (clip.speaker, clip.listener):
            expression = motion[:, LAYOUT.expression]
            assert expression.min() >= 0 and expression.max() <= 1


def test_a_seed_is_a_set_however_many_processes(made):
    calls = []
    again = synthesise_set(12, 8, seed=3, processes=3, report=lambda: calls.append(1), held_out_seconds=9)
    assert len(calls) == 12
    for first, second in zip(made, again, strict=True):
        assert first.name == second.name
        for part in PARTS:
            np.testing.assert_array_equal(getattr(first, part), getattr(second, part))


def test_people_are_the_same_wherever_they_meet(made):
    faces = {}
    for clip in made:
        for person, face in (
            (clip.speaker_id, clip.speaker_identity),
            (clip.listener_id, clip.listener_identity),
        ):
            np.testing.assert_array_equal(faces.setdefault(person, face), face)
    assert len({face.tobytes() for face in faces.values()}) == len(faces) >= 4


def test_references_vary_in_turn_and_place(made):
    first = np.array([clip.listener[0] for clip in made])
    assert np.degrees(np.ptp(first[:, 1])) > 5
    assert (np.ptp(first[:, LAYOUT.translation], axis=0) > (0.02, 0.02, 0.05)).all()


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [((0, 8), "0 clips"), ((3, 0.2), "0.2 s"), ((3, 8, -1), "seed -1"), ((3, 1e6), "1e\\+06 s")],
)
def test_impossible_sets_are_refused(arguments, problem):
    with pytest.raises(UserError, match=problem):
        synthesise_set(*arguments)
