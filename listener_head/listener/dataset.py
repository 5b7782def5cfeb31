"""The dyads of a training run: made, or read from a set in ViCo's layout, and parted."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import listener_head
from listener_head.coefficients import Layout, layout_of
from listener_head.dyads.clips import ATTITUDES, DyadClip, DyadClips
from listener_head.dyads.frames import in_optical_frame
from listener_head.dyads.sets import synthesise_set
from listener_head.dyads.vico import load
from listener_head.errors import UserError
from listener_head.evaluation.dyads.evaluate import usable_clips
from listener_head.files import whole
from listener_head.listener.configuration import DataConfig
from listener_head.timing import RATE_HZ

Clips = tuple[DyadClip, ...]
FloatArray = NDArray[np.float32]


@dataclass(frozen=True)
class TrainingData:
    """The clips to train on, to watch the run by, and those of D_test and D_ood, on which it is scored.

    ``attitudes`` are those that occur, in the order of ATTITUDES; without any the network has none.
    ``source`` says in words what was trained on. Motion is in the camera's optical frame, a listener's pose
    the difference to the clip's first frame; ``reference`` [M] is the mean of those first frames.
    """

    layout: Layout
    audio_layout: str
    attitudes: tuple[str, ...]
    training: Clips
    validation: Clips
    scored: dict[str, Clips]
    source: str
    reference: FloatArray
    skipped: tuple[str, ...] = ()

    @property
    def hash(self) -> str:
        """Of all that is trained on: a run can only be resumed with the same data."""
        digest = hashlib.sha256()
        for clip in (*self.training, *self.validation):
            digest.update(f"{clip.name} {clip.attitude}".encode())
            for part in (clip.audio, clip.speaker, clip.listener):
                digest.update(np.ascontiguousarray(part).data)
        return digest.hexdigest()


def gather(config: DataConfig, seed: int, report: Callable[[int, int], None]) -> TrainingData:
    """The dyads of a configuration; ``report`` is told how many of how many synthetic clips are made.

    Where some clips have an attitude, those without are skipped. UserError when the folder holds no set, or
    D_train is too small, or no clip is left to score on.
    """
    clips = _synthetic(config, seed, report) if not config.folder else in_optical_frame(load(config.folder))
    clips = _of_one_kind(usable_clips(clips))
    references = [clip.listener[0] for clip in clips.of("train")]
    clips = _about_reference(clips)
    train = clips.of("train").clips
    scored = {split: clips.of(split).clips for split in ("test", "ood") if len(clips.of(split))}
    if len(train) < 2 or not scored:
        counts = ", ".join(f"{len(clips.of(name))} in {name}" for name in ("train", "test", "ood"))
        raise UserError(
            f"the dyads have too few usable clips ({counts}; {len(clips.skipped)} skipped); at least 2 to "
            "train on and 1 to score on are needed: part a set with 'listener_head dyads split FOLDER'"
        )
    order = np.random.default_rng(seed).permutation(len(train))
    count = max(1, round(config.validation * len(train)))
    validation, training = (tuple(train[i] for i in sorted(part)) for part in (order[:count], order[count:]))
    attitudes = tuple(name for name in ATTITUDES if any(clip.attitude == name for clip in train))
    return TrainingData(
        clips.layout,
        clips.audio_layout,
        attitudes,
        training,
        validation,
        scored,
        _described(config, training),
        np.mean(references, axis=0),
        clips.skipped,
    )


def _described(config: DataConfig, training: Clips) -> str:
    people = len(set[str]().union(*(clip.identities for clip in training)))
    hours = sum(len(clip) for clip in training) / RATE_HZ / 3600
    text = f"{len(training)} clips ({hours:.1f} h) of {people} people"
    if config.folder:
        return f"D_train of the set '{Path(config.folder).resolve().name}': {text}"
    return f"synthetic dyads: {text}; no recording of a person"


def _of_one_kind(clips: DyadClips) -> DyadClips:
    """With attitudes throughout or without; an attitude that occurs only outside D_train cannot be learnt."""
    known = {clip.attitude for clip in clips.of("train") if clip.attitude}
    kept, skipped = [], list(clips.skipped)
    for clip in clips:
        if not known or clip.attitude in known:
            kept.append(clip if known else replace(clip, attitude=""))
        else:
            skipped.append(f"{clip.name}: attitude '{clip.attitude}' does not occur in the split train")
    return replace(clips, clips=tuple(kept), skipped=tuple(skipped))


def _about_reference(clips: DyadClips) -> DyadClips:
    """Listeners whose pose is the difference to that of their first frame, m₁ (see `ABOUT_REFERENCE`)."""

    def moved(clip: DyadClip) -> DyadClip:
        listener = clip.listener.copy()
        for part in (clips.layout.rotation, clips.layout.translation):
            listener[:, part] -= clip.listener[0, part]
        return replace(clip, listener=listener)

    return replace(clips, clips=tuple(moved(clip) for clip in clips))


# A synthetic set is made once and kept in the temporary folder of the machine.

_ARRAYS = ("audio", "speaker", "listener")
_FACTS = ("name", "attitude", "speaker_id", "listener_id", "split")


def _synthetic(config: DataConfig, seed: int, report: Callable[[int, int], None]) -> DyadClips:
    key = f"{config.clips} {config.seconds} {seed} {_generator_hash()}"
    name = f"dyads-{hashlib.sha256(key.encode()).hexdigest()[:16]}.npz"
    path = Path(tempfile.gettempdir()) / "listener_head" / name
    if path.exists():
        return _read(path)
    done = 0

    def count() -> None:
        nonlocal done
        done += 1
        report(done, config.clips)

    clips = synthesise_set(config.clips, config.seconds, seed, report=count)
    _keep(clips, path)
    return clips


def _keep(clips: DyadClips, path: Path) -> None:
    facts: dict[str, str | list] = {name: [getattr(clip, name) for clip in clips] for name in _FACTS}
    facts |= {"length": [len(clip) for clip in clips]}
    facts |= {"face_model": clips.layout.face_model, "audio_layout": clips.audio_layout}
    arrays = {name: np.concatenate([getattr(clip, name) for clip in clips]) for name in _ARRAYS}
    with suppress(OSError):  # no room: the next run makes them again
        path.parent.mkdir(exist_ok=True)
        with whole(path) as partial:
            np.savez(partial, facts=np.array(json.dumps(facts)), **arrays)


def _read(path: Path) -> DyadClips:
    with np.load(path, allow_pickle=False) as archive:
        facts = json.loads(str(archive["facts"]))
        ends = np.cumsum(facts["length"])[:-1]
        parts = [np.split(archive[name], ends) for name in _ARRAYS]
    rows = zip(*parts, *(facts[name] for name in _FACTS), strict=True)
    clips = tuple(DyadClip(**dict(zip((*_ARRAYS, *_FACTS), row, strict=True))) for row in rows)
    return DyadClips(layout_of(facts["face_model"]), facts["audio_layout"], clips)


def _generator_hash() -> str:
    """Changes with any line of the code that makes the dyads."""
    package = Path(listener_head.__file__).parent
    sources = [*package.glob("dyads/*.py"), *package.glob("audio/*.py"), package / "coefficients.py"]
    sources += package.glob("assets/*tracking_error*")
    return hashlib.sha256(b"".join(source.read_bytes() for source in sorted(sources))).hexdigest()
