"""The paper's Table 1 for a set: what it holds, by attitude and by part."""

from __future__ import annotations

from collections.abc import Iterable

from rich.table import Table

from listener_head.dyads.clips import ATTITUDES, SPLITS, DyadClip, DyadClips
from listener_head.timing import RATE_HZ


def set_table(clips: DyadClips) -> Table:
    """Table 1 of the paper, and below it the same for each part of the set."""
    table = Table("", "videos", "speakers", "listeners", "identities", "clips", "duration")
    for column in table.columns[1:]:
        column.justify = "right"
    for attitude in (*ATTITUDES, ""):
        members = [clip for clip in clips if clip.attitude == attitude]
        if members or attitude:
            table.add_row(attitude or "no attitude", *_cells(members))
    table.add_row("total", *_cells(clips), end_section=True)
    for split in (*SPLITS, ""):
        members = [clip for clip in clips if clip.split == split]
        if members or split:
            table.add_row(split or "no split", *_cells(members))
    return table


def _cells(clips: Iterable[DyadClip]) -> list[str]:
    clips = list(clips)
    speakers, listeners = {clip.speaker_id for clip in clips}, {clip.listener_id for clip in clips}
    videos = {clip.video_id for clip in clips}
    counts = [len(videos), len(speakers), len(listeners), len(speakers | listeners), len(clips)]
    minutes, seconds = divmod(round(sum(map(len, clips)) / RATE_HZ), 60)
    return [*map(str, counts), f"{minutes} min {seconds} s"]
