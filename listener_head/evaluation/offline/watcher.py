"""Coefficients of a recorded camera's pictures, by what the node face_fit does with them."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from listener_head.bags import Picture
from listener_head.bags.faults import Faults
from listener_head.coefficients import Coefficients, layout_of
from listener_head.errors import UserError
from listener_head.evaluation.offline.columns import Columns
from listener_head.evaluation.offline.data import Seen
from listener_head.face.camera import Camera
from listener_head.face.perceiver import LANDMARKS, FacePerceiver
from listener_head.providers import AUTO


@dataclass(frozen=True)
class Perception:
    """What makes coefficients of pictures, as the parameters of face_fit, and the layout of the features."""

    audio_layout: str
    backend: str = LANDMARKS
    face_model: str = "arkit52"
    deep3d_network: str = ""
    device: str = AUTO

    def perceiver(self) -> FacePerceiver:
        """A new perceiver; UserError for what there is not."""
        return FacePerceiver(self.backend, self.face_model, self.deep3d_network, self.device)


class Watcher:
    """Makes coefficients of one camera's pictures as the node face_fit does."""

    def __init__(self, perception: Perception, faults: Faults) -> None:
        self._perceiver = perception.perceiver()
        self.layout = layout_of(self._perceiver.face_model)
        self._faults = faults
        self._nothing = np.zeros(self.layout.size, np.float32)
        self._camera: Camera | None = None
        self._rows = Columns()
        self.spent_ms: list[float] = []
        self._size = (0, 0)

    def use_camera(self, topic: str, info: Any) -> None:
        """Take over what camera_info says."""
        try:
            self._camera = Camera.from_info(info.width, info.height, info.k, info.d, info.distortion_model)
        except UserError as problem:
            self._camera = None
            self._faults.leave_out(topic, "cannot be used", str(problem))

    def see(self, picture: Picture, pixels: NDArray[np.uint8] | UserError) -> None:
        """Fit a picture; one that cannot be used has no face."""
        began = time.perf_counter()
        try:
            if isinstance(pixels, UserError):
                raise pixels
            self._size = (pixels.shape[1], pixels.shape[0])
            self._perceiver.use_camera(self._camera, self._size)
            coefficients = self._perceiver.perceive(pixels, picture.stamp_ns)
        except UserError as problem:
            self._faults.leave_out(picture.topic, "cannot be used", str(problem))
            coefficients = Coefficients.invalid(self._perceiver.face_model, str(problem))
        self.spent_ms.append((time.perf_counter() - began) * 1e3)
        self._perceiver.tracker.look_around()
        motion = coefficients.motion if coefficients.valid else self._nothing
        self._rows.add(
            np.array([picture.stamp_ns], np.int64), motion[None], np.array([coefficients.valid], bool)
        )

    def seen(self) -> Seen:
        """All fits."""
        if not self._rows:
            none = np.zeros((0, self.layout.size), np.float32)
            return Seen(self.layout, np.zeros(0, np.int64), none, np.zeros(0, bool), self._size)
        stamps, motion, valid = self._rows.arrays()
        return Seen(self.layout, stamps, motion, valid, self._size)

    def close(self) -> None:
        """Free the networks."""
        self._perceiver.close()
