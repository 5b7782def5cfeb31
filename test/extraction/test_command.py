"""`listener_head extract` as users run it: processes, folders, interruptions."""

from __future__ import annotations

import csv
import os
import pty
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from listener_head.errors import UserError
from listener_head.extraction import commands
from listener_head.extraction.clip_file import read_clip
from listener_head.extraction.published import read_audio_npy, read_video_bin
from listener_head.extraction.settings import Backend, Format

COMMAND = [sys.executable, "-c", "from listener_head.cli import main; main()", "extract"]


def extract(*arguments):
    return subprocess.run([*COMMAND, *map(str, arguments)], capture_output=True, text=True, timeout=110)


def files_in(folder):
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def reasons(output):
    with (output / "skipped.csv").open() as table:
        return {row["file"]: row["reason"] for row in csv.DictReader(table)}


@pytest.fixture(scope="module")
def run(tmp_path_factory, write_talk, write_sound, write_clip):
    """One run over a folder with all kinds of clips, good and bad: clips, output and the finished process."""
    folder = tmp_path_factory.mktemp("extract")
    clips, output = folder / "clips", folder / "out"
    write_talk(clips / "videos/talk.speaker.mp4", 1.0, 30, sound=False)
    write_talk(clips / "videos/talk.listener.mkv", 1.2, 25, sound=False)
    write_sound(clips / "audios/talk.wav", 1.0)
    own = write_talk(clips / "own sound.mp4", 0.8, 15)
    write_talk(clips / "twice" / "own sound.mov", 0.2)
    write_talk(clips / "mute.mp4", 0.2, sound=False)
    write_clip(clips / "nobody.mkv", 0.4)
    write_clip(clips / "voice.mkv", 0.4, picture=False)
    write_sound(clips / "alone.wav", 0.2)
    (clips / "empty.mp4").touch()
    (clips / "text.avi").write_text("not a video")
    (clips / "cut.mp4").write_bytes(own.read_bytes()[: own.stat().st_size // 2])
    (clips / "notes.txt").write_text("no clip at all")
    done = extract(
        clips,
        "--output",
        output,
        "--format",
        "npz",
        "--format",
        "vico",
        "--audio-layout",
        "vico45",
        "--workers",
        2,
    )
    return clips, output, done


def test_what_can_be_used_is_extracted(run):
    _, output, done = run
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert "3 clips" in done.stderr
    visible = {name for name in files_in(output) if not name.startswith(".extract")}
    assert visible == {
        "clips.csv",
        "skipped.csv",
        "clips/talk.speaker.npz",
        "clips/talk.listener.npz",
        "clips/own sound.speaker.npz",
        "features/audio_feats/talk.npy",
        "features/audio_feats/own sound.npy",
        "features/video_feats/talk.speaker.bin",
        "features/video_feats/talk.listener.bin",
        "features/video_feats/own sound.speaker.bin",
        "features/audio_feats_mean_std.bin",
        "features/video_feats_mean_std.bin",
    }


@pytest.mark.parametrize(
    ("file", "reason"),
    [
        ("twice/own sound.mov", "would overwrite it"),
        ("mute.mp4", "has no sound"),
        ("nobody.mkv", "100% of its frames have no usable face, mostly: no face"),
        ("voice.mkv", "has no picture"),
        ("alone.wav", "no video 'alone'"),
        ("empty.mp4", "cannot be read"),
        ("text.avi", "cannot be read"),
        ("cut.mp4", "cut.mp4"),
    ],
)
def test_what_cannot_be_used_is_listed_with_the_reason(run, file, reason):
    _, output, done = run
    assert reason in reasons(output)[file]
    assert reason in done.stderr


def test_nothing_else_is_listed(run):
    assert len(reasons(run[1])) == 8


def test_clips_of_any_frame_rate_lie_on_the_grid(run):
    for name, frames in (("talk.speaker", 30), ("talk.listener", 36), ("own sound.speaker", 24)):
        clip = read_clip(run[1] / "clips" / f"{name}.npz")
        assert len(clip) == frames
        assert clip.valid.mean() > 0.9
        assert clip.source_stamps_ns[0] == 0
        assert (np.diff(clip.source_stamps_ns) >= 0).all()
        assert (clip.stamps_ns - clip.source_stamps_ns).max() < 1e9 / 15


def test_both_sides_hear_the_sound_file_of_their_name(run):
    speaker, listener = (read_clip(run[1] / "clips" / f"talk.{role}.npz") for role in ("speaker", "listener"))
    assert speaker.source["sound"] == listener.source["sound"] == "audios/talk.wav"
    np.testing.assert_array_equal(listener.audio_features[:30], speaker.audio_features)
    np.testing.assert_array_equal(
        read_audio_npy(run[1] / "features/audio_feats/talk.npy"), speaker.audio_features
    )


def test_published_files_hold_the_same_numbers(run):
    clip = read_clip(run[1] / "clips" / "talk.speaker.npz")
    video = read_video_bin(run[1] / "features/video_feats/talk.speaker.bin")
    np.testing.assert_array_equal(video.dynamic[clip.valid], clip.motion[clip.valid])
    np.testing.assert_array_equal(video.fixed[clip.valid], clip.identity[clip.valid])


def test_statistics_are_those_of_the_published_script(run):
    """The script concatenates all files and asks torch."""
    torch = pytest.importorskip("torch")
    folder = run[1] / "features"
    audio = torch.tensor(np.concatenate([read_audio_npy(path) for path in folder.glob("audio_feats/*.npy")]))
    video = [read_video_bin(path) for path in folder.glob("video_feats/*.bin")]
    found = {
        **torch.load(folder / "video_feats_mean_std.bin", weights_only=True),
        "audio": torch.load(folder / "audio_feats_mean_std.bin", weights_only=True),
    }
    values = {
        "audio": audio,
        "angle.exp.trans": torch.tensor(np.concatenate([each.dynamic for each in video])),
        "id.gamma.tex": torch.tensor(np.concatenate([each.fixed for each in video])),
    }
    assert set(found) == set(values)
    for key, each in values.items():
        torch.testing.assert_close(found[key]["mean"], each.mean(dim=0), rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(found[key]["std"], each.std(dim=0), rtol=1e-3, atol=1e-5)


def states(output):
    return {path.name: path.stat().st_mtime_ns for path in (output / "clips").iterdir()}


def test_what_is_finished_stays_and_what_changed_is_done_again(tmp_path, write_talk):
    clips, output = tmp_path / "clips", tmp_path / "out"
    for name in "abc":
        write_talk(clips / f"{name}.mp4", 0.3)
    assert extract(clips, "--output", output, "--workers", 1).returncode == 0
    first = states(output)

    write_talk(clips / "b.mp4", 0.4)
    write_talk(clips / "new.mp4", 0.3)
    (clips / "c.mp4").write_bytes(b"no longer a video")
    assert extract(clips, "--output", output, "--workers", 1).returncode == 0
    second = states(output)
    assert set(second) == {"a.speaker.npz", "b.speaker.npz", "new.speaker.npz"}
    assert second["a.speaker.npz"] == first["a.speaker.npz"]
    assert len(read_clip(output / "clips/b.speaker.npz")) == 12
    assert "c.mp4" in reasons(output)


def test_interrupt_ends_at_once_and_leaves_whole_files(tmp_path, write_talk):
    """As on a terminal, where Ctrl-C reaches the workers too."""
    clips, output = tmp_path / "clips", tmp_path / "out"
    write_talk(clips / "1.mp4", 0.3)
    for number in range(2, 40):
        shutil.copy(clips / "1.mp4", clips / f"{number}.mp4")
    terminal, side = pty.openpty()
    process = subprocess.Popen(
        [*COMMAND, str(clips), "--output", str(output), "--workers", "2"],
        stdout=side,
        stderr=side,
        start_new_session=True,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "120"},
    )
    os.close(side)
    said = b""
    while not re.search(rb" [1-9]\d*/39", said):
        said += os.read(terminal, 4096)
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait(timeout=10) == 130
    said += _rest(terminal)
    assert b"interrupted" in said
    assert b"Traceback" not in said
    names = files_in(output)
    assert names
    assert not any(name.startswith(".extract/new") for name in names)
    whole = [read_clip(path) for path in (output / "clips").glob("*.npz")]
    assert 1 <= len(whole) < 39


def _rest(terminal):
    """What a terminal has still to say: it ends when the last process that writes to it is gone."""
    said = b""
    try:
        while part := os.read(terminal, 4096):
            said += part
    except OSError:
        os.close(terminal)
    return said


def test_nothing_usable_is_an_error(tmp_path):
    (tmp_path / "clips").mkdir()
    (tmp_path / "clips" / "a.mp4").touch()
    done = extract(tmp_path / "clips", "--output", tmp_path / "out", "--workers", 1)
    assert done.returncode == 2
    assert "none of the clips" in done.stderr
    assert "Traceback" not in done.stderr
    assert list(reasons(tmp_path / "out")) == ["a.mp4"]


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ({}, "holds no video"),
        ({"backend": Backend.DEEP3D}, "needs its network"),
        ({"deep3d_network": Path("net.onnx")}, "is for --backend deep3d"),
        ({"face_model": "nowhere.mat"}, "nowhere.mat' is not a file"),
        ({"clips": Path("nowhere")}, "nowhere' is not a folder"),
    ],
)
def test_bad_options_are_refused_before_anything_is_written(tmp_path, options, line):
    (tmp_path / "clips").mkdir()
    with pytest.raises(UserError, match=line):
        commands.extract(**{"clips": tmp_path / "clips", "output": tmp_path / "out", **options})
    assert not (tmp_path / "out").exists()


def test_published_files_need_torch(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)  # as where it is not installed
    with pytest.raises(UserError, match="need the package 'torch'"):
        commands.extract(clips=tmp_path, output=tmp_path / "out", format=[Format.VICO])
