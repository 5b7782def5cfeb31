"""Sets of dyads in the layout of ViCo (Zhou et al., ECCV 2022), read.

As the published baseline has them: ``features/audio_feats/<uuid>.npy``,
``features/video_feats/<uuid>.{speaker,listener}.bin`` and a table (`listener_head.dyads.metadata`). A folder
without ``features`` may hold the open format instead, ``clips/<uuid>.{speaker,listener}.npz``
(`listener_head.extraction.clip_file`).

The numbers are the published files': bfm2009 coefficients are in Deep3DFaceReconstruction's frame and units,
arkit52's in the camera's optical frame. Sound and face model are known by the arrays themselves.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track

from listener_head.coefficients import layout_of
from listener_head.dyads.clips import DyadClip, DyadClips
from listener_head.dyads.metadata import Row, read_metadata
from listener_head.dyads.splits import check_splits
from listener_head.errors import UserError
from listener_head.extraction.catalogue import ROLES
from listener_head.extraction.clip_file import read_clip
from listener_head.extraction.conversion import video_features
from listener_head.extraction.published import VideoFeatures, read_audio_npy, read_video_bin, require_torch
from listener_head.face.deep3d.published import FACE_MODEL, HEADS

FloatArray = NDArray[np.float32]

FEATURES, OPEN = "features", "clips"

# Sound and faces of one clip may differ by so many frames: rounding of lengths, a lost last frame.
MOST_CUT = 2
LEAST_FRAMES = 2

# Of vico45 the differences are zero, since one frame of sound has none; those of paper45 are not.
_VICO45_ZEROS = slice(13, 39)

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Parts:
    """What the files of a clip hold; ``audio_layout`` is empty where they do not say."""

    audio: FloatArray
    speaker: VideoFeatures
    listener: VideoFeatures
    audio_layout: str = ""
    voice_activity: FloatArray | None = None


def load(folder: str | Path) -> DyadClips:
    """The clips of a set. A clip that cannot be used is in ``skipped``, with the reason.

    Skipped are: a missing or damaged file, fewer than two frames, sound and faces whose lengths differ by
    more than two frames (else they are cut to the shortest), an unknown attitude or part, a name that occurs
    twice, and a face model or audio layout other than that of most clips. What `check_splits` finds is
    logged as a warning.

    UserError when the folder holds no such set, a table lacks a column, or no clip at all can be used.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise UserError(f"'{folder}' is not a folder; give that of a set in ViCo's layout")
    rows = read_metadata(folder)
    read = _reader(folder)
    skipped: list[str] = []
    clips: list[tuple[DyadClip, tuple[str, str]]] = []
    names = Counter(row.name for row in rows)
    for row in track(rows, "reading the dyads", console=Console(stderr=True), transient=True):
        try:
            if names[row.name] > 1:
                raise UserError(f"is in the table {names[row.name]} times; give each clip a name of its own")
            if row.fault:
                raise UserError(row.fault)
            parts = read(folder, row)
            clips.append((_clip(row, parts), (parts.listener.face_model, parts.audio_layout)))
        except UserError as problem:
            name = row.name if row.name.isprintable() else repr(row.name)
            skipped.append(f"{name or 'a row without a name'}: {problem}")
    if not clips:
        why = f"; the first of {len(skipped)} skipped: {skipped[0]}" if skipped else ""
        raise UserError(f"'{folder}' holds no clip that can be used{why}")
    return _of_one_kind(clips, skipped)


def audio_layout_of(features: FloatArray) -> str:
    """The layout of audio features [T, 45]: vico45 when the differences are zero throughout, else paper45."""
    return "paper45" if features[:, _VICO45_ZEROS].any() else "vico45"


def published_files(folder: Path, row: Row) -> tuple[Path, Path, Path]:
    """The files of a clip's sound, speaker and listener; UserError that names the first one missing."""
    features = folder / FEATURES
    sounds = row.audio, row.speaker.removesuffix(f".{ROLES[0]}")  # `extract` names sound after the speaker
    sound = _first(features / "audio_feats", row.audio, sounds, "npy")
    speaker, listener = (
        _first(features / "video_feats", name, _names(name, role), "bin") for name, role in _named(row)
    )
    return sound, speaker, listener


def kind_of(folder: Path, row: Row) -> tuple[str, str] | None:
    """Face model and audio layout of a clip in the published files, or None when it cannot be read."""
    try:
        parts = _read_published(folder, row)
    except UserError:
        return None
    return parts.listener.face_model, parts.audio_layout


def _reader(folder: Path) -> Callable[[Path, Row], _Parts]:
    if (folder / FEATURES).is_dir():
        require_torch()
        return _read_published
    if (folder / OPEN).is_dir():
        return _read_open
    raise UserError(
        f"'{folder}' has neither the folder {FEATURES} nor {OPEN}; make it of its clips with: "
        f"listener_head extract CLIPS --output {folder} --format vico"
    )


def _read_published(folder: Path, row: Row) -> _Parts:
    sound, speaker, listener = published_files(folder, row)
    audio = read_audio_npy(sound)
    return _Parts(audio, read_video_bin(speaker), read_video_bin(listener), audio_layout_of(audio))


def _named(row: Row) -> list[tuple[str, str]]:
    return [(row.speaker, ROLES[0]), (row.listener, ROLES[1])]


def _names(name: str, role: str) -> tuple[str, ...]:
    """Names that `extract` gives to the files of a video: without a role in it, it is a speaker."""
    return name, f"{name}.{role}", f"{name}.{ROLES[0]}"


def _first(folder: Path, wanted: str, names: tuple[str, ...], ending: str) -> Path:
    for name in names:
        path = folder / f"{name}.{ending}"
        if path.is_file():
            return path
    raise UserError(f"'{folder / wanted}.{ending}' is missing; extract the clip again")


def _read_open(folder: Path, row: Row) -> _Parts:
    speaker, listener = (
        read_clip(_first(folder / OPEN, name, _names(name, role), "npz")) for name, role in _named(row)
    )
    for clip in (speaker, listener):
        if not clip.valid.any():
            raise UserError(f"no frame of '{clip.uuid}.{clip.role}' shows a face")
    return _Parts(
        speaker.audio_features,
        video_features(speaker),
        video_features(listener),
        speaker.audio_layout,
        speaker.voice_activity,
    )


def _clip(row: Row, parts: _Parts) -> DyadClip:
    """The clip, cut to its shortest part; UserError says what is wrong with it."""
    speaker, listener = parts.speaker, parts.listener
    if speaker.face_model != listener.face_model:
        raise UserError(f"its speaker is {speaker.face_model}, its listener {listener.face_model}")
    lengths = [len(parts.audio), len(speaker.dynamic), len(listener.dynamic)]
    count = min(lengths)
    if max(lengths) - count > MOST_CUT:
        raise UserError("sound, speaker and listener have {}, {} and {} frames".format(*lengths))
    if count < LEAST_FRAMES:
        raise UserError(f"has {count} frame; at least {LEAST_FRAMES} are needed")
    active = parts.voice_activity
    return DyadClip(
        name=row.name,
        audio=parts.audio[:count],
        speaker=speaker.dynamic[:count],
        listener=listener.dynamic[:count],
        attitude=row.attitude,
        speaker_id=row.speaker_id,
        listener_id=row.listener_id,
        split=row.split,
        video_id=row.video_id,
        speaker_identity=_identity(speaker),
        listener_identity=_identity(listener),
        voice_activity=np.zeros(0, np.float32) if active is None else active[:count],
    )


def _identity(features: VideoFeatures) -> FloatArray:
    """The mean over the clip of who it is; of bfm2009 identity comes first, then lighting and texture."""
    size = dict(HEADS)["identity"] if features.face_model == FACE_MODEL else features.fixed.shape[1]
    mean: FloatArray = features.fixed[:, :size].mean(axis=0, dtype=np.float64).astype(np.float32)
    return mean


def _of_one_kind(clips: list[tuple[DyadClip, tuple[str, str]]], skipped: list[str]) -> DyadClips:
    """The clips of the commonest face model and audio layout."""
    (model, audio_layout), _ = Counter(kind for _, kind in clips).most_common(1)[0]
    kept = []
    for clip, kind in clips:
        if kind == (model, audio_layout):
            kept.append(clip)
        else:
            most = f"most are {model} with {audio_layout}"
            skipped.append(f"{clip.name}: is {kind[0]} with sound {kind[1]}, {most}")
    found = DyadClips(layout_of(model), audio_layout, tuple(kept), tuple(skipped))
    for line in check_splits(found):
        _log.warning("%s", line)
    return found
