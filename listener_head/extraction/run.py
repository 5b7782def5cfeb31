"""A whole run: find the clips, extract them in worker processes, and tell what has become of them."""

from __future__ import annotations

import os
from contextlib import closing
from dataclasses import dataclass, field

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from listener_head.environment import THREAD_COUNTS
from listener_head.errors import UserError
from listener_head.extraction.catalogue import Clip, Skipped, find_clips
from listener_head.extraction.pool import Done, Frames, extract_all
from listener_head.extraction.published import require_torch
from listener_head.extraction.settings import ARKIT52, AudioLayout, Backend, Format, Settings
from listener_head.extraction.statistics import write_statistics
from listener_head.extraction.store import SKIPPED_TABLE, Record, Store

MOST_LISTED = 20  # skipped files on the screen; all are in the table

_RATE_PERIOD = 600.0  # [s] over which the time left is estimated: clips may be minutes long


@dataclass
class _Results:
    """What has become of the clips."""

    records: list[Record] = field(default_factory=list)
    clips: list[Clip] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    before: int = 0  # finished by an earlier run

    def add(self, clip: Clip, record: Record) -> None:
        self.clips.append(clip)
        self.records.append(record)


def run(settings: Settings, workers: int, console: Console) -> None:
    """Extracts what is not yet finished, with a progress bar, and tells of the results on ``console``.

    UserError for settings that do not fit, an output folder that cannot be written to, and when no clip could
    be used.
    """
    _check(settings)
    found, skipped = find_clips(settings.clips)
    results, store, waiting = _Results(skipped=skipped), Store(settings), []
    with store.opened():
        for clip in found:
            record = store.finished(clip)
            if record is None:
                waiting.append(clip)
            else:
                results.add(clip, record)
        results.before = len(results.clips)
        for note in _notes(settings):
            console.print(note)
        if waiting:
            _extract(waiting, settings, workers, results, console)
        store.write_tables(sorted(results.records, key=_name), results.skipped)
        if Format.VICO in settings.formats and results.clips and (waiting or not store.has_statistics()):
            _write_statistics(store, results.clips)
    _tell(results, settings, console)
    if not results.clips:
        raise UserError(f"none of the clips in '{settings.clips}' could be used; see {SKIPPED_TABLE}")


def _check(settings: Settings) -> None:
    deep3d = settings.backend == Backend.DEEP3D
    if deep3d and settings.deep3d_network is None:
        raise UserError("--backend deep3d needs its network; give it with --deep3d-network FILE.onnx")
    if not deep3d and settings.deep3d_network is not None:
        raise UserError("--deep3d-network is for --backend deep3d; give both or neither")
    if deep3d and settings.face_model != ARKIT52:
        raise UserError("--backend deep3d has its own face model, bfm2009; leave out --face-model")
    for path in settings.model_files:
        if not path.is_file():
            raise UserError(f"'{path}' is not a file; give '{ARKIT52}' or the path of your own model file")
    if Format.VICO in settings.formats:
        require_torch()


def _notes(settings: Settings) -> list[str]:
    notes = []
    if Format.VICO in settings.formats and not settings.has_reconstructions:
        notes.append("no .mat files: only bfm2009 has a published form (--face-model BFM_model_front.mat)")
    if Format.VICO in settings.formats and settings.audio_layout != AudioLayout.VICO45:
        notes.append("published networks were trained on other audio features: --audio-layout vico45")
    return notes


def _extract(
    waiting: list[Clip], settings: Settings, workers: int, results: _Results, console: Console
) -> None:
    for name in THREAD_COUNTS:  # a worker per core
        os.environ.setdefault(name, "1")
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("clips, {task.fields[frames]} pictures, {task.fields[rate]:.0f} a second, time left"),
        TimeRemainingColumn(),
    )
    events = extract_all(waiting, settings, workers)
    with Progress(*columns, console=console, speed_estimate_period=_RATE_PERIOD) as bar, closing(events):
        total = results.before + len(waiting)
        task = bar.add_task("extracting", completed=results.before, total=total, frames=0, rate=0.0)
        frames = 0
        for event in events:
            if isinstance(event, Frames):
                frames += event.count
                rate = frames / max(bar.tasks[task].elapsed or 0.0, 1e-3)
                bar.update(task, frames=frames, rate=rate)
                continue
            if isinstance(event, Done):
                results.add(event.clip, event.record)
            else:
                results.skipped.append(Skipped(event.clip.video, event.reason))
            bar.advance(task)


def _write_statistics(store: Store, clips: list[Clip]) -> None:
    files = [store.files(clip) for clip in sorted(clips, key=lambda clip: clip.name)]
    audio, video = ([store.folder / each[kind] for each in files if kind in each] for kind in ("npy", "bin"))
    write_statistics(store, audio, video)


def _tell(results: _Results, settings: Settings, console: Console) -> None:
    frames = sum(record["frames"] for record in results.records)
    without = sum(record["without_face"] for record in results.records)
    filled = ", filled in the published files" if Format.VICO in settings.formats else ""
    console.print(
        f"{len(results.clips)} clips in '{settings.output}' ({results.before} from before): {frames} frames, "
        f"{without} without a face ({without / max(frames, 1):.1%}){filled}"
    )
    for each in results.skipped[:MOST_LISTED]:
        console.print(f"skipped '{each.path.name}': {each.reason}")
    if len(results.skipped) > MOST_LISTED:
        console.print(f"... and {len(results.skipped) - MOST_LISTED} more in {SKIPPED_TABLE}")


def _name(record: Record) -> tuple[str, str]:
    return record["uuid"], record["role"]
