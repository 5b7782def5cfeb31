"""What the baselines know of the training listeners: means, deviations and frequent patterns of motion."""

from __future__ import annotations

import hashlib
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from listener_head.coefficients import Layout, layout_of
from listener_head.errors import UserError
from listener_head.files import whole
from listener_head.timing import RATE_HZ

FloatArray = NDArray[np.float32]

FILE_FORMAT = "listener_head.policies/1"

# A pattern of motion is this long [frames].
PATTERN_FRAMES = 2 * RATE_HZ


@dataclass(frozen=True)
class Patterns:
    """Frequent patterns: ``motion`` [P, PATTERN_FRAMES, M], ``share`` [P] of all windows that are like it.

    Pose is relative to the mean of the clip it is from, expression is as it was; crop is zero.
    """

    motion: FloatArray
    share: FloatArray


@dataclass(frozen=True)
class PolicyData:
    """Statistics of the training listeners, raw units.

    ``mean`` [M] and ``patterns`` by attitude, the empty name standing for all of them together; ``deviation``
    [M] is the standard deviation about the mean of a clip; ``speaker_mean`` [M]; ``audio_size`` is A;
    ``hash`` names the file they are from.
    """

    layout: Layout
    audio_layout: str
    audio_size: int
    mean: dict[str, FloatArray]
    patterns: dict[str, Patterns]
    deviation: FloatArray
    speaker_mean: FloatArray
    hash: str = ""

    @property
    def attitudes(self) -> tuple[str, ...]:
        """The attitudes that were trained on."""
        return tuple(name for name in self.mean if name)

    def save(self, path: Path) -> None:
        """Write an ``.npz`` of a few hundred kilobytes, whole or not at all; UserError when it cannot be."""
        arrays: dict[str, NDArray] = {
            "format": np.array(FILE_FORMAT),
            "face_model": np.array(self.layout.face_model),
            "audio_layout": np.array(self.audio_layout),
            "audio_size": np.array(self.audio_size),
            "attitudes": np.array(list(self.mean)),
            "deviation": self.deviation,
            "speaker_mean": self.speaker_mean,
        }
        for name, mean in self.mean.items():
            patterns = self.patterns[name]
            arrays[f"mean_{name}"], arrays[f"share_{name}"] = mean, patterns.share
            # Half precision is 0.03° of a turn of the head by 30°.
            arrays[f"patterns_{name}"] = patterns.motion.astype(np.float16)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with whole(path) as partial:
                np.savez_compressed(partial, **arrays)
        except OSError as error:
            raise UserError(
                f"policy data '{path}' cannot be written ({error.strerror}); choose another file"
            ) from None

    @classmethod
    def load(cls, path: Path) -> PolicyData:
        """Read what `save` wrote; UserError naming the file and the fix when it is missing or broken."""
        fix = "make it with 'listener_head policies --dyads DIR --network NET'"
        try:
            digest = hashlib.sha256(path.read_bytes()).hexdigest()[:12]
            with np.load(path, allow_pickle=False) as arrays:
                return cls._from_arrays(dict(arrays), digest)
        except OSError as error:
            reason = error.strerror or error
            raise UserError(f"policy data '{path}' cannot be read ({reason}); {fix}") from None
        except (KeyError, ValueError, EOFError, zipfile.BadZipFile) as error:
            reason = " ".join(str(error).split())
            raise UserError(f"policy data '{path}' is broken or of another kind ({reason}); {fix}") from None

    @classmethod
    def _from_arrays(cls, arrays: dict[str, NDArray], digest: str) -> PolicyData:
        if str(arrays["format"]) != FILE_FORMAT:
            raise ValueError(f"format '{arrays['format']}'")
        layout = layout_of(str(arrays["face_model"]))
        mean, patterns = {}, {}
        for name in (str(name) for name in arrays["attitudes"]):
            mean[name] = _checked(arrays, f"mean_{name}", (layout.size,))
            share = _checked(arrays, f"share_{name}", (None,))
            size = (len(share), PATTERN_FRAMES, layout.size)
            patterns[name] = Patterns(_checked(arrays, f"patterns_{name}", size), share)
        if "" not in mean:
            raise ValueError("no patterns of all attitudes")
        return cls(
            layout,
            str(arrays["audio_layout"]),
            int(arrays["audio_size"]),
            mean,
            patterns,
            _checked(arrays, "deviation", (layout.size,)),
            _checked(arrays, "speaker_mean", (layout.size,)),
            digest,
        )


def _checked(arrays: dict[str, NDArray], name: str, shape: tuple[int | None, ...]) -> FloatArray:
    array = arrays[name].astype(np.float32)
    right = array.ndim == len(shape) and all(b in (None, a) for a, b in zip(array.shape, shape, strict=True))
    if not right or not array.size or not np.isfinite(array).all():
        raise ValueError(f"entry '{name}' has shape {array.shape} or numbers that are not finite")
    return array


def policy_data_path(network: Path) -> Path:
    """Where the policy data of a network lies: beside it, ``NAME.policies.npz``."""
    return network.with_suffix(".policies.npz")
