"""Dyads as arrays to train on, made once and kept in the temporary folder of the machine."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import listener_head
from listener_head.audio.paper45 import Paper45
from listener_head.dyads.synthesis import Dyad, synthesise_dyad
from listener_head.listener.network import ATTITUDES
from listener_head.timing import RATE_HZ

FloatArray = NDArray[np.float32]


@dataclass(frozen=True)
class DyadSet:
    """N dyads of T frames, raw units: row k is frame k.

    ``audio`` [N, T, 45], ``speaker`` [N, T, M], ``listener`` [N, 3, T, M] in the order of ATTITUDES,
    ``reference`` [N, M].
    """

    audio: FloatArray
    speaker: FloatArray
    listener: FloatArray
    reference: FloatArray

    @property
    def hours(self) -> float:
        """Length of all speakers together."""
        return self.audio.shape[0] * self.audio.shape[1] / RATE_HZ / 3600

    @property
    def quiet_audio(self) -> FloatArray:
        """What silence sounds like on average: the quietest tenth of every clip."""
        energy = self.audio[:, :, Paper45.energy]
        quiet = energy <= np.quantile(energy, 0.1, axis=1, keepdims=True)
        mean: FloatArray = self.audio[quiet].mean(axis=0)
        return mean

    def shifted(self, frames: int) -> DyadSet:
        """The same listeners before speakers shifted circularly in time."""
        audio, speaker = (np.roll(part, frames, axis=1) for part in (self.audio, self.speaker))
        return DyadSet(audio, speaker, self.listener, self.reference)


def make_dyads(
    first_seed: int, count: int, seconds: float, progress: Callable[[], None] | None = None
) -> DyadSet:
    """Make dyads of consecutive seeds, or take those that this very generator has made before."""
    key = hashlib.sha256(f"{first_seed} {count} {seconds} {_generator_hash()}".encode()).hexdigest()[:16]
    folder = Path(tempfile.gettempdir()) / "listener_head"
    path = folder / f"dyads-{key}.npz"
    if path.exists():
        with np.load(path) as arrays:
            return DyadSet(**arrays)
    dyads = []
    for seed in range(first_seed, first_seed + count):
        dyads.append(synthesise_dyad(seed, seconds))
        if progress is not None:
            progress()
    whole = stack(dyads)
    folder.mkdir(exist_ok=True)
    partial = path.with_suffix(".partial.npz")
    np.savez(partial, **vars(whole))
    partial.replace(path)
    return whole


def stack(dyads: list[Dyad]) -> DyadSet:
    """Dyads of one length as arrays."""
    return DyadSet(
        audio=np.stack([dyad.audio for dyad in dyads]),
        speaker=np.stack([dyad.speaker for dyad in dyads]),
        listener=np.stack([[dyad.listeners[name] for name in ATTITUDES] for dyad in dyads]),
        reference=np.stack([dyad.reference for dyad in dyads]),
    )


def _generator_hash() -> str:
    """Changes with any line of the code that makes the dyads."""
    package = Path(listener_head.__file__).parent
    sources = [*package.glob("dyads/*.py"), *package.glob("audio/*.py"), package / "coefficients.py"]
    sources += package.glob("assets/*tracking_error*")
    return hashlib.sha256(b"".join(source.read_bytes() for source in sorted(sources))).hexdigest()
