"""Measures tracking and fit on clips: ``python -m listener_head.face.measure_clip FILE...``."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table
from scipy.ndimage import gaussian_filter1d, minimum_filter1d

from listener_head.errors import EXIT_BAD_INPUT, UserError
from listener_head.face.camera import Camera
from listener_head.face.correspondence import IRISES, load_correspondence
from listener_head.face.fitter import FaceFitter
from listener_head.face.model import load_face_model
from listener_head.face.pose import Array
from listener_head.face.tracker import NO_FACE, FaceTracker, Landmarks
from listener_head.sources.video_file import VideoFile
from listener_head.timing import NS_PER_S

SMOOTHING_S = 0.1  # standard deviation of the smooth motion that jitter is measured from
STILL = np.radians(5.0)  # rad/s; slower smooth motion is none


@dataclass(frozen=True)
class ClipFigures:
    """What was measured on one clip.

    ``valid`` counts frames with a fit of the ``frames`` in which a face was found; ``empty`` those in which
    there was none. ``errors`` [valid] are reprojection errors in eye distances, ``track_ms`` and ``fit_ms``
    times of each, ``jitter_deg`` the standard deviation of jitter where the face holds still, NaN where it
    never does.
    """

    name: str
    frames: int
    empty: int
    valid: int
    errors: Array
    track_ms: Array
    fit_ms: Array
    jitter_deg: float

    @property
    def share_valid(self) -> float:
        """Share of the frames with a face in view that were fitted."""
        return self.valid / self.frames if self.frames else 0.0


def measure_clip(path: str | Path) -> ClipFigures:
    """Tracks the largest face of a video and fits ``arkit52`` to it, without a known camera.

    Raises UserError when the file is no video with sound.
    """
    video = VideoFile(path)
    tracker, fitter = FaceTracker(), FaceFitter(load_face_model())
    empty, errors, times, stamps, rotations = 0, [], [], [], []
    images = track(video.images(), video.path.name, total=round(video.duration * video.fps), transient=True)
    for image in images:
        start = perf_counter()
        landmarks = tracker.track(image.pixels, image.time_ns)
        tracked = perf_counter()
        coefficients = fitter.fit(landmarks, image.time_ns / NS_PER_S)
        times.append((1e3 * (tracked - start), 1e3 * (perf_counter() - tracked)))
        tracker.look_around()
        empty += landmarks is None and tracker.reason == NO_FACE
        if landmarks is not None and coefficients.valid:
            errors.append(reprojection_error(fitter, landmarks))
            stamps.append(image.time_ns / NS_PER_S)
            rotations.append(coefficients.rotation)
    tracker.close()
    track_ms, fit_ms = np.transpose(times)
    jitter = np.degrees(jitter_of(np.array(stamps), np.array(rotations)))
    frames = len(times) - empty
    return ClipFigures(
        video.path.name, frames, empty, len(errors), np.array(errors), track_ms, fit_ms, jitter
    )


def reprojection_error(fitter: FaceFitter, landmarks: Landmarks) -> float:
    """How far the points of the arkit52 that was fitted lie from the landmarks, in distances of the eyes.

    The mean length over all fitted landmarks, also those hidden or not trusted. What the fit explains as
    the tracker's own errors counts as error here.
    """
    problem, pose, weights = fitter.problem(landmarks)
    shown = weights.copy()
    shown[_error_weights()] = 0.0
    ahead = (problem.points + problem.basis.displacement(shown)) @ pose.to_optical.T + pose.translation
    misfit = np.linalg.norm(problem.seen - ahead[:, :2] / ahead[:, 2:], axis=1).mean()
    eyes = np.linalg.norm(np.subtract(*landmarks.points[list(IRISES)]))
    return float(misfit * Camera.assumed(landmarks.image_size).fx / eyes)


def _error_weights() -> slice:
    """Those of the fit's weights that stand for errors of the tracker."""
    model = load_face_model()
    first = len(model.expression_names)
    return slice(first, first + len(load_correspondence(model).error_modes))


def jitter_of(times_s: Array, rotations: Array) -> float:
    """Standard deviation [rad] of the quick part of rotations [T, 3], of the worst of the three axes.

    The quick part is the difference to the motion smoothed over 0.1 s (Gaussian); it counts where the
    smooth motion has been, and will be, slower than 5 degrees a second for 0.2 s. NaN where it never is.
    """
    if len(times_s) < 3:
        return float("nan")
    period = float(np.median(np.diff(times_s)))
    smooth = gaussian_filter1d(rotations.astype(np.float64), SMOOTHING_S / period, axis=0)
    still = np.linalg.norm(np.gradient(smooth, times_s, axis=0), axis=1) < STILL
    around = 2 * round(2.0 * SMOOTHING_S / period) + 1
    quick = (rotations - smooth)[minimum_filter1d(still, around)]
    return float(quick.std(axis=0).max()) if len(quick) > 1 else float("nan")


def main(paths: list[str]) -> None:
    """Measure the clips and print a table: medians, and errors in distances of the eyes."""
    table = Table("clip", "frames", "fitted", "no face", "error", "error p95", "track", "fit", "jitter")
    for path in paths:
        clip = measure_clip(path)
        error, high = np.percentile(clip.errors, (50, 95)) if clip.valid else (np.nan, np.nan)
        table.add_row(
            clip.name,
            f"{clip.frames}",
            f"{clip.share_valid:.1%}",
            f"{clip.empty}",
            f"{error:.2%}",
            f"{high:.2%}",
            f"{np.median(clip.track_ms):.2f} ms",
            f"{np.median(clip.fit_ms):.2f} ms",
            f"{clip.jitter_deg:.3f} deg",
        )
    Console().print(table)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except UserError as problem:
        print(problem, file=sys.stderr)
        sys.exit(EXIT_BAD_INPUT)
