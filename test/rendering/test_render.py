"""`listener_head render`: what it writes is read back."""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from listener_head.cli import app
from listener_head.errors import UserError
from listener_head.rendering.renderers import Look
from listener_head.rendering.run import RenderJob, render_file
from test.rendering.conftest import FACES, MS, START_NS, faces, turning

SIZE = 96


def decoded(path: Path) -> tuple[list[np.ndarray], np.ndarray, int]:
    """Pictures, sound as mono from -1 to 1 and its rate (0 without sound)."""
    with av.open(str(path)) as container:
        video = container.streams.video[0]
        assert (video.codec_context.name, video.codec_context.pix_fmt) == ("h264", "yuv420p")
        pictures = [frame.to_ndarray(format="rgb24") for frame in container.decode(video)]
        if not container.streams.audio:
            return pictures, np.zeros(0), 0
        container.seek(0)
        audio = container.streams.audio[0]
        sound = np.concatenate([piece.to_ndarray().mean(axis=0) for piece in container.decode(audio)])
        return pictures, sound, audio.rate


def write_click(path: Path, at: float, seconds: float, rate: int = 44_100) -> Path:
    """A sound file of silence with one loud moment."""
    samples = np.zeros((1, round(seconds * rate)), np.int16)
    samples[0, round(at * rate) : round((at + 0.02) * rate)] = 20_000
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=rate, layout="mono")
        piece = av.AudioFrame.from_ndarray(samples, format="s16", layout="mono")
        piece.sample_rate, piece.pts = rate, 0
        container.mux(stream.encode(piece))
        container.mux(stream.encode(None))
    return path


def job(input: Path, output: Path, **options) -> RenderJob:
    look = {"size": SIZE} | {
        key: options.pop(key) for key in list(options) if key in Look.__dataclass_fields__
    }
    return RenderJob(input, output, Look(**look), **options)


def test_a_video_shows_every_frame_once(write_motion, tmp_path: Path) -> None:
    told: list[int] = []
    output = tmp_path / "new" / "head.mp4"

    count = render_file(job(write_motion(turning(30)), output), lambda what, done, total: told.append(done))

    pictures, _, rate = decoded(output)
    assert count == len(pictures) == 30 and rate == 0 and pictures[0].shape == (SIZE, SIZE, 3)
    assert told == list(range(1, 31))
    # The head turns from one side to the other: the farther apart in time, the more the pictures differ.
    apart = [np.abs(pictures[i].astype(float) - pictures[0]).mean() for i in (1, 10, 29)]
    assert 0 < apart[0] < apart[1] < apart[2]
    assert [each.name for each in output.parent.iterdir()] == ["head.mp4"]


def test_pictures_are_those_of_the_renderer(write_motion, tmp_path: Path) -> None:
    from listener_head.coefficients import Coefficients
    from listener_head.render.factory import make_renderer

    motion = turning(5)
    render_file(job(write_motion(motion), tmp_path / "png"))

    names = sorted(each.name for each in (tmp_path / "png").iterdir())
    assert names == [f"{number:06d}.png" for number in range(5)]
    renderer = make_renderer("head", SIZE)
    expected = renderer.render(Coefficients.from_motion("arkit52", motion[3]))
    renderer.close()
    assert np.array_equal(np.asarray(Image.open(tmp_path / "png" / names[3])), expected)


def test_transparent_pictures_have_alpha_and_videos_cannot(write_motion, tmp_path: Path) -> None:
    clip = write_motion(turning(2))

    render_file(job(clip, tmp_path / "png", background="transparent"))

    picture = np.asarray(Image.open(tmp_path / "png" / "000000.png"))
    assert (
        picture.shape == (SIZE, SIZE, 4) and picture[0, 0, 3] == 0 and picture[SIZE // 2, SIZE // 2, 3] == 255
    )
    with pytest.raises(UserError, match=r"transparent.*--background a colour"):
        render_file(job(clip, tmp_path / "x.mp4", background="transparent"))
    assert not (tmp_path / "x.mp4").exists()


@pytest.mark.parametrize("rate", [8_000, 44_100])
def test_sound_is_where_it_belongs(write_motion, tmp_path: Path, rate: int) -> None:
    click = write_click(tmp_path / "click.wav", at=0.7, seconds=5.0, rate=rate)

    render_file(job(write_motion(turning(45)), tmp_path / "head.mp4", sound=click))

    pictures, sound, decoded_rate = decoded(tmp_path / "head.mp4")
    assert len(pictures) == 45
    assert len(sound) / decoded_rate == pytest.approx(1.5, abs=0.05)  # cut where the picture ends
    assert np.argmax(np.abs(sound) > 0.2) / decoded_rate == pytest.approx(0.7, abs=0.03)


def test_the_speaker_is_beside_in_time_with_the_sound(write_motion, write_clip, tmp_path: Path) -> None:
    speaker = write_clip(tmp_path / "talk.mkv", seconds=1.0, fps=25, size=(96, 64))

    count = render_file(job(write_motion(turning(60)), tmp_path / "both.mp4", beside=speaker))

    pictures, sound, rate = decoded(tmp_path / "both.mp4")
    assert count == len(pictures) == 30  # the shorter one ends it
    assert pictures[0].shape == (SIZE, 144 + SIZE, 3)
    assert len(sound) / rate == pytest.approx(1.0, abs=0.05) and np.sqrt((sound**2).mean()) > 0.1
    with av.open(str(speaker)) as container:
        true = [frame.to_ndarray(format="rgb24").mean() for frame in container.decode(video=0)]
    shown = [picture[:, :140].mean() for picture in pictures]
    for index in (0, 11, 12, 29):  # each of the 25 pictures a second is brighter by 3 than the last
        assert shown[index] - shown[0] == pytest.approx(true[index * 25 // 30] - true[0], abs=1.4)


def test_a_silent_speaker_gives_a_silent_video(write_motion, write_clip, tmp_path: Path) -> None:
    speaker = write_clip(tmp_path / "talk.mkv", sound=False)

    render_file(job(write_motion(turning(6)), tmp_path / "both.mp4", beside=speaker))

    pictures, _, rate = decoded(tmp_path / "both.mp4")
    assert len(pictures) == 6 and rate == 0


def test_a_bag_of_the_graph_is_rendered_by_its_stamps(write_bag, tmp_path: Path) -> None:
    times = [START_NS + step * 100 * MS // 3 for step in (0, 1, 2, 12, 13)]
    bag = write_bag({"/demo/listener/coefficients": (FACES, faces(turning(5), times))})

    assert render_file(job(bag, tmp_path / "png")) == 14

    pictures = [np.asarray(Image.open(each)) for each in sorted((tmp_path / "png").iterdir())]
    assert all(np.array_equal(pictures[2], held) for held in pictures[3:12])
    assert not np.array_equal(pictures[11], pictures[12])


def test_the_command_takes_it_all(write_motion, write_clip, tmp_path: Path) -> None:
    talk, output = write_clip(tmp_path / "talk.mkv"), tmp_path / "head.mp4"
    arguments = ["render", str(write_motion(turning(5))), "--output", str(output), "--size", "64"]
    arguments += ["--beside", str(talk), "--theme", "robot", "--background", "#203040", "--fps", "15"]

    result = CliRunner().invoke(app, arguments, catch_exceptions=False)

    assert result.exit_code == 0 and "3 pictures" in result.output
    with av.open(str(output)) as container:
        assert container.streams.video[0].average_rate == 15


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"size": 0}, "size 0"),
        ({"size": 100_000}, "size 100000"),
        ({"size": 65}, "65x65.*even"),
        ({"renderer": "wax"}, "renderer 'wax' is unknown"),
        ({"renderer": "portrait"}, "needs portrait"),
        ({"renderer": "portrait", "theme": "robot"}, "--theme is for --renderer head"),
        ({"renderer": "neural", "fps": 25}, "--fps 25"),
        ({"theme": "nosuch"}, "nosuch"),
        ({"beside": Path("/nowhere/talk.mp4")}, "--beside '/nowhere/talk.mp4' is not a file"),
        ({"sound": Path("/nowhere/talk.wav")}, "--sound '/nowhere/talk.wav' is not a file"),
        ({"output": "head.avi"}, "neither an .mp4 nor a folder"),
        ({"output": "png", "sound": Path("x.wav")}, "pictures have no sound"),
        ({"output": "full"}, "full' exists and is not empty"),
    ],
)
def test_wrong_options_are_named_and_leave_nothing(write_motion, tmp_path: Path, options, said) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "notes.txt").touch()
    clip = write_motion(turning(3))
    before = {each for each in tmp_path.rglob("*")}

    with pytest.raises(UserError, match=said):
        render_file(job(clip, tmp_path / options.pop("output", "head.mp4"), **options))

    assert {each for each in tmp_path.rglob("*")} == before


def test_bfm_needs_a_mesh_or_the_network(write_motion, tmp_path: Path) -> None:
    motion = np.zeros((3, 73), np.float32)
    with pytest.raises(UserError, match=r"bfm2009.*--face-model"):
        render_file(job(write_motion(motion), tmp_path / "head.mp4"))


def test_a_frame_that_cannot_be_drawn_leaves_no_file(write_motion, tmp_path: Path) -> None:
    motion = turning(10)
    motion[7, 57] = -3.0  # behind the camera
    with pytest.raises(UserError, match="before the camera"):
        render_file(job(write_motion(motion), tmp_path / "out" / "head.mp4"))
    assert not list((tmp_path / "out").iterdir())


def test_a_full_disk_is_said_and_leaves_no_file(write_motion, tmp_path: Path) -> None:
    command = [sys.executable, "-c", "from listener_head.cli import main; main()", "render"]
    command += [str(write_motion(turning(20))), "--size", "256", "--output"]

    for name in ("head.mp4", "png"):
        result = subprocess.run(
            [*command, str(tmp_path / "out" / name)],
            capture_output=True,
            text=True,
            # No file may grow beyond 4 kB, and Python turns the signal into an error.
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096)),
        )
        assert result.returncode == 2, result.stderr
        assert "cannot write" in result.stderr and "Traceback" not in result.stderr
        assert not list((tmp_path / "out").iterdir())
