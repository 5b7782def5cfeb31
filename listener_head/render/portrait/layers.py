"""The portrait's layers in an OpenGL context, and how they are drawn: skin, what is behind it, lashes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import cv2
import moderngl
import numpy as np
from numpy.typing import NDArray

from listener_head.render.portrait import shaders
from listener_head.render.portrait.eyes import Eyes
from listener_head.render.portrait.mouth import Mouth
from listener_head.render.portrait.photograph import FOCAL_PER_SIDE
from listener_head.render.portrait.retouch import Retouched
from listener_head.render.portrait.warp import Warp

Array = NDArray[np.float64]
Picture = NDArray[np.uint8]


@dataclass(frozen=True)
class Frame:
    """What changes from picture to picture.

    ``skin`` and ``inside`` float32 [N, 3] m are the vertices of ``Warp`` and ``Mouth``; ``turn`` [3, 3] and
    ``arrival`` [3] m where the head's origin comes; ``gaze`` [2, 2] and ``shut`` [2] of the right and left
    eye; the stirs, 0..1, how little eyes and mouth are as photographed.
    """

    skin: NDArray[np.float32]
    inside: NDArray[np.float32]
    turn: Array
    arrival: Array
    gaze: Array
    shut: Array
    eyes_stir: float
    mouth_stir: float


class Layers:
    """Draws one portrait; made and used with its context current."""

    def __init__(
        self,
        context: moderngl.Context,
        centre: Array,
        pictures: tuple[Picture, Picture],
        retouched: Retouched,
        warp: Warp,
        mouth: Mouth,
        eyes: Eyes,
    ) -> None:
        self._gl, self._mouth_shown = context, mouth.shown
        self._programs = {
            "behind": context.program(shaders.BEHIND_VERTEX, shaders.BEHIND_FRAGMENT),
            "skin": context.program(shaders.SKIN_VERTEX, shaders.SKIN_FRAGMENT),
            "fringe": context.program(shaders.FRINGE_VERTEX, shaders.FRINGE_FRAGMENT),
            "lashes": context.program(shaders.LASH_VERTEX, shaders.LASH_FRAGMENT),
            "eyes": context.program(shaders.OPENING_VERTEX, shaders.EYE_FRAGMENT),
            "mouth": context.program(shaders.OPENING_VERTEX, shaders.MOUTH_FRAGMENT),
            "throat": context.program(shaders.THROAT_VERTEX, shaders.THROAT_FRAGMENT),
            "inside": context.program(shaders.INSIDE_VERTEX, shaders.INSIDE_FRAGMENT),
        }
        self._opacity = pictures[0][..., 3].copy()
        self._make_textures(*pictures, retouched)
        self._make_geometry(warp, mouth)
        self._set("camera", [FOCAL_PER_SIDE, *centre])
        self._set("origin", warp.origin)
        self._set("lash", retouched.lash)
        self._set("cavity", mouth.cavity)
        self._irises = eyes.irises

    def _make_textures(self, person: Picture, behind: Picture, retouched: Retouched) -> None:
        self._textures = []
        pictures = {
            "photo": person,
            "behind": behind,
            "lid_skin": retouched.lid_skin,
            "eyeballs": retouched.eyeballs,
            "between_lips": retouched.between_lips,
        }
        for unit, (name, picture) in enumerate(pictures.items()):
            height, width, components = picture.shape
            if components == 3:  # four are read faster by software
                picture = np.dstack([picture, np.full((height, width), 255, np.uint8)])
            texture = self._gl.texture((width, height), 4, np.ascontiguousarray(picture).tobytes())
            texture.repeat_x = texture.repeat_y = False
            self._textures.append(texture)
            for program in self._having(name):
                cast(moderngl.Uniform, program[name]).value = unit

    def _make_geometry(self, warp: Warp, mouth: Mouth) -> None:
        gl = self._gl
        self._skin_buffer = gl.buffer(reserve=len(warp.rest) * 12)
        self._inside_buffer = gl.buffer(reserve=len(mouth.rest) * 12)
        body = gl.buffer(np.column_stack([warp.texcoords, warp.lids]).astype(np.float32).tobytes())
        positions = (self._skin_buffer, "3f", "position")

        def mesh(name: str, triangles: NDArray[np.int32], *content: tuple[Any, ...]) -> moderngl.VertexArray:
            return gl.vertex_array(self._programs[name], list(content), gl.buffer(triangles.tobytes()))

        whole, fringe = self._by_opacity(warp)
        self._skin = mesh("skin", whole, positions, (body, "2f 2f", "texcoord", "lids"))
        self._fringe = mesh("fringe", fringe, positions, (body, "2f 2x4", "texcoord"))
        self._lashes = mesh("lashes", warp.lashes, positions, (body, "2x4 2f", "lids"))
        self._behind = gl.vertex_array(self._programs["behind"], [])
        colours = gl.buffer(mouth.colours.astype(np.float32).tobytes())
        self._inside = mesh(
            "inside", mouth.triangles, (self._inside_buffer, "3f", "position"), (colours, "3f", "colour")
        )
        self._eyes = [mesh("eyes", eye.triangles, positions) for eye in warp.eyes]
        self._mouth = mesh("mouth", warp.mouth.triangles, positions)
        self._throat = mesh("throat", warp.mouth.triangles, positions)

    def _by_opacity(self, warp: Warp) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """The skin's triangles that show the person alone, and those that also show what is beside."""
        corners = warp.texcoords[warp.triangles]
        reach = np.linalg.norm(corners - corners.mean(axis=1, keepdims=True), axis=2).max()
        side = len(self._opacity)
        window = np.ones((2 * int(np.ceil(reach * side)) + 1,) * 2, np.uint8)
        least, most = cv2.erode(self._opacity, window), cv2.dilate(self._opacity, window)
        column, row = np.clip(corners.mean(axis=1) * side, 0, side - 1).astype(int).T
        whole = least[row, column] == 255
        return warp.triangles[whole], warp.triangles[~whole & (most[row, column] > 0)]

    def draw(self, target: moderngl.Framebuffer, frame: Frame) -> None:
        """One picture."""
        gl = self._gl
        self._skin_buffer.write(frame.skin)
        self._inside_buffer.write(frame.inside)
        self._set("turn", frame.turn.T)
        self._set("arrival", frame.arrival)
        self._set("shut", frame.shut)
        for name, stir in (("eyes", frame.eyes_stir), ("mouth", frame.mouth_stir)):
            cast(moderngl.Uniform, self._programs[name]["stir"]).value = stir
        for unit, texture in enumerate(self._textures):
            texture.use(unit)
        target.use()
        target.clear(depth=1.0)
        gl.enable_only(moderngl.NOTHING)
        self._behind.render(moderngl.TRIANGLES, vertices=3)
        gl.enable_only(moderngl.DEPTH_TEST)
        self._skin.render()
        self._throat.render()
        self._inside.render()
        gl.enable_only(moderngl.DEPTH_TEST | moderngl.BLEND)
        self._fringe.render()
        if self._mouth_shown:
            self._mouth.render()
        for eye, iris, gaze in zip(self._eyes, self._irises, frame.gaze, strict=True):
            self._set("iris", iris)
            self._set("gaze", gaze)
            eye.render()
        self._lashes.render()

    def _having(self, name: str) -> list[moderngl.Program]:
        return [program for program in self._programs.values() if name in program]

    def _set(self, name: str, value: object) -> None:
        data = np.asarray(value, np.float32).tobytes()
        for program in self._having(name):
            cast(moderngl.Uniform, program[name]).write(data)
