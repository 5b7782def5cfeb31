"""The layout of face coefficients: what each number of a frame is, for each face model.

One frame is a *motion vector*: ``rotation 3 | expression E | translation 3 | crop C``.

Frames and units (REP 103): rotation and translation are those of the head in the optical frame of
the camera that sees it (x right, y down, z forward). Rotation is pitch, yaw, roll in radians about
x, y, z with ``R = Rz @ Ry @ Rx``; zero faces the camera, positive pitch looks down, positive yaw
turns the nose to the left of the image (the person's own right), positive roll tips the crown to
the right of the image (the person's own left). Translation is in metres.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from listener_head.errors import UserError

FloatArray = NDArray[np.float32]

# Apple's ARKit names, in the order of Live Link Face; Left and Right are the person's own.
ARKIT_NAMES: tuple[str, ...] = (
    "eyeBlinkLeft", "eyeLookDownLeft", "eyeLookInLeft", "eyeLookOutLeft", "eyeLookUpLeft",
    "eyeSquintLeft", "eyeWideLeft",
    "eyeBlinkRight", "eyeLookDownRight", "eyeLookInRight", "eyeLookOutRight", "eyeLookUpRight",
    "eyeSquintRight", "eyeWideRight",
    "jawForward", "jawLeft", "jawRight", "jawOpen",
    "mouthClose", "mouthFunnel", "mouthPucker", "mouthLeft", "mouthRight",
    "mouthSmileLeft", "mouthSmileRight", "mouthFrownLeft", "mouthFrownRight",
    "mouthDimpleLeft", "mouthDimpleRight", "mouthStretchLeft", "mouthStretchRight",
    "mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper",
    "mouthPressLeft", "mouthPressRight", "mouthLowerDownLeft", "mouthLowerDownRight",
    "mouthUpperUpLeft", "mouthUpperUpRight",
    "browDownLeft", "browDownRight", "browInnerUp", "browOuterUpLeft", "browOuterUpRight",
    "cheekPuff", "cheekSquintLeft", "cheekSquintRight", "noseSneerLeft", "noseSneerRight",
    "tongueOut",
)  # fmt: skip

# Where the listener sits before its own virtual camera, in metres, unless a reference says otherwise.
REFERENCE_DISTANCE = 0.65


@dataclass(frozen=True)
class Layout:
    """What a motion vector holds for one face model."""

    face_model: str
    expression_names: tuple[str, ...]
    crop_size: int = 0

    @property
    def rotation(self) -> slice:
        """Pitch, yaw, roll [rad]."""
        return slice(0, 3)

    @property
    def expression(self) -> slice:
        """Weights of the expression shapes, 0 to 1 for arkit52."""
        return slice(3, 3 + len(self.expression_names))

    @property
    def translation(self) -> slice:
        """Position of the head [m]."""
        return slice(self.expression.stop, self.expression.stop + 3)

    @property
    def crop(self) -> slice:
        """Place of the 224 x 224 crop in the image (scale, x, y); bfm2009 only."""
        return slice(self.translation.stop, self.translation.stop + self.crop_size)

    @property
    def size(self) -> int:
        """Numbers in a motion vector."""
        return self.crop.stop

    def index(self, name: str) -> int:
        """Position of an expression shape in the motion vector; UserError if there is none."""
        if name not in self.expression_names:
            raise UserError(f"expression '{name}' is not a shape of {self.face_model}; see expression_names")
        return self.expression.start + self.expression_names.index(name)

    def neutral(self) -> FloatArray:
        """Motion vector [size] of a still face that looks into the camera."""
        motion = np.zeros(self.size, np.float32)
        motion[self.translation] = (0.0, 0.0, REFERENCE_DISTANCE)
        return motion


LAYOUTS: dict[str, Layout] = {
    "arkit52": Layout("arkit52", ARKIT_NAMES),
    "bfm2009": Layout("bfm2009", tuple(f"exp_{i:02d}" for i in range(64)), crop_size=3),
}


def layout_of(face_model: str) -> Layout:
    """The layout of a face model by name; UserError for an unknown one."""
    if face_model not in LAYOUTS:
        raise UserError(f"face model '{face_model}' is unknown; choose one of {', '.join(LAYOUTS)}")
    return LAYOUTS[face_model]


def _empty() -> FloatArray:
    return np.zeros(0, np.float32)


@dataclass
class Coefficients:
    """One face in one frame, as the message FaceCoefficients carries it.

    Arrays are float32: ``rotation`` [3] rad, ``expression`` [E], ``translation`` [3] m, ``crop`` [C],
    ``identity``, ``texture`` and ``lighting`` of the face model's own sizes or empty.
    ``reason`` says why ``valid`` is false.
    """

    face_model: str
    rotation: FloatArray
    expression: FloatArray
    translation: FloatArray
    crop: FloatArray = field(default_factory=_empty)
    identity: FloatArray = field(default_factory=_empty)
    texture: FloatArray = field(default_factory=_empty)
    lighting: FloatArray = field(default_factory=_empty)
    valid: bool = True
    reason: str = ""
    confidence: float = 1.0

    @property
    def motion(self) -> FloatArray:
        """Motion vector [layout.size]."""
        parts = [self.rotation, self.expression, self.translation, self.crop]
        return np.concatenate(parts).astype(np.float32)

    @classmethod
    def from_motion(
        cls, face_model: str, motion: FloatArray, identity: FloatArray | None = None
    ) -> Coefficients:
        """Coefficients of a motion vector; UserError when its size is not the face model's."""
        layout = layout_of(face_model)
        motion = np.asarray(motion, np.float32)
        if motion.shape != (layout.size,):
            raise UserError(f"motion has shape {motion.shape}; {face_model} needs ({layout.size},)")
        return cls(
            face_model,
            rotation=motion[layout.rotation],
            expression=motion[layout.expression],
            translation=motion[layout.translation],
            crop=motion[layout.crop],
            identity=_empty() if identity is None else np.asarray(identity, np.float32),
        )

    @classmethod
    def invalid(cls, face_model: str, reason: str) -> Coefficients:
        """A frame without a usable face: zeros, ``valid`` false and the reason."""
        layout = layout_of(face_model)
        zeros = np.zeros(layout.size, np.float32)
        coefficients = cls.from_motion(face_model, zeros)
        coefficients.valid, coefficients.reason, coefficients.confidence = False, reason, 0.0
        return coefficients
