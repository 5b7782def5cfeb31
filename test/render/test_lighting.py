"""Light by the paper's coefficients, by themes, and the shadow of the key light."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from listener_head.coefficients import LAYOUTS, Coefficients
from listener_head.errors import UserError
from listener_head.face.model import FaceModel
from listener_head.render.contact_sheet import pose
from listener_head.render.lighting import paper_terms, shade, theme_terms
from listener_head.render.theme import Theme

NORMALS = np.random.default_rng(0).normal(size=(500, 3))
NORMALS /= np.linalg.norm(NORMALS, axis=1, keepdims=True)


def deep3d_shading(gamma: np.ndarray, normals: np.ndarray) -> np.ndarray:
    """Deep3DFaceReconstruction's formula, term by term."""
    a = (np.pi, 2 * np.pi / np.sqrt(3), 2 * np.pi / np.sqrt(8))
    c = (1 / np.sqrt(4 * np.pi), np.sqrt(3) / np.sqrt(4 * np.pi), 3 * np.sqrt(5) / np.sqrt(12 * np.pi))
    x, y, z = normals.T
    basis = np.stack([
        np.full_like(x, a[0] * c[0]), -a[1] * c[1] * y, a[1] * c[1] * z, -a[1] * c[1] * x,
        a[2] * c[2] * x * y, -a[2] * c[2] * y * z, a[2] * c[2] * 0.5 / np.sqrt(3) * (3 * z**2 - 1),
        -a[2] * c[2] * x * z, a[2] * c[2] * 0.5 * (x**2 - y**2),
    ], axis=1)  # fmt: skip
    gamma = gamma.reshape(3, 9).copy()
    gamma[:, 0] += 0.8
    return basis @ gamma.T


@settings(deadline=None)
@given(st.lists(st.floats(-3, 3), min_size=27, max_size=27))
def test_the_papers_coefficients_shade_as_its_formula_says(numbers):
    gamma = np.array(numbers)
    np.testing.assert_allclose(
        shade(paper_terms(gamma), NORMALS), deep3d_shading(gamma, NORMALS), rtol=1e-9, atol=1e-9
    )


def test_a_themes_light_is_sky_ground_and_fill():
    light = Theme().light
    sky, ground = np.array(light.sky), np.array(light.ground)
    up = 0.5 + 0.5 * NORMALS[:, 1:2]
    fill = np.maximum(NORMALS @ light.fill.towards, 0)[:, None] * light.fill.colour
    np.testing.assert_allclose(
        shade(theme_terms(light), NORMALS), ground + (sky - ground) * up + fill, atol=0.03
    )


def lit(renderer, lighting):
    return renderer.render(replace(pose({}), lighting=np.asarray(lighting, np.float32))).astype(float)


def test_lighting_of_the_coefficients_takes_the_place_of_the_themes(open_renderer):
    renderer = open_renderer(128)
    plain, dark = renderer.render(pose({})), np.zeros(27)
    red = dark.copy()
    red[0] = 0.5
    cheek = (slice(70, 80), slice(50, 58))
    difference = lit(renderer, red)[cheek] - lit(renderer, dark)[cheek]
    assert difference[..., 0].min() > 10
    np.testing.assert_allclose(difference[..., 1:], 0, atol=1)
    # Negative along x: from the right of the picture.
    side = dark.copy()
    side[[3, 12, 21]] = -0.5
    picture = lit(renderer, side)
    assert picture[60:90, 72:80].mean() > picture[60:90, 48:56].mean() + 20
    np.testing.assert_array_equal(renderer.render(pose({})), plain)


@pytest.fixture(scope="module")
def wall() -> FaceModel:
    """A grey square of the face model bfm2009 that faces the camera; its first texture mode is red."""
    layout, side = LAYOUTS["bfm2009"], 0.3
    corners = np.array([[-side, -side, 0], [side, -side, 0], [side, side, 0], [-side, side, 0]], np.float32)
    modes = np.zeros((80, 4, 3), np.float32)
    modes[0, :, 0] = 0.1
    return FaceModel(
        name="bfm2009", layout=layout, identity_names=tuple(map(str, range(80))), mean=corners,
        identity_basis=np.zeros((80, 4, 3), np.float32), expression_basis=np.zeros((64, 4, 3), np.float32),
        triangles=np.array([[0, 1, 2], [0, 2, 3]], np.int32), landmarks=np.zeros(68, np.int32),
        part=np.zeros(4, np.uint8), head_weight=np.ones(4, np.float32),
        colours=np.full((4, 3), 0.5, np.float32), colour_basis=modes,
        texture=np.full((1, 1, 3), 255, np.uint8),
        texcoords=np.full((4, 2), -1, np.float32), occlusion=np.ones(4, np.float32),
    )  # fmt: skip


def test_a_bfm_texture_is_multiplied_by_the_papers_light(open_renderer, wall):
    renderer = open_renderer(32, wall)
    gamma, texture = np.linspace(-0.1, 0.2, 27), np.zeros(80)
    texture[0] = 2.0
    neutral = Coefficients.from_motion("bfm2009", LAYOUTS["bfm2009"].neutral())
    for tones, albedo in ((np.zeros(0), [0.5, 0.5, 0.5]), (texture, [0.7, 0.5, 0.5])):
        picture = renderer.render(
            replace(neutral, texture=tones.astype(np.float32), lighting=gamma.astype(np.float32))
        )
        light = deep3d_shading(gamma, np.array([[0.0, 0.0, 1.0]]))[0]
        np.testing.assert_allclose(picture[16, 16], np.multiply(albedo, light) * 255, atol=1)
    with pytest.raises(UserError, match="texture of the coefficients has 3 numbers; send 80 or none"):
        renderer.render(replace(neutral, texture=np.zeros(3, np.float32)))


@pytest.mark.parametrize("size", [1, 9, 26, 28])
def test_lighting_of_another_size_is_refused(open_renderer, size):
    with pytest.raises(UserError, match=f"lighting of the coefficients has {size} numbers; send 27 or none"):
        lit(open_renderer(32), np.zeros(size))


def test_the_head_throws_a_soft_shadow_on_neck_and_shoulders(open_renderer):
    light = Theme().light.key.model_copy(update={"shadow": 0.0})
    without = Theme(light=Theme().light.model_copy(update={"key": light}))
    shaded, bright = (
        open_renderer(256, theme=theme).render(pose({})).astype(float) for theme in (Theme(), without)
    )
    darker = (bright - shaded).mean(axis=2)
    neck = darker[188:205, 100:160]
    assert neck.max() > 8 and neck.mean() > 2
    assert np.abs(darker[:6]).max() == 0  # the background has none
    # Soft: no step from pixel to pixel.
    assert np.abs(np.diff(darker[190:200, 110:150], axis=1)).max() < 12


def test_a_key_light_from_behind_leaves_a_picture(open_renderer):
    lights = {"key": {"from": [0, 0, -1], "colour": [1, 1, 1]}}
    behind = open_renderer(96, theme=Theme.model_validate({"light": lights})).render(pose({}))
    plain = open_renderer(96).render(pose({}))
    assert 20 < behind[50:60, 40:56].mean() < plain[50:60, 40:56].mean() - 20
