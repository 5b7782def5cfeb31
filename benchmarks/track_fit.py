"""Tracking of a 640 x 480 picture, and fitting of its landmarks against scipy's general least squares."""

from __future__ import annotations

import json
from time import perf_counter

import numpy as np
from scipy.optimize import least_squares
from scipy.spatial.transform import Rotation

from listener_head.coefficients import LAYOUTS, Coefficients
from listener_head.face import FaceFitter, FaceTracker, Landmarks, load_face_model
from listener_head.face.gauss_newton import Pose
from listener_head.render import HeadRenderer

NAMES = ("track", "fit")  # of the figures that `run` gives

FRAMES, REFERENCE_FRAMES = 150, 12
WIDTH, HEIGHT = 640, 480
REFERENCE = "scipy.optimize.least_squares (trf, analytic Jacobian): same residuals, bounds and start"


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


def time_track(frames: list[np.ndarray]) -> tuple[list[float], list[Landmarks]]:
    """Milliseconds of each frame, and its landmarks."""
    tracker, times, landmarks = FaceTracker(), [], []
    for frame in frames:
        start = perf_counter()
        found = tracker.track(frame)
        times.append(1e3 * (perf_counter() - start))
        if found is not None:
            landmarks.append(found)
    tracker.close()
    return times[1:], landmarks


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
    """Milliseconds that ``least_squares`` takes for the frame that the fitter would fit next."""
    problem, start_pose, start = fitter.problem(landmarks)
    root = np.linalg.cholesky(problem.information).T
    expected = np.linalg.solve(problem.information, problem.pull)
    jacobian_of_prior = np.hstack([np.zeros((len(root), 6)), root])

    def at(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        turned = Rotation.from_rotvec(x[:3]).as_matrix() @ start_pose.rotation
        return problem.linearise(Pose(turned, start_pose.translation + x[3:6]), x[6:])

    def residuals(x: np.ndarray) -> np.ndarray:
        return np.concatenate([at(x)[0], root @ (x[6:] - expected)])

    def jacobian(x: np.ndarray) -> np.ndarray:
        return np.vstack([-at(x)[1].T, jacobian_of_prior])

    free = np.full(6, np.inf)
    lower, upper = np.concatenate([-free, problem.lower]), np.concatenate([free, problem.upper])
    first = np.clip(np.concatenate([np.zeros(6), start]), lower + 1e-6, upper - 1e-6)
    began = perf_counter()
    least_squares(residuals, first, jacobian, (lower, upper), ftol=1e-4, xtol=1e-4, gtol=1e-4)
    return 1e3 * (perf_counter() - began)


def run() -> dict[str, dict[str, float | int | str | None]]:
    """Medians, as ``listener_head bench`` reports them; tracking has no reference."""
    tracked, landmarks = time_track(pictures())
    fitted, reference = time_fit(landmarks)
    ours, theirs = float(np.median(fitted)), float(np.median(reference))
    return {
        "track": {
            "ours_ms": float(np.median(tracked)),
            "reference_ms": None,
            "ratio": None,
            "reference": None,
            "n": len(tracked),
        },
        "fit": {
            "ours_ms": ours,
            "reference_ms": theirs,
            "ratio": theirs / ours,
            "reference": REFERENCE,
            "n": len(fitted),
        },
    }


if __name__ == "__main__":
    print(json.dumps(run(), indent=1))
