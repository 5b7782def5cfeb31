"""A clip that is recorded comes back as it was: the same pictures, the same samples."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from listener_head.bags import Chunk, Message, Picture, open_bag
from listener_head.bags.clip import START_NS, ClipJob, record_clip
from listener_head.errors import UserError
from listener_head.sources import VideoFile


def quietly(what: str, done: int, total: int) -> None:
    assert what and done >= 0 and total > 0


def read(path: Path):
    with open_bag(path) as bag:
        items = list(bag.stream([topic for topic in bag.topics]))
        assert bag.problems == []
        return (
            [item for item in items if isinstance(item, Picture)],
            [item for item in items if isinstance(item, Chunk)],
            [item for item in items if isinstance(item, Message)],
        )


@pytest.mark.parametrize("raw", [True, False], ids=["raw", "jpeg"])
def test_a_clip_comes_back(tmp_path: Path, write_clip: Callable[..., Path], raw: bool) -> None:
    clip = write_clip(tmp_path / "clip.mp4", seconds=1.0)

    recorded = record_clip(ClipJob(clip, tmp_path / "bag", raw=raw), quietly)
    pictures, sounds, _ = read(tmp_path / "bag")

    images, pieces = list(VideoFile(clip).images()), list(VideoFile(clip).sound())
    assert recorded.messages == len(images) + len(pieces) == len(pictures) + len(sounds)
    assert recorded.seconds == pytest.approx(1.0, abs=0.05)
    assert [p.stamp_ns - START_NS for p in pictures] == [image.time_ns for image in images]
    assert [s.stamp_ns - START_NS for s in sounds] == [piece.time_ns for piece in pieces]
    assert [s.received_ns - START_NS for s in sounds] == [piece.due_ns for piece in pieces]
    for sound, piece in zip(sounds, pieces, strict=True):
        np.testing.assert_array_equal(sound.samples, piece.samples)
        assert sound.sample_rate == 16_000
    for shown, image in zip(pictures, images, strict=True):
        difference = np.abs(shown.decode().astype(int) - image.pixels)
        assert difference.max() <= (0 if raw else 3)
    suffix = "" if raw else "/compressed"
    assert {p.topic for p in pictures} == {f"/speaker/image{suffix}"}


def test_a_true_listener_and_the_attitude_are_recorded(
    tmp_path: Path, write_clip: Callable[..., Path]
) -> None:
    clip = write_clip(tmp_path / "clip.mp4", seconds=0.4)
    listener = write_clip(tmp_path / "listener.mp4", seconds=0.6, sound=False, size=(64, 64))

    record_clip(ClipJob(clip, tmp_path / "bag", listener, attitude="negative"), quietly)

    pictures, _, (attitude,) = read(tmp_path / "bag")
    shown = [p for p in pictures if p.topic == "/listener_camera/image/compressed"]
    assert len(shown) == 15 and shown[0].decode().shape == (64, 64, 3)
    assert (attitude.topic, attitude.stamp_ns, attitude.message.attitude) == ("/attitude", START_NS, 2)
    with open_bag(tmp_path / "bag") as bag:
        assert bag.find_image().name == "/speaker/image/compressed"
        assert bag.find_image("listener_camera/image").name == "/listener_camera/image/compressed"


def test_two_runs_make_the_same_file(tmp_path: Path, write_clip: Callable[..., Path]) -> None:
    clip = write_clip(tmp_path / "clip.mp4", seconds=0.4)
    digests = []
    for name in ("a", "b"):
        record_clip(ClipJob(clip, tmp_path / name / "bag"), quietly)
        with open_bag(tmp_path / name / "bag") as bag:
            digests.append(bag.digest)
    assert digests[0] == digests[1]


def test_pictures_are_encoded_as_opencv_would(tmp_path: Path, write_clip: Callable[..., Path]) -> None:
    clip = write_clip(tmp_path / "clip.mp4", seconds=0.2)
    record_clip(ClipJob(clip, tmp_path / "bag"), quietly)

    pictures, _, _ = read(tmp_path / "bag")

    for shown, image in zip(pictures, VideoFile(clip).images(), strict=True):
        _, jpeg = cv2.imencode(".jpg", image.pixels, (cv2.IMWRITE_JPEG_QUALITY, 95))
        assert bytes(shown.content.data) == jpeg.tobytes()


def test_wrong_input_is_refused_and_leaves_nothing(tmp_path: Path, write_clip: Callable[..., Path]) -> None:
    clip = write_clip(tmp_path / "clip.mp4", seconds=0.2)
    for job, text in (
        (ClipJob(tmp_path / "none.mp4", tmp_path / "bag"), "none.mp4' is not a file"),
        (ClipJob(clip, tmp_path / "bag", tmp_path / "none.mp4"), "none.mp4' is not a file"),
        (ClipJob(clip, tmp_path / "bag", attitude="bored"), "'bored' is unknown; choose one of positive"),
        (ClipJob(clip, clip / "bag"), "cannot write"),
    ):
        with pytest.raises(UserError, match=text):
            record_clip(job, quietly)
    assert [p.name for p in tmp_path.iterdir()] == ["clip.mp4"]
