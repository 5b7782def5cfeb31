"""The head's mesh, light and background in an OpenGL context, and how they are drawn."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

import moderngl
import numpy as np
from numpy.typing import ArrayLike, NDArray

from listener_head.face.arkit52.locks import PARTS_AND_LOCKS
from listener_head.face.model import FaceModel
from listener_head.render import shaders
from listener_head.render.deformation import Deformation
from listener_head.render.lighting import paper_terms, shadow_view, theme_terms
from listener_head.render.theme import Theme

SHADOW_SIDE = 128  # [pixels]: a soft light's shadow has no sharp edges
EYES_SHADOW = 0.4  # share of the brows' shadow that moist eyes take

# gloss, its exponent, softness of the light's edge
_MATERIALS = {
    "skin": (0.10, 14.0, 0.42),
    "ear": (0.05, 14.0, 0.45),
    "hair": (0.16, 22.0, 0.25),
    "lock": (0.18, 24.0, 0.25),
    "eye": (0.0, 8.0, 0.30),
    "lash": (0.0, 8.0, 0.2),
    "mouth": (0.10, 20.0, 0.3),
    "teeth": (0.30, 40.0, 0.3),
    "tongue": (0.15, 16.0, 0.3),
    "cloth": (0.0, 8.0, 0.15),
}
_PLASTIC = {"skin": (0.30, 36.0, 0.20), "ear": (0.25, 36.0, 0.20), "hair": (0.40, 48.0, 0.15)}

# What is drawn first hides what it covers, and costs nothing more there.
_ORDER = ("lock", "hair", "cloth", "ear", "skin", "eye", "lash", "teeth", "tongue", "mouth")
_CASTS_SHADOW = ("skin", "hair", "ear")

_THEME_TONE, _PLAIN_TONE = (0.16, 1.12), (0.0, 1.0)


class Scene:
    """Draws one face model in a theme's light; made and used with its context current."""

    def __init__(
        self, context: moderngl.Context, model: FaceModel, theme: Theme, projection: ArrayLike
    ) -> None:
        self._gl, self._lights = context, theme.light
        self._deformation = Deformation(model)
        context.enable(moderngl.DEPTH_TEST | moderngl.CULL_FACE)
        context.front_face = "cw"  # the projection is upside down
        self._programs = {
            "paint": context.program(shaders.PAINT_VERTEX, shaders.PAINT_FRAGMENT),
            "skin": context.program(shaders.SKIN_VERTEX, shaders.SKIN_FRAGMENT),
            "eye": context.program(shaders.EYE_VERTEX, shaders.EYE_FRAGMENT),
            "shadow": context.program(shaders.SHADOW_VERTEX, shaders.SHADOW_FRAGMENT),
        }
        self._uniforms = _uniforms(self._programs.values())
        self._set("projection", np.asarray(projection).T)
        self._set("glow", theme.eyes.glow)
        self._make_textures(model)
        self._make_geometry(model, theme)
        self._light: bytes | None = None
        self.relight(np.zeros(0, np.float32))

    def _make_textures(self, model: FaceModel) -> None:
        gl, (height, width) = self._gl, model.texture.shape[:2]
        opaque = np.dstack([model.texture, np.full((height, width), 255, np.uint8)])
        self._skin = gl.texture((width, height), 4, opaque.tobytes())
        self._skin.build_mipmaps()
        self._skin.filter = (moderngl.LINEAR_MIPMAP_NEAREST, moderngl.LINEAR)
        self._skin.repeat_x = self._skin.repeat_y = False
        self._shadow = gl.depth_texture((SHADOW_SIDE, SHADOW_SIDE))
        self._shadow.compare_func = "<="
        self._shadow.repeat_x = self._shadow.repeat_y = False
        self._shadow_target = gl.framebuffer(depth_attachment=self._shadow)
        for name, unit in (("skin", 0), ("shadow_map", 1)):
            for uniform in self._uniforms[name]:
                uniform.value = unit

    def _make_geometry(self, model: FaceModel, theme: Theme) -> None:
        gl, order, triangles = self._gl, self._deformation.order, self._deformation.triangles
        materials = _MATERIALS | (_PLASTIC if theme.skin.finish == "plastic" else {})
        material = np.array([materials[kind] for kind in PARTS_AND_LOCKS], np.float32)[model.part]
        if model.name != "arkit52":
            material[:, 0] = 0.0  # a texture of photographs has its gloss in it
        body = np.column_stack([material, model.occlusion, model.head_weight]).astype(np.float32)[order]
        self._shape_buffer = gl.buffer(reserve=len(order) * 24)
        self._colours = gl.buffer(model.colours[order].tobytes())
        body_buffer, texcoords = gl.buffer(body.tobytes()), gl.buffer(model.texcoords[order].tobytes())
        part, textured = model.part[order][triangles[:, 0]], (model.texcoords[order, 0] >= 0)[triangles[:, 0]]

        def mesh(program: str, chosen: NDArray[np.bool_], *content: tuple[Any, ...]) -> moderngl.VertexArray:
            picked = np.flatnonzero(chosen)
            rank = np.array([_ORDER.index(kind) for kind in PARTS_AND_LOCKS])[part[picked]]
            index = triangles[picked[np.argsort(rank, kind="stable")]]
            return gl.vertex_array(self._programs[program], content, gl.buffer(index.tobytes()))

        def of(*kinds: str) -> NDArray[np.bool_]:
            return np.isin(part, [PARTS_AND_LOCKS.index(kind) for kind in kinds])

        outside, eye = of("lock", "hair", "cloth", "ear"), of("eye")
        shape = (self._shape_buffer, "3f 3f", "position", "normal")
        surface = (body_buffer, "4f 1f", "material", "head_weight")
        colour, uv = (self._colours, "3f", "colour"), (texcoords, "2f", "texcoord")
        chosen = [
            ("paint", outside, colour),
            ("skin", textured, uv),
            ("eye", eye, colour),
            ("paint", ~(outside | textured | eye), colour),
        ]
        self._meshes = [mesh(name, where, shape, surface, own) for name, where, own in chosen if where.any()]
        self._shadow_mesh = mesh(
            "shadow",
            of(*_CASTS_SHADOW),
            (self._shape_buffer, "3f 3x4", "position"),
            (body_buffer, "4x4 1f", "head_weight"),
        )

    def recolour(self, colours: NDArray[np.float32]) -> None:
        """Give the vertices [N, 3] other colours, sRGB 0 to 1."""
        self._colours.write(np.ascontiguousarray(colours[self._deformation.order], np.float32))

    def relight(self, lighting: NDArray[np.float32]) -> None:
        """Light by the paper's 27 coefficients, or by the theme where there are none."""
        key = lighting.tobytes()
        if key == self._light:
            return
        self._light, given, lights = key, lighting.size > 0, self._lights
        self._has_shadow = not given and lights.key.shadow > 0.0
        self._set("harmonics", paper_terms(lighting) if given else theme_terms(lights))
        self._set("squared", float(given))
        self._set("key_direction", lights.key.towards)
        self._set("key_colour", np.zeros(3) if given else lights.key.colour)
        self._set("rim_colour", np.zeros(3) if given else lights.rim)
        share = lights.key.shadow if self._has_shadow else 0.0
        self._set("shadow_share", share)
        cast(moderngl.Uniform, self._programs["eye"]["shadow_share"]).value = EYES_SHADOW * share
        self._set("tone", _PLAIN_TONE if given else _THEME_TONE)
        halfway = np.add(lights.key.towards, (0.0, 0.0, 1.001))  # never 0, even for a light from behind
        self._set("mirrored", halfway / np.linalg.norm(halfway))

    def shape(self, identity: NDArray[np.float32], expression: NDArray[np.float32]) -> None:
        """Deform the mesh."""
        self._shape_buffer.write(self._deformation.apply(identity, expression))

    def place(self, rotation: ArrayLike, head: ArrayLike, body: ArrayLike) -> None:
        """Put the head (rotation [3, 3], position [3]) and the shoulders (position [3]) in camera space."""
        self._set("head_rotation", np.asarray(rotation).T)
        self._set("head_position", head)
        self._set("body_position", body)
        self._set("shadow_view", shadow_view(self._lights.key.towards, head).T)

    def cast_shadow(self) -> None:
        """Draw the shadow's map, before anything else of the picture."""
        if self._has_shadow:
            self._shadow_target.use()
            self._shadow_target.clear(depth=1.0)
            self._shadow_mesh.render()

    def draw(self) -> None:
        """Draw the head over what is in the framebuffer in use."""
        self._skin.use(0)
        self._shadow.use(1)
        for mesh in self._meshes:
            mesh.render()

    def _set(self, name: str, value: ArrayLike) -> None:
        content = np.asarray(value, np.float32).tobytes()
        for uniform in self._uniforms[name]:
            uniform.write(content)


def _uniforms(programs: Iterable[moderngl.Program]) -> dict[str, list[moderngl.Uniform]]:
    """Those of all programs by name."""
    found: dict[str, list[moderngl.Uniform]] = {}
    for program in programs:
        for name in program:
            if isinstance(member := program[name], moderngl.Uniform):
                found.setdefault(name, []).append(member)
    return found
