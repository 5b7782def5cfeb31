"""Workers that die, and places that cannot be written to."""

from __future__ import annotations

import multiprocessing
import os
import resource
import signal
from dataclasses import replace

import pytest

from listener_head.errors import UserError
from listener_head.extraction.catalogue import find_clips
from listener_head.extraction.pool import Bad, Done, Frames, extract_all
from listener_head.extraction.settings import AudioLayout, Format
from listener_head.extraction.store import Store


def test_a_killed_worker_takes_only_its_clip_with_it(settings, write_talk):
    wanted = settings()
    for name in "abc":
        write_talk(wanted.clips / f"{name}.mp4", 1.2)
    clips, _ = find_clips(wanted.clips)
    killed, events = None, []
    for event in extract_all(clips, wanted, 1):
        events.append(event)
        if isinstance(event, Frames) and killed is None:
            killed = multiprocessing.active_children()[0].pid
            os.kill(killed, signal.SIGKILL)
    bad = [event for event in events if isinstance(event, Bad)]
    done = [event for event in events if isinstance(event, Done)]
    assert len(bad) == 1
    assert "SIGKILL" in bad[0].reason
    assert {event.clip for event in (*bad, *done)} == set(clips)
    assert not multiprocessing.active_children()


def test_closing_ends_the_workers(settings, write_talk):
    wanted = settings()
    write_talk(wanted.clips / "a.mp4", 2.0)
    events = extract_all(find_clips(wanted.clips)[0], wanted, 1)
    next(events)
    assert multiprocessing.active_children()
    events.close()
    assert not multiprocessing.active_children()


def test_full_disk_ends_the_run_with_one_line(settings, write_talk):
    """A limit on the size of files, which workers inherit, fails as a full disk does."""
    wanted = settings()
    write_talk(wanted.clips / "a.mp4", 0.3)
    usual = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, usual[1]))
    try:
        with Store(wanted).opened(), pytest.raises(UserError, match="cannot be written"):
            list(extract_all(find_clips(wanted.clips)[0], wanted, 1))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, usual)
        signal.signal(signal.SIGXFSZ, ignored)
    assert not [path for path in wanted.output.rglob("*") if path.suffix in (".npz", ".json")]


@pytest.mark.parametrize(
    ("change", "finished"),
    [
        (lambda wanted: wanted, True),
        (lambda wanted: replace(wanted, audio_layout=AudioLayout.VICO45), False),
        (lambda wanted: replace(wanted, formats=(Format.NPZ, Format.VICO)), False),
        (lambda wanted: wanted.clips.joinpath("a.mp4").write_bytes(b"changed") and wanted, False),
        (lambda wanted: wanted.output.joinpath("clips/a.speaker.npz").unlink() or wanted, False),
        (
            lambda wanted: wanted.output.joinpath(".extract/clips/a.speaker.json").write_text("{") and wanted,
            False,
        ),
    ],
    ids=["nothing", "option", "formats", "clip", "file", "record"],
)
def test_a_clip_is_finished_until_something_changes(settings, change, finished):
    wanted = settings()
    wanted.clips.mkdir()
    (wanted.clips / "a.mp4").write_bytes(b"video")
    (clip,), _ = find_clips(wanted.clips)
    store = Store(wanted)
    assert store.finished(clip) is None
    store.write(store.files(clip)["npz"], b"features")
    store.finish(clip, store.sources(clip), frames=30, without_face=2)
    record = Store(change(wanted)).finished(clip)
    assert (record is not None) == finished
    assert record is None or (record["frames"], record["seconds"]) == (30, 1.0)


def test_unwritable_output_is_one_line(settings):
    wanted = settings()
    wanted.output.write_text("a file stands where the folder should be")
    with pytest.raises(UserError, match=r"out' cannot be written"), Store(wanted).opened():
        pass


def test_output_belongs_to_one_run_at_a_time(settings):
    wanted = settings()
    with (
        Store(wanted).opened(),
        pytest.raises(UserError, match="another extract writes"),
        Store(wanted).opened(),
    ):
        pass
