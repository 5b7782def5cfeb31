"""Draws the face model's head for given coefficients, off-screen, through OpenGL (EGL)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import cast

import cv2
import moderngl
import numpy as np
from numpy.typing import NDArray

from listener_head.coefficients import REFERENCE_DISTANCE, Coefficients
from listener_head.errors import UserError
from listener_head.face.arkit52.locks import head_with_locks
from listener_head.face.arkit52.palette import painted
from listener_head.face.geometry import OPTICAL_FROM_MODEL, rotation_matrix
from listener_head.face.model import FaceModel
from listener_head.render import shaders
from listener_head.render.background import TRANSPARENT, Background, load_backdrop, parse_background
from listener_head.render.egl import AUTO, is_software, open_context
from listener_head.render.lighting import PAPER_SIZE
from listener_head.render.read_back import ReadBack
from listener_head.render.scene import Scene
from listener_head.render.theme import DEFAULT, Theme, load_theme

# The virtual camera: at 0.65 m a picture shows 37 cm, from above the hair to the shoulders.
FOCAL_PER_SIZE = 1.75
CENTRE_PER_SIZE = (0.5, 0.455)
NEAR, FAR = 0.1, 3.0

SMALLEST, LARGEST = 16, 4096  # [pixels]
SMOOTH = 4  # samples per pixel of an anti-aliased picture

# The neck gives way by this much [m] before the shoulders come along.
NECK_REACH = 0.04

LARGEST_TEXTURE_MODE = 5.0  # standard deviations


class ContextLost(RuntimeError):
    """OpenGL gave up in the middle: the renderer must be closed and another one opened."""


def camera_matrix(size: int) -> NDArray[np.float64]:
    """Intrinsic matrix [3, 3] of the virtual camera for a square picture of ``size`` pixels."""
    focal = FOCAL_PER_SIZE * size
    return np.array(
        [[focal, 0, CENTRE_PER_SIZE[0] * size], [0, focal, CENTRE_PER_SIZE[1] * size], [0, 0, 1.0]]
    )


def _projection() -> NDArray[np.float32]:
    """Clip space from the camera's; upside down, so that the first row read back is the top one."""
    f, (cx, cy) = 2.0 * FOCAL_PER_SIZE, CENTRE_PER_SIZE
    depth = -(FAR + NEAR) / (FAR - NEAR), -2 * FAR * NEAR / (FAR - NEAR)
    return np.array(
        [[f, 0, 1 - 2 * cx, 0], [0, -f, 1 - 2 * cy, 0], [0, 0, *depth], [0, 0, -1, 0]], np.float32
    )


class HeadRenderer:
    """Renders coefficients to pictures. Use it from the thread that made it.

    ``size`` is the picture's width and height in pixels (16 to 4096), ``samples`` how many samples make a
    pixel (1 to 16): more are smoother and slower, and square numbers cost least. ``model`` is the built-in
    head by default. ``theme`` (a name, the path of a theme file or a Theme) colours the built-in head and
    lights every one; ``background`` (an sRGB colour from 0 to 1, ``#rrggbb``, the path of a picture or
    ``transparent``) takes the place of the theme's. ``device`` is ``auto``, ``cpu`` or the number of a
    graphics card. Raises UserError for an option out of range and where no OpenGL context opens.
    """

    def __init__(
        self,
        size: int = 256,
        model: FaceModel | None = None,
        background: Background | None = None,
        samples: int = SMOOTH,
        theme: str | Path | Theme = DEFAULT,
        device: str = AUTO,
    ) -> None:
        if not SMALLEST <= size <= LARGEST:
            raise UserError(f"picture size {size} is out of range; choose {SMALLEST} to {LARGEST} pixels")
        if not 1 <= samples <= 16:
            raise UserError(f"{samples} samples per pixel are out of range; choose 1 to 16")
        self.size = size
        look = theme if isinstance(theme, Theme) else load_theme(theme)
        self.background = look.background if background is None else parse_background(background)
        self.model = model or _built_in(look)
        self._transparent = self.background == TRANSPARENT
        backdrop = None
        if isinstance(self.background, str) and not self._transparent:
            backdrop = load_backdrop(self.background, size)
        self._context = open_context(device)
        try:
            self._make(look, samples, backdrop)
        except BaseException:
            self.close()
            raise

    def _make(self, look: Theme, samples: int, backdrop: NDArray[np.uint8] | None) -> None:
        self._target = self._make_target(samples)
        buffers = 0 if is_software(self._context) else 2
        self._read_back = ReadBack(self._context, self._target.size, buffers)
        self._scene = Scene(self._context, self.model, look, _projection())
        self._texture: bytes | None = None
        self._backdrop = None if backdrop is None else self._make_backdrop(backdrop)

    def _make_target(self, samples: int) -> moderngl.Framebuffer:
        side = round(self.size * samples**0.5)
        gl = self._context
        limit = gl.info["GL_MAX_RENDERBUFFER_SIZE"]
        if side > limit:
            raise UserError(
                f"{samples} samples for pictures of {self.size} pixels need {side} pixels a side, more than "
                f"this OpenGL's {limit}; choose fewer samples"
            )
        return gl.framebuffer([gl.renderbuffer((side, side), 4)], gl.depth_renderbuffer((side, side)))

    def _make_backdrop(self, picture: NDArray[np.uint8]) -> tuple[moderngl.VertexArray, moderngl.Texture]:
        gl = self._context
        texture = gl.texture((self.size, self.size), 3, picture.tobytes(), alignment=1)
        program = gl.program(shaders.BACKDROP_VERTEX, shaders.BACKDROP_FRAGMENT)
        cast(moderngl.Uniform, program["picture"]).value = 0
        return gl.vertex_array(program, []), texture

    @property
    def device(self) -> str:
        """What draws: the graphics card, or the processor by the name of its driver."""
        return str(self._context.info["GL_RENDERER"])

    def render(self, coefficients: Coefficients) -> NDArray[np.uint8]:
        """The picture [size, size, 3] uint8 RGB (sRGB) of the head with these coefficients.

        With a transparent background [size, size, 4] RGBA, alpha not multiplied in. Expression weights are
        held to 0..1 and to what shapes can do together (``mouthClose`` needs an open jaw), identity to +-5
        standard deviations. ``lighting`` of 27 numbers (Deep3DFaceReconstruction's) takes the place of the
        theme's light. Raises UserError for coefficients of another face model, of the wrong size, not
        finite, not valid, or of a head behind the camera, and ContextLost when OpenGL fails.
        """
        self._check(coefficients)
        self._read_back.clear()
        self._begin(coefficients)
        return self._picture()

    def render_series(self, series: Iterable[Coefficients]) -> Iterator[NDArray[np.uint8]]:
        """The pictures of a series, in order; raises what ``render`` does.

        On a graphics card one picture is copied back while the next is drawn.
        """
        self._read_back.clear()
        for coefficients in series:
            self._check(coefficients)
            self._begin(coefficients)
            if self._read_back.under_way == self._read_back.most:
                yield self._picture()
        while self._read_back.under_way:
            yield self._picture()

    @contextmanager
    def _drawing(self) -> Iterator[None]:
        """Make the context current; ContextLost for what OpenGL raises or says."""
        try:
            with self._context:
                yield
                problem = self._context.error
        except UserError:
            raise
        except Exception as error:  # a context that is gone fails in many ways
            raise ContextLost(f"OpenGL failed while drawing: {error}") from error
        if problem != "GL_NO_ERROR":
            raise ContextLost(f"OpenGL failed while drawing: {problem}")

    def _begin(self, coefficients: Coefficients) -> None:
        """Draw, and begin to read back."""
        with self._drawing():
            self._scene.shape(coefficients.identity, coefficients.expression)
            self._scene.relight(coefficients.lighting)
            self._recolour(coefficients.texture)
            self._place(coefficients)
            self._scene.cast_shadow()
            self._target.use()
            if self._backdrop is not None:
                self._target.clear(depth=1.0)
                mesh, texture = self._backdrop
                texture.use(0)
                self._context.disable(moderngl.DEPTH_TEST | moderngl.CULL_FACE)
                mesh.render(moderngl.TRIANGLES, vertices=3)
                self._context.enable(moderngl.DEPTH_TEST | moderngl.CULL_FACE)
            elif self._transparent:
                self._target.clear(0.0, 0.0, 0.0, 0.0, depth=1.0)
            else:
                red, green, blue = cast(tuple[float, float, float], self.background)
                self._target.clear(red, green, blue, 1.0, depth=1.0)
            self._scene.draw()
            self._read_back.start(self._target)

    def _picture(self) -> NDArray[np.uint8]:
        """The oldest picture under way, in its final size."""
        with self._drawing():
            drawn = self._read_back.finish()
        if self._target.width != self.size:
            size = (self.size, self.size)
            drawn = np.asarray(cv2.resize(drawn, size, interpolation=cv2.INTER_AREA), np.uint8)
        if self._transparent:
            return _unmultiplied(drawn)
        return np.asarray(cv2.cvtColor(drawn, cv2.COLOR_RGBA2RGB), np.uint8)

    def _check(self, coefficients: Coefficients) -> None:
        model = coefficients.face_model
        if model != self.model.name:
            raise UserError(f"coefficients are of face model '{model}'; the renderer draws {self.model.name}")
        if not coefficients.valid:
            raise UserError(f"coefficients are not valid ({coefficients.reason}); render the last valid ones")
        for name in ("rotation", "translation", "expression", "identity", "texture", "lighting"):
            if not np.isfinite(getattr(coefficients, name)).all():
                raise UserError(f"{name} of the coefficients is not finite; send finite numbers")
        for name, size in (("lighting", PAPER_SIZE), ("texture", len(self.model.colour_basis))):
            found = getattr(coefficients, name).size
            if found not in (0, size):
                raise UserError(f"{name} of the coefficients has {found} numbers; send {size} or none")
        distance = float(coefficients.translation[2])
        if not 2 * NEAR < distance < FAR:
            raise UserError(f"the head is {distance:.3g} m before the camera; choose {2 * NEAR} to {FAR} m")

    def _recolour(self, texture: NDArray[np.float32]) -> None:
        """Give the skin the person's own colours, where the face model has modes of them."""
        key = texture.tobytes()
        if key == self._texture or not len(self.model.colour_basis):
            return
        colours = self.model.colours
        if texture.size:
            held = np.clip(texture, -LARGEST_TEXTURE_MODE, LARGEST_TEXTURE_MODE).astype(np.float32)
            colours = colours + np.tensordot(held, self.model.colour_basis, 1)
        self._scene.recolour(np.clip(colours, 0.0, 1.0))
        self._texture = key

    def _place(self, coefficients: Coefficients) -> None:
        """Set the poses of head and shoulders in the camera's space."""
        flip = OPTICAL_FROM_MODEL
        rotation = flip @ rotation_matrix(coefficients.rotation) @ flip
        head = flip @ coefficients.translation.astype(np.float64)
        rest = np.array([0.0, 0.0, -REFERENCE_DISTANCE])
        away = head - rest
        length = float(np.linalg.norm(away))
        body = rest + away * max(0.0, 1.0 - NECK_REACH / max(length, 1e-9))
        self._scene.place(rotation, head, body)

    def close(self) -> None:
        """Give the OpenGL context back; the renderer cannot be used afterwards."""
        with suppress(Exception):  # a lost context cannot be given back
            self._context.release()


def _built_in(look: Theme) -> FaceModel:
    """The head that ships, in a theme's colours."""
    model, palette = head_with_locks(), look.palette()
    return model if palette == Theme().palette() else painted(model, palette)


def _unmultiplied(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """RGBA [H, W, 4] whose colours are those of the drawn share of each pixel alone."""
    edge = (picture[..., 3] > 0) & (picture[..., 3] < 255)
    pixels = picture[edge].astype(np.float32)
    colours = np.minimum(pixels[:, :3] * (255.0 / pixels[:, 3:]), 255.0)
    picture = picture.copy()
    picture[edge, :3] = np.round(colours)
    return picture
