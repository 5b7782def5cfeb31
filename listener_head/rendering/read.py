"""Coefficients from each kind of file that holds some."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from listener_head.bags.storage import METADATA
from listener_head.coefficients import LAYOUTS, Coefficients
from listener_head.errors import UserError
from listener_head.extraction.clip_file import read_clip
from listener_head.extraction.published import read_video_bin
from listener_head.face.deep3d.published import FACE_MODEL, HEADS
from listener_head.listener.reference import optical_motion
from listener_head.rendering.bag import BAG_ENDINGS, read_bag
from listener_head.rendering.sequence import CoefficientSequence, check_gaps
from listener_head.timing import grid_times_ns


def read_sequence(path: Path, topic: str = "") -> CoefficientSequence:
    """The coefficients in a file, or of ``topic`` in a recording:

    - ``.npz``, a clip as `listener_head extract` writes it;
    - ``.npy``, motion [T, M] at 30 a second in the camera's optical frame;
    - ``.bin``, video features of the published baseline, at 30 a second;
    - a rosbag2 folder, ``.mcap`` or ``.db3``: FaceCoefficients placed by ``header.stamp``.

    Frames without a face are left out. UserError that names the file when it is none of these, is damaged or
    has no frame with a face, and when ``topic`` is given without a recording.
    """
    readers: dict[str, Callable[[Path], CoefficientSequence]] = {
        ".npz": _of_clip,
        ".npy": _of_motion,
        ".bin": _of_published,
    }
    ending = path.suffix.lower()
    if not path.exists():
        raise UserError(f"'{path}' does not exist; give coefficients, a recording or a rosbag2 folder")
    if path.is_dir() and not (path / METADATA).is_file():
        raise UserError(f"'{path}' has no {METADATA}; give a rosbag2 folder, such as out/demo/recording")
    if path.is_dir() or ending in BAG_ENDINGS:
        return read_bag(path, topic)
    if ending not in readers:
        known = ", ".join([*readers, *BAG_ENDINGS])
        raise UserError(f"'{path}' has no known ending; give a rosbag2 folder or a file {known}")
    if topic:
        raise UserError(f"--topic {topic} is for recordings, and '{path}' is none; leave it out")
    return readers[ending](path)


def _of_clip(path: Path) -> CoefficientSequence:
    clip = read_clip(path)
    rows = np.flatnonzero(clip.valid)
    if not len(rows):
        raise UserError(f"'{path}' has no frame with a face; extract another clip")
    frames = []
    for row in rows:
        frame = Coefficients.from_motion(clip.face_model, clip.motion[row], clip.identity[row])
        frame.texture, frame.lighting = clip.texture[row], clip.lighting[row]
        frames.append(frame)
    times = clip.stamps_ns[rows]
    if times[0] < 0 or np.any(np.diff(times) < 0):
        raise UserError(f"clip file '{path}': stamps_ns goes back in time; extract the clip again")
    check_gaps(str(path), times)
    return CoefficientSequence(path, times, frames, seen_by_camera=True)


def _of_motion(path: Path) -> CoefficientSequence:
    sizes = {layout.size: name for name, layout in LAYOUTS.items()}
    wanted = "motion " + " or ".join(f"T x {size} ({name})" for size, name in sizes.items())
    try:
        motion = np.load(path, allow_pickle=False)
    except Exception as problem:  # of a damaged file NumPy may make anything
        reason = getattr(problem, "strerror", None) or "no NumPy array"
        raise UserError(f"'{path}' cannot be read ({reason}); give {wanted}") from None
    if not isinstance(motion, np.ndarray) or motion.dtype.kind not in "fiu" or motion.ndim != 2:
        raise UserError(f"'{path}' holds no numbers in rows; give {wanted}")
    if not len(motion) or motion.shape[1] not in sizes:
        raise UserError(f"'{path}' has shape {motion.shape}; give {wanted}")
    with np.errstate(over="ignore"):
        motion = motion.astype(np.float32)
    if not np.isfinite(motion).all():
        raise UserError(f"'{path}' has values that are not finite in row {_first_bad(motion)}; mend the file")
    model = sizes[motion.shape[1]]
    frames = [Coefficients.from_motion(model, row) for row in motion]
    return CoefficientSequence(path, _grid(len(frames)), frames, seen_by_camera=False)


def _of_published(path: Path) -> CoefficientSequence:
    features = read_video_bin(path)
    model, layout = features.face_model, LAYOUTS[features.face_model]
    if model == FACE_MODEL:
        sizes = dict(HEADS)
        # Columns of id.gamma.tex.
        ends = np.cumsum([sizes["identity"], sizes["lighting"]])
        motion = optical_motion(features.dynamic, layout)
        parts = np.split(features.fixed, ends, axis=1)
    else:
        motion, none = features.dynamic, np.zeros((len(features.dynamic), 0), np.float32)
        parts = [features.fixed, none, none]
    frames = []
    for row, identity, lighting, texture in zip(motion, *parts, strict=True):
        frame = Coefficients.from_motion(model, row, identity)
        frame.lighting, frame.texture = lighting, texture
        frames.append(frame)
    return CoefficientSequence(path, _grid(len(frames)), frames, seen_by_camera=True)


def _grid(count: int) -> NDArray[np.int64]:
    return grid_times_ns(np.arange(count))


def _first_bad(motion: NDArray[np.float32]) -> int:
    return int(np.flatnonzero(~np.isfinite(motion).all(axis=1))[0])
