"""Landmarks -> coefficients: pose and expression of a face model, by regularised Gauss-Newton."""

from __future__ import annotations

from math import acos, hypot, isfinite

import numpy as np
from scipy.linalg import block_diag

from listener_head.coefficients import Coefficients, FloatArray
from listener_head.face.camera import Camera
from listener_head.face.deep3d.alignment import align, five_points
from listener_head.face.fitted_model import fitted_model
from listener_head.face.gauss_newton import Accuracy, Problem, ShapeBasis, Solution
from listener_head.face.geometry import rotation_angles
from listener_head.face.model import FaceModel
from listener_head.face.person import Person
from listener_head.face.plausible import Place, implausible, place_of
from listener_head.face.pose import Array, Pose, weak_perspective_pose
from listener_head.face.tracker import Landmarks

__all__ = ["Camera", "FaceFitter"]

COLD_STEPS, WARM_STEPS = 12, 2

# What landmarks may deviate from the model: of a face not yet known, and of one that is.
STRANGER_SIGMA, STRANGER_GAP_SIGMA = 0.003, 0.0015  # m
KNOWN_SIGMA, KNOWN_GAP_SIGMA = 0.001, 0.0006  # m

LARGEST_IDENTITY = 2.0  # standard deviations; depth shows so little in front views that it would run away
FRONTAL = 0.5  # rad of yaw or pitch up to which a frame tells about the person
LEARNABLE_ERROR = 0.004  # m, root mean square on the face; more is not only another identity
ABSENCE_S = 5.0  # after which a face is learned anew

LARGEST_ERROR = 0.010  # m, root mean square on the face; more is not a face
LEAST_TRUSTED = 0.5  # share of the landmarks; fewer are not a face
# Confidence is 1 up to the first and 0 from the second of each.
ERROR_RANGE = (0.002, LARGEST_ERROR)  # m
OCCLUSION_RANGE = (0.1, 1.0 - LEAST_TRUSTED)  # share of the landmarks that do not fit with the others
VIEW_RANGE = (0.7, 1.5)  # rad between the line of sight and where the face is turned


class FaceFitter:
    """Fits ``model`` to one face's landmarks, frame after frame.

    ``camera`` gives metric translation; without it a focal length equal to the longer side of the
    image is assumed, and depth is right up to that factor. Over the first frames the person's
    identity is learned, then held, also while the face is away for a moment. Landmarks that jump by more
    than half of the face's size, or change as much in size, are taken for another person, who is learned
    anew. Landmarks that do not fit with the others (a hand before the mouth) count little.

    Confidence is the product of the tracker's score and three shares, each falling from 1 to 0: with the
    root mean square error on the face (2 to 10 mm), the share of landmarks that do not fit with the
    others (10 to 50 %) and the angle at which the face is seen (40 to 86 degrees).

    Raises UserError when the landmark correspondence that ships is not for the model's mesh.
    """

    def __init__(self, model: FaceModel, camera: Camera | None = None):
        self._camera, self._model = camera, fitted_model(model)
        points, prior = self._model.correspondence, self._model.prior
        self._landmark, self._normals = points.landmark, points.normal.astype(np.float64)
        self._person = Person(self._model)
        self._error_modes = points.error_modes.astype(np.float64)
        self._expression_count = len(self._model.expression)
        self._frame_count = self._expression_count + len(self._error_modes)
        self._cold_information = np.eye(self._frame_count)
        expression = slice(0, self._expression_count)
        self._cold_information[expression, expression] = prior.information
        self._step_information = prior.step_spread**-2
        self._warm_information = self._cold_information + self._step_information * np.eye(self._frame_count)
        shapes = [self._model.expression, self._error_modes, self._person.basis]
        self._stranger_basis = ShapeBasis(np.concatenate(shapes))
        gaps = points.gaps.T.astype(np.intp)
        self._stranger, self._known = (
            Accuracy(
                np.hypot(points.sigma, sigma, dtype=np.float64) ** -2.0,
                gaps,
                np.hypot(points.gap_sigma, gap_sigma, dtype=np.float64) ** -2.0,
            )
            for sigma, gap_sigma in (
                (STRANGER_SIGMA, STRANGER_GAP_SIGMA),
                (KNOWN_SIGMA, KNOWN_GAP_SIGMA),
            )
        )
        self.reset()

    def reset(self) -> None:
        """Forget the person and the last frame."""
        self._person.forget()
        self._known_basis: ShapeBasis | None = None
        self._place: Place | None = None
        self._seen_s: float | None = None
        self._pose: Pose | None
        self._lose()

    @property
    def identity_held(self) -> bool:
        """Whether the person's identity has been learned and no longer changes."""
        return self._person.held

    def fit(self, landmarks: Landmarks | None, time_s: float | None = None) -> Coefficients:
        """Coefficients of the frame; invalid, with the reason, where there is no plausible face.

        ``time_s`` is the frame's time, if known: a face that was away for long is then learned anew.
        Raises UserError when ``landmarks.points`` is not [478, 2], and when the picture's aspect is not
        that of the camera's.
        """
        if landmarks is None:
            return self._invalid("no face")
        reason = implausible(landmarks)
        if reason:
            return self._invalid(reason)
        crop = self._crop(landmarks)
        if isinstance(crop, str):
            return self._invalid(crop)
        seen = self._normalise(landmarks)
        if not np.isfinite(seen).all():
            return self._invalid("the camera's distortion has no ray for some of the landmarks")
        place = place_of(landmarks)
        other = self._place is not None and (self._place.jumped_to(place) or self._absent(time_s))
        if other:
            self._lose()
        solution = self._solve(seen)
        if not _is_face(solution) and self._pose is not None:
            self._lose()  # the last frame misled it: once more from scratch
            solution = self._solve(seen)
        if not _is_face(solution):
            return self._invalid("the landmarks do not fit a face")
        if other:
            self.reset()
            solution = self._solve(seen)
        self._pose, self._weights = solution.pose, solution.weights[: self._frame_count]
        self._place, self._seen_s = place, time_s
        rotation = rotation_angles(solution.pose.rotation)
        frontal = np.abs(rotation[:2]).max() < FRONTAL
        if frontal and not self._person.held and _shows_all(solution):
            self._learn(solution)
        return self._coefficients(solution, rotation, crop, landmarks.score)

    def problem(self, landmarks: Landmarks) -> tuple[Problem, Pose, Array]:
        """What ``fit`` would solve for these landmarks, and the pose and weights it would start from."""
        return self._problem(self._normalise(landmarks))

    def _normalise(self, landmarks: Landmarks) -> Array:
        camera = self._camera or Camera.assumed(landmarks.image_size)
        points = landmarks.points[self._landmark].astype(np.float64)
        return camera.scaled_to(landmarks.image_size).normalise(points)

    def _problem(self, seen: Array) -> tuple[Problem, Pose, Array]:
        person, count = self._person, self._frame_count
        pose = self._pose or weak_perspective_pose(person.points, seen)
        weights, size = self._weights, count
        if self._pose is None:
            information, pull = self._cold_information, np.zeros(count)
        else:
            information, pull = self._warm_information, self._step_information * weights
        if self._known_basis is not None:
            accuracy, basis, points = self._known, self._known_basis, person.points
        else:
            accuracy, basis, points = self._stranger, self._stranger_basis, self._model.mean
            weights = np.concatenate([weights, person.weights])
            size = len(weights)
            information = block_diag(information, person.information)
            pull = np.concatenate([pull, person.information @ person.weights])
        depth = float(pose.translation[2])
        lower, upper = self._bounds(size)
        visible = self._visible(pose)
        problem = Problem(accuracy, seen, points, basis, visible, depth, information, pull, lower, upper)
        return problem, pose, weights

    def _solve(self, seen: Array) -> Solution:
        problem, pose, weights = self._problem(seen)
        return problem.solve(pose, weights, COLD_STEPS if self._pose is None else WARM_STEPS)

    def _learn(self, solution: Solution) -> None:
        person = self._person
        weights = solution.weights[self._frame_count :]
        person.learn(weights, solution.normal, solution.free, solution.misfit)
        if person.held:
            self._known_basis = ShapeBasis(np.concatenate([person.scaled_expression(), self._error_modes]))

    def _bounds(self, size: int) -> tuple[Array, Array]:
        """Those of the expression's weights, identity within reason; the others are free."""
        lower, upper = np.full(size, -np.inf), np.full(size, np.inf)
        prior = self._model.prior
        lower[: self._expression_count], upper[: self._expression_count] = prior.lower, prior.upper
        identity = slice(self._frame_count, self._frame_count + len(self._model.identity))
        lower[identity], upper[identity] = -LARGEST_IDENTITY, LARGEST_IDENTITY
        return lower, upper

    def _visible(self, pose: Pose) -> Array:
        """How far each point faces the camera [L]; what is turned away the tracker only guesses."""
        towards = self._normals @ pose.to_optical[2]
        return np.minimum(np.maximum(0.3 - 1.4 * towards, 0.2), 1.0)

    def _absent(self, time_s: float | None) -> bool:
        """Whether the face was away for so long that another person may have come."""
        return time_s is not None and self._seen_s is not None and time_s - self._seen_s > ABSENCE_S

    def _lose(self) -> None:
        """Forget where the face was and what it did, not whose it is."""
        self._pose = None
        self._weights = np.zeros(self._frame_count)

    def _invalid(self, reason: str) -> Coefficients:
        self._lose()
        return Coefficients.invalid(self._model.name, reason)

    def _crop(self, landmarks: Landmarks) -> FloatArray | str:
        """Place of the crop [3] where the model has one, else empty; or why there is none."""
        if self._model.crop_points is None:
            return np.zeros(0, np.float32)
        crop = align(five_points(landmarks), self._model.crop_points, landmarks.image_size)
        return crop if isinstance(crop, str) else crop.transform_params[2:].astype(np.float32)

    def _coefficients(
        self, solution: Solution, rotation: Array, crop: FloatArray, score: float
    ) -> Coefficients:
        pose = solution.pose
        share = _fall(solution.error, ERROR_RANGE) * _fall(1.0 - solution.trusted, OCCLUSION_RANGE)
        share *= _fall(_view_angle(pose), VIEW_RANGE)
        return Coefficients(
            self._model.name,
            rotation=rotation.astype(np.float32),
            expression=self._weights[: self._expression_count].astype(np.float32),
            translation=pose.translation.astype(np.float32),
            crop=crop,
            identity=self._person.identity.astype(np.float32),
            confidence=share * float(score),
        )


def _is_face(solution: Solution) -> bool:
    error = solution.error
    return isfinite(error) and error < LARGEST_ERROR and solution.trusted > LEAST_TRUSTED


def _shows_all(solution: Solution) -> bool:
    """Whether the frame tells about the person: no hand is before the face."""
    return solution.error < LEARNABLE_ERROR and 1.0 - solution.trusted < OCCLUSION_RANGE[0]


def _view_angle(pose: Pose) -> float:
    """Angle [rad] between where the face is turned and the way from it to the camera."""
    towards = -float(pose.to_optical[:, 2] @ pose.translation) / hypot(*pose.translation.tolist())
    return acos(min(max(towards, -1.0), 1.0))


def _fall(value: float, between: tuple[float, float]) -> float:
    """From 1 at the first number to 0 at the second."""
    start, end = between
    return min(max((end - value) / (end - start), 0.0), 1.0)
