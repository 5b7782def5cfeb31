"""Tracking of a 640 x 480 picture against MediaPipe's own FaceMesh, fitting of its landmarks against scipy's
general least squares, and both together.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from time import perf_counter

import cv2
import numpy as np
from scipy.optimize import least_squares
from scipy.spatial.transform import Rotation

from listener_head.coefficients import LAYOUTS, Coefficients
from listener_head.face import FaceFitter, FaceTracker, Landmarks, load_face_model
from listener_head.face.fitter import WARM_STEPS
from listener_head.face.networks import quiet_stderr
from listener_head.face.perceiver import FacePerceiver
from listener_head.face.pose import Pose
from listener_head.render import HeadRenderer
from listener_head.timing import NS_PER_S, RATE_HZ

NAMES = ("track", "fit", "perceive")  # of the figures that `run` gives

FRAMES, REFERENCE_FRAMES = 150, 12
LEARNING = 30  # frames until the identity is held
WIDTH, HEIGHT = 640, 480
TRACK_REFERENCE = "mediapipe.solutions.face_mesh with refined landmarks, its points read into an array"
REFERENCE = "scipy.optimize.least_squares (trf, analytic Jacobian): same residuals, bounds, start and result"
TOLERANCE = 1e-3  # the largest power of ten with which scipy comes to the same result
SAME_ROTATION_DEG, SAME_WEIGHT = 0.1, 0.05  # between the two


def pictures() -> list[np.ndarray]:
    """A nodding, smiling head in 640 x 480 BGR."""
    layout, renderer, frames = LAYOUTS["arkit52"], HeadRenderer(HEIGHT), []
    for t in np.arange(FRAMES) / 30.0:
        motion = layout.neutral()
        motion[layout.rotation] = (0.1 * np.sin(6.0 * t), 0.2 * np.sin(2.0 * t), 0.05 * np.sin(3.0 * t))
        motion[[layout.index("mouthSmileLeft"), layout.index("mouthSmileRight")]] = 0.4 - 0.4 * np.cos(
            3.0 * t
        )
        picture = renderer.render(Coefficients.from_motion("arkit52", motion))[..., ::-1]
        side = (WIDTH - HEIGHT) // 2
        frames.append(np.pad(picture, ((0, 0), (side, side), (0, 0)), mode="edge"))
    renderer.close()
    return frames


def face_mesh() -> Callable[[np.ndarray], np.ndarray]:
    """MediaPipe's FaceMesh as its documentation shows it: landmarks in pixels of a BGR image."""
    with quiet_stderr():
        import mediapipe

        mesh = mediapipe.solutions.face_mesh.FaceMesh(max_num_faces=1, refine_landmarks=True)

    def track(image: np.ndarray) -> np.ndarray:
        face = mesh.process(cv2.cvtColor(image, cv2.COLOR_BGR2RGB)).multi_face_landmarks[0]
        return np.array([(point.x * WIDTH, point.y * HEIGHT) for point in face.landmark], np.float32)

    return track


def time_track(frames: list[np.ndarray]) -> tuple[list[float], list[float], list[Landmarks]]:
    """Milliseconds of each frame, ours and the reference's in turn, and our landmarks."""
    tracker, reference = FaceTracker(), face_mesh()
    ours, theirs, landmarks = [], [], []
    with quiet_stderr():
        reference(frames[0])
    for number, frame in enumerate(frames):
        start = perf_counter()
        found = tracker.track(frame, number * NS_PER_S // RATE_HZ)
        middle = perf_counter()
        reference(frame)
        ours.append(1e3 * (middle - start))
        theirs.append(1e3 * (perf_counter() - middle))
        assert found is not None, tracker.reason
        landmarks.append(found)
    tracker.close()
    return ours[1:], theirs[1:], landmarks


def time_perceive(frames: list[np.ndarray]) -> list[float]:
    """Milliseconds from image to coefficients of each frame, from when the identity is held."""
    perceiver, times = FacePerceiver(), []
    for number, frame in enumerate(frames):
        start = perf_counter()
        perceiver.perceive(frame, number * NS_PER_S // RATE_HZ)
        times.append(1e3 * (perf_counter() - start))
    perceiver.close()
    return times[LEARNING:]


def time_fit(landmarks: list[Landmarks]) -> tuple[list[float], list[float]]:
    """Milliseconds of each fit with a held identity: ours, and the reference's on some frames between."""
    fitter, ours, reference = FaceFitter(load_face_model("arkit52")), [], []
    every = max(1, len(landmarks) // REFERENCE_FRAMES)
    for number, found in enumerate(landmarks):
        if fitter.identity_held and number % every == 0:
            reference.append(time_reference(fitter, found))
        held = fitter.identity_held
        start = perf_counter()
        fitter.fit(found)
        if held:
            ours.append(1e3 * (perf_counter() - start))
    return ours, reference


def time_reference(fitter: FaceFitter, landmarks: Landmarks) -> float:
    """Milliseconds that ``least_squares`` takes for the frame that the fitter would fit next.

    It minimises the same residuals, with the trust that ours ends with, under the same bounds from the same
    start. Scaled by the Jacobian it comes to the same place, which is asserted; unscaled it stops before.
    """
    problem, start_pose, start = fitter.problem(landmarks)
    ours = problem.solve(start_pose, start, WARM_STEPS)
    root = np.linalg.cholesky(problem.information).T
    expected = np.linalg.solve(problem.information, problem.pull)
    jacobian_of_prior = np.hstack([np.zeros((len(root), 6)), root])

    def pose_at(x: np.ndarray) -> Pose:
        turned = Rotation.from_rotvec(x[:3]).as_matrix() @ start_pose.rotation
        return Pose(turned, start_pose.translation + x[3:6])

    def residuals(x: np.ndarray) -> np.ndarray:
        return np.concatenate([problem.residuals(pose_at(x), x[6:]), root @ (x[6:] - expected)])

    def jacobian(x: np.ndarray) -> np.ndarray:
        rows = -problem.linearise(pose_at(x), x[6:])[1]
        rows[:, :3] = rows[:, :3] @ left_jacobian(x[:3])
        return np.vstack([rows, jacobian_of_prior])

    free = np.full(6, np.inf)
    lower, upper = np.concatenate([-free, problem.lower]), np.concatenate([free, problem.upper])
    first = np.clip(np.concatenate([np.zeros(6), start]), lower + 1e-6, upper - 1e-6)
    began = perf_counter()
    found = least_squares(
        residuals,
        first,
        jacobian,
        (lower, upper),
        x_scale="jac",
        ftol=TOLERANCE,
        xtol=TOLERANCE,
        gtol=TOLERANCE,
    )
    took = 1e3 * (perf_counter() - began)
    between = Rotation.from_matrix(ours.pose.rotation.T @ pose_at(found.x).rotation)
    assert np.degrees(between.magnitude()) < SAME_ROTATION_DEG
    assert np.abs(ours.weights - found.x[6:]).max() < SAME_WEIGHT
    return took


def left_jacobian(turn: np.ndarray) -> np.ndarray:
    """From a change of a rotation vector to the rotation that it adds from the left [3, 3]."""
    angle = np.linalg.norm(turn)
    cross = np.cross(np.eye(3), turn)
    if angle < 1e-6:
        return np.eye(3) + 0.5 * cross
    sine, versine = (angle - np.sin(angle)) / angle**3, (1.0 - np.cos(angle)) / angle**2
    return np.eye(3) + versine * cross + sine * cross @ cross


def row(ours: list[float], theirs: list[float], reference: str) -> dict[str, float | int | str | None]:
    """Medians; ``theirs`` may be empty."""
    median = float(np.median(ours))
    other = float(np.median(theirs)) if theirs else None
    return {
        "ours_ms": median,
        "reference_ms": other,
        "ratio": None if other is None else other / median,
        "reference": reference or None,
        "n": len(ours),
    }


def run() -> dict[str, dict[str, float | int | str | None]]:
    """Medians, as ``listener_head bench`` reports them; both together have no reference."""
    frames = pictures()
    tracked, mesh, landmarks = time_track(frames)
    fitted, reference = time_fit(landmarks)
    return {
        "track": row(tracked, mesh, TRACK_REFERENCE),
        "fit": row(fitted, reference, REFERENCE),
        "perceive": row(time_perceive(frames), [], ""),
    }


if __name__ == "__main__":
    print(json.dumps(run(), indent=1))
