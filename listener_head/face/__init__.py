"""From an image to face coefficients: landmarks, morphable model, fit."""

from listener_head.face.camera import Camera
from listener_head.face.fitter import FaceFitter
from listener_head.face.model import FaceModel, load_face_model
from listener_head.face.perceiver import FacePerceiver
from listener_head.face.tracker import FaceTracker, Landmarks

__all__ = [
    "Camera",
    "FaceFitter",
    "FaceModel",
    "FacePerceiver",
    "FaceTracker",
    "Landmarks",
    "load_face_model",
]
