"""Landmarks -> coefficients: pose and expression of a face model, by regularised Gauss-Newton."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from listener_head.coefficients import Coefficients
from listener_head.errors import UserError
from listener_head.face.correspondence import load_correspondence
from listener_head.face.gauss_newton import (
    Array,
    Pose,
    Problem,
    Residuals,
    ShapeBasis,
    Solution,
    weak_perspective_pose,
)
from listener_head.face.geometry import OPTICAL_FROM_MODEL, rotation_angles
from listener_head.face.model import FaceModel
from listener_head.face.person import Person
from listener_head.face.prior import expression_information
from listener_head.face.tracker import LANDMARK_COUNT, Landmarks

COLD_STEPS, WARM_STEPS = 12, 2

# What landmarks may deviate from the model: of a face not yet known, and of one that is.
STRANGER_SIGMA, STRANGER_GAP_SIGMA = 0.003, 0.0015  # m
KNOWN_SIGMA, KNOWN_GAP_SIGMA = 0.001, 0.0006  # m

STEP_SPREAD = 0.25  # expected change of a weight from frame to frame
LARGEST_IDENTITY = 2.0  # standard deviations; depth shows so little in front views that it would run away
FRONTAL = 0.5  # rad of yaw or pitch up to which a frame tells about the person

LARGEST_ERROR = 0.010  # m, root mean square on the face; more is not a face
GOOD_ERROR = 0.002  # m; confidence falls from here on
SMALLEST_FACE = 16.0  # px
FLATTEST_FACE = 0.1  # short over long side of the cloud of points
JUMP = 0.5  # of the face's size between two fits, or as much in size: another face


@dataclass(frozen=True)
class Camera:
    """Pinhole intrinsics in pixels, as in sensor_msgs/CameraInfo (no distortion)."""

    fx: float
    fy: float
    cx: float
    cy: float

    @classmethod
    def assumed(cls, image_size: tuple[int, int]) -> Camera:
        """What is taken where nothing is known: focal length = longer side (53 degrees), centred."""
        width, height = image_size
        focal = float(max(width, height))
        return cls(focal, focal, width / 2, height / 2)

    def normalise(self, points: Array) -> Array:
        """Pixels [L, 2] to image coordinates at depth 1."""
        return (points - (self.cx, self.cy)) / (self.fx, self.fy)


class FaceFitter:
    """Fits ``model`` to one face's landmarks, frame after frame.

    ``camera`` gives metric translation; without it a focal length equal to the longer side of the
    image is assumed, and depth is right up to that factor. Over the first frames the person's
    identity is learned, then held. Landmarks that jump by more than half of the face's size, or
    change as much in size, are taken for another person, who is learned anew. Raises UserError for
    a model without landmark correspondence.
    """

    def __init__(self, model: FaceModel, camera: Camera | None = None):
        if camera is not None and not min(camera.fx, camera.fy) > 0.0:
            raise UserError(f"camera has focal length {camera.fx} x {camera.fy}; give positive pixels")
        self._camera, self._model_name = camera, model.name
        points = load_correspondence(model)
        self._landmark, self._normals = points.landmark, points.normal.astype(np.float64)
        self._person = Person(model, points)
        self._error_modes = points.error_modes.astype(np.float64)
        self._expression_count = len(model.expression_names)
        self._frame_count = self._expression_count + len(self._error_modes)
        self._frame_prior = np.eye(self._frame_count)
        expression = slice(0, self._expression_count)
        self._frame_prior[expression, expression] = expression_information(model.expression_names)
        shapes = [self._person.expression, self._error_modes, self._person.basis]
        self._stranger_basis = ShapeBasis(np.concatenate(shapes))
        self._stranger, self._known = (
            Residuals(np.hypot(points.sigma, sigma), points.gaps, np.hypot(points.gap_sigma, gap_sigma))
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
        self._pose: Pose | None = None
        self._weights = np.zeros(self._frame_count)
        self._last: Landmarks | None = None

    @property
    def identity_held(self) -> bool:
        """Whether the person's identity has been learned and no longer changes."""
        return self._person.held

    def fit(self, landmarks: Landmarks | None) -> Coefficients:
        """Coefficients of the frame; invalid, with the reason, where there is no plausible face.

        Raises UserError when ``landmarks.points`` is not [478, 2].
        """
        if landmarks is None:
            return Coefficients.invalid(self._model_name, "no face")
        reason = _implausible(landmarks)
        if reason:
            return Coefficients.invalid(self._model_name, reason)
        jumped = self._last is not None and _jumped(self._last, landmarks)
        if jumped:
            self._pose = None
        solution = self._solve(landmarks)
        if not solution.error < LARGEST_ERROR and self._pose is not None:
            self._pose = None  # the last frame misled it: once more from scratch
            solution = self._solve(landmarks)
        if not solution.error < LARGEST_ERROR:
            self._pose = None
            return Coefficients.invalid(self._model_name, "the landmarks do not fit a face")
        if jumped:
            self.reset()
            solution = self._solve(landmarks)
        self._pose, self._weights = solution.pose, solution.weights[: self._frame_count]
        self._last = landmarks
        frontal = np.abs(rotation_angles(solution.pose.rotation)[:2]).max() < FRONTAL
        if frontal and not self._person.held:
            self._learn(solution)
        return self._coefficients(solution.error, landmarks.score)

    def problem(self, landmarks: Landmarks) -> tuple[Problem, Pose, Array]:
        """What ``fit`` would solve for these landmarks, and the pose and weights it would start from."""
        camera = self._camera or Camera.assumed(landmarks.image_size)
        seen = camera.normalise(landmarks.points[self._landmark].astype(np.float64))
        person, cold = self._person, self._pose is None
        pose = weak_perspective_pose(person.points, seen) if self._pose is None else self._pose
        weights = np.zeros(self._frame_count) if cold else self._weights
        if self._known_basis is not None:
            residuals, basis, points = self._known, self._known_basis, person.points
        else:
            residuals, basis, points = self._stranger, self._stranger_basis, person.mean
            weights = np.concatenate([weights, person.weights])
        information, pull = self._priors(weights, cold)
        visible = self._visible(pose)
        bounds = self._bounds(len(weights))
        problem = Problem(residuals, seen, points, basis, visible, information, pull, *bounds)
        return problem, pose, weights

    def _solve(self, landmarks: Landmarks) -> Solution:
        problem, pose, weights = self.problem(landmarks)
        return problem.solve(pose, weights, COLD_STEPS if self._pose is None else WARM_STEPS)

    def _learn(self, solution: Solution) -> None:
        person = self._person
        weights = solution.weights[self._frame_count :]
        person.learn(weights, solution.normal, solution.free, solution.misfit)
        if person.held:
            self._known_basis = ShapeBasis(np.concatenate([person.scaled_expression(), self._error_modes]))

    def _priors(self, weights: Array, cold: bool) -> tuple[Array, Array]:
        """Information matrix of the weights, and its product with what they are expected to be."""
        count, person = self._frame_count, self._person
        prior = np.zeros((len(weights), len(weights)))
        prior[:count, :count] = self._frame_prior
        pull = np.zeros(len(weights))
        if not cold:
            prior[range(count), range(count)] += STEP_SPREAD**-2
            pull[:count] = STEP_SPREAD**-2 * weights[:count]
        if len(weights) > count:
            prior[count:, count:] = person.information
            pull[count:] = person.information @ person.weights
        return prior, pull

    def _bounds(self, size: int) -> tuple[Array, Array]:
        """Expression weights lie in 0..1, identity within reason, the others are free."""
        lower, upper = np.full(size, -np.inf), np.full(size, np.inf)
        lower[: self._expression_count], upper[: self._expression_count] = 0.0, 1.0
        identity = slice(self._frame_count, self._frame_count + len(self._person.identity))
        lower[identity], upper[identity] = -LARGEST_IDENTITY, LARGEST_IDENTITY
        return lower, upper

    def _visible(self, pose: Pose) -> Array:
        """How far each point faces the camera [L]; what is turned away the tracker only guesses."""
        towards = -(self._normals @ (pose.rotation @ OPTICAL_FROM_MODEL)[2])
        return np.clip(0.3 + 1.4 * towards, 0.2, 1.0)

    def _coefficients(self, error: float, score: float) -> Coefficients:
        assert self._pose is not None
        confidence = np.clip((LARGEST_ERROR - error) / (LARGEST_ERROR - GOOD_ERROR), 0.0, 1.0) * score
        return Coefficients(
            self._model_name,
            rotation=rotation_angles(self._pose.rotation).astype(np.float32),
            expression=self._weights[: self._expression_count].astype(np.float32),
            translation=self._pose.translation.astype(np.float32),
            identity=self._person.identity.astype(np.float32),
            confidence=float(confidence),
        )


def _implausible(landmarks: Landmarks) -> str:
    """Why these points cannot be a face, or an empty string; UserError for a wrong shape."""
    points = np.asarray(landmarks.points)
    if points.shape != (LANDMARK_COUNT, 2):
        raise UserError(f"landmarks have shape {points.shape}; give ({LANDMARK_COUNT}, 2)")
    if min(landmarks.image_size) <= 0:
        raise UserError(f"image_size is {landmarks.image_size}; give (width, height) in pixels")
    if not np.isfinite(points).all():
        return "landmarks are not finite"
    size = np.asarray(landmarks.image_size)
    centre = points.mean(0, dtype=np.float64)
    if (centre < 0).any() or (centre > size).any():
        return "the face is outside the image"
    offsets = points - centre
    spread = np.sqrt(np.linalg.eigvalsh(offsets.T @ offsets / len(points)))
    if not 4.0 * spread[1] > SMALLEST_FACE:
        return "the face is too small"
    if spread[0] < FLATTEST_FACE * spread[1]:
        return "the landmarks lie on a line"
    return ""


def _jumped(last: Landmarks, now: Landmarks) -> bool:
    if last.image_size != now.image_size:
        return True
    (centre, size), (new_centre, new_size) = (_place(landmarks) for landmarks in (last, now))
    return bool(np.linalg.norm(new_centre - centre) > JUMP * size or abs(new_size - size) > JUMP * size)


def _place(landmarks: Landmarks) -> tuple[Array, float]:
    """Centre of the points and the longer side of their bounding box, in pixels."""
    low, high = landmarks.points.min(0).astype(np.float64), landmarks.points.max(0).astype(np.float64)
    return (low + high) / 2, float((high - low).max())
