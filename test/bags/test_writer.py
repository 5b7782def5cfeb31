"""A recording appears whole, or says what is missing."""

from __future__ import annotations

import resource
from pathlib import Path

import numpy as np
import pytest
from small_bag import IMAGE, START_NS, picture, speaker

from listener_head.bags import open_bag
from listener_head.bags.typestore import load_typestore
from listener_head.bags.writer import RecordingWriter, size_so_far
from listener_head.errors import UserError

TOPICS = {"/speaker/image": IMAGE}


def serialised(content) -> bytes:
    return bytes(load_typestore().serialize_cdr(content, content.__msgtype__))


def test_a_recording_appears_only_when_it_is_closed(tmp_path: Path) -> None:
    path = tmp_path / "recording"
    writer = RecordingWriter(path, TOPICS)
    assert not path.exists()
    writer.close()
    assert [p.name for p in tmp_path.iterdir()] == ["recording"]

    with pytest.raises(UserError, match="exists already"):
        RecordingWriter(path, {})


def test_what_is_written_comes_back(tmp_path: Path) -> None:
    topics = {**TOPICS, "/speaker/audio": "listener_head/msg/AudioChunk"}
    with RecordingWriter(tmp_path / "recording", topics) as writer:
        for time_ns, topic, content in speaker(1.0):
            writer.write(topic, time_ns, serialised(content))

    with open_bag(tmp_path / "recording") as bag:
        items = list(bag.stream([bag.find_image(), bag.find_audio()]))
        assert bag.problems == []
    assert [item.received_ns for item in items] == [time_ns for time_ns, _, _ in speaker(1.0)]


def test_a_recording_that_failed_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), RecordingWriter(tmp_path / "recording", {}):
        raise RuntimeError

    assert not list(tmp_path.iterdir())


def test_of_a_full_disk_what_was_written_is_kept_and_read(tmp_path: Path) -> None:
    path = tmp_path / "recording"
    pixels = np.random.default_rng(0).integers(0, 255, 300 * 400 * 3, np.uint8)
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (5 << 20, limit[1]))
    try:
        with (
            pytest.raises(UserError, match=r"recording: File too large; free some space .* is kept there"),
            RecordingWriter(path, TOPICS) as writer,
        ):
            for index in range(100):
                time_ns = START_NS + index * 33_000_000
                content = picture(time_ns, height=300, width=400, step=1200)
                content.data = pixels
                writer.write("/speaker/image", time_ns, serialised(content))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)

    with open_bag(path) as bag:
        pictures = list(bag.stream([bag.find_image()]))
        assert len(pictures) == 14  # of 360 kB in 5 MB
        np.testing.assert_array_equal(pictures[-1].decode().reshape(-1), pixels)
        assert any("is cut off after 0.4 s" in problem for problem in bag.problems)
    assert [p.name for p in tmp_path.iterdir()] == ["recording"]


def test_what_a_killed_recorder_left_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "recording"
    killed = RecordingWriter(path, TOPICS)
    killed._stop()
    killed._writer.abort()  # closes the file and leaves the folder, as the end of a process does

    with RecordingWriter(path, TOPICS) as writer:
        assert size_so_far(path) < 1000
        writer.write("/speaker/image", START_NS, serialised(picture(START_NS)))

    with open_bag(path) as bag:
        assert [topic.count for topic in bag.topics] == [1]
    assert [p.name for p in tmp_path.iterdir()] == ["recording"]


def test_an_unknown_type_and_an_unwritable_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no/msg/Such"):
        RecordingWriter(tmp_path / "a", {"/x": "no/msg/Such"})
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot write"):
        RecordingWriter(tmp_path / "file" / "a", {})
