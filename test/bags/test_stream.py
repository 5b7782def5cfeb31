"""Stamps rise whatever was recorded, on the clock that was asked for, and what is left out is named."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from small_bag import MS, START_NS, chunk, header, message, picture, speaker, write_bag

from listener_head.bags import Chunk, Picture, open_bag
from listener_head.errors import UserError
from listener_head.timing import NS_PER_S

SIMULATED_NS = 100 * NS_PER_S


def stamps_of(path: Path, clock: str = "stamp") -> tuple[list[int], list[int], list[str]]:
    """Stamps of pictures and of sound, and what was wrong."""
    with open_bag(path) as bag:
        topics = [topic for topic in (bag.find_image(), bag.find_audio()) if topic]
        items = list(bag.stream(topics, clock))
        pictures = [item.stamp_ns for item in items if isinstance(item, Picture)]
        return pictures, [item.stamp_ns for item in items if isinstance(item, Chunk)], bag.problems


def pictures_at(tmp_path: Path, *seconds: float, period: float = 0.1) -> Path:
    """Pictures with these stamps, recorded at a steady rate."""
    events = [
        (START_NS + round(i * period * NS_PER_S), "/image", picture(START_NS + round(second * NS_PER_S)))
        for i, second in enumerate(seconds)
    ]
    return write_bag(tmp_path / "bag", events)


def seconds_of(stamps: list[int]) -> list[float]:
    return [(stamp - START_NS) / NS_PER_S for stamp in stamps]


@pytest.mark.parametrize(
    ("stamped", "kept", "problem"),
    [
        (
            (0.1, 0.2, 0.2, 0.3),
            [0.1, 0.2, 0.3],
            "topic /image: 1 message left out: stamped as the one before",
        ),
        ((0.1, 0.4, 0.2, 0.3, 0.5), [0.1, 0.4, 0.5], "2 messages left out: older than the one before"),
        ((0.1, 9.0, 0.3, 0.4), [0.1, 0.3, 0.4], "1 message left out: stamped far ahead of those around it"),
        ((0.1, 9.0, 9.1, 9.2), [0.1, 9.0, 9.1, 9.2], None),
        ((0.1, 0.2, 9.0), [0.1, 0.2, 9.0], None),
        (
            (5.0, 5.1, 0.0, 0.1, 0.2),
            [5.0, 5.1],
            "back by 5.1 s after 0.2 s.*the 3 messages from there on",
        ),
        ((0.1, -START_NS / NS_PER_S, 0.3), [0.1, 0.3], "1 message left out: cannot be read (no stamp)"),
    ],
)
def test_stamps_rise(tmp_path: Path, stamped, kept, problem: str | None) -> None:
    stamps, _, problems = stamps_of(pictures_at(tmp_path, *stamped))

    assert seconds_of(stamps) == pytest.approx(kept)
    if problem is None:
        assert problems == []
    else:
        assert len(problems) == 1
        for part in problem.split(".*"):
            assert part in problems[0]


def test_the_time_of_recording_is_taken_when_it_is_asked_for(tmp_path: Path) -> None:
    path = write_bag(tmp_path / "bag", speaker(0.3))

    pictures, sounds, problems = stamps_of(path, "received")

    assert pictures == [START_NS + 2 * MS + i * 33 * MS for i in range(9)]
    # Sound is recorded when its last sample is there.
    assert sounds == [START_NS + 2 * MS + i * 10 * MS for i in range(30)]
    assert problems == []


def test_topics_without_stamps_have_the_time_of_recording(tmp_path: Path) -> None:
    events = [(START_NS + i * 100 * MS, "/image", picture(0)) for i in range(5)]

    stamps, _, problems = stamps_of(write_bag(tmp_path / "bag", events))

    assert stamps == [START_NS + i * 100 * MS for i in range(5)]
    assert problems == ["topic /image has no stamps; the time of recording is taken"]


def simulated(speed: float, with_clock: bool) -> list:
    """A camera on simulated time that runs so much faster, and sound without stamps."""
    events = []
    for i in range(200):
        received_ns, simulated_ns = START_NS + i * 10 * MS, SIMULATED_NS + round(i * 10 * MS * speed)
        if with_clock:
            seconds, nanoseconds = divmod(simulated_ns, NS_PER_S)
            now = message("builtin_interfaces/msg/Time", sec=seconds, nanosec=nanoseconds)
            events.append((received_ns, "/clock", message("rosgraph_msgs/msg/Clock", clock=now)))
        if i % 10 == 0:
            events.append((received_ns, "/image", picture(simulated_ns)))
        events.append((received_ns, "/audio", chunk(0, np.zeros(round(160 * speed)))))
    return events


def test_sound_without_stamps_is_brought_to_simulated_time_by_the_clock(tmp_path: Path) -> None:
    pictures, sounds, problems = stamps_of(write_bag(tmp_path / "bag", simulated(0.5, with_clock=True)))

    assert pictures[0] == SIMULATED_NS
    np.testing.assert_allclose(sounds, SIMULATED_NS - 5 * MS + np.arange(200) * 5 * MS, rtol=0, atol=MS)
    told = "topic /audio has no stamps; the time of recording is taken, brought to the time of /clock"
    assert problems == [told]


def test_without_a_clock_the_pictures_tell_how_far_it_is_off(tmp_path: Path) -> None:
    _, sounds, problems = stamps_of(write_bag(tmp_path / "bag", simulated(1.0, with_clock=False)))

    np.testing.assert_allclose(sounds, SIMULATED_NS - 10 * MS + np.arange(200) * 10 * MS, rtol=0, atol=MS)
    assert len(problems) == 1 and "by which /image is stamped earlier" in problems[0]


def test_topics_on_two_clocks_are_named(tmp_path: Path) -> None:
    events = speaker(0.3)
    events = [
        (t, topic, picture(t - 500 * NS_PER_S) if topic == "/speaker/image" else m) for t, topic, m in events
    ]

    _, _, problems = stamps_of(write_bag(tmp_path / "bag", events))

    assert len(problems) == 1 and "500.0 s apart; read them by the time of recording" in problems[0]


def test_a_picture_that_cannot_be_decoded_is_named_when_it_is_wanted(tmp_path: Path) -> None:
    broken = [picture(START_NS, encoding="bayer_rggb8"), picture(START_NS + MS, height=900)]
    events = [(START_NS + i * MS, "/image", each) for i, each in enumerate(broken)]
    with open_bag(write_bag(tmp_path / "bag", events)) as bag:
        first, second = bag.stream([bag.find_image()])
        with pytest.raises(UserError, match=r"topic /image, stamp 1700000000.000: .*bayer_rggb8"):
            first.decode()
        with pytest.raises(UserError, match=r"6x900.* holds 72 bytes"):
            second.decode()


def test_two_streams_of_one_recording_do_not_disturb_each_other(tmp_path: Path) -> None:
    with open_bag(write_bag(tmp_path / "bag", speaker(1.0))) as bag:
        image, audio = bag.find_image(), bag.find_audio()
        pairs = zip(bag.stream([image]), bag.stream([audio]), strict=False)
        assert [(p.stamp_ns, s.stamp_ns) for p, s in pairs] == [
            (START_NS + i * 33 * MS, START_NS + i * 10 * MS) for i in range(30)
        ]


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    stamps=st.lists(st.integers(0, 20) | st.integers(0, 2**32), min_size=1, max_size=12),
    clock=st.sampled_from(["stamp", "received"]),
)
def test_whatever_the_stamps_they_come_rising(tmp_path: Path, stamps: list[int], clock: str) -> None:
    path = tmp_path / f"{abs(hash((tuple(stamps), clock)))}"
    events = [(START_NS + i * 100 * MS, "/image", picture(0)) for i in range(len(stamps))]
    for (_, _, content), stamp in zip(events, stamps, strict=True):
        content.header = header(stamp * 100 * MS)
    if not path.exists():
        write_bag(path, events)

    pictures, _, problems = stamps_of(path, clock)

    assert all(a < b for a, b in pairwise(pictures))
    assert len(pictures) == len(stamps) or problems
