"""The open format: one NumPy archive (``.npz``) per clip that says what it holds.

Row k of every array belongs to the instant ``t_k = k / 30`` s after the clip's first frame.

=====================  ================  ==========================================================
``stamps_ns``          int64 [T]         t_k in nanoseconds
``source_stamps_ns``   int64 [T]         when the picture in use was taken (zero-order hold); -1: none
``audio_features``     float32 [T, 45]   features of the sound, in the order of the audio layout
``voice_activity``     float32 [T]       0 to 1: is somebody speaking
``motion``             float32 [T, M]    face coefficients, see ``motion_columns``; 0 where not valid
``valid``              bool [T]          whether there was a face that the model fits
``confidence``         float32 [T]       0 to 1
``identity``           float32 [T, I]    who the face is, in the face model's own numbers
``texture``            float32 [T, X]    X = 80 for bfm2009 by Deep3D, else 0
``lighting``           float32 [T, L]    L = 27 for bfm2009 by Deep3D, else 0
``metadata``           text              JSON, see below
=====================  ================  ==========================================================

The keys of the metadata are ``format``, ``format_version``, ``uuid``, ``role`` (speaker, listener),
``rate_hz``, ``audio_layout``, ``face_model``, ``motion_columns`` (names), ``image_size`` (width, height) and
``source``: files, frame rate, backend, versions, how many pictures have no coefficients and why.

Row k of ``audio_features`` is about the sound up to t_k for ``paper45``; for ``vico45`` it is the baseline's
window k, from t_k to t_(k+1).

Rotation is in radians, translation in metres, both in the camera's optical frame
(`listener_head.coefficients`). ``numpy.load`` reads the file; `read_clip` also checks it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from listener_head.audio.stream import LAYOUTS as AUDIO_LAYOUTS
from listener_head.coefficients import LAYOUTS, Layout, layout_of
from listener_head.errors import UserError
from listener_head.timing import RATE_HZ

FORMAT, FORMAT_VERSION = "listener_head clip", 1
AUDIO_SIZE = 45  # of both audio layouts

FloatArray = NDArray[np.float32]

_ENTRIES: dict[str, tuple[type, int]] = {
    "stamps_ns": (np.int64, 1),
    "source_stamps_ns": (np.int64, 1),
    "audio_features": (np.float32, 2),
    "voice_activity": (np.float32, 1),
    "motion": (np.float32, 2),
    "valid": (np.bool_, 1),
    "confidence": (np.float32, 1),
    "identity": (np.float32, 2),
    "texture": (np.float32, 2),
    "lighting": (np.float32, 2),
}
_TEXTS = ("uuid", "role", "audio_layout", "face_model")


@dataclass(frozen=True)
class ClipFeatures:
    """What was extracted from one clip; the arrays are those of the module's table, of equal length T."""

    uuid: str
    role: str
    audio_layout: str
    face_model: str
    image_size: tuple[int, int]
    source: dict[str, Any]
    stamps_ns: NDArray[np.int64]
    source_stamps_ns: NDArray[np.int64]
    audio_features: FloatArray
    voice_activity: FloatArray
    motion: FloatArray
    valid: NDArray[np.bool_]
    confidence: FloatArray
    identity: FloatArray
    texture: FloatArray
    lighting: FloatArray

    def __len__(self) -> int:
        return len(self.stamps_ns)

    @property
    def layout(self) -> Layout:
        """What the columns of ``motion`` are."""
        return layout_of(self.face_model)


def motion_columns(layout: Layout) -> list[str]:
    """A name for each column of ``motion``."""
    crop = ["crop_scale", "crop_x", "crop_y"][: layout.crop_size]
    return ["pitch", "yaw", "roll", *layout.expression_names, "x", "y", "z", *crop]


def write_clip(file: BinaryIO, clip: ClipFeatures) -> None:
    """Writes the archive to an open file; OSError when that fails."""
    metadata = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        **{name: getattr(clip, name) for name in _TEXTS},
        "rate_hz": RATE_HZ,
        "motion_columns": motion_columns(clip.layout),
        "image_size": list(clip.image_size),
        "source": clip.source,
    }
    arrays: dict[str, Any] = {
        name: np.asarray(getattr(clip, name), kind) for name, (kind, _) in _ENTRIES.items()
    }
    np.savez_compressed(file, metadata=np.array(json.dumps(metadata, ensure_ascii=False)), **arrays)


def read_clip(path: str | Path) -> ClipFeatures:
    """The clip in a file; UserError that names the file and the entry when it is not as documented."""
    path = Path(path)
    entries = _load(path)
    metadata = _metadata(path, entries)
    arrays: dict[str, Any] = {name: _array(path, entries, name) for name in _ENTRIES}
    width, height = metadata["image_size"]
    clip = ClipFeatures(
        **{name: metadata[name] for name in _TEXTS},
        image_size=(width, height),
        source=metadata["source"],
        **arrays,
    )
    for name, size in (("audio_features", AUDIO_SIZE), ("motion", clip.layout.size)):
        if arrays[name].shape[1] != size:
            raise _wrong(path, name, f"has {arrays[name].shape[1]} columns, not {size}")
    return clip


def _load(path: Path) -> dict[str, NDArray]:
    try:
        with np.load(path, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except Exception as problem:  # of a damaged file NumPy may make anything
        reason = getattr(problem, "strerror", None) or "not a NumPy archive"
        raise UserError(f"clip file '{path}' cannot be read ({reason}); extract the clip again") from None


def _metadata(path: Path, entries: dict[str, NDArray]) -> dict[str, Any]:
    try:
        metadata = json.loads(str(entries["metadata"]))
        found = metadata["format"], metadata["format_version"]
        texts = all(isinstance(metadata[name], str) for name in _TEXTS)
        size = [int(value) for value in metadata["image_size"]]
        whole = texts and len(size) == 2 and isinstance(metadata["source"], dict)
    except (KeyError, ValueError, TypeError):
        raise _wrong(path, "metadata", "is missing or incomplete") from None
    if found != (FORMAT, FORMAT_VERSION):
        raise _wrong(path, "metadata", f"says {found[0]!r}, version {found[1]!r}, not {FORMAT!r}, version 1")
    if not whole:
        raise _wrong(path, "metadata", "is missing or incomplete")
    for name, known in (("face_model", tuple(LAYOUTS)), ("audio_layout", AUDIO_LAYOUTS)):
        if metadata[name] not in known:
            raise _wrong(path, "metadata", f"has {name} {metadata[name]!r}, not one of {', '.join(known)}")
    return dict(metadata)


def _array(path: Path, entries: dict[str, NDArray], name: str) -> NDArray:
    kind, dimensions = _ENTRIES[name]
    if name not in entries:
        raise _wrong(path, name, "is missing")
    array, length = entries[name], entries["stamps_ns"].size
    if array.dtype != kind or array.ndim != dimensions or len(array) != length:
        shape = "x".join(map(str, array.shape))
        raise _wrong(path, name, f"is {array.dtype} {shape}, not {np.dtype(kind)} with {length} rows")
    if array.dtype == np.float32 and not np.isfinite(array).all():
        raise _wrong(path, name, "has values that are no numbers")
    return array


def _wrong(path: Path, name: str, problem: str) -> UserError:
    return UserError(f"clip file '{path}': entry '{name}' {problem}; extract the clip again")
