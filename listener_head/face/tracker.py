"""Image -> landmarks: MediaPipe FaceMesh behind a small interface.

MediaPipe is slow and noisy to import, so it is imported by the first ``FaceTracker``, not by this module.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from listener_head.coefficients import FloatArray
from listener_head.errors import UserError

LANDMARK_COUNT = 478  # FaceMesh's 468 points and, from 468 on, two irises of 5
SMALLEST_SIDE = 16  # px; no face can be found in less, and MediaPipe is not asked

# The graph starts in threads of its own; after one image it has started, and has written what it writes then.
_NO_FACE = np.zeros((64, 64, 3), np.uint8)

# What MediaPipe's C++ side writes to stderr while its graph starts, whatever its log levels are set to.
_NOISE = re.compile(
    rb"^(INFO: Created TensorFlow Lite|WARNING: All log messages before absl::InitializeLog"
    rb"|[IW]\d{4} .*(inference_feedback_manager|landmark_projection_calculator|gl_context|tensorflow))"
)


@dataclass(frozen=True)
class Landmarks:
    """Points of one face in one image.

    ``points`` float32 [478, 2] in pixels (x right, y down, the centre of the first pixel at 0.5),
    in MediaPipe's order; ``image_size`` (width, height); ``score`` 0..1, the share of the points
    that lie inside the image.
    """

    points: FloatArray
    image_size: tuple[int, int]
    score: float = 1.0


class FaceTracker:
    """Follows one face through a video; one thread at a time.

    FaceMesh searches the whole image only while it has no face; then it looks around the last one and
    falls back to the search when that fails. The largest share of the time of a frame is its network.
    """

    def __init__(self) -> None:
        with _quiet_stderr():
            import mediapipe

            self._mesh: Any = mediapipe.solutions.face_mesh.FaceMesh(max_num_faces=1, refine_landmarks=True)
            self._mesh.process(_NO_FACE)
        self._silent = False

    def track(self, image_bgr: NDArray[np.uint8]) -> Landmarks | None:
        """Landmarks of the face in uint8 [H, W, 3], or None when there is none.

        Raises UserError when the image is not an array of that type and shape.
        """
        height, width = check_image(image_bgr)
        if min(height, width) < SMALLEST_SIDE:
            return None
        image = cv2.cvtColor(np.ascontiguousarray(image_bgr), cv2.COLOR_BGR2RGB)
        if self._silent:
            faces = self._mesh.process(image).multi_face_landmarks
        else:
            with _quiet_stderr():
                faces = self._mesh.process(image).multi_face_landmarks
            self._silent = bool(faces)  # the last of the start-up noise comes with the first face
        if not faces:
            return None
        points = np.array([(point.x, point.y) for point in faces[0].landmark], np.float32)
        inside = float(np.mean(np.all((points >= 0.0) & (points <= 1.0), axis=1)))
        return Landmarks(points * np.array([width, height], np.float32), (width, height), inside)

    def reset(self) -> None:
        """Forget the face that is followed: after a jump of the clock, a cut, another camera."""
        with _quiet_stderr():
            self._mesh.reset()
            self._mesh.process(_NO_FACE)

    def close(self) -> None:
        """Free MediaPipe's graph; the tracker cannot be used after it."""
        self._mesh.close()


def check_image(image: object) -> tuple[int, int]:
    """Height and width of a colour image; UserError when it is not uint8 [H, W, 3] with pixels."""
    if not isinstance(image, np.ndarray):
        raise UserError(f"image is {type(image).__name__}; give an array uint8 [height, width, 3] in BGR")
    if image.ndim != 3 or image.shape[2] != 3 or 0 in image.shape:
        raise UserError(f"image has shape {image.shape}; give [height, width, 3] in BGR")
    if image.dtype != np.uint8:
        raise UserError(f"image is of {image.dtype}; give uint8, 0 to 255")
    return int(image.shape[0]), int(image.shape[1])


@contextmanager
def _quiet_stderr() -> Iterator[None]:
    """Hold back what is written to stderr meanwhile and then write all of it but MediaPipe's known noise."""
    sys.stderr.flush()
    saved = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(saved, 2)
            os.close(saved)
            held.seek(0)
            for line in held:
                if not _NOISE.match(line):
                    os.write(2, line)
