"""Of a damaged recording all that can be read is read, and what is wrong is named; nothing else happens."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rosbags.rosbag2 import CompressionMode, StoragePlugin
from small_bag import MS, START_NS, STORAGE_NAMES, STORAGES, compressed, speaker, write_bag

from listener_head.bags import Picture, open_bag
from listener_head.errors import UserError

SQLITE, MCAP = STORAGES[0], STORAGES[3]
MCAP_ZSTD = (StoragePlugin.MCAP, CompressionMode.STORAGE)


def items_of(path: Path) -> tuple[list, list[str]]:
    """All that a recording gives of pictures and sound, and what was wrong."""
    with open_bag(path) as bag:
        topics = [topic for topic in (bag.find_image(), bag.find_audio()) if topic]
        items = list(bag.stream(topics))
        for item in items:
            if isinstance(item, Picture):
                try:
                    item.decode()
                except UserError as problem:
                    assert "\n" not in str(problem)
        return items, list(bag.problems)


def storage_file(bag: Path) -> Path:
    (file,) = (each for each in bag.iterdir() if each.name != "metadata.yaml")
    return file


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory):
    """Recordings of 10 s in several chunks, of pictures that do not compress."""
    random = np.random.default_rng(0)
    events = [event for event in speaker(10.0) if event[1] == "/speaker/audio"]
    for index in range(300):
        time_ns = START_NS + index * 33 * MS
        events.append((time_ns + 2 * MS, "/cam/compressed", compressed(time_ns, random.bytes(20_000))))
    events.sort(key=lambda event: event[0])
    folder = tmp_path_factory.mktemp("large")
    return {
        name: (write_bag(folder / name, events, storage), events)
        for name, storage in {"db3": SQLITE, "mcap": MCAP, "zstd": MCAP_ZSTD}.items()
    }


@pytest.mark.parametrize("share", [0.95, 0.5, 0.1])
@pytest.mark.parametrize("name", ["db3", "mcap", "zstd"])
def test_a_recording_that_is_cut_off_is_read_up_to_there(
    large, tmp_path: Path, name: str, share: float
) -> None:
    bag, events = large[name]
    shutil.copytree(bag, tmp_path / "bag")
    file = storage_file(tmp_path / "bag")
    file.write_bytes(file.read_bytes()[: round(file.stat().st_size * share)])

    items, problems = items_of(tmp_path / "bag")

    # What stood before the cut is there without a gap; a database has its types and an index there too.
    assert len(items) >= share * len(events) * (0.97 if name == "db3" else 0.99) - 4
    received = [item.received_ns for item in items]
    assert received == [time_ns for time_ns, _, _ in events][: len(items)]
    assert any("is cut off" in problem for problem in problems)


@pytest.mark.parametrize("name", ["db3", "mcap", "zstd"])
def test_damage_in_the_middle_costs_only_what_it_hits(large, tmp_path: Path, name: str) -> None:
    bag, events = large[name]
    shutil.copytree(bag, tmp_path / "bag")
    file = storage_file(tmp_path / "bag")
    content = bytearray(file.read_bytes())
    for place in (len(content) // 3, 2 * len(content) // 3):
        content[place : place + 3000] = b"\xa5" * 3000
    file.write_bytes(content)

    items, _ = items_of(tmp_path / "bag")

    assert len(items) > 0.6 * len(events)
    assert items[-1].received_ns == events[-1][0]


def test_a_broken_record_does_not_hide_the_chunks_behind_it(large, tmp_path: Path) -> None:
    bag, events = large["mcap"]
    shutil.copytree(bag, tmp_path / "bag")
    file = storage_file(tmp_path / "bag")
    content = bytearray(file.read_bytes())
    second = content.index(b"\x06", 1 << 20)
    while int.from_bytes(content[second + 1 : second + 9], "little") not in range(1 << 20, 1 << 21):
        second = content.index(b"\x06", second + 1)
    content[second + 1 : second + 9] = (1 << 50).to_bytes(8, "little")  # its length
    file.write_bytes(content)

    items, problems = items_of(tmp_path / "bag")

    assert len(items) > 0.8 * len(events)
    assert items[-1].received_ns == events[-1][0]
    assert any("is damaged" in problem for problem in problems)


def test_a_wrong_checksum_is_named(large, tmp_path: Path) -> None:
    bag, events = large["mcap"]
    shutil.copytree(bag, tmp_path / "bag")
    file = storage_file(tmp_path / "bag")
    content = bytearray(file.read_bytes())
    chunk = content.index(b"\x06", 40)
    content[chunk + 9 + 24 : chunk + 9 + 28] = b"\x01\x02\x03\x04"
    file.write_bytes(content)

    items, problems = items_of(tmp_path / "bag")

    assert len(items) == len(events)
    assert any("is damaged at 0.0 s (a chunk's checksum is wrong)" in problem for problem in problems)


def test_what_a_database_has_in_its_log_is_read(tmp_path: Path) -> None:
    file = storage_file(write_bag(tmp_path / "bag", speaker(1.0), SQLITE))
    writer = sqlite3.connect(file)
    writer.execute("PRAGMA journal_mode = WAL")
    writer.execute(
        "INSERT INTO messages SELECT id + 1000, topic_id, timestamp + 2000000000, data FROM messages"
    )
    writer.commit()
    try:
        for end in ("", "-wal"):  # while it is open, as after a recorder was killed
            shutil.copy(f"{file}{end}", tmp_path / f"killed.db3{end}")
    finally:
        writer.close()

    with open_bag(tmp_path / "killed.db3") as bag:
        assert sum(topic.count for topic in bag.topics) == 260


def test_a_message_that_is_broken_is_left_out(tmp_path: Path) -> None:
    file = storage_file(write_bag(tmp_path / "bag", speaker(1.0), SQLITE))
    database = sqlite3.connect(file)
    database.execute("UPDATE messages SET data = x'0001000000' WHERE id % 10 = 0")
    database.commit()
    database.close()

    items, problems = items_of(tmp_path / "bag")

    assert len(items) == 117
    assert sum(int(p.split(": ")[1].split()[0]) for p in problems if "left out: cannot be read" in p) == 13


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("small")
    bags = {}
    for name, storage in zip(STORAGE_NAMES, STORAGES, strict=True):
        bags[name] = write_bag(folder / name, speaker(0.3), storage)
    return bags


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_damage_is_named_or_refused(small: dict[str, Path], tmp_path: Path, data: st.DataObject) -> None:
    source = small[data.draw(st.sampled_from(STORAGE_NAMES))]
    damaged = tmp_path / "damaged"
    shutil.rmtree(damaged, ignore_errors=True)
    shutil.copytree(source, damaged)
    name = data.draw(st.sampled_from(sorted(each.name for each in damaged.iterdir())))
    content = bytearray((damaged / name).read_bytes())
    kind = data.draw(st.sampled_from(["cut off", "overwritten", "replaced", "extended"]))
    if kind == "cut off":
        del content[data.draw(st.integers(0, len(content))) :]
    elif kind == "overwritten":
        for _ in range(data.draw(st.integers(1, 5))):
            start = data.draw(st.integers(0, len(content) - 1))
            piece = data.draw(st.binary(min_size=1, max_size=40))
            content[start : start + len(piece)] = piece
    elif kind == "replaced":
        start = data.draw(st.sampled_from([0, 8, 16]))
        content = content[:start] + data.draw(st.binary(max_size=300))
    else:
        content += data.draw(st.binary(min_size=1, max_size=300))
    (damaged / name).write_bytes(content)
    if data.draw(st.booleans()):
        (damaged / "metadata.yaml").unlink()

    try:
        items, problems = items_of(damaged)
    except UserError as problem:
        assert "\n" not in str(problem)
    else:
        assert len(items) <= 39
        assert not any("\n" in problem for problem in problems)


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    start=st.sampled_from([b"", b"\x89MCAP0\r\n", b"SQLite format 3\0", b"\x28\xb5\x2f\xfd"]),
    rest=st.binary(),
)
def test_any_bytes_are_read_or_refused(tmp_path: Path, start: bytes, rest: bytes) -> None:
    (tmp_path / "bytes.mcap").write_bytes(start + rest)
    try:
        items_of(tmp_path / "bytes.mcap")
    except UserError as problem:
        assert "\n" not in str(problem)


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cut=st.floats(0.0, 1.0), name=st.sampled_from([n for n in STORAGE_NAMES if "sqlite" not in n]))
def test_of_a_file_cut_anywhere_the_beginning_is_read(
    small: dict[str, Path], tmp_path: Path, cut, name
) -> None:
    file = storage_file(small[name])
    content = file.read_bytes()
    part = tmp_path / file.name
    part.write_bytes(content[: round(len(content) * cut)])
    try:
        items, _ = items_of(part)
    except UserError:
        items = []
    expected = [time_ns for time_ns, _, _ in speaker(0.3)]
    assert [item.received_ns for item in items] == expected[: len(items)]
