"""A recording is seen and heard as the nodes would."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from listener_head.audio import StampedFeatures
from listener_head.bags import Chunk, Picture, open_bag
from listener_head.errors import UserError
from listener_head.evaluation.offline.data import Perceived
from listener_head.evaluation.offline.perceive import perceive
from listener_head.evaluation.offline.topics import TopicNames, choose_topics
from listener_head.evaluation.offline.watcher import Perception
from listener_head.face.perceiver import FacePerceiver


def perceive_bag(path: Path, names: TopicNames | None = None, **more) -> tuple[Perceived, list[str]]:
    with open_bag(path) as bag:
        topics = choose_topics(bag, names or TopicNames())
        return perceive(bag, topics, Perception("paper45"), **more), bag.problems


@pytest.fixture(scope="module")
def perceived(talk_bag: Path) -> Perceived:
    return perceive_bag(talk_bag)[0]


def test_the_face_is_what_the_perceiver_of_the_node_makes_of_the_pictures(talk_bag, perceived) -> None:
    perceiver, motions = FacePerceiver(), []
    with open_bag(talk_bag) as bag:
        for item in bag.stream([bag.find_image()]):
            assert isinstance(item, Picture)
            pixels = item.decode()
            perceiver.use_camera(None, (pixels.shape[1], pixels.shape[0]))
            motions.append(perceiver.perceive(pixels, item.stamp_ns).motion)
            perceiver.tracker.look_around()
    perceiver.close()
    assert perceived.speaker.valid.all() and perceived.speaker.size == (256, 256)
    assert np.array_equal(perceived.speaker.motion, np.array(motions))


def test_the_sound_is_what_the_features_of_the_node_make_of_it(talk_bag, perceived) -> None:
    features, frames = StampedFeatures("paper45"), []
    with open_bag(talk_bag) as bag:
        for item in bag.stream([bag.find_audio()]):
            assert isinstance(item, Chunk)
            frames += features.push(item.stamp_ns, item.samples, item.sample_rate)
    heard = perceived.heard
    assert np.array_equal(heard.values, np.concatenate([each.values for each in frames]))
    assert (np.diff(heard.indices) == 1).all() and heard.indices[0] == frames[0].first_index
    assert 0.1 < (heard.voice_activity > 0.5).mean() < 0.95
    assert len(perceived.envelope.low) == pytest.approx(400, abs=2)
    assert perceived.envelope.high.max() > 0.05 > -0.05 > perceived.envelope.low.min()


def test_a_true_listener_is_seen_by_the_camera_beside(perceived) -> None:
    assert perceived.truth is not None
    assert np.array_equal(perceived.truth.stamp_ns, perceived.speaker.stamp_ns)
    assert np.abs(perceived.truth.motion - perceived.speaker.motion).max() < 1e-6


def test_pictures_that_a_live_run_passed_over_are_not_looked_at(talk_bag, perceived) -> None:
    looked_at = frozenset(perceived.speaker.stamp_ns[::2].tolist())
    again, _ = perceive_bag(talk_bag, only=looked_at)
    assert set(again.speaker.stamp_ns.tolist()) == looked_at
    assert len(again.truth.stamp_ns) == len(perceived.truth.stamp_ns)


def test_of_a_live_run_its_coefficients_and_features_are_taken(write_run) -> None:
    path = write_run(seconds=2.0, speaker_images=False, leave_out=("speaker/audio",))
    perceived, problems = perceive_bag(path)
    assert problems == []
    assert len(perceived.speaker.stamp_ns) == 60 and perceived.speaker.valid.all()
    assert len(perceived.heard.indices) == 60 and perceived.heard.layout == "paper45"
    assert perceived.speaker.size == (0, 0)


def test_progress_is_told_in_seconds(talk_bag) -> None:
    told: list[float] = []
    perceive_bag(talk_bag, report=told.append)
    assert told == sorted(told) and told[-1] == pytest.approx(4.0, abs=0.2)


def test_a_recording_that_shows_nobody_says_what_it_has(write_run) -> None:
    path = write_run(seconds=0.5, speaker_images=False, leave_out=("speaker/coefficients",))
    with pytest.raises(UserError, match=r"shows no speaker: it has .*speaker/audio .*--image"):
        perceive_bag(path)


def test_missing_sound_is_named(write_run) -> None:
    path = write_run(seconds=0.5, speaker_images=False, leave_out=("speaker/audio", "speaker/audio_features"))
    perceived, problems = perceive_bag(path)
    assert len(perceived.heard.indices) == 0
    assert len(problems) == 1 and "there is no sound" in problems[0]


def test_a_recording_that_is_cut_off_is_perceived_up_to_there(talk_bag, tmp_path) -> None:
    cut = tmp_path / "cut"
    shutil.copytree(talk_bag, cut)
    file = next(cut.glob("*.mcap"))
    content = file.read_bytes()
    file.write_bytes(content[: len(content) // 2])
    perceived, problems = perceive_bag(cut)
    assert 25 < len(perceived.speaker.stamp_ns) < 95
    assert any("cut off" in problem for problem in problems)
