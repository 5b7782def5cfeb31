"""The face coefficients of a whole clip, by either of two ways."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from listener_head.coefficients import Coefficients
from listener_head.extraction.settings import Backend, Settings
from listener_head.face import FaceFitter, FaceTracker, Landmarks, load_face_model
from listener_head.face.deep3d import Deep3DFitter
from listener_head.face.deep3d.published import FACE_MODEL
from listener_head.timing import NS_PER_S


class Perception(Protocol):
    """Watches a clip from its first picture to its last; serves one clip after the other."""

    face_model: str

    def start(self) -> None:
        """Forget the clip before."""
        ...

    def watch(self, pixels: NDArray[np.uint8], time_ns: int) -> None:
        """Take the next picture uint8 [H, W, 3] in BGR."""
        ...

    def coefficients(self) -> list[Coefficients]:
        """One for each picture watched. The crop of bfm2009 is in pixels of the pictures."""
        ...


class LandmarkPerception:
    """Landmarks of all pictures, then the fit of a face model to them.

    The fit learns the person over the first second. When it has, it goes back to the first picture and begins
    again, so that the whole clip is measured against one and the same resting face.
    """

    def __init__(self, face_model: str) -> None:
        model = load_face_model(face_model)
        self.face_model = model.name
        self._tracker, self._fitter = FaceTracker(), FaceFitter(model)
        self.start()

    def start(self) -> None:
        """Forget the clip before."""
        self._tracker.reset()
        self._seen: list[tuple[Landmarks | None, float]] = []

    def watch(self, pixels: NDArray[np.uint8], time_ns: int) -> None:
        """Find the landmarks."""
        # Without a stamp, the tracker searches every picture while it has no face.
        self._seen.append((self._tracker.track(pixels), time_ns / NS_PER_S))

    def coefficients(self) -> list[Coefficients]:
        """The fits."""
        self._meet()
        return [self._fitter.fit(landmarks, time_s) for landmarks, time_s in self._seen]

    def _meet(self) -> None:
        """Learn who it is, and come back to the first picture step by step, as a fit that is warm must."""
        fitter = self._fitter
        fitter.reset()
        met: list[Landmarks | None] = []
        for landmarks, _ in self._seen:
            met.append(landmarks)
            fitter.fit(landmarks)
            if fitter.identity_held:
                break
        for landmarks in reversed(met):
            fitter.fit(landmarks)


class Deep3DPerception:
    """Deep3DFaceReconstruction's network on every picture."""

    face_model = FACE_MODEL

    def __init__(self, network: Path) -> None:
        self._fitter = Deep3DFitter(network)
        self._tracker = FaceTracker()
        self.start()

    def start(self) -> None:
        """Forget the clip before."""
        self._tracker.reset()
        self._coefficients: list[Coefficients] = []

    def watch(self, pixels: NDArray[np.uint8], time_ns: int) -> None:
        """Find the face and run the network."""
        self._coefficients.append(self._fitter.fit(self._tracker.track(pixels), pixels))

    def coefficients(self) -> list[Coefficients]:
        """What the network gave."""
        return self._coefficients


def open_perception(settings: Settings) -> Perception:
    """The way that the settings name; UserError when a file of the user's cannot be used."""
    if settings.backend == Backend.DEEP3D:
        assert settings.deep3d_network is not None
        return Deep3DPerception(settings.deep3d_network)
    return LandmarkPerception(settings.face_model)
