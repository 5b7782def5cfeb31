"""The listener's reference motion m₁ and identity, read from a file or a portrait."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from listener_head.coefficients import LAYOUTS, Layout, layout_of
from listener_head.errors import UserError
from listener_head.extraction.clip_file import read_clip
from listener_head.extraction.published import read_video_bin
from listener_head.face.deep3d.frames import optical_pose
from listener_head.face.deep3d.published import FACE_MODEL, HEADS

FloatArray = NDArray[np.float32]

PICTURES = (".png", ".jpg", ".jpeg")

_IDENTITY_SIZE = dict(HEADS)["identity"]


@dataclass(frozen=True)
class Reference:
    """How a listener looks before it listens: ``motion`` [M], and ``identity`` of the face model or empty."""

    face_model: str
    motion: FloatArray
    identity: FloatArray = field(default_factory=lambda: np.zeros(0, np.float32))


def read_reference(path: str | Path, face_model: str, rest: ArrayLike | None = None) -> Reference:
    """The reference in a file, which must be of ``face_model``.

    - ``.npz``, a clip as `listener_head extract` writes it: the first frame with a face;
    - ``.npy``, one motion vector [M], or several [T, M]: the first;
    - ``.bin``, video features of the published baseline: the first row, from the published frame into the
      camera's (needs torch);
    - ``.png``, ``.jpg``, ``.jpeg``, a picture of one face (arkit52 only): its expression and identity, and
      its rotation about the line of sight, about which the listener then moves. Where the head is cannot be
      told without the camera: translation is that of ``rest`` [M], by default that of a still face.

    UserError naming the file and what is wrong with it.
    """
    path = Path(path)
    readers = {".npz": _of_clip, ".npy": _of_array, ".bin": _of_published}
    kind = path.suffix.lower()
    if kind in PICTURES:
        return _of_portrait(path, face_model, rest)
    if kind not in readers:
        known = ", ".join((*readers, *PICTURES))
        raise UserError(f"reference '{path}' has an unknown suffix; give one of {known}")
    reference = readers[kind](path)
    if reference.face_model != face_model:
        raise UserError(
            f"reference '{path}' is of face model {reference.face_model}, the network of {face_model}; "
            "give one of the network's"
        )
    return reference


def _of_portrait(path: Path, face_model: str, rest: ArrayLike | None) -> Reference:
    # MediaPipe takes a second to load, and only a picture needs it.
    from listener_head.listener.portrait import FACE_MODEL as PORTRAIT_MODEL
    from listener_head.listener.portrait import fit_portrait

    if face_model != PORTRAIT_MODEL:
        raise UserError(
            f"reference '{path}' is a picture, from which only {PORTRAIT_MODEL} is fitted, and the network "
            f"is of {face_model}; give a clip of 'listener_head extract' with that face model"
        )
    layout, fit = layout_of(face_model), fit_portrait(path)
    motion = fit.motion
    motion[layout.translation] = np.asarray(layout.neutral() if rest is None else rest)[layout.translation]
    return Reference(face_model, motion, fit.identity)


def _of_clip(path: Path) -> Reference:
    clip = read_clip(path)
    seen = np.flatnonzero(clip.valid)
    if not len(seen):
        raise UserError(f"reference '{path}' has no frame with a face; give another clip")
    return Reference(clip.face_model, clip.motion[seen[0]], clip.identity[seen[0]])


def _of_array(path: Path) -> Reference:
    try:
        values = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as problem:
        reason = getattr(problem, "strerror", None) or "no NumPy array"
        raise UserError(f"reference '{path}' cannot be read ({reason}); give a motion vector") from None
    if not isinstance(values, np.ndarray) or values.dtype.kind not in "fiu" or values.ndim not in (1, 2):
        raise UserError(f"reference '{path}' holds no numbers [M] or [T, M]; give a motion vector")
    models = {layout.size: name for name, layout in LAYOUTS.items()}
    if values.shape[-1] not in models or not values.size:
        sizes = " or ".join(f"{size} ({name})" for size, name in models.items())
        raise UserError(f"reference '{path}' has shape {values.shape}; its last axis must be {sizes}")
    with np.errstate(over="ignore"):
        motion = np.atleast_2d(values)[0].astype(np.float32)
    if not np.isfinite(motion).all():
        raise UserError(f"reference '{path}' has values that are not finite; give another one")
    return Reference(models[len(motion)], motion)


def _of_published(path: Path) -> Reference:
    features = read_video_bin(path)
    motion, fixed = features.dynamic[0], features.fixed[0]
    if features.face_model != FACE_MODEL:
        return Reference(features.face_model, motion, fixed)
    return Reference(FACE_MODEL, optical_motion(motion, LAYOUTS[FACE_MODEL]), fixed[:_IDENTITY_SIZE])


def optical_motion(published: NDArray, layout: Layout) -> FloatArray:
    """Motion [..., M] of the published frame (decimetres, y up) in the camera's, for bfm2009."""
    motion = np.array(published, np.float32)
    rotation, translation = optical_pose(motion[..., layout.rotation], motion[..., layout.translation])
    motion[..., layout.rotation], motion[..., layout.translation] = rotation, translation
    return motion
