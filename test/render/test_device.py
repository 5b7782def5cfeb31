"""The device that draws, read-back, and a context that is lost."""

import threading
import time

import numpy as np
import pytest

from listener_head.coefficients import LAYOUTS, Coefficients
from listener_head.errors import UserError
from listener_head.render import HeadRenderer, make_renderer
from listener_head.render.contact_sheet import POSES, pose
from listener_head.render.head_renderer import ContextLost
from listener_head.render.lasting import LEAST_LIFE, LastingRenderer
from listener_head.render.read_back import ReadBack
from listener_head.render.soak import moving_heads, soak


def test_the_processor_draws_what_auto_draws(open_renderer):
    try:
        on_cpu = open_renderer(64, device="cpu")
    except UserError as error:
        pytest.skip(str(error))
    assert "llvmpipe" in on_cpu.device or "softpipe" in on_cpu.device
    difference = on_cpu.render(pose({})).astype(float) - open_renderer(64).render(pose({}))
    assert np.abs(difference).mean() < 1


def test_devices_that_are_not_there_are_named(open_renderer):
    open_renderer(32)
    with pytest.raises(UserError, match="device 'gpu' is unknown; choose auto, cpu or the number"):
        HeadRenderer(32, device="gpu")
    with pytest.raises(UserError, match=r"graphics card 99 is not there; EGL lists .*: choose auto or cpu"):
        HeadRenderer(32, device="99")


def test_kinds_and_what_they_need_are_named():
    with pytest.raises(UserError, match="renderer 'oil' is unknown; choose one of head, portrait, neural"):
        make_renderer("oil")
    with pytest.raises(UserError, match="renderer 'portrait' needs portrait: the path of a photograph"):
        make_renderer("portrait")
    with pytest.raises(UserError, match="renderer 'neural' needs network: the path of a file"):
        make_renderer("neural", portrait="me.jpg")


@pytest.mark.parametrize("size", [0, 100_000])
def test_impossible_sizes_are_refused(size):
    with pytest.raises(UserError, match=f"picture size {size} is out of range; choose 16 to 4096 pixels"):
        make_renderer("head", size)


def test_pixel_buffers_give_the_pictures_in_order(open_renderer):
    renderer = open_renderer(64, samples=1)
    series = [pose(*what) for what in POSES.values()]
    expected = [renderer.render(coefficients) for coefficients in series]
    # As on a graphics card, whatever this machine has.
    direct = renderer._read_back
    with renderer._context:
        renderer._read_back = ReadBack(renderer._context, (64, 64), buffers=2)
    for one, other in zip(renderer.render_series(iter(series)), expected, strict=True):
        np.testing.assert_array_equal(one, other)
    for coefficients, picture in zip(series, expected, strict=True):
        np.testing.assert_array_equal(renderer.render(coefficients), picture)
    renderer._read_back = direct
    for one, other in zip(renderer.render_series(series), expected, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_lost_context_is_said_to_be_lost(open_renderer):
    renderer = open_renderer(32)
    renderer._context.release()
    with pytest.raises(ContextLost, match="OpenGL failed while drawing"):
        renderer.render(pose({}))


def test_a_lost_context_is_opened_anew_and_the_picture_drawn(open_renderer):
    open_renderer(32)
    lasting = LastingRenderer(lambda: HeadRenderer(64))
    lasting.open()
    before = lasting.render(pose({}))
    time.sleep(LEAST_LIFE)
    lasting._renderer._context.release()
    np.testing.assert_array_equal(lasting.render(pose({})), before)
    assert lasting.restarts == 1 and "OpenGL failed" in lasting.loss
    with pytest.raises(UserError, match="of face model 'bfm2009'"):
        lasting.render(Coefficients.from_motion("bfm2009", LAYOUTS["bfm2009"].neutral()))
    assert lasting.restarts == 1  # bad input is no loss
    lasting.close()


class Driver:
    """A renderer whose driver fails, or hangs until it is let go."""

    device = "driver"

    def __init__(self) -> None:
        self.go_on = threading.Event()
        self.hangs = False

    def render(self, coefficients):
        if not self.hangs:
            raise RuntimeError("the card has been taken away")
        self.go_on.wait(20)
        return np.zeros((1, 1, 3), np.uint8)

    def close(self) -> None:
        pass


def test_a_renderer_that_keeps_failing_is_opened_once_a_second_not_for_every_picture():
    made = []
    lasting = LastingRenderer(lambda: made.append(Driver()) or made[-1])
    lasting.open()
    with pytest.raises(RuntimeError, match="taken away"):
        lasting.render(pose({}))
    for _ in range(5):
        with pytest.raises(UserError, match=r"no renderer for the moment \(the card has been taken away\)"):
            lasting.render(pose({}))
    assert len(made) == 1


def test_a_picture_that_hangs_can_be_seen_from_another_thread():
    driver = Driver()
    driver.hangs = True
    lasting = LastingRenderer(lambda: driver)
    lasting.open()
    assert lasting.busy_s == 0
    thread = threading.Thread(target=lasting.render, args=(pose({}),))
    thread.start()
    deadline = time.monotonic() + 20
    while lasting.busy_s < 0.05 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert lasting.busy_s >= 0.05
    driver.go_on.set()
    thread.join()
    assert lasting.busy_s == 0


def test_memory_does_not_grow(open_renderer):
    result = soak(open_renderer(128), 400)
    assert result.growth_mb < 20
    assert 0 < result.p50_ms <= result.p99_ms <= result.longest_ms


def test_moving_heads_are_smooth_and_finite():
    heads = moving_heads(40)
    motion = np.array([head.motion for head in heads])
    assert np.isfinite(motion).all() and np.abs(np.diff(motion, axis=0)).max() < 0.4
