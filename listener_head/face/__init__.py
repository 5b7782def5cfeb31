"""From an image to face coefficients: landmarks, morphable model, fit."""

from listener_head.face.fitter import Camera, FaceFitter
from listener_head.face.model import FaceModel, load_face_model
from listener_head.face.tracker import FaceTracker, Landmarks

__all__ = ["Camera", "FaceFitter", "FaceModel", "FaceTracker", "Landmarks", "load_face_model"]
