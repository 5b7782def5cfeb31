"""Between the messages and the plain classes of the ROS-free packages."""

from __future__ import annotations

from array import array

import numpy as np
from numpy.typing import ArrayLike
from sensor_msgs.msg import JointState

from listener_head.coefficients import Coefficients, FloatArray, layout_of
from listener_head.errors import UserError
from listener_head.msg import AudioFeatures, FaceCoefficients
from listener_head.plain import plain
from listener_head.ros.stamps import to_stamp

# What is taken of a message's arrays, whose sizes its sender chooses.
MOST_JOINTS = 1000
_MOST_VALUES = 1000  # of an audio feature vector; they have 45
_MOST_FIXED = 256  # numbers of identity, texture or lighting; bfm2009 has 80, 80 and 27
_LARGEST = 1e6  # of a number: its square and sums of squares are finite in 32 bits
_LONGEST_REASON = 200
_NOT_FINITE = "numbers that are not finite"
_FIXED = ("identity", "texture", "lighting")


def float_array(values: ArrayLike) -> array:
    """An ``array('f')``: the only form that message fields float32[] take without a check of each number."""
    return array("f", np.ascontiguousarray(values, np.float32).tobytes())


def to_message(
    coefficients: Coefficients, stamp_ns: int, source_ns: int | None, frame_id: str, face_id: str = ""
) -> FaceCoefficients:
    """The message of one face at ``stamp_ns``; ``source_ns`` is the camera frame it comes from.

    Coefficients that are not finite become a message that is not valid and says so.
    """
    if not _are_within(coefficients, np.inf):
        coefficients = Coefficients.invalid(coefficients.face_model, _NOT_FINITE)
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

    A message that says ``valid`` but holds numbers that are not finite, or beyond a million, comes back
    invalid.

    Raises:
        UserError: the face model is unknown or an array has another size than the model's.
    """
    layout = layout_of(plain(message.face_model))
    for name, size in (("expression", len(layout.expression_names)), ("crop", layout.crop_size)):
        found = len(getattr(message, name))
        if message.valid and found != size:
            raise UserError(f"FaceCoefficients.{name} has {found} numbers; {message.face_model} needs {size}")
    if not message.valid:
        reason = plain(message.reason, _LONGEST_REASON)
        return Coefficients.invalid(message.face_model, reason or "marked invalid by its sender")
    for name in _FIXED:
        if len(getattr(message, name)) > _MOST_FIXED:
            found = len(getattr(message, name))
            raise UserError(f"FaceCoefficients.{name} has {found} numbers; {_MOST_FIXED} are taken")
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
    if not _are_within(coefficients, _LARGEST):
        return Coefficients.invalid(message.face_model, f"{_NOT_FINITE} or beyond {_LARGEST:.0f}")
    coefficients.confidence = min(max(coefficients.confidence, 0.0), 1.0)
    return coefficients


def values_of(features: AudioFeatures) -> FloatArray:
    """The vector of a message; UserError for one of more than 1000 numbers."""
    count = len(features.values)
    if count > _MOST_VALUES:
        raise UserError(f"audio features of {count} numbers; {_MOST_VALUES} are taken")
    return np.array(features.values, np.float32)


def positions_of(state: JointState) -> dict[str, float]:
    """Positions [rad] by joint name, of as many joints as have both; UserError for more than 1000."""
    count = max(len(state.name), len(state.position))
    if count > MOST_JOINTS:
        raise UserError(f"a JointState of {count} joints; {MOST_JOINTS} are taken")
    return dict(zip(state.name, state.position, strict=False))


def _are_within(coefficients: Coefficients, largest: float) -> bool:
    """Whether all numbers are finite and at most ``largest``."""
    fixed = [getattr(coefficients, name) for name in _FIXED]
    numbers = np.concatenate([coefficients.motion, *fixed, [coefficients.confidence]])
    return bool(np.isfinite(numbers).all() and np.abs(numbers).max() <= largest)
