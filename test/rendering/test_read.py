"""Coefficients are read from every kind of file, on the right time, or refused in one line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rosbags.rosbag2 import StoragePlugin

from listener_head.coefficients import LAYOUTS, Coefficients
from listener_head.errors import UserError
from listener_head.rendering.read import read_sequence
from listener_head.rendering.sequence import CoefficientSequence
from test.rendering.conftest import FACES, LAYOUT, MS, START_NS, face, faces, header, message, turning

TOPIC = "/demo/listener/coefficients"


def yaws(sequence: CoefficientSequence) -> np.ndarray:
    return np.array([frame.rotation[1] for frame in sequence.frames])


def grid(count: int, start_ns: int = START_NS) -> list[int]:
    return [start_ns + step * 100 * MS // 3 for step in range(count)]


def test_motion_is_read_at_thirty_a_second(write_motion) -> None:
    motion = turning(90)

    sequence = read_sequence(write_motion(motion))

    assert np.array_equal(yaws(sequence), motion[:, 1])
    assert sequence.times_ns[-1] == pytest.approx(89e9 / 30, abs=1)
    assert list(sequence.at_rate(30)) == list(range(90))
    assert list(sequence.at_rate(15)) == list(range(0, 90, 2))
    assert list(sequence.at_rate(60))[:4] == [0, 0, 1, 1]


def test_frames_without_a_face_keep_the_last_one(write_npz) -> None:
    valid = np.ones(10, bool)
    valid[[0, 4, 5]] = False

    sequence = read_sequence(write_npz(turning(10), valid))

    assert len(sequence.frames) == 7
    assert list(sequence.at_rate(30)) == [0, 0, 1, 2, 2, 2, 3, 4, 5, 6]  # of the seven


def test_a_person_seen_by_a_camera_is_seated_where_a_listener_sits(write_npz, write_motion) -> None:
    motion = turning(9)
    motion[:, LAYOUT.translation] = (0.4, -0.2, 1.3)
    motion[4, LAYOUT.translation] = (0.5, -0.2, 1.3)

    seen = read_sequence(write_npz(motion)).seated()
    own = read_sequence(write_motion(motion)).seated()

    rest = LAYOUT.neutral()[LAYOUT.translation]
    assert np.allclose(seen.frames[0].translation, rest, atol=1e-6)
    assert np.allclose(seen.frames[4].translation, rest + np.array([0.1, 0, 0]), atol=1e-6)
    assert np.allclose(own.frames[0].translation, (0.4, -0.2, 1.3))


def test_published_features_come_into_the_cameras_frame(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    layout = LAYOUTS["bfm2009"]
    dynamic = np.zeros((5, layout.size), np.float32)
    dynamic[:, layout.rotation] = (0.1, 0.2, 0.3)
    dynamic[:, layout.crop] = (1.0, 112.0, 112.0)
    fixed = np.arange(187, dtype=np.float32)[None].repeat(5, 0)
    torch.save({"angle.exp.trans": dynamic, "id.gamma.tex": fixed}, tmp_path / "clip.bin")

    sequence = read_sequence(tmp_path / "clip.bin")

    frame = sequence.frames[-1]
    assert sequence.face_model == "bfm2009" and len(sequence.frames) == 5
    assert np.allclose(frame.rotation, (0.1, -0.2, -0.3)) and np.allclose(frame.translation, (0, 0, 1.0))
    assert [len(part) for part in (frame.identity, frame.lighting, frame.texture)] == [80, 27, 80]
    assert (frame.identity[0], frame.lighting[0], frame.texture[0]) == (0, 80, 107)


@pytest.mark.parametrize("plugin", StoragePlugin)
@pytest.mark.parametrize("as_file", [False, True])
def test_a_bag_is_placed_by_header_stamps(write_bag, plugin, as_file) -> None:
    motion = turning(20)
    messages = faces(motion, grid(20))
    messages[3], messages[9] = messages[9], messages[3]  # as a network may deliver them
    bag = write_bag({TOPIC: (FACES, messages)}, plugin)
    path = next(each for each in bag.iterdir() if each.suffix != ".yaml") if as_file else bag

    sequence = read_sequence(path)

    assert np.array_equal(yaws(sequence), motion[:, 1])
    assert sequence.times_ns[0] == 0 and list(sequence.at_rate(30)) == list(range(20))


def test_a_gap_in_a_bag_keeps_the_last_picture(write_bag) -> None:
    times = grid(10) + grid(10, START_NS + 1000 * MS)

    sequence = read_sequence(write_bag({TOPIC: (FACES, faces(turning(20), times))}))

    shown = sequence.at_rate(30)
    assert len(shown) == 40 and set(shown[10:30]) == {9} and list(shown[30:]) == list(range(10, 20))


def test_a_bag_begins_with_the_speaker(write_bag) -> None:
    chunk = message(
        "listener_head/msg/AudioChunk",
        header=header(START_NS - 200 * MS),
        sample_rate=16_000,
        channels=1,
        samples=np.zeros(160, np.int16),
    )
    topics = {
        TOPIC: (FACES, faces(turning(10), grid(10))),
        "/demo/speaker/audio": ("listener_head/msg/AudioChunk", [(START_NS, chunk)]),
        "/other/speaker/coefficients": (FACES, faces(turning(1), [START_NS - 5000 * MS])),
    }

    sequence = read_sequence(write_bag(topics))

    assert sequence.times_ns[0] == 200 * MS and sequence.starts_with_sound
    assert list(sequence.at_rate(30)[:8]) == [0] * 7 + [1]


def test_the_topic_may_be_chosen_and_must_be_clear(write_bag) -> None:
    topics = {
        "/a/speaker/coefficients": (FACES, faces(turning(4), grid(4))),
        "/b/speaker/coefficients": (FACES, faces(turning(6), grid(6))),
    }
    bag = write_bag(topics)

    assert len(read_sequence(bag, "/a/speaker/coefficients").frames) == 4
    for topic in ("", "speaker/coefficients"):
        with pytest.raises(UserError, match="/a/speaker/coefficients, /b/speaker/coefficients"):
            read_sequence(bag, topic)
    with pytest.raises(UserError, match=r"no coefficients on '/c/x'.*/a/speaker/coefficients"):
        read_sequence(bag, "/c/x")


def test_a_bag_without_coefficients_names_what_it_has(write_bag) -> None:
    note = message("std_msgs/msg/String", data="hello")

    with pytest.raises(UserError, match=r"/chatter \(std_msgs/msg/String\)"):
        read_sequence(write_bag({"/chatter": ("std_msgs/msg/String", [(START_NS, note)])}))


def test_messages_that_mean_nothing_are_refused_or_left_out(write_bag) -> None:
    motion = turning(3)
    bad = motion[1].copy()
    bad[0] = np.nan
    of = [
        face(START_NS, motion[0]),
        face(START_NS + 33 * MS, bad),
        face(START_NS + 66 * MS, motion[2], valid=False),
    ]
    of.append(face(START_NS + 99 * MS, motion[2], identity=np.array([np.inf], np.float32)))

    sequence = read_sequence(write_bag({TOPIC: (FACES, [(START_NS, each) for each in of])}))

    assert len(sequence.frames) == 1


@pytest.mark.parametrize(
    ("messages", "said"),
    [
        ([face(START_NS, turning(1)[0], valid=False, reason="no face")], "no valid coefficients .no face"),
        ([face(START_NS, turning(1)[0], expression=np.zeros(7, np.float32))], "7 numbers in expression"),
        ([face(START_NS, turning(1)[0], crop=np.zeros(3, np.float32))], r"shape \(61,\)"),
        ([face(START_NS, turning(1)[0], face_model="wax")], "face model 'wax' is unknown"),
        ([face(0, turning(1)[0]), face(START_NS, turning(1)[0])], "jumps ahead by 1700000000 s"),
    ],
)
def test_a_bag_that_cannot_be_rendered_says_why(write_bag, messages, said) -> None:
    with pytest.raises(UserError, match=said):
        read_sequence(write_bag({TOPIC: (FACES, [(START_NS, each) for each in messages])}))


@pytest.mark.parametrize("name", ["x.npz", "x.npy", "x.bin", "x.mcap", "x.db3"])
@pytest.mark.parametrize("content", [b"", b"\x00rubbish" * 50])
def test_files_that_are_no_such_files_are_named(tmp_path: Path, name, content) -> None:
    path = tmp_path / name
    with pytest.raises(UserError, match=name):
        read_sequence(path)  # not there
    path.write_bytes(content)
    with pytest.raises(UserError, match=name):
        read_sequence(path)


def test_other_wrong_input_is_named(tmp_path: Path, write_motion) -> None:
    (tmp_path / "talk.txt").write_text("x")
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="no known ending"):
        read_sequence(tmp_path / "talk.txt")
    with pytest.raises(UserError, match=r"empty' has no metadata\.yaml"):
        read_sequence(tmp_path / "empty")
    with pytest.raises(UserError, match="--topic /x is for recordings"):
        read_sequence(write_motion(turning(3)), "/x")
    with pytest.raises(UserError, match=r"shape \(0, 58\)"):
        read_sequence(write_motion(np.zeros((0, 58), np.float32)))
    with pytest.raises(UserError, match="not finite in row 1"):
        read_sequence(write_motion(np.vstack([turning(1), np.full((1, 58), np.nan)])))


@given(
    gaps=st.lists(st.integers(0, 2_000_000_000), min_size=1, max_size=30),
    fps=st.integers(1, 120),
)
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_the_stamps_each_picture_shows_the_newest_frame(gaps, fps) -> None:
    times = np.cumsum(gaps)
    frames = [Coefficients.from_motion("arkit52", LAYOUT.neutral())] * len(times)

    shown = CoefficientSequence(Path("x"), times, frames, seen_by_camera=False).at_rate(fps)

    rounding = MS
    moments = np.arange(len(shown)) * 1e9 / fps
    assert moments[-1] <= times[-1] + rounding < moments[-1] + 1e9 / fps + 1
    for moment, index in zip(moments, shown, strict=True):
        # The frame's time has come, or none has yet; and no later one's has.
        assert times[index] <= moment + rounding or index == 0
        assert index == len(times) - 1 or times[index + 1] > moment + rounding - 1
