"""Sound of every type of message comes back in 16 bits, at its time."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_bag import MS, START_NS, header, message, picture, write_bag

from listener_head.bags import Chunk, open_bag
from listener_head.bags.typestore import MGONZS13, ROS_DRIVERS
from listener_head.errors import UserError
from listener_head.sounds import SampleClock, SoundDecoder
from listener_head.timing import NS_PER_S

TONE = (8000 * np.sin(2 * np.pi * 440 * np.arange(16_000) / 16_000)).astype(np.int16)


def sound_of(path: Path, **settings: int) -> tuple[list[Chunk], list[str]]:
    with open_bag(path) as bag:
        return list(bag.stream([bag.find_audio()], **settings)), bag.problems


def data(samples: np.ndarray):
    return message(
        "audio_common_msgs/msg/AudioData", ROS_DRIVERS, data=np.frombuffer(samples.tobytes(), np.uint8)
    )


def info(sample_format: str = "S16LE", coding_format: str = "wave", rate: int = 16_000, channels: int = 1):
    return message(
        "audio_common_msgs/msg/AudioInfo",
        ROS_DRIVERS,
        channels=channels,
        sample_rate=rate,
        sample_format=sample_format,
        bitrate=192,
        coding_format=coding_format,
    )


def of_ros_drivers(tmp_path: Path, pieces: list[np.ndarray], *described, stamped: bool = False) -> Path:
    """Pieces of 0.1 s and what describes them; they arrive 20 ms late, give or take 9."""
    events = [(START_NS, "/robot/audio_info", each) for each in described]
    for i, piece in enumerate(pieces):
        received_ns = START_NS + (i + 1) * 100 * MS + (20 + i * 7 % 19 - 9) * MS
        content = data(piece)
        if stamped:
            content = message(
                "audio_common_msgs/msg/AudioDataStamped",
                ROS_DRIVERS,
                header=header(START_NS + i * 100 * MS),
                audio=content,
            )
        events.append((received_ns, "/robot/audio_stamped" if stamped else "/robot/audio", content))
    return write_bag(tmp_path / "bag", events, package=ROS_DRIVERS)


@pytest.mark.parametrize(
    ("sample_format", "kind", "factor"),
    [("S16LE", "<i2", 1), ("S16BE", ">i2", 1), ("S32LE", "<i4", 65536), ("F32LE", "<f4", 1 / 32767)],
)
def test_plain_sound_with_its_info(tmp_path: Path, sample_format: str, kind: str, factor: float) -> None:
    sent = (TONE * np.float64(factor)).astype(kind)

    chunks, problems = sound_of(of_ros_drivers(tmp_path, np.split(sent, 10), info(sample_format)))

    np.testing.assert_array_equal(np.concatenate([c.samples for c in chunks])[:, 0], TONE)
    # Times of arrival wander, and the count of samples does not.
    stamps = np.array([c.stamp_ns for c in chunks]) - START_NS
    np.testing.assert_allclose(np.diff(stamps), 100 * MS, atol=MS)
    np.testing.assert_allclose(stamps, np.arange(10) * 100 * MS + 20 * MS, atol=10 * MS)
    assert problems == ["topic /robot/audio has no stamps; the time of recording is taken"]


def test_stamped_sound_of_two_channels(tmp_path: Path) -> None:
    both = np.stack([TONE, -TONE], axis=1)
    path = of_ros_drivers(tmp_path, np.split(both, 10), info(channels=2), stamped=True)

    chunks, problems = sound_of(path)

    np.testing.assert_array_equal(np.concatenate([c.samples for c in chunks]), both)
    assert [c.stamp_ns for c in chunks] == [START_NS + i * 100 * MS for i in range(10)]
    assert problems == []


def test_sound_that_says_no_rate_is_refused_until_it_is_given(tmp_path: Path) -> None:
    path = of_ros_drivers(tmp_path, np.split(TONE, 10))

    chunks, problems = sound_of(path)
    assert chunks == []
    assert any(
        "10 messages left out: cannot be read (sound without a sample rate" in each for each in problems
    )

    chunks, _ = sound_of(path, sample_rate=16_000, channels=1)
    np.testing.assert_array_equal(np.concatenate([c.samples for c in chunks])[:, 0], TONE)


def mp3(samples: np.ndarray) -> list[np.ndarray]:
    """The frames of mono sound in MP3."""
    codec = av.CodecContext.create("libmp3lame", "w")
    codec.sample_rate, codec.layout, codec.format, codec.bit_rate = 16_000, "mono", "s16p", 64_000
    codec.open()
    packets = []
    for start in range(0, len(samples), 576):
        frame = av.AudioFrame.from_ndarray(samples[None, start : start + 576], format="s16p", layout="mono")
        frame.sample_rate, frame.pts = 16_000, start
        packets += codec.encode(frame)
    return [np.frombuffer(bytes(packet), np.uint8) for packet in packets + codec.encode(None)]


@pytest.mark.parametrize("described", [True, False])
def test_mp3_as_audio_capture_sends_it(tmp_path: Path, described: bool) -> None:
    events = [(START_NS, "/audio/audio_info", info(coding_format="mp3"))] if described else []
    frames = mp3(TONE)
    for i, frame in enumerate(frames):
        events.append((START_NS + (i + 1) * 36 * MS, "/audio/audio", data(frame)))
    chunks, _ = sound_of(write_bag(tmp_path / "bag", events, package=ROS_DRIVERS))

    assert {c.sample_rate for c in chunks} == {16_000}
    sound = np.concatenate([c.samples for c in chunks])[:, 0].astype(float)
    assert abs(len(sound) / 16_000 - 36e-3 * len(frames)) < 0.08
    spectrum = np.abs(np.fft.rfft(sound[4000:12_000]))
    assert np.argmax(spectrum) * 2 == 440
    stamps = np.array([c.stamp_ns for c in chunks]) - START_NS
    np.testing.assert_allclose(stamps, np.arange(len(chunks)) * 36 * MS, atol=80 * MS)


@pytest.mark.parametrize(
    ("number", "name", "kind", "factor"),
    [
        (8, "int16_data", np.int16, 1),
        (2, "int32_data", np.int32, 65536),
        (1, "float32_data", np.float32, 1 / 32767),
    ],
)
def test_sound_of_mgonzs13(tmp_path: Path, number: int, name: str, kind, factor: float) -> None:
    events = []
    for i, piece in enumerate(np.split(TONE, 10)):
        arrays = {
            each: np.zeros(0, dtype)
            for each, dtype in (
                ("float32_data", np.float32),
                ("int32_data", np.int32),
                ("int16_data", np.int16),
                ("int8_data", np.int8),
                ("uint8_data", np.uint8),
            )
        }
        arrays[name] = (piece * np.float64(factor)).astype(kind)
        package = "audio_common_msgs/msg"
        content = message(f"{package}/AudioData", MGONZS13, **arrays)
        about = message(f"{package}/AudioInfo", MGONZS13, format=number, channels=1, rate=16_000, chunk=1600)
        audio = message(f"{package}/Audio", MGONZS13, audio_data=content, info=about)
        stamped = message(
            f"{package}/AudioStamped", MGONZS13, header=header(START_NS + i * 100 * MS), audio=audio
        )
        events.append((START_NS + (i + 1) * 100 * MS, "/audio", stamped))

    chunks, problems = sound_of(write_bag(tmp_path / "bag", events, package=MGONZS13))

    np.testing.assert_array_equal(np.concatenate([c.samples for c in chunks])[:, 0], TONE)
    assert [c.stamp_ns for c in chunks] == [START_NS + i * 100 * MS for i in range(10)]
    assert problems == []


def test_of_sound_that_is_sent_twice_the_stamped_is_taken(tmp_path: Path) -> None:
    events = [(START_NS, "/a/audio_info", info()), (START_NS, "/a/audio", data(TONE))]
    stamped = message(
        "audio_common_msgs/msg/AudioDataStamped", ROS_DRIVERS, header=header(START_NS), audio=data(TONE)
    )
    events.append((START_NS, "/a/audio_stamped", stamped))
    with open_bag(write_bag(tmp_path / "bag", events, package=ROS_DRIVERS)) as bag:
        assert bag.find_audio().name == "/a/audio_stamped"


class Fields:
    def __init__(self, **fields) -> None:
        vars(self).update(fields)


@settings(deadline=None)
@given(
    content=st.binary(max_size=600),
    rate=st.integers(0, 2**32 - 1),
    channels=st.integers(0, 255),
    sample_format=st.sampled_from(["S16LE", "s16le", "U8", "F32LE", "F64BE", "", "S24LE", "x"]),
    coding=st.sampled_from(["wave", "mp3", "MP3", "", "opus"]),
)
def test_any_bytes_become_finite_samples_or_are_refused(
    content, rate, channels, sample_format, coding
) -> None:
    decoder = SoundDecoder()
    decoder.use_info(
        Fields(sample_rate=rate, channels=channels, sample_format=sample_format, coding_format=coding)
    )
    for piece in (content, b"\xff\xfb\x90\x00" + content):
        try:
            samples, made_rate = decoder.decode(Fields(data=piece))
        except UserError as problem:
            assert "\n" not in str(problem)
        else:
            assert samples.dtype == np.int16 and samples.ndim == 2 and made_rate > 0


@settings(deadline=None)
@given(
    st.lists(st.floats(width=32), max_size=50),
    st.integers(-3, 40),
    st.integers(-3, 9),
    st.integers(-3, 99_999),
)
def test_any_numbers_of_portaudio_become_samples_or_are_refused(numbers, form, channels, rate) -> None:
    arrays = {"float32_data": np.array(numbers, np.float32)}
    for kind in (np.int32, np.int16, np.int8, np.uint8):
        arrays[f"{np.dtype(kind).name}_data"] = np.arange(len(numbers)).astype(kind)
    audio = Fields(audio_data=Fields(**arrays), info=Fields(format=form, channels=channels, rate=rate))
    try:
        samples, _ = SoundDecoder().decode(Fields(audio=audio))
    except UserError as problem:
        assert "\n" not in str(problem)
    else:
        assert samples.shape[1] == channels


@given(st.lists(st.integers(-30, 30), min_size=2, max_size=60))
def test_a_count_of_samples_is_steadier_than_arrivals(jitter_ms) -> None:
    clock = SampleClock()
    stamps = [
        clock.stamp(START_NS + i * 100 * MS + late * MS, 1600, 16_000) for i, late in enumerate(jitter_ms)
    ]
    steps = np.diff(stamps)
    assert np.abs(steps - 100 * MS).max() <= 60 * MS / SampleClock.SHARE + MS
    assert clock.stamp(stamps[-1] + 5 * NS_PER_S, 1600, 16_000) == stamps[-1] + 5 * NS_PER_S


def test_pictures_are_no_sound(tmp_path: Path) -> None:
    with open_bag(write_bag(tmp_path / "bag", [(START_NS, "/audio", picture(START_NS))])) as bag:
        assert bag.find_audio() is None
        with pytest.raises(UserError, match="has type sensor_msgs/msg/Image"):
            bag.find_audio("/audio")
