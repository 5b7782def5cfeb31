"""One photograph of the listener, moved by coefficients, off-screen, through OpenGL (EGL)."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from listener_head.coefficients import LAYOUTS, Coefficients, Layout
from listener_head.errors import UserError
from listener_head.face.model import load_face_model
from listener_head.render.egl import AUTO, is_software, open_context
from listener_head.render.head_renderer import ContextLost
from listener_head.render.portrait.backdrop import cut_out, person_in
from listener_head.render.portrait.eyes import Eyes
from listener_head.render.portrait.layers import Frame, Layers
from listener_head.render.portrait.lids import SIDES
from listener_head.render.portrait.motion import Motion
from listener_head.render.portrait.mouth import Mouth
from listener_head.render.portrait.photograph import Photograph, take_photograph
from listener_head.render.portrait.retouch import retouch
from listener_head.render.portrait.shapes import face_shapes
from listener_head.render.portrait.warp import Warp
from listener_head.render.read_back import ReadBack

SMALLEST, LARGEST = 128, 1024  # px, of the picture
SMOOTH_UP_TO = 512  # px; larger pictures need no more samples than pixels

# Weights by which the photographed eyes and mouth have given way to what was painted behind them.
STIRRED = 0.17
_MOUTH_SHAPES = ("jaw", "mouth", "cheek", "tongue")


class PortraitRenderer:
    """Renders coefficients to pictures of the photographed person. Use it from the thread that made it.

    ``portrait`` is a picture's file, or uint8 [H, W, 3] RGB, of one face seen from the front; it is cropped
    square around head and shoulders and shown in ``size`` (128 to 1024) pixels. ``device`` is ``auto``,
    ``cpu`` or the number of a graphics card. ``reference`` [58] is the motion at which the picture is the
    photograph, by default the layout's neutral one: what coefficients differ from it is added to the
    photographed expression and pose. What a photograph cannot show is held back: turns beyond 32 degrees.

    Raises UserError for a size out of range, a portrait without a face, with several, or one too small,
    hidden or turned away, a reference that is none, and where no OpenGL context opens.
    """

    def __init__(
        self,
        portrait: str | Path | NDArray[np.uint8],
        size: int = 256,
        device: str = AUTO,
        reference: ArrayLike | None = None,
    ) -> None:
        if not SMALLEST <= size <= LARGEST:
            raise UserError(f"picture size {size} is out of range; choose {SMALLEST} to {LARGEST} pixels")
        layout = LAYOUTS["arkit52"]
        start = _reference(layout, reference)
        self.size = size
        self._side = size * 2 if size <= SMOOTH_UP_TO else size
        photograph = take_photograph(portrait, self._side)
        self._motion = Motion(layout, start, photograph.fit.expression.astype(np.float64))
        names = layout.expression_names
        self._blinks = [names.index("eyeBlink" + side) for side in SIDES]
        moves_mouth = np.array([name.startswith(_MOUTH_SHAPES) for name in names])
        self._of_mouth, self._of_eyes = np.flatnonzero(moves_mouth), np.flatnonzero(~moves_mouth)
        self._context = open_context(device)
        try:
            self._make(layout, photograph)
        except BaseException:
            self.close()
            raise

    def _make(self, layout: Layout, photograph: Photograph) -> None:
        model = load_face_model(layout.face_model)
        shapes = face_shapes(photograph, model)
        person = person_in(photograph)
        self._warp = Warp(photograph, person, shapes, model)
        self._mouth = Mouth(photograph, model, self._warp.mouth.contour)
        lids = [eye.contour for eye in self._warp.eyes]
        retouched = retouch(photograph, lids, self._warp.mouth.contour)
        self._eyes = Eyes(layout, retouched.irises, lids)
        gl, size = self._context, (self._side, self._side)
        self._target = gl.framebuffer([gl.renderbuffer(size, 4)], gl.depth_renderbuffer(size))
        self._read_back = ReadBack(gl, size, 0 if is_software(gl) else 2)
        pictures = cut_out(photograph, person)
        self._layers = Layers(gl, photograph.centre, pictures, retouched, self._warp, self._mouth, self._eyes)

    @property
    def device(self) -> str:
        """What draws: the graphics card, or the processor by the name of its driver."""
        return str(self._context.info["GL_RENDERER"])

    def render(self, coefficients: Coefficients) -> NDArray[np.uint8]:
        """The picture [size, size, 3] uint8 RGB (sRGB) of the person with these coefficients (arkit52).

        Expression weights are held to 0..1 and to what shapes can do together; identity is the photograph's.
        Raises UserError for coefficients of another face model, of the wrong size, not finite or not valid,
        and ContextLost when OpenGL fails.
        """
        frame = self._frame(coefficients)
        try:
            with self._context:
                self._layers.draw(self._target, frame)
                self._read_back.clear()
                self._read_back.start(self._target)
                drawn = self._read_back.finish()
        except Exception as error:  # a context that is gone fails in many ways
            raise ContextLost(f"OpenGL failed while drawing: {error}") from error
        if self._side != self.size:
            drawn = np.asarray(
                cv2.resize(drawn, (self.size, self.size), interpolation=cv2.INTER_AREA), np.uint8
            )
        return np.asarray(cv2.cvtColor(drawn, cv2.COLOR_RGBA2RGB), np.uint8)

    def _frame(self, coefficients: Coefficients) -> Frame:
        change = self._motion.change(coefficients)
        weights, warp = change.weights, self._warp
        stirs = [
            min(1.0, float(np.abs(weights[of]).max()) / STIRRED) for of in (self._of_eyes, self._of_mouth)
        ]
        return Frame(
            skin=warp.place(change),
            inside=warp.rigid(self._mouth.place(change), change).astype(np.float32),
            turn=change.turn,
            arrival=warp.arrival(change),
            gaze=self._eyes.gaze(weights),
            shut=np.clip(weights[self._blinks], 0.0, 1.0),
            eyes_stir=stirs[0],
            mouth_stir=stirs[1],
        )

    def close(self) -> None:
        """Give the OpenGL context back; the renderer cannot be used afterwards."""
        with suppress(Exception):  # a context that is gone cannot be given back
            self._context.release()


def _reference(layout: Layout, reference: ArrayLike | None) -> NDArray[np.float64]:
    """The motion [layout.size] at which the face is as photographed."""
    motion = np.asarray(layout.neutral() if reference is None else reference, np.float64)
    if motion.shape != (layout.size,):
        raise UserError(f"reference has shape {motion.shape}; {layout.face_model} needs ({layout.size},)")
    if not np.isfinite(motion).all():
        raise UserError("reference is not finite; give finite numbers")
    if motion[layout.translation][2] <= 0.0:
        distance = motion[layout.translation][2]
        raise UserError(f"reference is {distance:.3g} m before the camera; give a positive distance")
    return motion
