"""The files of the published ViCo baseline (repository dc3ea9f/vico_challenge_baseline), written and read.

- ``features/audio_feats/<uuid>.npy``: T x 45 audio features.
- ``features/video_feats/<uuid>.<role>.bin``: a dict of NumPy arrays saved by torch, ``angle.exp.trans``
  T x 73 (rotation, expression, translation, crop) and ``id.gamma.tex`` T x 187 (identity, lighting, texture).
- ``features/audio_feats_mean_std.bin``: a dict of torch tensors, ``mean`` and ``std`` of each column;
  ``features/video_feats_mean_std.bin``: such a dict for each key of the video features.
- ``recons/test/<uuid>.<role>.mat``: ``coeff`` T x 257 (identity, expression, texture, rotation, lighting,
  translation) and ``transform_params`` T x 5 (image width and height, then the crop).

All numbers are float32. bfm2009 coefficients are in Deep3DFaceReconstruction's own frame and units
(`listener_head.face.deep3d.frames`), as the baseline's are. arkit52 has no published frame: its ``.bin``
holds T x 58 and T x identity in the camera's optical frame, and it has no ``.mat``. None of these files can
mark a frame without a face.

torch is imported only to read and write ``.bin``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from scipy.io import loadmat, savemat

from listener_head.coefficients import LAYOUTS
from listener_head.errors import UserError
from listener_head.extraction.clip_file import AUDIO_SIZE
from listener_head.face.deep3d.published import COUNT, FACE_MODEL, HEADS, SLICES

FloatArray = NDArray[np.float32]

DYNAMIC, FIXED = "angle.exp.trans", "id.gamma.tex"
COEFF, TRANSFORM = "coeff", "transform_params"
_DYNAMIC_PARTS = ("rotation", "expression", "translation")
_FIXED_PARTS = ("identity", "lighting", "texture")
FIXED_SIZE = sum(size for name, size in HEADS if name in _FIXED_PARTS)
TRANSFORM_SIZE = 5


@dataclass(frozen=True)
class VideoFeatures:
    """A ``.bin`` file: ``dynamic`` [T, M] is ``angle.exp.trans``, ``fixed`` [T, F] is ``id.gamma.tex``."""

    face_model: str
    dynamic: FloatArray
    fixed: FloatArray


@dataclass(frozen=True)
class Reconstruction:
    """A ``.mat`` file: ``coeff`` [T, 257] and ``transform_params`` [T, 5]."""

    coeff: FloatArray
    transform_params: FloatArray

    def video_features(self) -> VideoFeatures:
        """The same numbers in the order of a ``.bin``."""
        crop = self.transform_params[:, -LAYOUTS[FACE_MODEL].crop_size :]
        dynamic = [*(self.coeff[:, SLICES[part]] for part in _DYNAMIC_PARTS), crop]
        fixed = [self.coeff[:, SLICES[part]] for part in _FIXED_PARTS]
        return VideoFeatures(FACE_MODEL, np.concatenate(dynamic, axis=1), np.concatenate(fixed, axis=1))


def write_audio_npy(file: BinaryIO, features: FloatArray) -> None:
    """Writes audio features [T, 45]."""
    np.save(file, np.asarray(features, np.float32))


def read_audio_npy(path: str | Path) -> FloatArray:
    """Audio features [T, 45]; UserError that names the file and what is wrong with it."""
    path = Path(path)
    try:
        features = np.load(path, allow_pickle=False)
    except Exception as problem:  # of a damaged file NumPy may make anything
        raise _unreadable(path, problem, "a NumPy array of T x 45 audio features") from None
    if not isinstance(features, np.ndarray):
        raise _unreadable(path, ValueError("an archive"), "a NumPy array of T x 45 audio features")
    return _checked(path, "array", features, AUDIO_SIZE)


def write_video_bin(file: BinaryIO, features: VideoFeatures) -> None:
    """Writes video features; UserError when torch is not installed."""
    require_torch()
    import torch

    torch.save({DYNAMIC: features.dynamic, FIXED: features.fixed}, file)


def read_video_bin(path: str | Path) -> VideoFeatures:
    """Video features of a file; the number of columns tells the face model.

    UserError that names the file, the key and the shape found when it is not such a file, and when torch is
    not installed. Nothing in the file is executed (``weights_only``).
    """
    path = Path(path)
    content = _load_torch(path)
    arrays = {}
    for key in (DYNAMIC, FIXED):
        if not isinstance(content, Mapping) or key not in content:
            raise UserError(f"'{path}' has no '{key}'; give a .bin of video features")
        arrays[key] = np.asarray(content[key])
    columns = arrays[DYNAMIC].shape[-1] if arrays[DYNAMIC].ndim else 0
    models = {layout.size: name for name, layout in LAYOUTS.items()}
    if columns not in models:
        sizes = " or ".join(f"T x {size} ({name})" for size, name in models.items())
        raise UserError(f"'{path}': '{DYNAMIC}' has shape {arrays[DYNAMIC].shape}; it must be {sizes}")
    model = models[columns]
    dynamic = _checked(path, DYNAMIC, arrays[DYNAMIC], columns)
    fixed = _checked(path, FIXED, arrays[FIXED], FIXED_SIZE if model == FACE_MODEL else None)
    _check_rows(path, (DYNAMIC, dynamic), (FIXED, fixed))
    return VideoFeatures(model, dynamic, fixed)


def write_mat(file: BinaryIO, reconstruction: Reconstruction) -> None:
    """Writes a reconstruction as MATLAB 5."""
    content = {COEFF: reconstruction.coeff, TRANSFORM: reconstruction.transform_params}
    savemat(file, content)


def read_mat(path: str | Path) -> Reconstruction:
    """A reconstruction; UserError that names the file, the key and the shape found when it is not one."""
    path = Path(path)
    wanted = f"a MATLAB 5 file with '{COEFF}' T x {COUNT} and '{TRANSFORM}' T x {TRANSFORM_SIZE}"
    try:
        content = loadmat(path, variable_names=[COEFF, TRANSFORM], appendmat=False)
    except Exception as problem:  # and SciPy
        raise _unreadable(path, problem, wanted) from None
    for key in (COEFF, TRANSFORM):
        if key not in content:
            raise UserError(f"'{path}' has no '{key}'; give {wanted}")
    coeff = _checked(path, COEFF, content[COEFF], COUNT)
    transform = _checked(path, TRANSFORM, content[TRANSFORM], TRANSFORM_SIZE)
    _check_rows(path, (COEFF, coeff), (TRANSFORM, transform))
    return Reconstruction(coeff, transform)


def require_torch() -> None:
    """UserError when torch, which alone writes and reads ``.bin``, is not installed."""
    if find_spec("torch") is None:
        raise UserError(
            "files .bin of the published format need the package 'torch'; install listener_head with its "
            "training extra: pip install 'listener_head[train]'"
        )


def _load_torch(path: Path) -> Any:
    require_torch()
    import torch

    # What NumPy arrays of floats are pickled with, under its names of version 1 and 2.
    reconstruct = np.empty(0).__reduce__()[0]
    allowed: list[Any] = [np.ndarray, np.dtype, np.dtypes.Float32DType, np.dtypes.Float64DType]
    allowed += [(reconstruct, f"numpy.{core}.multiarray._reconstruct") for core in ("core", "_core")]
    try:
        with torch.serialization.safe_globals(allowed):
            return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as problem:  # torch too
        raise _unreadable(path, problem, f"a .bin with '{DYNAMIC}' and '{FIXED}'") from None


def _checked(path: Path, key: str, values: NDArray, columns: int | None) -> FloatArray:
    """The array as float32 [T, columns], with T at least 1 and all of them numbers."""
    right = values.ndim == 2 and len(values) > 0 and columns in (None, values.shape[1])
    if not right or values.dtype.kind not in "fiu":
        wanted = "T x any" if columns is None else f"T x {columns}"
        raise UserError(f"'{path}': '{key}' is {values.dtype} {values.shape}; it must be numbers {wanted}")
    with np.errstate(over="ignore"):
        values = values.astype(np.float32)
    if not np.isfinite(values).all():
        raise UserError(f"'{path}': '{key}' has values that are not finite; extract the clip again")
    return values


def _check_rows(path: Path, first: tuple[str, FloatArray], second: tuple[str, FloatArray]) -> None:
    if len(first[1]) != len(second[1]):
        found = f"'{first[0]}' has {len(first[1])} rows and '{second[0]}' has {len(second[1])}"
        raise UserError(f"'{path}': {found}; extract the clip again")


def _unreadable(path: Path, problem: Exception, wanted: str) -> UserError:
    reason = getattr(problem, "strerror", None) or type(problem).__name__
    return UserError(f"'{path}' cannot be read ({reason}); give {wanted}")
