"""Draws the face model's head for given coefficients, off-screen, through OpenGL (EGL)."""

from __future__ import annotations

from typing import Any, cast

import cv2
import moderngl
import numpy as np
from numpy.typing import NDArray

from listener_head.coefficients import REFERENCE_DISTANCE, Coefficients
from listener_head.errors import UserError
from listener_head.face.geometry import OPTICAL_FROM_MODEL, rotation_matrix
from listener_head.face.model import PARTS, FaceModel, load_face_model
from listener_head.render.deformation import Deformation
from listener_head.render.shaders import FRAGMENT, VERTEX

# The virtual camera: at 0.65 m a picture shows 37 cm, from above the hair to the shoulders.
FOCAL_PER_SIZE = 1.75
CENTRE_PER_SIZE = (0.5, 0.455)
NEAR, FAR = 0.1, 3.0

_HEADLESS: dict[str, Any] = {"backend": "egl"}

# The neck gives way by this much [m] before the shoulders come along.
NECK_REACH = 0.04

# gloss, its exponent, softness of the light's edge
_MATERIALS = {
    "skin": (0.10, 14.0, 0.42),
    "ear": (0.05, 14.0, 0.45),
    "hair": (0.16, 22.0, 0.25),
    "eye": (1.4, 190.0, 0.30),
    "lash": (0.0, 8.0, 0.2),
    "mouth": (0.10, 20.0, 0.3),
    "teeth": (0.30, 40.0, 0.3),
    "tongue": (0.15, 16.0, 0.3),
    "cloth": (0.0, 8.0, 0.15),
}


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

    ``size`` is the picture's width and height in pixels (16 to 4096), ``background`` its sRGB colour
    from 0 to 1, ``samples`` how many samples make a pixel (1 to 16): more are smoother and slower.
    ``model`` is the built-in head by default. Raises UserError for a size or samples out of range and
    where no OpenGL context opens.
    """

    def __init__(
        self,
        size: int = 256,
        model: FaceModel | None = None,
        background: tuple[float, float, float] = (0.80, 0.81, 0.82),
        samples: int = 2,
    ) -> None:
        if not 16 <= size <= 4096:
            raise UserError(f"picture size {size} is out of range; choose 16 to 4096 pixels")
        if not 1 <= samples <= 16:
            raise UserError(f"{samples} samples per pixel are out of range; choose 1 to 16")
        self.size = size
        self.model = model or load_face_model("arkit52")
        self.background = background
        self._deformation = Deformation(self.model)
        try:
            self._context = moderngl.create_context(standalone=True, **_HEADLESS)
        except Exception as error:  # the loader raises whatever its platform does
            raise UserError(
                f"cannot open a headless OpenGL context: {error}; install libegl1 and libgl1 "
                "(apt-get install libegl1 libgl1)"
            ) from error
        self._target = self._make_target(samples)
        self._make_geometry()

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

    def _make_geometry(self) -> None:
        gl, model, order = self._context, self.model, self._deformation.order
        gl.enable(moderngl.DEPTH_TEST | moderngl.CULL_FACE)
        gl.front_face = "cw"  # the projection is upside down
        self._program = gl.program(VERTEX, FRAGMENT)
        self._set("projection", _projection().T)
        height, width = model.texture.shape[:2]
        self._texture = gl.texture((width, height), 3, model.texture.tobytes())
        self._texture.build_mipmaps()
        self._texture.repeat_x = self._texture.repeat_y = False
        self._shape_buffer = gl.buffer(reserve=len(order) * 24)
        material = np.array([_MATERIALS[kind] for kind in PARTS], np.float32)[model.part]
        static = np.concatenate(
            [model.colours, model.texcoords, material, model.occlusion[:, None], model.head_weight[:, None]],
            axis=1,
        ).astype(np.float32)[order]
        self._static_buffer = gl.buffer(static.tobytes())
        self._vertices = gl.vertex_array(
            self._program,
            [
                (self._shape_buffer, "3f 3f", "position", "normal"),
                (self._static_buffer, "3f 2f 4f 1f", "colour", "texcoord", "material", "head_weight"),
            ],
            gl.buffer(self._deformation.triangles.tobytes()),
        )

    @property
    def device(self) -> str:
        """What draws: the graphics card, or the processor by the name of its driver."""
        return str(self._context.info["GL_RENDERER"])

    def render(self, coefficients: Coefficients) -> NDArray[np.uint8]:
        """The picture [size, size, 3] uint8 RGB (sRGB) of the head with these coefficients.

        Expression weights are held to 0..1 and to what shapes can do together (``mouthClose`` needs an
        open jaw), identity to +-5 standard deviations. Raises UserError for
        coefficients of another face model, of the wrong size, not finite, not valid, or of a head
        behind the camera.
        """
        self._check(coefficients)
        moved = self._deformation.apply(coefficients.identity, coefficients.expression)
        with self._context:
            self._shape_buffer.write(moved)
            self._place(coefficients)
            self._texture.use(0)
            self._target.use()
            self._target.clear(*self.background, 1.0, depth=1.0)
            self._vertices.render()
            pixels = self._target.read(components=3, alignment=1)
        picture = np.frombuffer(pixels, np.uint8).reshape(*self._target.size, 3)
        if self._target.width == self.size:
            return picture.copy()
        return np.asarray(cv2.resize(picture, (self.size, self.size), interpolation=cv2.INTER_AREA), np.uint8)

    def _check(self, coefficients: Coefficients) -> None:
        model = coefficients.face_model
        if model != self.model.name:
            raise UserError(f"coefficients are of face model '{model}'; the renderer draws {self.model.name}")
        if not coefficients.valid:
            raise UserError(f"coefficients are not valid ({coefficients.reason}); render the last valid ones")
        for name in ("rotation", "translation", "expression", "identity"):
            if not np.isfinite(getattr(coefficients, name)).all():
                raise UserError(f"{name} of the coefficients is not finite; send finite numbers")
        distance = float(coefficients.translation[2])
        if not 2 * NEAR < distance < FAR:
            raise UserError(f"the head is {distance:.3g} m before the camera; choose {2 * NEAR} to {FAR} m")

    def _place(self, coefficients: Coefficients) -> None:
        """Set the poses of head and shoulders in the camera's space."""
        flip = OPTICAL_FROM_MODEL
        rotation = flip @ rotation_matrix(coefficients.rotation) @ flip
        head = flip @ coefficients.translation.astype(np.float64)
        rest = np.array([0.0, 0.0, -REFERENCE_DISTANCE])
        away = head - rest
        length = float(np.linalg.norm(away))
        body = rest + away * max(0.0, 1.0 - NECK_REACH / max(length, 1e-9))
        self._set("head_rotation", rotation.T)
        self._set("head_position", head)
        self._set("body_position", body)

    def _set(self, name: str, value: NDArray[np.floating]) -> None:
        uniform = cast(moderngl.Uniform, self._program[name])
        uniform.write(value.astype(np.float32).tobytes())

    def close(self) -> None:
        """Give the OpenGL context back; the renderer cannot be used afterwards."""
        self._context.release()
