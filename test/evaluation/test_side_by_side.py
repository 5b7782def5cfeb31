"""The side-by-side video holds both pictures, in time, with the sound."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from listener_head.errors import UserError
from listener_head.evaluation.recording import read_recording
from listener_head.evaluation.video import BAR_HEIGHT, HEIGHT, make_side_by_side


def write_clip(path: Path, seconds: float = 2.0, fps: int = 25, sound_rate: int = 44_100) -> Path:
    """A clip whose picture gets brighter frame by frame, with a tone in two channels."""
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=fps)
        video.width, video.height, video.pix_fmt = 64, 32, "yuv420p"
        audio = container.add_stream("aac", rate=sound_rate, layout="stereo")
        for index in range(int(seconds * fps)):
            pixels = np.full((32, 64, 3), 40 + 4 * index, np.uint8)
            container.mux(video.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        tone = 0.3 * np.sin(2 * np.pi * 440 * np.arange(int(seconds * sound_rate)) / sound_rate)
        samples = np.repeat((tone * 32767).astype(np.int16), 2)[None]
        frame = av.AudioFrame.from_ndarray(samples, format="s16", layout="stereo")
        frame.sample_rate, frame.pts = sound_rate, 0
        container.mux(audio.encode(frame))
        for stream in (video, audio):
            container.mux(stream.encode(None))
    return path


def decode(path: Path) -> tuple[list[np.ndarray], np.ndarray, int]:
    """Frames as RGB, sound as mono float, its rate."""
    with av.open(str(path)) as container:
        video, audio = container.streams.video[0], container.streams.audio[0]
        assert video.average_rate == 30 and video.codec_context.pix_fmt == "yuv420p"
        assert (video.codec_context.name, audio.codec_context.name) == ("h264", "aac")
        frames = [frame for frame in container.decode(video)]
        assert [Fraction(f.pts) * f.time_base for f in frames] == [
            Fraction(i, 30) for i in range(len(frames))
        ]
        container.seek(0)
        sound = np.concatenate([f.to_ndarray().mean(axis=0) for f in container.decode(audio)])
        return [frame.to_ndarray(format="rgb24") for frame in frames], sound, audio.rate


def test_a_file_beside_its_listener(write_run, tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mp4")
    recording = read_recording(write_run(seconds=3.0, camera_fps=25.0))
    told: list[float] = []

    output = make_side_by_side(recording, clip, tmp_path / "out" / "video.mp4", told.append)

    frames, sound, rate = decode(output)
    assert len(frames) in (59, 60)  # the shorter one, the clip, ends it
    assert frames[0].shape == (HEIGHT + BAR_HEIGHT, 2 * HEIGHT + HEIGHT, 3)
    assert len(sound) / rate == pytest.approx(2.0, abs=0.05)
    assert np.sqrt((sound**2).mean()) == pytest.approx(0.3 / np.sqrt(2), rel=0.1)
    assert told[-1] == 1.0 and told == sorted(told)
    assert [path.name for path in output.parent.iterdir()] == ["video.mp4"]
    for index in (0, 20, 45):
        # The clip's newest frame at that time (25 a second) on the left, on the right the step's blue.
        speaker = frames[index][100:400, 100:900].mean()
        assert speaker == pytest.approx(40 + 4 * (index * 25 // 30), abs=5)
        listener = frames[index][100:400, 1100:1500].mean(axis=(0, 1))
        assert listener[2] == pytest.approx(max(0, 5 * (index - 1)) % 256, abs=12)


def test_a_camera_is_taken_from_the_recording(write_run, tmp_path: Path) -> None:
    recording = read_recording(write_run(seconds=1.5))

    frames, sound, rate = decode(make_side_by_side(recording, None, tmp_path / "video.mp4"))

    assert len(frames) in (43, 44)
    assert len(sound) / rate == pytest.approx(1.5, abs=0.06)
    assert frames[30][100:400, 100:900].mean(axis=(0, 1)) == pytest.approx([200, 30, 40], abs=12)


def test_the_lamp_is_lit_while_the_speaker_speaks(write_run, tmp_path: Path) -> None:
    recording = read_recording(write_run(seconds=1.0))

    frames, _, _ = decode(make_side_by_side(recording, None, tmp_path / "video.mp4"))

    lamp = [frame[HEIGHT + BAR_HEIGHT // 2, 21] for frame in frames]
    assert lamp[6][1] > 150 > 100 > lamp[18][1]  # speech for 0.4 s, then a pause of 0.4 s


def test_a_recording_without_sound_gives_a_silent_video(write_run, tmp_path: Path) -> None:
    recording = read_recording(write_run(seconds=0.5, leave_out=("speaker/audio",)))

    with av.open(str(make_side_by_side(recording, None, tmp_path / "video.mp4"))) as container:
        assert not container.streams.audio
        assert sum(1 for _ in container.decode(video=0)) in (13, 14)


def test_missing_pictures_are_named_and_leave_no_file(write_run, tmp_path: Path) -> None:
    output = tmp_path / "out" / "video.mp4"
    without_listener = read_recording(write_run("a", leave_out=("listener/image",)))
    with pytest.raises(UserError, match="listener/image"):
        make_side_by_side(without_listener, None, output)
    without_speaker = read_recording(write_run("b", leave_out=("speaker/image",)))
    with pytest.raises(UserError, match="speaker/image"):
        make_side_by_side(without_speaker, None, output)
    with pytest.raises(UserError, match="not_there"):
        make_side_by_side(without_speaker, tmp_path / "not_there.mp4", output)

    assert not output.parent.exists() or not list(output.parent.iterdir())


def test_a_video_that_is_broken_off_leaves_no_file(write_run, tmp_path: Path) -> None:
    def stop(part: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make_side_by_side(read_recording(write_run()), None, tmp_path / "out" / "video.mp4", stop)

    assert not list((tmp_path / "out").iterdir())
