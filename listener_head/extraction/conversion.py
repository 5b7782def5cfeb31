"""From a clip's features to the numbers of the published files."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from listener_head.coefficients import Coefficients
from listener_head.extraction.clip_file import ClipFeatures
from listener_head.extraction.published import Reconstruction, VideoFeatures
from listener_head.face import Camera
from listener_head.face.deep3d.frames import from_optical
from listener_head.face.deep3d.published import FACE_MODEL

FloatArray = NDArray[np.float32]


def video_features(clip: ClipFeatures) -> VideoFeatures:
    """What its ``.bin`` holds; frames that are not valid are filled (`filled`)."""
    if clip.face_model == FACE_MODEL:
        return reconstruction(clip).video_features()
    return VideoFeatures(clip.face_model, filled(clip.motion, clip.valid), filled(clip.identity, clip.valid))


def reconstruction(clip: ClipFeatures) -> Reconstruction:
    """What the ``.mat`` of a bfm2009 clip holds; frames that are not valid are filled (`filled`)."""
    # Fits of landmarks are before the whole image's camera, the network's before that of its crop.
    camera = None if clip.source["backend"] == "deep3d" else Camera.assumed(clip.image_size)
    motion = filled(clip.motion, clip.valid)
    fixed = {name: filled(getattr(clip, name), clip.valid) for name in ("identity", "texture", "lighting")}
    rows = []
    for step in range(len(clip)):
        coefficients = Coefficients.from_motion(clip.face_model, motion[step])
        for name, values in fixed.items():
            setattr(coefficients, name, values[step])
        rows.append(from_optical(coefficients, camera, clip.image_size))
    size = np.tile(np.array(clip.image_size, np.float32), (len(clip), 1))
    crop = motion[:, clip.layout.crop]
    return Reconstruction(np.array(rows, np.float32), np.concatenate([size, crop], axis=1))


def filled(values: FloatArray, valid: NDArray[np.bool_]) -> FloatArray:
    """Rows [T, n] in which those that are not valid lie on the line between their valid neighbours.

    Before the first valid row and after the last one those are repeated. At least one row must be valid.
    """
    known, result = np.flatnonzero(valid), values.copy()
    missing = np.flatnonzero(~valid)
    if len(missing):
        after = np.searchsorted(known, missing)
        first, last = known[np.maximum(after - 1, 0)], known[np.minimum(after, len(known) - 1)]
        share = np.clip((missing - first) / np.maximum(last - first, 1), 0.0, 1.0)[:, None]
        result[missing] = (1.0 - share) * values[first] + share * values[last]
    return result
