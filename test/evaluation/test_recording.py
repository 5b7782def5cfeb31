"""Recordings come back as they were written, and broken ones are refused in one line."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from synthetic_run import JOINTS, MS, START_NS, Run, face, header, image, message, moving_face, stamp

from listener_head.bags.typestore import load_typestore
from listener_head.bags.writer import RecordingWriter
from listener_head.errors import UserError
from listener_head.evaluation.recording import Recording, read_recording
from listener_head.graph import TOPICS
from listener_head.timing import grid_time_ns, index_at_or_after


def write_messages(path: Path, messages: list, topics: dict[str, str] | None = None) -> Path:
    """Write (time, key, message) triples under the namespace /demo."""
    types = topics or TOPICS
    with RecordingWriter(path, {f"/demo/{key}": msgtype for key, msgtype in types.items()}) as writer:
        for time_ns, key, content in messages:
            cdr = load_typestore().serialize_cdr(content, types[key])
            writer.write(f"/demo/{key}", time_ns, bytes(cdr))
    return path


def chunk(time_ns: int, samples: np.ndarray, channels: int = 1, rate: int = 16_000):
    return message(
        "listener_head/msg/AudioChunk",
        header=header(time_ns),
        sample_rate=rate,
        channels=channels,
        samples=samples.astype(np.int16),
    )


def test_a_run_comes_back(write_run) -> None:
    recording = read_recording(write_run(seconds=2.0))

    first = grid_time_ns(index_at_or_after(START_NS) + 1)
    assert recording.listener.stamp_ns[0] == first
    assert recording.listener.rotation.shape == (60, 3)
    expected = np.stack([moving_face(step / 30) for step in range(60)])
    layout = recording.listener.layout
    np.testing.assert_array_equal(recording.listener.rotation, expected[:, layout.rotation])
    np.testing.assert_array_equal(recording.listener.expression, expected[:, layout.expression])
    np.testing.assert_array_equal(recording.listener.translation, expected[:, layout.translation])
    assert recording.listener.valid.all()
    assert recording.states.networks == (("test network", "0123456789ab"),)
    assert recording.states.frame.tolist() == list(range(60))
    assert recording.features.values.shape == (60, 45)
    assert len(recording.speaker_images.stamp_ns) == len(recording.speaker.stamp_ns) == 60
    assert recording.start_ns == START_NS


def test_measured_joints_stand_in_the_order_of_the_commands(write_run) -> None:
    recording = read_recording(write_run())

    assert recording.commands.names == recording.joint_states.names == tuple(JOINTS)
    np.testing.assert_allclose(recording.joint_states.positions, 0.95 * recording.commands.positions)


def test_sound_is_one_piece(write_run) -> None:
    audio = read_recording(write_run()).audio

    assert (audio.start_ns, audio.sample_rate, len(audio.samples)) == (START_NS, 16_000, 32_000)
    assert np.abs(audio.samples[:6000]).max() == pytest.approx(8000 / 32768, rel=1e-2)


def test_a_gap_in_the_sound_is_silence_and_a_repeated_chunk_is_dropped(tmp_path: Path) -> None:
    loud = np.full(1600, 16384)
    times = [START_NS, START_NS + 100 * MS, START_NS, START_NS + 500 * MS]
    path = write_messages(tmp_path / "r", [(t + MS, "speaker/audio", chunk(t, loud)) for t in times])

    samples = read_recording(path).audio.samples

    assert len(samples) == 9600
    assert (samples[:3200] == 0.5).all() and (samples[3200:8000] == 0).all() and (samples[8000:] == 0.5).all()


def test_stereo_is_mixed(tmp_path: Path) -> None:
    both = np.tile([16384, 0], 800)
    path = write_messages(tmp_path / "r", [(START_NS, "speaker/audio", chunk(START_NS, both, channels=2))])

    assert (read_recording(path).audio.samples == 0.25).all()


def test_frames_that_are_not_finite_are_not_valid(tmp_path: Path) -> None:
    motion = moving_face(0.3)
    broken = motion.copy()
    broken[5] = np.nan
    faces = [face(START_NS + i * MS, START_NS, m) for i, m in enumerate([motion, broken])]
    path = write_messages(tmp_path / "r", [(START_NS, "listener/coefficients", f) for f in faces])

    track = read_recording(path).listener

    assert track.valid.tolist() == [True, False]
    assert np.isfinite(track.expression).all()


@pytest.mark.parametrize(("encoding", "channels"), [("rgb8", 3), ("bgr8", 3), ("bgra8", 4), ("mono8", 1)])
def test_images_come_back_as_rgb(tmp_path: Path, encoding: str, channels: int) -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (4, 6, channels), np.uint8)
    sent = image(START_NS, pixels)
    sent.encoding = encoding
    # Rows may be longer than their pixels.
    sent.step += 5
    sent.data = np.pad(pixels.reshape(4, -1), ((0, 0), (0, 5))).reshape(-1)
    path = write_messages(tmp_path / "r", [(START_NS, "listener/image", sent)])

    ((time_ns, received),) = read_recording(path).images("listener/image")

    colour = np.repeat(pixels, 3, axis=2) if channels == 1 else pixels[..., :3]
    np.testing.assert_array_equal(received, colour[..., ::-1] if encoding.startswith("bgr") else colour)
    assert time_ns == START_NS


def test_an_unknown_encoding_is_refused_by_name(tmp_path: Path) -> None:
    sent = image(START_NS, np.zeros((4, 6, 3), np.uint8))
    sent.encoding = "bayer_rggb8"
    path = write_messages(tmp_path / "r", [(START_NS, "listener/image", sent)])

    with pytest.raises(UserError, match="bayer_rggb8"):
        list(read_recording(path).images("listener/image"))


def test_absent_and_empty_recordings_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="does not exist"):
        read_recording(tmp_path / "nothing")
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="cannot be read"):
        read_recording(tmp_path / "empty")
    (tmp_path / "empty.mcap").touch()
    with pytest.raises(UserError, match="empty"):
        read_recording(tmp_path / "empty.mcap")
    with pytest.raises(UserError, match=r"no message of .*listener/coefficients"):
        read_recording(write_messages(tmp_path / "silent", []))


def test_missing_topics_are_named(write_run) -> None:
    recording = read_recording(write_run(leave_out=("joint_commands", "listener/image")))

    with pytest.raises(UserError, match="no messages of joint_commands, listener/image"):
        recording.require("listener/state", "joint_commands", "listener/image")


def test_a_topic_of_another_type_is_refused(tmp_path: Path) -> None:
    track = message("builtin_interfaces/msg/Time", sec=1, nanosec=0)
    types = {"joint_commands": "builtin_interfaces/msg/Time"}
    path = write_messages(tmp_path / "r", [(1, "joint_commands", track)], types)

    with pytest.raises(UserError, match="joint_commands has type builtin_interfaces/msg/Time"):
        read_recording(path)


def test_a_type_of_another_version_is_refused(write_run) -> None:
    path = write_run(seconds=0.2)
    metadata = path / "metadata.yaml"
    digest = load_typestore().hash_rihs01(TOPICS["listener/state"])
    metadata.write_text(metadata.read_text().replace(digest, "RIHS01_" + "0" * 64))

    with pytest.raises(UserError, match=r"another version of listener_head/msg/ListenerState"):
        read_recording(path)


def test_two_runs_in_one_recording_are_refused(tmp_path: Path) -> None:
    picture = image(1, np.zeros((2, 2, 3), np.uint8))
    types = {f"{robot}/listener/image": TOPICS["listener/image"] for robot in ("left", "right")}
    path = write_messages(tmp_path / "r", [(1, topic, picture) for topic in types], types)

    with pytest.raises(UserError, match=r"/demo/left/listener/image and /demo/right/listener/image"):
        read_recording(path)


def test_messages_that_contradict_each_other_are_refused(tmp_path: Path) -> None:
    def command(names: list[str]):
        return message(
            "listener_head/msg/JointCommand",
            header=header(1),
            source_stamp=stamp(0),
            names=names,
            positions=np.zeros(len(names)),
            velocities=np.zeros(len(names)),
        )

    short = face(1, 0, moving_face(0.0))
    short.expression = short.expression[:10]
    cases = {
        "names": [(1, "joint_commands", command(["pan"])), (2, "joint_commands", command(["tilt"]))],
        "sizes": [(1, "listener/coefficients", short)],
        "sound": [
            (1, "speaker/audio", chunk(START_NS, np.zeros(160))),
            (2, "speaker/audio", chunk(START_NS + 10 * MS, np.zeros(480), rate=48_000)),
        ],
        "time": [
            (1, "speaker/audio", chunk(START_NS, np.zeros(160))),
            (2, "speaker/audio", chunk(START_NS + 10**15, np.zeros(160))),
        ],
    }
    for name, messages in cases.items():
        with pytest.raises(UserError, match=r"joint_commands|expression|changes to|jumps ahead"):
            read_recording(write_messages(tmp_path / name, messages))


@pytest.fixture(scope="module")
def small_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Run(seconds=0.2, image_size=4).write(tmp_path_factory.mktemp("small") / "small")


@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_a_damaged_file_is_read_or_refused(small_run: Path, data: st.DataObject) -> None:
    content = bytearray((small_run / "small.mcap").read_bytes())
    if data.draw(st.booleans(), "cut short"):
        content = content[: data.draw(st.integers(0, len(content) - 1))]
    else:
        for _ in range(data.draw(st.integers(1, 4))):
            content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    damaged = small_run.parent / "damaged"
    shutil.rmtree(damaged, ignore_errors=True)
    shutil.copytree(small_run, damaged)
    (damaged / "small.mcap").write_bytes(content)

    try:
        recording = read_recording(damaged)
    except UserError as error:
        assert "\n" not in str(error)
    else:
        assert isinstance(recording, Recording)
        assert np.isfinite(recording.listener.rotation).all()


@settings(deadline=None, max_examples=40)
@given(key=st.sampled_from(sorted(set(TOPICS) - {"attitude"})), body=st.binary(max_size=200))
def test_random_bytes_in_a_message_are_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, key: str, body: bytes
) -> None:
    path = tmp_path_factory.mktemp("bytes") / "r"
    with RecordingWriter(path, {key: TOPICS[key]}) as writer:
        writer.write(key, 1, b"\x00\x01\x00\x00" + body)

    try:
        read_recording(path)
    except UserError as error:
        assert "\n" not in str(error)
