"""Recordings of every storage and compression come back whole, and their topics are found."""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
from pathlib import Path

import cv2
import numpy as np
import pytest
from small_bag import (
    CHUNK,
    COMPRESSED,
    IMAGE,
    MS,
    START_NS,
    STORAGE_NAMES,
    STORAGES,
    chunk,
    compressed,
    header,
    message,
    picture,
    speaker,
    write_bag,
)

from listener_head.bags import Chunk, Message, Picture, open_bag
from listener_head.bags.typestore import load_typestore
from listener_head.errors import UserError


def read(path: Path, clock: str = "stamp"):
    """Pictures, sound, and what was wrong."""
    with open_bag(path) as bag:
        items = list(bag.stream([bag.find_image(), bag.find_audio()], clock))
        return (
            [item for item in items if isinstance(item, Picture)],
            [item for item in items if isinstance(item, Chunk)],
            bag.problems,
        )


@pytest.mark.parametrize("storage", STORAGES, ids=STORAGE_NAMES)
@pytest.mark.parametrize("metadata", [True, False], ids=["whole", "no-metadata"])
def test_every_storage_comes_back(tmp_path: Path, storage, metadata: bool) -> None:
    path = write_bag(tmp_path / "bag", speaker(), storage)
    if not metadata:
        (path / "metadata.yaml").unlink()

    pictures, sounds, problems = read(path)

    assert [p.stamp_ns for p in pictures] == [START_NS + i * 33 * MS for i in range(30)]
    assert [p.received_ns - p.stamp_ns for p in pictures] == [2 * MS] * 30
    assert [int(p.decode()[3, 5, 0]) for p in pictures] == list(range(30))
    assert pictures[0].frame_id == "camera"
    assert [s.stamp_ns for s in sounds] == [START_NS + i * 10 * MS for i in range(100)]
    np.testing.assert_array_equal(np.concatenate([s.samples for s in sounds])[:, 0], np.arange(16_000))
    assert {s.sample_rate for s in sounds} == {16_000}
    assert problems == ([] if metadata else ["metadata.yaml is missing: the recorder did not finish"])


@pytest.mark.parametrize("storage", STORAGES, ids=STORAGE_NAMES)
def test_a_file_by_itself_and_its_digest(tmp_path: Path, storage) -> None:
    path = write_bag(tmp_path / "bag", speaker(0.2), storage)
    (file,) = (each for each in path.iterdir() if each.name != "metadata.yaml")

    with open_bag(file) as alone, open_bag(path) as bag:
        assert alone.storage == bag.storage == storage[0].name.lower()
        assert alone.digest == bag.digest == hashlib.sha256(file.read_bytes()).hexdigest()[:12]
        assert alone.topics == bag.topics
        assert [t.count for t in bag.topics] == [20, 6]
        assert bag.span_ns == (START_NS + 2 * MS, START_NS + 202 * MS)


def test_several_files_are_one_recording(tmp_path: Path) -> None:
    events = speaker(3.0)
    first, second = (
        write_bag(tmp_path / name, part) for name, part in (("one", events[:200]), ("two", events[200:]))
    )
    for number, part in ((2, first), (10, second)):
        (file,) = part.glob("*.mcap")
        shutil.copy(file, tmp_path / f"bag_{number}.mcap")
    folder = tmp_path / "bag"
    folder.mkdir()
    for file in tmp_path.glob("bag_*.mcap"):
        file.rename(folder / file.name)

    pictures, sounds, problems = read(folder)

    assert (len(pictures), len(sounds)) == (90, 300)
    assert problems == ["metadata.yaml is missing: the recorder did not finish"]
    (folder / "bag_10.mcap").write_bytes(b"no recording")
    pictures, sounds, problems = read(folder)
    assert len(pictures) + len(sounds) == 200
    assert "bag_10.mcap is neither MCAP nor SQLite; what the other files have is read" in problems


def test_messages_of_other_types_come_as_they_are(tmp_path: Path) -> None:
    sides = dict.fromkeys(("x_offset", "y_offset", "height", "width"), 0)
    region = message("sensor_msgs/msg/RegionOfInterest", do_rectify=False, **sides)
    info = message(
        "sensor_msgs/msg/CameraInfo",
        header=header(START_NS),
        height=4,
        width=6,
        distortion_model="plumb_bob",
        d=np.zeros(5),
        k=np.arange(9.0),
        r=np.zeros(9),
        p=np.zeros(12),
        binning_x=0,
        binning_y=0,
        roi=region,
    )
    events = [(START_NS, "/head/camera_info", info), (START_NS, "/head/image_raw", picture(START_NS))]
    jpeg = cv2.imencode(".jpg", np.zeros((4, 6, 3), np.uint8))[1].tobytes()
    events.append((START_NS + MS, "/head/image_raw/compressed", compressed(START_NS, jpeg)))
    with open_bag(write_bag(tmp_path / "bag", events)) as bag:
        image = bag.find_image()
        assert image is not None and image.name == "/head/image_raw"
        found = bag.camera_info_of(image)
        assert found is not None and found == bag.camera_info_of(bag.find_image("/head/image_raw/compressed"))
        (item,) = bag.stream([found])
    assert isinstance(item, Message)
    np.testing.assert_array_equal(item.message.k, np.arange(9.0))


def empty_bag(tmp_path: Path, topics: dict[str, str]) -> Path:
    """One message of each topic."""
    makers = {IMAGE: lambda: picture(START_NS), CHUNK: lambda: chunk(START_NS, np.zeros(160))}
    jpeg = cv2.imencode(".jpg", np.zeros((4, 6, 3), np.uint8))[1].tobytes()
    makers[COMPRESSED] = lambda: compressed(START_NS, jpeg)
    makers["std_msgs/msg/String"] = lambda: message("std_msgs/msg/String", data="x")
    return write_bag(tmp_path / "bag", [(START_NS, name, makers[kind]()) for name, kind in topics.items()])


@pytest.mark.parametrize(
    ("topics", "expected"),
    [
        ({"/a/speaker/image": IMAGE, "/a/listener/image": IMAGE, "/b/image_raw": IMAGE}, "/a/speaker/image"),
        (
            {"/cam/image_raw/compressed": COMPRESSED, "/cam/depth/image_raw": IMAGE},
            "/cam/image_raw/compressed",
        ),
        ({"/cam/image_raw/compressed": COMPRESSED, "/cam/image_raw": IMAGE}, "/cam/image_raw"),
        ({"/cam/video": IMAGE}, "/cam/video"),
        ({"/listener_camera/image/compressed": COMPRESSED, "/listener/image": IMAGE}, None),
        ({"/speaker/audio": CHUNK}, None),
    ],
)
def test_the_likeliest_pictures_are_found(
    tmp_path: Path, topics: dict[str, str], expected: str | None
) -> None:
    with open_bag(empty_bag(tmp_path, topics)) as bag:
        found = bag.find_image()
    assert (found.name if found else None) == expected


def test_a_named_topic_is_taken_and_a_wrong_name_is_refused(tmp_path: Path) -> None:
    topics = {
        "/l/image_raw": IMAGE,
        "/r/image_raw": IMAGE,
        "/r/sound": CHUNK,
        "/words": "std_msgs/msg/String",
    }
    with open_bag(empty_bag(tmp_path, topics)) as bag:
        assert bag.find_image("/r/image_raw").name == bag.find_image("r/image_raw").name == "/r/image_raw"
        assert bag.find_image(exclude=("/r/image_raw",)).name == "/l/image_raw"
        assert bag.find_audio().name == "/r/sound"
        assert bag.find("std_msgs/msg/String", "words").name == "/words"
        assert bag.find("std_msgs/msg/Bool", "words") is None
        for wrong, text in {
            "": "several topics.*/l/image_raw, /r/image_raw",
            "image_raw": "several topics 'image_raw'",
            "/x": "no topic '/x'; it has /l/image_raw, /r/image_raw",
            "/words": "std_msgs/msg/String; it needs sensor_msgs/msg/Image",
        }.items():
            with pytest.raises(UserError, match=text):
                bag.find_image(wrong)
        with pytest.raises(UserError, match="clock 'sun' is unknown"):
            bag.stream([bag.find_audio()], "sun")


def test_a_type_of_another_version_is_named_and_not_read(tmp_path: Path) -> None:
    path = write_bag(tmp_path / "bag", speaker(0.1))
    metadata = path / "metadata.yaml"
    digest = load_typestore().hash_rihs01(CHUNK)
    metadata.write_text(metadata.read_text().replace(digest, "RIHS01_" + "0" * 64))

    with open_bag(path) as bag:
        assert bag.find_audio() is None
        assert "/speaker/audio has type listener_head/msg/AudioChunk of another version" in bag.problems[0]
        with pytest.raises(UserError, match="of another version"):
            bag.find_audio("/speaker/audio")
        assert len(list(bag.stream([bag.find_image()]))) == 3


def test_another_version_is_known_by_its_definition_alone(tmp_path: Path) -> None:
    path = write_bag(tmp_path / "bag", speaker(0.1))
    (file,) = path.glob("*.mcap")
    content = file.read_bytes()
    assert content.count(b"uint32 sample_rate") == 2
    file.write_bytes(content.replace(b"uint32 sample_rate", b"uint32 simple_rate"))

    with open_bag(file) as bag:
        assert bag.find_audio() is None
        assert "of another version" in bag.problems[0]


@pytest.mark.parametrize("schema", [1, 2, 3])
def test_databases_of_older_distributions_are_read(tmp_path: Path, schema: int) -> None:
    path = write_bag(tmp_path / "bag", speaker(0.3), STORAGES[0])
    database = sqlite3.connect(path / "bag.db3")
    database.execute("DROP TABLE message_definitions")
    columns = "id, name, type, serialization_format" + ", offered_qos_profiles" * (schema > 1)
    database.execute(f"CREATE TABLE older AS SELECT {columns} FROM topics")
    database.execute("DROP TABLE topics")
    database.execute("ALTER TABLE older RENAME TO topics")
    if schema < 3:
        database.execute("DROP TABLE schema")
    database.commit()
    database.close()

    pictures, sounds, problems = read(path / "bag.db3")

    assert (len(pictures), len(sounds), problems) == (9, 30, [])


def test_what_is_no_recording_is_refused(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "empty.mcap").touch()
    (tmp_path / "text.db3").write_text("no database at all")
    (tmp_path / "old.bag").write_bytes(b"#ROSBAG V2.0\n" + bytes(100))
    (tmp_path / "magic.mcap").write_bytes(b"\x89MCAP0\r\n")
    (tmp_path / "magic.db3").write_bytes(b"SQLite format 3\0" + bytes(84))
    for name, text in {
        "nothing": "does not exist",
        "folder": "has no .mcap or .db3 file",
        "empty.mcap": "is empty",
        "text.db3": "neither MCAP nor SQLite",
        "old.bag": "rosbags-convert",
        "magic.db3": "cannot be read",
    }.items():
        with pytest.raises(UserError, match=text), open_bag(tmp_path / name):
            pass
    with open_bag(tmp_path / "magic.mcap") as bag:
        assert bag.topics == ()
        assert bag.find_image() is None
