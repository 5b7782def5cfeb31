"""Measures the tracking error on the rendered head, whose truth is known, and writes its table.

``python -m listener_head.face.measure_tracking_error``, again when the model, its looks or the fit change.
"""

from __future__ import annotations

import json

import numpy as np
from rich.progress import track
from scipy.ndimage import gaussian_filter1d

from listener_head.coefficients import LAYOUTS, Coefficients
from listener_head.face.camera import Camera
from listener_head.face.fitter import FaceFitter
from listener_head.face.model import load_face_model
from listener_head.face.person import FRAMES
from listener_head.face.pose import Array
from listener_head.face.prior import twin_of
from listener_head.face.tracker import FaceTracker
from listener_head.face.tracking_error import TRACKING_ERROR_PATH
from listener_head.render import HeadRenderer
from listener_head.render.head_renderer import camera_matrix

PICTURE = 480  # px
RATE = 30.0  # frames per second
SEED, SECONDS = 3, 60
LARGEST_DELAY = 5  # frames
PIXEL_NOISE = 3.0  # grey levels, of a webcam indoors


def make_motion(frames: int, seed: int) -> Array:
    """True motion [T, 58] that moves every number: shapes come and go, the head sways and nods.

    It is at rest for the first second.
    """
    layout, random = LAYOUTS["arkit52"], np.random.default_rng(seed)
    motion = np.tile(layout.neutral().astype(np.float64), (frames, 1))
    names = layout.expression_names
    for index, name in enumerate(names):
        if name.endswith("Right") and name.removesuffix("Right") + "Left" in names:
            continue
        width = 2.0 if name.startswith("eyeBlink") else random.uniform(4.0, 10.0)
        bumps = np.zeros((frames, 2))
        for start in np.flatnonzero(random.random(frames) < 0.003):
            strength = random.uniform(0.3, 1.0)
            bumps[start] = np.maximum(bumps[start], strength * np.array([1.0, random.uniform(0.6, 1.0)]))
        smooth = gaussian_filter1d(bumps, width, axis=0) * width * np.sqrt(2.0 * np.pi)
        motion[:, layout.expression.start + index] = smooth[:, 0]
        twin = twin_of(name)
        if name.endswith("Left") and twin in names:
            motion[:, layout.index(twin)] = smooth[:, 1]
    noise = random.normal(size=(frames, 6))
    sway = gaussian_filter1d(noise, 8.0, axis=0)
    sway /= sway.std(axis=0)
    motion[:, layout.rotation] += sway[:, :3] * (0.10, 0.15, 0.07)
    motion[:, layout.translation] += sway[:, 3:] * (0.02, 0.01, 0.02)
    rest = np.minimum(np.arange(frames) / RATE, 2.0) - 1.0
    motion = layout.neutral() + np.clip(rest, 0.0, 1.0)[:, None] * (motion - layout.neutral())
    motion[:, layout.expression] = np.clip(motion[:, layout.expression], 0.0, 1.0)
    return motion


def perceive(motion: Array, seed: int) -> list[Coefficients]:
    """What renderer, camera noise, tracker and fitter make of a motion [T, 58], frame by frame."""
    camera, random = camera_matrix(PICTURE), np.random.default_rng(seed)
    renderer, tracker = HeadRenderer(PICTURE), FaceTracker()
    intrinsics = Camera(camera[0, 0], camera[1, 1], camera[0, 2], camera[1, 2])
    fitter = FaceFitter(load_face_model("arkit52"), intrinsics)
    perceived = []
    for frame in track(motion.astype(np.float32), "rendered and tracked"):
        image = renderer.render(Coefficients.from_motion("arkit52", frame))[..., ::-1].astype(np.float32)
        image += PIXEL_NOISE * random.standard_normal(image.shape, np.float32)
        perceived.append(fitter.fit(tracker.track(np.clip(image, 0, 255).astype(np.uint8))))
    renderer.close()
    tracker.close()
    return perceived


def error_of(true: Array, perceived: Array) -> dict[str, float]:
    """The parameters of ``TrackingError`` of one number: true and perceived [T]."""
    fits = []
    for delay in range(LARGEST_DELAY + 1):
        before, after = true[: len(true) - delay], perceived[delay:]
        gain, offset = np.polyfit(before, after, 1)
        fits.append((float(np.std(after - gain * before - offset)), delay, gain, offset))
    noise, delay, gain, offset = min(fits)
    rest = perceived[delay:] - gain * true[: len(true) - delay] - offset
    memory = float(np.corrcoef(rest[:-1], rest[1:])[0, 1]) if noise > 0.0 else 0.0
    values = dict(gain=gain, offset=offset, noise=noise, noise_memory=memory, delay=delay)
    return {key: round(float(value), 4) for key, value in values.items()}


def main() -> None:
    """Measure and write the table."""
    layout = LAYOUTS["arkit52"]
    motion = make_motion(int(SECONDS * RATE), SEED)
    perceived = perceive(motion, SEED)
    kept = np.array([frame.valid for frame in perceived])
    kept[:FRAMES] = False
    seen = np.stack([frame.motion for frame in perceived]).astype(np.float64)
    names = ("pitch", "yaw", "roll", *layout.expression_names, "x", "y", "z")
    rows = {name: error_of(motion[kept, i], seen[kept, i]) for i, name in enumerate(names)}
    table = {"frames": int(kept.sum()), "picture": PICTURE, "seed": SEED, "coefficients": rows}
    TRACKING_ERROR_PATH.write_text(json.dumps(table, indent=1) + "\n")
    for name, row in rows.items():
        print(f"{name:20s}", "  ".join(f"{key} {value:7.3f}" for key, value in row.items()))


if __name__ == "__main__":
    main()
