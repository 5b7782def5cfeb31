import numpy as np
import pytest
from PIL import Image

from listener_head.errors import UserError
from listener_head.render.background import parse_background
from listener_head.render.contact_sheet import pose


def test_hex_colours_are_colours_and_the_rest_stays():
    assert parse_background("#ff0080") == (1.0, 0.0, pytest.approx(128 / 255))
    for other in ("transparent", "#ff00", "wall.png", (0.1, 0.2, 0.3)):
        assert parse_background(other) == other


@pytest.mark.parametrize("samples", [1, 4])
def test_transparent_pictures_have_alpha_and_lie_over_any_colour(open_renderer, samples):
    options = dict(size=96, samples=samples)
    cut_out = open_renderer(background="transparent", **options).render(pose({}))
    assert cut_out.shape == (96, 96, 4) and cut_out[0, 0, 3] == 0 and cut_out[60, 48, 3] == 255
    alpha = cut_out[..., 3:] / 255.0
    colour = (0.2, 0.6, 0.9)
    composed = cut_out[..., :3] * alpha + np.array(colour) * 255 * (1 - alpha)
    drawn = open_renderer(background=colour, **options).render(pose({}))
    np.testing.assert_allclose(composed, drawn, atol=3)


def test_a_picture_is_cut_to_a_square_and_shown_the_right_way_up(tmp_path, open_renderer):
    wide = np.zeros((60, 100, 3), np.uint8)
    wide[:30] = (255, 0, 0)
    wide[:, :20] = wide[:, 80:] = (0, 255, 0)  # cut off
    Image.fromarray(wide).save(tmp_path / "wall.png")
    theme = tmp_path / "theme.yaml"
    theme.write_text("background: wall.png  # beside this file\n")
    drawn = open_renderer(64, theme=theme).render(pose({}))
    np.testing.assert_allclose(drawn[2:20, 4:8], np.broadcast_to((255, 0, 0), (18, 4, 3)), atol=2)
    np.testing.assert_allclose(drawn[40:44, 1:4], 0, atol=2)
    plain = open_renderer(64).render(pose({}))
    np.testing.assert_array_equal(drawn[30:36, 28:34], plain[30:36, 28:34])  # the face covers it


def test_unusable_pictures_are_named(tmp_path, open_renderer):
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"\x89PNG\r\n\x1a\nnothing")
    with pytest.raises(UserError, match="cannot be read as a picture"):
        open_renderer(64, background=str(broken))
    with pytest.raises(UserError, match=r"background '/absent\.png' is no file; give a picture file"):
        open_renderer(64, background="/absent.png")
