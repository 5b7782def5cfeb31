from itertools import pairwise

import numpy as np
import pytest

from listener_head.errors import UserError
from listener_head.sources import Image, Sound, VideoFile
from listener_head.sources.live import Camera
from listener_head.sources.read_ahead import ReadAhead


@pytest.fixture(scope="module")
def clip(tmp_path_factory, write_clip):
    return write_clip(tmp_path_factory.mktemp("clips") / "clip.mkv")


def test_all_frames_and_all_sound_arrive_in_the_order_of_delivery(clip):
    video = VideoFile(clip)
    events = list(video.events())
    images = [event for event in events if isinstance(event, Image)]
    sounds = [event for event in events if isinstance(event, Sound)]
    assert video.fps == 25
    assert video.size == (96, 64)
    assert video.duration == pytest.approx(1.0, abs=0.05)
    assert [image.time_ns for image in images] == [i * 40_000_000 for i in range(25)]
    assert sum(len(sound.samples) for sound in sounds) == 16000
    assert all(before.due_ns <= after.due_ns for before, after in pairwise(events))


def test_sound_chunks_follow_each_other_without_gap(clip):
    sounds = list(VideoFile(clip).sound())
    assert {len(sound.samples) for sound in sounds} == {320}
    for before, after in pairwise(sounds):
        assert after.time_ns == before.due_ns
    wave = np.concatenate([sound.samples[:, 0] for sound in sounds]).astype(float)
    spectrum = np.abs(np.fft.rfft(wave))
    assert spectrum.argmax() == 440


def test_large_frames_are_scaled_to_the_largest_side(tmp_path, write_clip):
    video = VideoFile(write_clip(tmp_path / "wide.mkv", seconds=0.2, size=(400, 200)), largest_side=100)
    assert video.size == (100, 50)
    assert all(image.pixels.shape == (50, 100, 3) for image in video.images())


def test_read_ahead_keeps_order_and_can_be_left_early(clip):
    with ReadAhead(VideoFile(clip).events()) as events:
        assert len(list(events)) == 75
    with ReadAhead(VideoFile(clip).events()) as events:
        assert isinstance(next(iter(events)), Image)


def test_missing_file_is_named():
    with pytest.raises(UserError, match=r"'nowhere\.mp4' is not a file"):
        VideoFile("nowhere.mp4")


def test_file_that_is_no_video_is_named(tmp_path):
    (tmp_path / "text.mp4").write_text("not a video")
    with pytest.raises(UserError, match=r"text.mp4' cannot be read"):
        VideoFile(tmp_path / "text.mp4")


def test_video_without_sound_is_refused(tmp_path, write_clip):
    with pytest.raises(UserError, match="has no sound"):
        VideoFile(write_clip(tmp_path / "mute.mkv", seconds=0.2, sound=False))


def test_sound_without_picture_is_refused(tmp_path, write_clip):
    with pytest.raises(UserError, match="has no picture"):
        VideoFile(write_clip(tmp_path / "voice.mkv", seconds=0.2, picture=False))


@pytest.mark.parametrize("kept", [0.02, 0.3, 0.7])
def test_truncated_file_gives_what_is_left_or_one_clear_line(clip, tmp_path, kept):
    whole = clip.read_bytes()
    path = tmp_path / "cut.mkv"
    path.write_bytes(whole[: int(kept * len(whole))])
    try:
        events = list(VideoFile(path).events())
    except UserError as problem:
        assert "cut.mkv" in str(problem)
    else:
        assert events


def test_camera_that_is_not_there_is_named():
    with pytest.raises(UserError, match="camera 213 cannot be opened"):
        Camera(213)
