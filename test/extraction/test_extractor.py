"""One clip: what is seen and heard in it, on the grid."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from math import ceil

import av
import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from listener_head.audio import extract_features
from listener_head.coefficients import LAYOUTS, Coefficients
from listener_head.errors import UserError
from listener_head.extraction.catalogue import find_clips
from listener_head.extraction.clip_file import read_clip
from listener_head.extraction.conversion import reconstruction
from listener_head.extraction.extractor import Extractor
from listener_head.extraction.grid import Seen, face_on_grid, sound_on_grid
from listener_head.extraction.media import STAMP_ROUNDING_NS, open_movie, read_pictures, read_sound
from listener_head.extraction.published import read_audio_npy, read_mat, read_video_bin
from listener_head.extraction.settings import AudioLayout, Backend, Format
from listener_head.face import Camera, load_face_model
from listener_head.face.deep3d.alignment import Crop
from listener_head.face.deep3d.card import FILE_FORMAT, make_card
from listener_head.face.deep3d.frames import to_optical
from listener_head.face.deep3d.published import COUNT, CROP_SIZE, EYE_CORNERS, NOSE_AND_MOUTH
from listener_head.sources import Sound
from listener_head.timing import NS_PER_S, RATE_HZ, grid_time_ns

DARKEST, STEP = 40, 6  # grey levels of the first picture, and from each to the next


def extract(wanted, write_talk, **talk):
    """The clip files of one talking face."""
    write_talk(wanted.clips / "talk.mp4", **talk)
    (clip,), _ = find_clips(wanted.clips)
    Extractor(wanted).extract(clip, lambda count: None)
    return wanted.output


def write_frames(path, fps, count):
    """A video without sound whose pictures are told apart by their grey."""
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=fps, options={"preset": "ultrafast"})
        video.width, video.height, video.pix_fmt = 64, 64, "yuv420p"
        for number in range(count):
            pixels = np.full((64, 64, 3), DARKEST + STEP * number, np.uint8)
            frame = av.VideoFrame.from_ndarray(pixels, format="bgr24")
            frame.pts, frame.time_base = number, 1 / Fraction(fps)
            container.mux(video.encode(frame))
        container.mux(video.encode())
    return path


@pytest.mark.parametrize("ending", ["mp4", "mkv", "avi"])
@pytest.mark.parametrize("fps", [*map(Fraction, (15, 25, 30, 60)), Fraction(30000, 1001)])
def test_each_step_holds_the_newest_picture(tmp_path, fps, ending):
    count = 24
    movie = open_movie(write_frames(tmp_path / f"a.{ending}", fps, count))
    held = [None] * (2 * RATE_HZ)
    for picture in read_pictures(movie, largest_side=32):
        assert picture.size == (64, 64)
        for step in picture.steps:
            assert held[step] is None
            held[step] = round((float(picture.pixels.mean()) - DARKEST) / STEP)
    steps = held.index(None)
    assert steps == ceil((count / fps - Fraction(STAMP_ROUNDING_NS, NS_PER_S)) * RATE_HZ)
    assert not any(held[steps:])
    for step in range(steps):
        assert held[step] == (grid_time_ns(step) + STAMP_ROUNDING_NS) * fps // NS_PER_S


@hypothesis_settings(deadline=None)
@given(st.lists(st.integers(1, 700_000_000), min_size=1, max_size=20))
def test_face_is_held_for_a_while_and_no_longer(gaps):
    """Pictures at any times: a step has the newest at or before it unless that is older than 0.3 s."""
    times = [0, *np.cumsum(gaps).tolist()]
    steps = [-(-time * RATE_HZ // NS_PER_S) for time in times]
    layout = LAYOUTS["arkit52"]
    seen = []
    for number, time in enumerate(times[:-1]):
        motion = np.full(layout.size, number + 1, np.float32)
        seen.append(
            Seen(Coefficients.from_motion("arkit52", motion), time, range(steps[number], steps[number + 1]))
        )
    if not steps[-1]:
        return
    face = face_on_grid(seen, "arkit52")
    for step in range(steps[-1]):
        newest = int(np.searchsorted(times, grid_time_ns(step), "right")) - 1
        fresh = grid_time_ns(step) - times[newest] <= 300_000_000
        assert face["valid"][step] == fresh
        assert face["source_stamps_ns"][step] == (times[newest] if fresh else -1)
        assert (face["motion"][step] == (newest + 1 if fresh else 0)).all()


@hypothesis_settings(deadline=None, max_examples=15)
@given(st.sampled_from(AudioLayout), st.integers(-3, 3), st.integers(1, 20))
def test_sound_keeps_its_place(layout, late, count):
    """Sound that begins frames before or after the first picture gives the same numbers, frames later."""
    samples = (8000 * np.random.default_rng(7).standard_normal((44100 // 2, 2))).clip(-32768, 32767)
    samples = samples.astype(np.int16)
    found = sound_on_grid(Sound(late * NS_PER_S // RATE_HZ, samples, 44100), count, layout).values
    moved = np.pad(samples, ((max(0, late) * 1470, 44100), (0, 0)))[max(0, -late) * 1470 :]
    assert found.shape == (count, 45)
    np.testing.assert_allclose(found, extract_features(moved, 44100, layout)[:count], atol=1e-4)


def test_sound_of_a_file_is_whole(tmp_path, write_sound, speaker):
    sound = read_sound(write_sound(tmp_path / "a.wav", 1.0))
    assert sound.sample_rate == 44100
    assert sound.time_ns == 0
    np.testing.assert_array_equal(sound.samples[:, 0], speaker[1][np.arange(44100) * 16000 // 44100])


@pytest.mark.parametrize("share", [0.1, 0.4])
@pytest.mark.parametrize("ending", ["mkv", "mp4"])
def test_files_that_were_cut_off_are_refused(settings, write_talk, share, ending):
    wanted = settings()
    path = write_talk(wanted.clips / f"a.{ending}", 1.5)
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    (clip,), _ = find_clips(wanted.clips)
    with pytest.raises(UserError, match=f"a.{ending}' (is cut off|is damaged|cannot|holds no|has no)"):
        Extractor(wanted).features(clip, lambda count: None)


def test_the_whole_clip_is_measured_against_one_resting_face(settings, write_talk):
    output = extract(settings(), write_talk, seconds=1.5)
    clip = read_clip(output / "clips/talk.speaker.npz")
    assert clip.valid.all()
    assert np.ptp(clip.identity, axis=0).max() == 0
    assert np.linalg.norm(clip.identity[0]) > 0
    assert not np.allclose(clip.motion[0], clip.motion[-1])
    assert clip.source["pictures_not_valid"] == {}
    assert clip.image_size == (320, 320)


@pytest.fixture(scope="module")
def constant_network(tmp_path_factory):
    """A Deep3D network file that gives the same numbers for every face, and these numbers."""
    numbers = np.random.default_rng(3).normal(0, 0.2, COUNT).astype(np.float32)
    points = load_face_model().landmark_points() * 10
    eyes = [points[list(corners)].mean(axis=0) for corners in EYE_CORNERS]
    card = make_card("constant", "0" * 64, np.array([*eyes, *points[list(NOSE_AND_MOUTH)]], np.float64))
    nodes = [
        helper.make_node("ReduceSum", ["faces", "axes"], ["sum"], keepdims=0),
        helper.make_node("Mul", ["sum", "nothing"], ["none"]),
        helper.make_node("Add", ["none", "numbers"], ["coefficients"]),
    ]
    constants = [
        numpy_helper.from_array(np.array([1, 2, 3]), "axes"),
        numpy_helper.from_array(np.zeros((1, 1), np.float32), "nothing"),
        numpy_helper.from_array(numbers[None], "numbers"),
    ]
    size = ["batch", 3, CROP_SIZE, CROP_SIZE]
    inputs = [helper.make_tensor_value_info("faces", TensorProto.FLOAT, size)]
    outputs = [helper.make_tensor_value_info("coefficients", TensorProto.FLOAT, ["batch", COUNT])]
    graph = helper.make_graph(nodes, "constant", inputs, outputs, constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    helper.set_model_props(model, {"format": FILE_FORMAT, "card": json.dumps(card)})
    path = tmp_path_factory.mktemp("network") / "constant.onnx"
    onnx.save(model, path)
    return path, numbers


def test_numbers_of_deep3d_reach_the_published_files_unchanged(settings, write_talk, constant_network):
    pytest.importorskip("torch")
    network, numbers = constant_network
    wanted = settings(
        (Format.NPZ, Format.VICO), AudioLayout.VICO45, backend=Backend.DEEP3D, deep3d_network=network
    )
    output = extract(wanted, write_talk, seconds=0.5)
    mat = read_mat(output / "recons/test/talk.speaker.mat")
    np.testing.assert_allclose(mat.coeff, np.tile(numbers, (15, 1)), atol=1e-5)
    assert (mat.transform_params[:, :2] == 320).all()
    video, again = read_video_bin(output / "features/video_feats/talk.speaker.bin"), mat.video_features()
    np.testing.assert_array_equal(video.dynamic, again.dynamic)
    np.testing.assert_array_equal(video.fixed, again.fixed)
    clip = read_clip(output / "clips/talk.speaker.npz")
    assert clip.face_model == "bfm2009"
    assert clip.texture.shape == (15, 80)
    np.testing.assert_array_equal(
        read_audio_npy(output / "features/audio_feats/talk.npy"), clip.audio_features
    )


def test_crop_is_in_pixels_of_the_file(settings, write_talk, constant_network, monkeypatch):
    """Pictures are made smaller to be tracked; the published crop tells of the file's own."""
    from listener_head.extraction import extractor

    write_talk(settings().clips / "talk.mp4", 0.2)
    (clip,), _ = find_clips(settings().clips)
    wanted = settings(backend=Backend.DEEP3D, deep3d_network=constant_network[0])
    crops = []
    for side in (640, 160):
        monkeypatch.setitem(extractor.LARGEST_SIDE, Backend.DEEP3D, side)
        found = Extractor(wanted).features(clip, lambda count: None)
        assert found.image_size == (320, 320)
        crops.append(found.motion[:, found.layout.crop])
    np.testing.assert_allclose(crops[1], crops[0], rtol=0.03)


def test_fits_before_the_whole_picture_become_numbers_of_the_crop(settings, write_talk, constant_network):
    """bfm2009 coefficients of landmarks: the published numbers, seen through the crop, are the same head."""
    wanted = settings(backend=Backend.DEEP3D, deep3d_network=constant_network[0])
    clip = read_clip(extract(wanted, write_talk, seconds=0.2) / "clips/talk.speaker.npz")
    camera = Camera.assumed(clip.image_size)
    crop = Crop(clip.image_size, *(float(value) for value in clip.motion[0, clip.layout.crop]))
    whole = to_optical(constant_network[1], crop, camera)
    motion = np.tile(whole.motion, (len(clip), 1))
    fitted = replace(clip, motion=motion, source=clip.source | {"backend": "landmarks"})
    np.testing.assert_allclose(reconstruction(fitted).coeff[0], constant_network[1], atol=1e-3)
