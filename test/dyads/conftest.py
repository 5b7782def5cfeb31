"""Small sets of dyads of random numbers, in the published layout."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from listener_head.coefficients import LAYOUTS
from listener_head.dyads.clips import DyadClip
from listener_head.extraction.published import VideoFeatures, write_audio_npy, write_video_bin

FIXED = {"arkit52": 20, "bfm2009": 187}


@pytest.fixture
def make_clip() -> Callable[..., DyadClip]:
    """The function that makes a clip of random numbers."""

    def make(name="a", frames=6, model="arkit52", speaker="s", listener="l", **others) -> DyadClip:
        rng = np.random.default_rng(list(name.encode()))
        size = LAYOUTS[model].size
        audio, *faces = (rng.standard_normal((frames, n)).astype(np.float32) for n in (45, size, size))
        given = {"attitude": "", "split": ""} | others
        return DyadClip(name, audio, *faces, speaker_id=speaker, listener_id=listener, **given)

    return make


@pytest.fixture
def put(tmp_path) -> Callable[..., None]:
    """The function that writes a clip's published files, under the given names, below ``tmp_path``."""

    def write(clip: DyadClip, model="arkit52", audio="", speaker="", listener="") -> None:
        folders = [tmp_path / "features" / f"{what}_feats" for what in ("audio", "video")]
        for folder in folders:
            folder.mkdir(parents=True, exist_ok=True)
        with (folders[0] / f"{audio or clip.name}.npy").open("wb") as file:
            write_audio_npy(file, clip.audio)
        faces = (
            (speaker or f"{clip.name}.speaker", clip.speaker),
            (
                listener or f"{clip.name}.listener",
                clip.listener,
            ),
        )
        for name, motion in faces:
            fixed = np.tile(np.arange(FIXED[model], dtype=np.float32), (len(motion), 1))
            with (folders[1] / f"{name}.bin").open("wb") as file:
                write_video_bin(file, VideoFeatures(model, motion, fixed))

    return write


@pytest.fixture
def table(tmp_path) -> Callable[..., Path]:
    """The function that writes a table of comma-separated values below ``tmp_path``."""

    def write(*lines: str, name="metadata/data.csv") -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(lines) + "\n")
        return path

    return write
