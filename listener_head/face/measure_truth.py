"""How well known coefficients come back: ``python -m listener_head.face.measure_truth`` prints the table.

Three experiments: the fit from exact landmarks; the whole way, in which the shipped head is rendered, tracked
and fitted; and a still picture under a camera's noise.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track
from rich.table import Table

from listener_head.coefficients import LAYOUTS, Coefficients, FloatArray
from listener_head.face.camera import Camera
from listener_head.face.fitted_model import FittedModel, fitted_model
from listener_head.face.fitter import FaceFitter
from listener_head.face.geometry import rotation_matrix, to_optical
from listener_head.face.model import load_face_model
from listener_head.face.person import FRAMES
from listener_head.face.pose import Array
from listener_head.face.tracker import LANDMARK_COUNT, FaceTracker, Landmarks
from listener_head.render import HeadRenderer
from listener_head.render.head_renderer import camera_matrix

LAYOUT = LAYOUTS["arkit52"]
RATE = 30.0  # frames per second
MOVING_FRAMES = 240  # after those in which the person is learned
STILL_FRAMES = 90
PICTURE = 320  # px
PIXEL_NOISE = 4.0  # grey levels, of a webcam indoors
DRIVEN = 0.05  # standard deviation of a weight that moves
VGA, VGA_CAMERA = (640, 480), Camera(700.0, 700.0, 320.0, 240.0)

# Least correlations; together those shapes that the tracker cannot tell apart.
TRACKED = {
    "smile": (("mouthSmileLeft", "mouthSmileRight"), 0.95),
    "brow raise": (("browInnerUp", "browOuterUpLeft", "browOuterUpRight"), 0.95),
    "brow lowered": (("browDownLeft", "browDownRight"), 0.92),
    "jaw": (("jawOpen",), 0.93),
    "blink": (("eyeBlinkLeft", "eyeBlinkRight"), 0.95),
}
TRACKED_ROTATION = {"pitch": 0.95, "yaw": 0.98, "roll": 0.98}
LEAST_EXACT_CORRELATION = 0.98
LARGEST_EXACT_ERROR_DEG, LARGEST_JITTER_DEG = 0.5, 0.3


@dataclass(frozen=True)
class Figure:
    """One number of the table and what it has to keep."""

    name: str
    value: float
    limit: float
    least: bool  # whether ``limit`` is the least, or else the largest, that is allowed

    @property
    def kept(self) -> bool:
        """Whether the number is within its limit; NaN is not."""
        return self.value >= self.limit if self.least else self.value <= self.limit


def expressive_motion(frames: int = MOVING_FRAMES) -> Array:
    """True motion [30 + frames, 58] at 30 frames a second: a second at rest, then nods, turns, tilts, smiles,
    raised and lowered brows, talk and blinks, one over the other.
    """
    t = np.arange(frames) / RATE
    wave = 2.0 * np.pi * t
    motion = np.tile(LAYOUT.neutral().astype(np.float64), (frames, 1))
    motion[:, LAYOUT.rotation] = np.transpose(
        [0.15 * np.sin(0.9 * wave) * (t % 4 > 2), 0.25 * np.sin(wave / 6), 0.12 * np.sin(wave / 4.7)]
    )
    motion[:, LAYOUT.translation] += 0.02 * np.transpose([np.sin(t), 0.5 * np.sin(1.3 * t), np.sin(0.7 * t)])
    brow = np.sin(wave / 3.3)
    blinks = np.arange(0.3, frames / RATE, 1.9)
    weights = {
        "eyeBlink": np.exp(-0.5 * ((t[:, None] - blinks) / 0.07) ** 2).sum(axis=1),
        "mouthSmile": 0.4 - 0.4 * np.cos(wave / 4.1),
        "browInnerUp": 0.9 * np.maximum(brow, 0.0),
        "browOuterUp": 0.9 * np.maximum(brow, 0.0),
        "browDown": 0.8 * np.maximum(-brow, 0.0),
        "jawOpen": 0.6 * np.abs(np.sin(1.3 * wave)) * (np.sin(wave / 3) > 0),
    }
    for name, weight in weights.items():
        names = [name] if name in LAYOUT.expression_names else [name + "Left", name + "Right"]
        motion[:, [LAYOUT.index(each) for each in names]] = np.clip(weight, 0.0, 1.0)[:, None]
    return np.concatenate([np.tile(LAYOUT.neutral(), (FRAMES, 1)), motion])


def exact_landmarks(
    model: FittedModel, frame: Coefficients, camera: Camera = VGA_CAMERA, image_size: tuple[int, int] = VGA
) -> Landmarks:
    """What a perfect tracker sees through a camera without distortion; points that are not fitted are in
    the centre.
    """
    points = model.mean + np.tensordot(frame.expression, model.expression, 1)
    if frame.identity.size:
        points = points + np.tensordot(frame.identity, model.identity, 1)
    points = to_optical(points, frame.rotation, frame.translation)
    pixels = points[:, :2] / points[:, 2:] * (camera.fx, camera.fy) + (camera.cx, camera.cy)
    face = np.tile(pixels.mean(0), (LANDMARK_COUNT, 1))
    face[model.correspondence.landmark] = pixels
    return Landmarks(face.astype(np.float32), image_size)


def turned_by(rotation: FloatArray, true: FloatArray) -> float:
    """Angle [rad] between two rotations given as pitch, yaw, roll."""
    between = rotation_matrix(rotation).T @ rotation_matrix(true)
    return float(np.arccos(np.clip((np.trace(between) - 1.0) / 2.0, -1.0, 1.0)))


def render(motion: Array | FloatArray) -> Iterable[NDArray[np.uint8]]:
    """Pictures of a motion [T, 58] in BGR, one after the other."""
    renderer = HeadRenderer(PICTURE)
    for frame in motion:
        yield renderer.render(Coefficients.from_motion("arkit52", frame))[..., ::-1]
    renderer.close()


def perceive(pictures: Iterable[NDArray[np.uint8]]) -> list[Coefficients]:
    """What tracker and fitter make of pictures of the rendered head."""
    matrix = camera_matrix(PICTURE)
    camera = Camera(matrix[0, 0], matrix[1, 1], matrix[0, 2], matrix[1, 2])
    tracker, fitter = FaceTracker(), FaceFitter(load_face_model("arkit52"), camera)
    perceived = [fitter.fit(tracker.track(picture)) for picture in pictures]
    tracker.close()
    return perceived


def noisy_still(frames: int = STILL_FRAMES, seed: int = 0) -> Iterable[NDArray[np.uint8]]:
    """The picture of a still head, in BGR, under fresh noise in each frame."""
    random = np.random.default_rng(seed)
    (picture,) = render(LAYOUT.neutral()[None])
    for _ in range(frames):
        noise = PIXEL_NOISE * random.standard_normal(picture.shape, np.float32)
        yield np.clip(picture + noise, 0, 255).astype(np.uint8)


def exact_figures(motion: Array, fitted: list[Coefficients]) -> list[Figure]:
    """Of a motion [T, 58] and what the fit makes of its exact landmarks."""
    errors = [
        np.degrees(turned_by(frame.rotation, true[LAYOUT.rotation]))
        for frame, true in zip(fitted, motion, strict=True)
    ]
    figures = [
        Figure("exact: rotation error, degrees", float(np.median(errors)), LARGEST_EXACT_ERROR_DEG, False)
    ]
    seen = np.stack([frame.motion for frame in fitted])[FRAMES:]
    true = motion[FRAMES:]
    for name in LAYOUT.expression_names:
        column = LAYOUT.index(name)
        if true[:, column].std() > DRIVEN:
            figures.append(
                Figure(f"exact: {name}", _correlation(true, seen, [column]), LEAST_EXACT_CORRELATION, True)
            )
    return figures


def tracked_figures(motion: Array, perceived: list[Coefficients]) -> list[Figure]:
    """Of a motion [T, 58] and what renderer, tracker and fit make of it."""
    true, seen = motion[FRAMES:], np.stack([frame.motion for frame in perceived])[FRAMES:]
    figures = [
        Figure(f"tracked: {name}", _correlation(true, seen, [axis]), least, True)
        for axis, (name, least) in enumerate(TRACKED_ROTATION.items())
    ]
    for name, (shapes, least) in TRACKED.items():
        columns = [LAYOUT.index(shape) for shape in shapes]
        figures.append(Figure(f"tracked: {name}", _correlation(true, seen, columns), least, True))
    return figures


def still_figures(perceived: list[Coefficients]) -> list[Figure]:
    """Of what is perceived of a still head: standard deviations of its rotation."""
    jitter = np.degrees(np.array([frame.rotation for frame in perceived])[FRAMES:].std(axis=0))
    return [
        Figure(f"still: jitter of {name}, degrees", float(value), LARGEST_JITTER_DEG, False)
        for name, value in zip(("pitch", "yaw", "roll"), jitter, strict=True)
    ]


def _correlation(true: Array, seen: FloatArray, columns: list[int]) -> float:
    """Between the sums of columns."""
    return float(np.corrcoef(true[:, columns].sum(axis=1), seen[:, columns].sum(axis=1))[0, 1])


def main() -> None:
    """Measure and print."""
    motion, model = expressive_motion(), load_face_model("arkit52")
    known, fitter = fitted_model(model), FaceFitter(model, VGA_CAMERA)
    frames = [Coefficients.from_motion("arkit52", frame) for frame in motion]
    exact = [fitter.fit(exact_landmarks(known, frame)) for frame in track(frames, "exact landmarks")]
    moving = perceive(track(render(motion), "rendered and tracked", total=len(motion)))
    still = perceive(track(noisy_still(), "still head", total=STILL_FRAMES))
    table = Table("figure (correlation where there is no unit)", "measured", "limit", "")
    for figure in (*exact_figures(motion, exact), *tracked_figures(motion, moving), *still_figures(still)):
        limit = f"{'≥' if figure.least else '≤'} {figure.limit:g}"
        table.add_row(figure.name, f"{figure.value:.3f}", limit, "kept" if figure.kept else "missed")
    Console().print(table)


if __name__ == "__main__":
    main()
