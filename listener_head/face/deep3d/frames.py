"""Deep3DFaceReconstruction's 257 numbers to coefficients in the camera's optical frame, and back.

Of the numbers only rotation and translation depend on a frame. The published frame has x right, y up and
the camera at z = 10 dm, looking along -z; a model point X in decimetres is at ``R X + t``. The optical frame
(REP 103) has x right, y down, z forward; there it is at ``R' D X + t'`` with D = diag(1, -1, -1), see
``listener_head.face.geometry``. Hence ``R' = D R D``, which is the same pitch and the opposite yaw and roll,
and ``t' = D t + (0, 0, 10 dm)``.

That is the pose before the crop's own virtual camera, which looks straight at the crop whatever the real
camera's focal length is. With the intrinsics of the real one the head is put on the ray on which its origin
is seen, turned with that ray, at the depth where it looks as large as before. A picture stretches a face
away from the axis in one direction of two, by the ray's length: the geometric mean counts.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from listener_head.coefficients import Coefficients
from listener_head.errors import UserError
from listener_head.face.camera import Camera
from listener_head.face.deep3d.alignment import LARGEST_SCALE, Crop
from listener_head.face.deep3d.published import (
    CAMERA_DISTANCE,
    CENTRE,
    COUNT,
    DECIMETRE,
    FACE_MODEL,
    FOCAL,
    SLICES,
)
from listener_head.face.geometry import rotation_angles, rotation_matrix

Array = NDArray[np.float64]

_FLIP = np.array([1.0, -1.0, -1.0])
_ORIGIN = np.array([0.0, 0.0, CAMERA_DISTANCE * DECIMETRE])


def to_optical(numbers: ArrayLike, crop: Crop, camera: Camera | None = None) -> Coefficients:
    """Coefficients (``bfm2009``) of the network's numbers [257] for ``crop``.

    Translation is in metres: before the crop's virtual camera, or with ``camera`` before that. Raises
    UserError for another count of numbers, and with ``camera`` when the head is not before it.
    """
    values = np.asarray(numbers, np.float64)
    if values.shape != (COUNT,):
        raise UserError(f"Deep3D coefficients have shape {values.shape}; give ({COUNT},)")
    rotation, translation = optical_pose(values[SLICES["rotation"]], values[SLICES["translation"]])
    if camera is not None:
        rotation, translation = _into_camera(rotation, translation, crop, camera)
    parts = values.astype(np.float32)
    return Coefficients(
        FACE_MODEL,
        rotation=rotation.astype(np.float32),
        expression=parts[SLICES["expression"]],
        translation=translation.astype(np.float32),
        crop=crop.transform_params[2:].astype(np.float32),
        identity=parts[SLICES["identity"]],
        texture=parts[SLICES["texture"]],
        lighting=parts[SLICES["lighting"]],
    )


def from_optical(
    coefficients: Coefficients, camera: Camera | None = None, image_size: tuple[int, int] | None = None
) -> Array:
    """The network's numbers [257], float64, of coefficients that ``to_optical`` has made.

    With ``camera``, the one that they were made with, ``image_size`` (width, height) is needed too. What is
    empty (``identity``, ``texture``, ``lighting``) becomes zeros. Exact up to the rounding of float32,
    given a yaw within +-90 degrees. Raises UserError for coefficients of another face model, and with
    ``camera`` of those without a crop.
    """
    if coefficients.face_model != FACE_MODEL:
        raise UserError(f"coefficients are of '{coefficients.face_model}'; Deep3D's are of '{FACE_MODEL}'")
    rotation = coefficients.rotation.astype(np.float64)
    translation = coefficients.translation.astype(np.float64)
    if camera is not None:
        if image_size is None:
            raise UserError("image_size is missing; with a camera give the (width, height) of its images")
        crop = _crop_of(coefficients, image_size)
        rotation, translation = _out_of_camera(rotation, translation, crop, camera)
    numbers = np.zeros(COUNT)
    for name in ("expression", "identity", "texture", "lighting"):
        part = getattr(coefficients, name)
        if part.size:
            numbers[SLICES[name]] = part
    pose = published_pose(rotation, translation)
    numbers[SLICES["rotation"]], numbers[SLICES["translation"]] = pose
    return numbers


def _crop_of(coefficients: Coefficients, image_size: tuple[int, int]) -> Crop:
    values = coefficients.crop.tolist()
    if len(values) == 3 and np.isfinite(values).all() and 0 < values[0] <= LARGEST_SCALE:
        crop = Crop(image_size, *values)
        if min(crop.resized) > 0:
            return crop
    raise UserError(
        f"coefficients have the crop {values}, none in an image of {image_size}; give those of Deep3D"
    )


def optical_pose(rotation: ArrayLike, translation: ArrayLike) -> tuple[Array, Array]:
    """Rotation [..., 3] rad and translation [..., 3] dm as published, in the crop's optical frame: rad, m."""
    place = np.asarray(translation, np.float64) * _FLIP * DECIMETRE + _ORIGIN
    return np.asarray(rotation, np.float64) * _FLIP, place


def published_pose(rotation: ArrayLike, translation: ArrayLike) -> tuple[Array, Array]:
    """The inverse of ``optical_pose``."""
    place = (np.asarray(translation, np.float64) - _ORIGIN) * _FLIP / DECIMETRE
    return np.asarray(rotation, np.float64) * _FLIP, place


def _into_camera(rotation: Array, translation: Array, crop: Crop, camera: Camera) -> tuple[Array, Array]:
    """Pose before the crop's virtual camera to the pose before the real one."""
    seen = _slope(translation)
    camera = camera.scaled_to(crop.image_size)
    ray = camera.normalise(crop.to_image(FOCAL * seen + CENTRE)[None])[0]
    if not np.isfinite(ray).all():
        raise UserError(
            "the face is where the camera's lens sees nothing; check the distortion in camera_info"
        )
    depth = translation[2] * _magnification(crop, camera) * np.sqrt(_length(ray) / _length(seen))
    turn = _turn_to(ray) @ _turn_to(seen).T
    return rotation_angles(turn @ rotation_matrix(rotation)), depth * np.array([*ray, 1.0])


def _out_of_camera(rotation: Array, translation: Array, crop: Crop, camera: Camera) -> tuple[Array, Array]:
    """The inverse of ``_into_camera``."""
    ray = _slope(translation)
    camera = camera.scaled_to(crop.image_size)
    seen = (crop.from_image(camera.pixels(ray[None])[0]) - CENTRE) / FOCAL
    depth = translation[2] / _magnification(crop, camera) * np.sqrt(_length(seen) / _length(ray))
    turn = _turn_to(seen) @ _turn_to(ray).T
    return rotation_angles(turn @ rotation_matrix(rotation)), depth * np.array([*seen, 1.0])


def _slope(translation: Array) -> Array:
    """Direction (x / z, y / z) in which the head's origin is seen."""
    if not translation[2] > 0:
        raise UserError(f"translation is {translation.tolist()}; the head must be before the camera (z > 0)")
    return translation[:2] / translation[2]


def _magnification(crop: Crop, camera: Camera) -> float:
    """Focal length of the real camera over the crop's, both in the crop's pixels."""
    return float(np.sqrt(camera.fx * camera.fy / crop.pitch.prod()) / FOCAL)


def _length(slope: Array) -> float:
    return float(np.sqrt(1.0 + slope @ slope))


def _turn_to(slope: Array) -> Array:
    """The smallest rotation [3, 3] that turns the optical axis into the direction (x, y, 1)."""
    x, y, z = np.array([*slope, 1.0]) / _length(slope)
    shrink = 1.0 / (1.0 + z)
    return np.array(
        [[1.0 - shrink * x * x, -shrink * x * y, x], [-shrink * x * y, 1.0 - shrink * y * y, y], [-x, -y, z]]
    )
