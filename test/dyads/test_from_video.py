"""A pair from a video of two people: of two rendered heads, whose motion is known, and of real ones."""

from fractions import Fraction

import av
import numpy as np
import pytest
from typer.testing import CliRunner

from listener_head.coefficients import Coefficients
from listener_head.dyads.commands import app
from listener_head.dyads.pair import PairRequest, add_pair
from listener_head.dyads.speaker import LAYOUT
from listener_head.dyads.speech import SAMPLE_RATE
from listener_head.dyads.vico import load
from listener_head.errors import UserError
from listener_head.render import HeadRenderer

SIDE, SECONDS = 320, 2


def write_video(path, pictures, fps=30, sound=True):
    """Pictures RGB [T, H, W, 3] with a tone that begins after a second."""
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=fps, options={"preset": "ultrafast", "crf": "16"})
        video.height, video.width = pictures[0].shape[:2]
        video.pix_fmt = "yuv420p"
        audio = container.add_stream("aac", rate=SAMPLE_RATE, layout="mono") if sound else None
        for number, pixels in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, fps)
            container.mux(video.encode(frame))
        container.mux(video.encode())
        if audio is not None:
            times = np.arange(len(pictures) * SAMPLE_RATE // fps) / SAMPLE_RATE
            tone = (0.3 * np.sin(2 * np.pi * 300 * times) * (times >= 1)).astype(np.float32)
            piece = av.AudioFrame.from_ndarray(tone[None], format="flt", layout="mono")
            piece.sample_rate, piece.pts = SAMPLE_RATE, 0
            container.mux(audio.encode(piece))
            container.mux(audio.encode())
    return path


@pytest.fixture(scope="module")
def motions():
    """What the left and the right head do [T, 58] each: nods of two rates."""
    times = np.arange(30 * SECONDS) / 30
    found = []
    for axis, rate in ((0, 1.4), (1, 1.1)):
        motion = np.tile(LAYOUT.neutral(), (len(times), 1))
        motion[:, axis] = np.radians(10) * np.sin(2 * np.pi * rate * times)
        found.append(motion.astype(np.float32))
    return found


@pytest.fixture(scope="module")
def pictures(motions):
    """Both heads side by side, RGB [T, 320, 640, 3]."""
    renderer = HeadRenderer(SIDE)
    frames = [Coefficients.from_motion("arkit52", frame) for motion in motions for frame in motion]
    drawn = np.array([renderer.render(frame) for frame in frames])
    renderer.close()
    return np.concatenate(np.split(drawn, 2), axis=2)


@pytest.fixture(scope="module")
def video(pictures, tmp_path_factory):
    return write_video(tmp_path_factory.mktemp("video") / "talk.mp4", pictures)


def add(video, output, **others):
    given = {"speaker": "left", "attitude": "positive"} | others
    return add_pair(PairRequest(video, output=output, **given), lambda *progress: None)


def test_two_heads_become_a_pair_and_another_one(video, motions, tmp_path):
    output = tmp_path / "set"
    add(video, output)
    add(video, output, speaker="right", name="other", split="test", start=1.0)
    first, second = load(output)
    assert (first.name, first.attitude, first.split) == ("talk", "positive", "train")
    assert (first.speaker_id, first.listener_id) == ("talk.left", "talk.right")
    assert (second.name, second.split, second.speaker_id) == ("other", "test", "talk.right")
    assert first.video_id == second.video_id == "talk"
    assert abs(len(first) - 60) <= 1 and abs(len(second) - 30) <= 1
    left, right = (motion[: len(first)] for motion in motions)
    assert np.corrcoef(first.speaker[:, 0], left[:, 0])[0, 1] > 0.9
    assert np.corrcoef(first.listener[:, 1], right[:, 1])[0, 1] > 0.9
    assert np.corrcoef(second.speaker[:, 1], right[30 : 30 + len(second), 1])[0, 1] > 0.9
    energy = first.audio[:, 42]
    assert energy[:27].max() < -9 and energy[35:55].min() > -4
    assert second.audio[5:25, 42].min() > -4
    for name, role in (("talk", "speaker"), ("other", "listener")):
        with av.open(str(output / f"videos/{name}.{role}.mp4")) as container:
            stream = container.streams.video[0]
            assert (stream.width, stream.height, stream.average_rate) == (384, 384, 30)
    with av.open(str(output / "audios/talk.wav")) as container:
        assert container.streams.audio[0].rate == 44100
    assert (output / "features/video_feats_mean_std.bin").is_file()


def test_after_an_error_the_set_is_as_it_was(video, pictures, tmp_path):
    output = tmp_path / "set"
    add(video, output, end=1.5, name="one")
    before = {path: path.read_bytes() for path in output.rglob("*") if path.is_file()}
    single = write_video(tmp_path / "single.mp4", pictures[:45, :, :SIDE])
    for request, problem in (
        ({"video": single}, "shows two faces in 0 of"),
        ({"video": write_video(tmp_path / "mute.mp4", pictures[:10], sound=False)}, "no sound"),
        ({"video": tmp_path / "none.mp4"}, "cannot be read"),
        ({"name": "one"}, "has a clip 'one' already"),
        ({"name": "../one"}, "not that of a file"),
        ({"start": 9.0}, "nothing from 9"),
        ({"attitude": "bored"}, "bored"),
        ({"split": "dev"}, "dev"),
        ({"speaker": "top"}, "top"),
        ({"audio_layout": "vico45"}, "paper45, not arkit52 with vico45"),
    ):
        with pytest.raises(UserError, match=problem):
            add(**({"video": video, "output": output} | request))
    after = {path: path.read_bytes() for path in output.rglob("*") if path.is_file()}
    assert after == before


def test_a_synthetic_set_takes_a_video_too(video, tmp_path):
    output = tmp_path / "set"
    given = "--speaker left --attitude negative --end 1.2 --listener-id person000"
    made, added = (
        CliRunner().invoke(app, [*command.split(), "--output", str(output)])
        for command in ("synthesize --clips 2 --seconds 1", f"from-video {video} {given}")
    )
    assert made.exit_code == added.exit_code == 0
    found = load(output)
    assert len(found) == 3 and not found.skipped
    assert {clip.listener_id for clip in found if clip.name == "talk_0_1.2"} == {"person000"}


def test_a_real_conversation(real_clips, tmp_path):
    add(real_clips / "two_people.avi", tmp_path / "set", attitude="neutral", end=3.0)
    (clip,) = load(tmp_path / "set")
    assert len(clip) == 90
    # Faces in the middle of their crops, at the distance at which such crops show them.
    for motion in (clip.speaker, clip.listener):
        place = motion[:, LAYOUT.translation].mean(axis=0)
        assert np.abs(place[:2]).max() < 0.1 and 0.2 < place[2] < 1.0
        assert np.degrees(motion[:, LAYOUT.rotation]).std(axis=0).max() > 0.5
