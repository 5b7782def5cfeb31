"""Between the messages and the plain classes of the ROS-free packages."""

from __future__ import annotations

from array import array

import numpy as np
from numpy.typing import ArrayLike

from listener_head.coefficients import Coefficients, layout_of
from listener_head.errors import UserError
from listener_head.msg import FaceCoefficients
from listener_head.ros.stamps import to_stamp


def float_array(values: ArrayLike) -> array:
    """An ``array('f')``: the only form that message fields float32[] take without a check of each number."""
    return array("f", np.ascontiguousarray(values, np.float32).tobytes())


def to_message(
    coefficients: Coefficients, stamp_ns: int, source_ns: int | None, frame_id: str, face_id: str = ""
) -> FaceCoefficients:
    """The message of one face at ``stamp_ns``; ``source_ns`` is the camera frame it comes from."""
    message = FaceCoefficients(face_model=coefficients.face_model, face_id=face_id)
    message.header.stamp = to_stamp(stamp_ns)
    message.header.frame_id = frame_id
    if source_ns is not None:
        message.source_stamp = to_stamp(source_ns)
    for name in ("identity", "expression", "texture", "lighting", "crop"):
        setattr(message, name, float_array(getattr(coefficients, name)))
    message.rotation = np.asarray(coefficients.rotation, np.float32)
    message.translation = np.asarray(coefficients.translation, np.float32)
    message.valid = coefficients.valid
    message.reason = coefficients.reason
    message.confidence = float(coefficients.confidence)
    return message


def from_message(message: FaceCoefficients) -> Coefficients:
    """The coefficients of a message.

    A message that says ``valid`` but holds numbers that are not finite comes back invalid.

    Raises:
        UserError: the face model is unknown or an array has another size than the model's.
    """
    layout = layout_of(message.face_model)
    for name, size in (("expression", len(layout.expression_names)), ("crop", layout.crop_size)):
        found = len(getattr(message, name))
        if message.valid and found != size:
            raise UserError(f"FaceCoefficients.{name} has {found} numbers; {message.face_model} needs {size}")
    if not message.valid:
        return Coefficients.invalid(message.face_model, message.reason or "marked invalid by its sender")
    coefficients = Coefficients(
        message.face_model,
        rotation=np.array(message.rotation, np.float32),
        expression=np.array(message.expression, np.float32),
        translation=np.array(message.translation, np.float32),
        crop=np.array(message.crop, np.float32),
        identity=np.array(message.identity, np.float32),
        texture=np.array(message.texture, np.float32),
        lighting=np.array(message.lighting, np.float32),
        confidence=message.confidence,
    )
    if not np.isfinite(coefficients.motion).all():
        return Coefficients.invalid(message.face_model, "numbers that are not finite")
    return coefficients
