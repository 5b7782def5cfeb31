"""Image -> coefficients of the speaker's face: tracker and fit in one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from listener_head.coefficients import Coefficients
from listener_head.errors import UserError
from listener_head.face.camera import Camera
from listener_head.face.fitter import FaceFitter
from listener_head.face.model import load_face_model
from listener_head.face.speaker_choice import LARGEST, Face
from listener_head.face.tracker import FaceTracker, Landmarks
from listener_head.providers import AUTO
from listener_head.timing import NS_PER_S

if TYPE_CHECKING:
    from listener_head.face.deep3d import Deep3DFitter

LANDMARKS, DEEP3D = "landmarks", "deep3d"


class FacePerceiver:
    """Follows the speaker through a video and gives the coefficients of each image.

    ``backend`` is ``landmarks``, which fits ``face_model`` (a name or path for ``load_face_model``) to the
    landmarks, or ``deep3d``, which runs the network file ``deep3d_network`` on ``device`` (see
    `listener_head.providers`). ``speaker`` is the rule of ``FaceTracker``.

    Raises UserError for what there is not.
    """

    def __init__(
        self,
        backend: str = LANDMARKS,
        face_model: str = "arkit52",
        deep3d_network: str = "",
        device: str = AUTO,
        speaker: str = LARGEST,
    ) -> None:
        self.camera: Camera | None = None
        self._deep3d: Deep3DFitter | None = None
        if backend == LANDMARKS:
            self._model = load_face_model(face_model)
            self._fitter = FaceFitter(self._model)
            self.face_model = self._model.name
        elif backend == DEEP3D:
            self._deep3d = _open_deep3d(deep3d_network, device)
            self.face_model = "bfm2009"
        else:
            raise UserError(f"backend '{backend}' is unknown; choose {LANDMARKS} or {DEEP3D}")
        self.tracker = FaceTracker(speaker)
        self._fitted = ""  # number of the face that the fit has learned

    @property
    def faces(self) -> list[Face]:
        """The faces in view."""
        return self.tracker.faces

    def use_camera(self, camera: Camera | None, image_size: tuple[int, int]) -> None:
        """Fit with these intrinsics from now on, or with assumed ones; who is seen is then learned anew.

        Raises UserError when images of that (width, height) cannot be the camera's; then nothing changes.
        """
        camera = None if camera is None else camera.scaled_to(image_size)
        if camera == self.camera:
            return
        self.camera = camera
        if self._deep3d is not None:
            self._deep3d.camera = camera
        else:
            self._fitter = FaceFitter(self._model, camera)

    def perceive(self, image_bgr: NDArray[np.uint8], stamp_ns: int) -> Coefficients:
        """Coefficients of the speaker in an image uint8 [H, W, 3]; invalid, with the reason, without one.

        Raises UserError when the image is not an array of that type and shape.
        """
        landmarks = self.tracker.track(image_bgr, stamp_ns)
        if landmarks is None:
            return Coefficients.invalid(self.face_model, self.tracker.reason)
        return self._fit(landmarks, image_bgr, stamp_ns)

    def reset(self) -> None:
        """Forget all faces: after a jump of the clock, a cut, another camera."""
        self.tracker.reset()
        if self._deep3d is None:
            self._fitter.reset()

    def close(self) -> None:
        """Free the tracker's networks; the perceiver cannot be used after it."""
        self.tracker.close()

    def _fit(self, landmarks: Landmarks, image: NDArray[np.uint8], stamp_ns: int) -> Coefficients:
        if self._deep3d is not None:
            return self._deep3d.fit(landmarks, image)
        if self.tracker.face_id != self._fitted:
            self._fitted = self.tracker.face_id
            self._fitter.reset()
        return self._fitter.fit(landmarks, stamp_ns / NS_PER_S)


def _open_deep3d(network: str, device: str) -> Deep3DFitter:
    if not network:
        raise UserError(
            "backend deep3d needs deep3d_network, the file that 'listener_head import-checkpoint' writes"
        )
    from listener_head.face.deep3d import Deep3DFitter  # only who uses it needs to load it

    return Deep3DFitter(network, device=device)
