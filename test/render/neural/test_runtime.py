"""The renderer on networks of random weights, small in their pictures only."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from listeners import listener

torch = pytest.importorskip("torch", reason="training extra is not installed")

from listener_head.errors import UserError  # noqa: E402
from listener_head.render.neural import NeuralRenderer  # noqa: E402
from listener_head.render.neural.motion import published_motion  # noqa: E402
from listener_head.render.neural.portrait import crop_portrait  # noqa: E402

SIZE = 64


@pytest.fixture(scope="module")
def renderer(small_network, head_picture):
    renderer = NeuralRenderer(small_network, head_picture, SIZE, device="cpu")
    yield renderer
    renderer.close()


@pytest.fixture(autouse=True)
def anew(request):
    if "renderer" in request.fixturenames:
        request.getfixturevalue("renderer").reset()


def drawn_by_torch(generator, head_picture, frames, drawn):
    """The frames ``drawn`` of a whole clip as the published code draws it."""
    motion = torch.from_numpy(np.stack([published_motion(frame) for frame in frames]))
    around = torch.tensor(drawn)[:, None] + torch.arange(-13, 14)
    windows = motion[around.clip(0, len(frames) - 1)].transpose(1, 2)
    portrait = torch.tensor(crop_portrait(head_picture, SIZE)).permute(2, 0, 1)[None] / 127.5 - 1
    pictures = generator(portrait.expand(len(drawn), -1, -1, -1), windows)
    return ((pictures + 1) / 2 * 255).to(torch.uint8).permute(0, 2, 3, 1).numpy()


def largest_difference(pictures, expected):
    return np.abs(np.stack(pictures).astype(int) - expected).max()


def test_stream_equals_batch(generator, small_network, head_picture):
    """With a look-ahead of the window's radius: 13 frames late, the same pictures to one level of 255."""
    frames = listener(16)
    renderer = NeuralRenderer(small_network, head_picture, SIZE, "cpu", look_ahead=13)
    pictures = [renderer.render(frame) for frame in frames]
    renderer.close()
    expected = drawn_by_torch(generator, head_picture, frames, [0, 1, 2])
    assert largest_difference(pictures[13:], expected) <= 1
    assert largest_difference(pictures[13:], expected[::-1]) > 1


def test_live_every_picture_is_the_last_of_the_clip_so_far(renderer, generator, head_picture):
    frames = listener(3, seed=1)
    pictures = [renderer.render(frame) for frame in frames]
    clips = [frames[: now + 1] for now in range(3)]
    expected = [drawn_by_torch(generator, head_picture, clip, [len(clip) - 1])[0] for clip in clips]
    assert largest_difference(pictures, expected) <= 1


def test_pictures_are_the_callers_own(renderer):
    first, second = listener(2)
    picture = renderer.render(first)
    kept = picture.copy()
    renderer.render(second)
    assert picture.shape == (SIZE, SIZE, 3) and picture.dtype == np.uint8
    np.testing.assert_array_equal(picture, kept)


def test_reset_forgets(renderer):
    first, *_, last = listener(12)
    fresh = renderer.render(last)
    renderer.reset()
    renderer.render(first)
    assert not np.array_equal(renderer.render(last), fresh)
    renderer.reset()
    np.testing.assert_array_equal(renderer.render(last), fresh)


def test_what_is_refused_is_no_frame_of_the_stream(renderer):
    first, second = listener(2)
    expected = [renderer.render(first), renderer.render(second)][1]
    renderer.reset()
    renderer.render(first)
    with pytest.raises(UserError, match="not finite"):
        renderer.render(replace(first, rotation=np.full(3, np.nan, np.float32)))
    np.testing.assert_array_equal(renderer.render(second), expected)


def test_what_a_renderer_says_of_itself(renderer):
    assert renderer.device == "cpu" and renderer.name == "small"
    assert len(renderer.hash) == 12 and renderer.card["size"] == SIZE


def test_closed_is_closed(small_network, head_picture):
    renderer = NeuralRenderer(small_network, head_picture, SIZE, "cpu")
    renderer.close()
    renderer.close()
    with pytest.raises(UserError, match="is closed"):
        renderer.render(listener(1)[0])


@pytest.mark.parametrize("size", [0, 63, 256, 100_000])
def test_another_size_is_refused(small_network, head_picture, size):
    with pytest.raises(UserError, match=rf"size {size} .*small\.onnx', which draws 64 x 64; choose 64"):
        NeuralRenderer(small_network, head_picture, size)


def test_no_network_is_one_clear_line(tmp_path, head_picture):
    with pytest.raises(UserError, match=r"none\.onnx' cannot be read .*import-checkpoint") as refusal:
        NeuralRenderer(tmp_path / "none.onnx", head_picture)
    assert "\n" not in str(refusal.value)
    (tmp_path / "junk.onnx").write_bytes(b"junk")
    with pytest.raises(UserError, match=r"junk\.onnx' is broken or no ONNX file"):
        NeuralRenderer(tmp_path / "junk.onnx", head_picture)


@pytest.fixture(scope="module")
def other(tmp_path_factory):
    """Writes a tiny ONNX file with the given metadata."""

    def write(**metadata):
        node = onnx.helper.make_node("Identity", ["x"], ["y"])
        x, y = (onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [1]) for name in "xy")
        graph = onnx.helper.make_graph([node], "g", [x], [y])
        opsets = [onnx.helper.make_opsetid("", 17)]
        model = onnx.helper.make_model(graph, opset_imports=opsets, ir_version=8)
        onnx.helper.set_model_props(model, metadata)
        path = tmp_path_factory.mktemp("other") / "other.onnx"
        path.write_bytes(model.SerializeToString())
        return path

    return write


def test_files_of_another_kind_are_named(other, head_picture):
    with pytest.raises(UserError, match=r"other\.onnx' is an ONNX file of another kind \(its format is 'x'"):
        NeuralRenderer(other(format="x"), head_picture)


@pytest.mark.parametrize("card", ["", "{", "[]", "{}", '{"name": "a", "size": 64, "window": 9}'])
def test_broken_metadata_is_refused(other, head_picture, card):
    path = other(format="listener_head.pirenderer/1", card=card, portrait_graph="AAAA")
    with pytest.raises(UserError, match=r"other\.onnx' has broken metadata"):
        NeuralRenderer(path, head_picture)


def test_an_absent_device_is_named(small_network, head_picture):
    with pytest.raises(UserError, match="'abacus' is unknown"):
        NeuralRenderer(small_network, head_picture, SIZE, device="abacus")


def test_a_picture_without_a_face_is_named(small_network):
    with pytest.raises(UserError, match="portrait: no face in view"):
        NeuralRenderer(small_network, np.zeros((64, 64, 3), np.uint8), SIZE)


def test_running_needs_no_torch():
    script = "import sys; import listener_head.render.neural; assert not {'torch', 'onnx'} & set(sys.modules)"
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    subprocess.run([sys.executable, "-c", script], check=True, env=environment)
