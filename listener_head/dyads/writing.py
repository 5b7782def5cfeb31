"""Sets of dyads in the layout of ViCo, written: synthetic clips, the table, the statistics."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from listener_head import __version__
from listener_head.dyads.clips import DyadClip
from listener_head.dyads.metadata import FOLDER, TABLE, Row, find_tables, read_metadata, table_text
from listener_head.dyads.vico import FEATURES, OPEN, ROLES, published_files
from listener_head.errors import UserError
from listener_head.extraction.clip_file import ClipFeatures, write_clip
from listener_head.extraction.published import VideoFeatures, require_torch, write_audio_npy, write_video_bin
from listener_head.extraction.settings import ARKIT52, AudioLayout, Backend, Format, Settings
from listener_head.extraction.statistics import write_statistics
from listener_head.extraction.store import Store
from listener_head.timing import grid_times_ns

FloatArray = NDArray[np.float32]

# A synthetic face is before no camera; the picture that its numbers would fit.
_IMAGE_SIZE = (384, 384)


def set_settings(
    folder: Path,
    format: Format = Format.VICO,
    audio_layout: AudioLayout = AudioLayout.PAPER45,
    face_model: str = ARKIT52,
) -> Settings:
    """Settings of `listener_head.extraction` for a set in ``folder``."""
    return Settings(folder, folder, (format,), audio_layout, face_model, Backend.LANDMARKS, None)


def write_dyad(store: Store, clip: DyadClip, format: Format) -> dict[str, int]:
    """Writes the files of an arkit52 clip of sound paper45: their sizes [bytes] by path in the folder.

    UserError when they cannot be written.
    """
    files = _archives(clip) if format is Format.NPZ else _published(clip)
    for path, content in files.items():
        store.write(path, content)
    return {path.as_posix(): len(content) for path, content in files.items()}


def write_table(store: Store, rows: Iterable[Row]) -> None:
    """Writes ``metadata/data.csv``."""
    store.write(Path(FOLDER, TABLE), table_text(rows).encode())


def write_set_statistics(store: Store, rows: Iterable[Row]) -> None:
    """The baseline's two files of statistics over D_train, or over all clips of a set without it."""
    rows = list(rows)
    chosen = [row for row in rows if row.split == "train"] or rows
    files = [published_files(store.folder, row) for row in chosen]
    write_statistics(store, [sound for sound, *_ in files], [face for _, *faces in files for face in faces])


def write_parts(folder: Path, part_of: Mapping[str, str]) -> None:
    """Writes the parts of the clips of a set by name; clips that are not named keep theirs."""
    rows = [replace(row, split=part_of.get(row.name, row.split)) for row in read_metadata(folder)]
    store = Store(set_settings(folder))
    with store.opened():
        write_table(store, rows)


def check_output(folder: Path, format: Format) -> None:
    """UserError when a new set cannot be put into a folder: it holds one already, or torch is missing."""
    if folder.exists() and not folder.is_dir():
        raise UserError(f"'{folder}' is a file; give a folder as --output")
    if find_tables(folder) or (folder / FEATURES).exists() or (folder / OPEN).exists():
        raise UserError(f"'{folder}' holds a set already; give another --output or remove it")
    if format is Format.VICO:
        require_torch()


def row_of(clip: DyadClip) -> Row:
    """The row of a clip's own files in the table."""
    people = clip.speaker_id, clip.listener_id
    files = clip.name, *(f"{clip.name}.{role}" for role in ROLES)
    return Row(clip.name, clip.video_id, *people, clip.attitude, clip.split, *files)


def existing_rows(folder: Path) -> list[Row]:
    """The rows of the set in a folder, none where there is no table yet; UserError for one that is wrong."""
    return read_metadata(folder) if find_tables(folder) else []


def _archives(clip: DyadClip) -> dict[Path, bytes]:
    return {
        Path(OPEN, f"{clip.name}.{role}.npz"): _archive(clip, role, motion, identity)
        for role, motion, identity in _faces(clip)
    }


def _published(clip: DyadClip) -> dict[Path, bytes]:
    sound = io.BytesIO()
    write_audio_npy(sound, clip.audio)
    files = {Path(FEATURES, "audio_feats", f"{clip.name}.npy"): sound.getvalue()}
    for role, motion, identity in _faces(clip):
        face = io.BytesIO()
        write_video_bin(face, VideoFeatures(ARKIT52, motion, np.tile(identity, (len(clip), 1))))
        files[Path(FEATURES, "video_feats", f"{clip.name}.{role}.bin")] = face.getvalue()
    return files


def _faces(clip: DyadClip) -> list[tuple[str, FloatArray, FloatArray]]:
    faces = (clip.speaker, clip.speaker_identity), (clip.listener, clip.listener_identity)
    return [(role, *face) for role, face in zip(ROLES, faces, strict=True)]


def _archive(clip: DyadClip, role: str, motion: FloatArray, identity: FloatArray) -> bytes:
    stamps = grid_times_ns(np.arange(len(clip)))
    none = np.zeros((len(clip), 0), np.float32)
    file = io.BytesIO()
    features = ClipFeatures(
        uuid=clip.name,
        role=role,
        audio_layout=AudioLayout.PAPER45,
        face_model=ARKIT52,
        image_size=_IMAGE_SIZE,
        source={"backend": "synthetic", "versions": {"listener_head": __version__}},
        stamps_ns=stamps,
        source_stamps_ns=stamps,
        audio_features=clip.audio,
        voice_activity=clip.voice_activity,
        motion=motion,
        valid=np.ones(len(clip), bool),
        confidence=np.ones(len(clip), np.float32),
        identity=np.tile(identity, (len(clip), 1)),
        texture=none,
        lighting=none,
    )
    write_clip(file, features)
    return file.getvalue()
