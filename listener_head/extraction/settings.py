"""What the user asked `listener_head extract` for."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class Format(StrEnum):
    """Files that are written: the open format, or those of the published baseline."""

    NPZ = "npz"
    VICO = "vico"


class AudioLayout(StrEnum):
    """What the audio features are (`listener_head.audio`)."""

    PAPER45 = "paper45"
    VICO45 = "vico45"


class Backend(StrEnum):
    """How coefficients are found: a fit to landmarks, or Deep3DFaceReconstruction's network."""

    LANDMARKS = "landmarks"
    DEEP3D = "deep3d"


ARKIT52 = "arkit52"


@dataclass(frozen=True)
class Settings:
    """The same for all clips of a run."""

    clips: Path
    output: Path
    formats: tuple[Format, ...]
    audio_layout: AudioLayout
    face_model: str  # "arkit52" or the path of a Basel Face Model
    backend: Backend
    deep3d_network: Path | None

    @property
    def model_files(self) -> list[Path]:
        """The user's own files on which the results depend."""
        files = [Path(self.face_model)] if self.face_model != ARKIT52 else []
        return files + ([self.deep3d_network] if self.deep3d_network is not None else [])

    @property
    def has_reconstructions(self) -> bool:
        """Whether there are bfm2009 coefficients, which alone have a published frame."""
        return self.face_model != ARKIT52 or self.backend == Backend.DEEP3D
