"""The network at run time: one image and its landmarks to coefficients, in ONNX Runtime, without torch."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from listener_head.cards import read_network
from listener_head.coefficients import Coefficients, FloatArray
from listener_head.errors import UserError
from listener_head.face.camera import Camera
from listener_head.face.deep3d.alignment import align, five_points
from listener_head.face.deep3d.card import read_card
from listener_head.face.deep3d.frames import to_optical
from listener_head.face.deep3d.published import CAMERA_DISTANCE, COUNT, FACE_MODEL, SLICES
from listener_head.face.plausible import implausible
from listener_head.face.tracker import Landmarks, check_image
from listener_head.providers import device_of, open_session

_REMEDY = "write it again with 'listener_head import-checkpoint'"
# The face's distance from the crop's camera [dm]; the face fills the crop at 10.
_NEAREST, _FARTHEST = 2.0, 100.0


class Deep3DFitter:
    """Fits BFM 2009 to a face with Deep3DFaceReconstruction's network, each image by itself.

    ``network_path`` is a file of `listener_head import-checkpoint`. With ``camera``, which may be changed
    at any time, translation is metric in its optical frame; without, it is that before the crop's own
    virtual camera, in which every face is about a metre away. ``device`` is `auto`, `cpu`, `cuda` or
    `tensorrt`.

    Raises UserError for a file that is missing, broken or of another kind and for a device that is not there.
    """

    def __init__(self, network_path: str | Path, camera: Camera | None = None, device: str = "auto") -> None:
        path = Path(network_path)
        what = f"Deep3D network '{path}'"
        model = read_network(path, what, _REMEDY)
        self._session = open_session(model, what, _REMEDY, device)
        metadata = self._session.get_modelmeta().custom_metadata_map
        self._card, self._standard = read_card(metadata, what, _REMEDY)
        self._hash = hashlib.sha256(model).hexdigest()[:12]
        self.camera = camera

    @property
    def name(self) -> str:
        """Name of the network."""
        return str(self._card["name"])

    @property
    def hash(self) -> str:
        """First 12 hex digits of the file's SHA-256."""
        return self._hash

    @property
    def card(self) -> dict[str, Any]:
        """What is known of the network: source, coefficients, standard landmarks."""
        return self._card

    @property
    def device(self) -> str:
        """What the network runs on: `cpu`, `cuda` or `tensorrt`."""
        return device_of(self._session)

    def fit(self, landmarks: Landmarks | None, image_bgr: NDArray[np.uint8]) -> Coefficients:
        """Coefficients of the face at ``landmarks`` in the image uint8 [H, W, 3] that they were found in.

        Identity 80, expression 64, texture 80, lighting 27, pose and crop; invalid, with the reason, where
        there is no face or the network gives nothing usable. ``confidence`` is the landmarks' ``score``:
        the network does not tell its own. Raises UserError for an image of another kind or size than the
        landmarks' or than the camera's.
        """
        height, width = check_image(image_bgr)
        if landmarks is None:
            return Coefficients.invalid(FACE_MODEL, "no face")
        reason = implausible(landmarks)
        if reason:
            return Coefficients.invalid(FACE_MODEL, reason)
        if landmarks.image_size != (width, height):
            raise UserError(
                f"landmarks are of an image of {landmarks.image_size}, the image has {(width, height)}; "
                "give the image that they were found in"
            )
        crop = align(five_points(landmarks), self._standard, landmarks.image_size)
        if isinstance(crop, str):
            return Coefficients.invalid(FACE_MODEL, crop)
        numbers = self._run(crop.cut(image_bgr))
        reason = _unusable(numbers)
        if reason:
            return Coefficients.invalid(FACE_MODEL, reason)
        camera = None if self.camera is None else self.camera.scaled_to(landmarks.image_size)
        try:
            coefficients = to_optical(numbers, crop, camera)
        except UserError as problem:  # the lens has no ray where the face is
            return Coefficients.invalid(FACE_MODEL, str(problem))
        coefficients.confidence = landmarks.score
        return coefficients

    def _run(self, crop_bgr: NDArray[np.uint8]) -> FloatArray:
        """The 257 numbers for a crop [224, 224, 3]."""
        planes = np.ascontiguousarray(crop_bgr[:, :, ::-1].transpose(2, 0, 1))
        faces = np.multiply(planes, np.float32(1 / 255), dtype=np.float32)[None]
        numbers: FloatArray = self._session.run(["coefficients"], {"faces": faces})[0][0]
        return numbers


def _unusable(numbers: FloatArray) -> str:
    if numbers.shape != (COUNT,) or not np.isfinite(numbers).all():
        return "the network gives numbers that are not finite"
    x, y, z = numbers[SLICES["translation"]].tolist()
    distance = CAMERA_DISTANCE - z
    if not (_NEAREST < distance < _FARTHEST and max(abs(x), abs(y)) < distance):
        return "the network puts the face at an impossible place"
    return ""
