"""Synthetic sets of dyads: many people who meet each other, in all attitudes and parts."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext

import numpy as np

from listener_head.audio import FeatureStream
from listener_head.dyads.behaviour import listen, seated
from listener_head.dyads.clips import DyadClip, DyadClips
from listener_head.dyads.people import make_person
from listener_head.dyads.plan import Meeting, plan
from listener_head.dyads.recording import record
from listener_head.dyads.speaker import LAYOUT, talking_face
from listener_head.dyads.speech import SAMPLE_RATE, monologue
from listener_head.dyads.tracking import track
from listener_head.errors import UserError
from listener_head.timing import RATE_HZ

AUDIO_LAYOUT = "paper45"
SHORTEST, LONGEST = 1.0, 600.0  # [s]

# This share of the listeners begins from rest, as the product does; the others have listened for a while.
_FROM_REST = 0.5


def synthesise_set(
    clips: int,
    seconds: float,
    seed: int = 0,
    processes: int | None = None,
    report: Callable[[], None] | None = None,
    held_out_seconds: float | None = None,
) -> DyadClips:
    """A set in memory: `synthesise` in the order of its clips; ``report`` is called after each of them."""
    made: list[DyadClip] = []
    for clip in synthesise(clips, seconds, seed, processes, held_out_seconds):
        made.append(clip)
        if report is not None:
            report()
    made.sort(key=lambda clip: clip.name)
    return DyadClips(LAYOUT, AUDIO_LAYOUT, tuple(made))


def synthesise(
    clips: int,
    seconds: float,
    seed: int = 0,
    processes: int | None = None,
    held_out_seconds: float | None = None,
    without: Collection[str] = (),
) -> Iterator[DyadClip]:
    """The clips of a set as they are made, in no order: ``clips`` dyads of ``seconds`` each.

    Those of D_test and D_ood last ``held_out_seconds`` if given. The same arguments give the same set on one
    machine, whatever the number of ``processes`` (by default one per core); who is in it depends on ``clips``
    and ``seed`` alone. The clips named in ``without`` are left out, the others are as they would be beside
    them. UserError for numbers out of range, or when a process dies.
    """
    lengths = {"train": seconds}
    if held_out_seconds is not None:
        lengths |= {"test": held_out_seconds, "ood": held_out_seconds}
    if clips < 1 or seed < 0:
        raise UserError(f"a set of {clips} clips with seed {seed} is impossible; give at least 1 and 0")
    for length in lengths.values():
        if not SHORTEST <= length <= LONGEST:
            raise UserError(f"clips of {length:g} s are impossible; give {SHORTEST:g} to {LONGEST:g} s")
    meetings = [meeting for meeting in plan(clips, seed) if _name(meeting, seed) not in without]
    jobs = [(meeting, lengths.get(meeting.split, seconds), seed) for meeting in meetings]
    return _in_processes(jobs, processes or len(os.sched_getaffinity(0)))


def make_clip(meeting: Meeting, seconds: float, seed: int) -> DyadClip:
    """The clip of a meeting. Only the first one that a process makes is always the same (`espeak`)."""
    rng = np.random.default_rng([seed, meeting.number])
    speaker, listener = (make_person(name, (seed,)) for name in (meeting.speaker, meeting.listener))
    speech = monologue(speaker.voice, seconds, rng)
    face = talking_face(speech, rng, speaker.style)
    person = seated(listener.listening, rng, share=0.5)
    motion = listen(speech, face, meeting.attitude, person, rng, from_rest=rng.random() < _FROM_REST)
    heard = FeatureStream(SAMPLE_RATE, AUDIO_LAYOUT).push_frames(record(speech.samples, rng))
    count = min(round(seconds * RATE_HZ), len(heard.values), len(face))
    return DyadClip(
        name=_name(meeting, seed),
        audio=heard.values[:count],
        speaker=track(face, rng)[:count],
        listener=motion[:count],
        attitude=meeting.attitude,
        speaker_id=meeting.speaker,
        listener_id=meeting.listener,
        split=meeting.split,
        video_id=f"synthetic{seed}-{meeting.speaker}",
        speaker_identity=speaker.identity,
        listener_identity=listener.identity,
        voice_activity=heard.voice_activity[:count],
    )


def _name(meeting: Meeting, seed: int) -> str:
    return f"synthetic{seed}-{meeting.number:05d}"


Job = tuple[Meeting, float, int]  # what `make_clip` takes


def _in_processes(jobs: list[Job], processes: int) -> Iterator[DyadClip]:
    """Each clip in a fresh process, for what espeak-ng remembers of one would change the next."""
    context = get_context("forkserver")
    context.set_forkserver_preload(["__main__", __name__])
    waiting, running = iter(jobs), set[Future[DyadClip]]()
    with ThreadPoolExecutor(processes) as threads:
        try:
            while True:
                # No more than are worked on and about to be, for each clip takes memory.
                while len(running) < 2 * processes and (job := next(waiting, None)) is not None:
                    running.add(threads.submit(_in_process, context, job))
                if not running:
                    return
                done, running = wait(running, return_when=FIRST_COMPLETED)
                while done:
                    yield done.pop().result()
        finally:
            threads.shutdown(cancel_futures=True)


def _in_process(context: ForkServerContext, job: Job) -> DyadClip:
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_send_clip, args=(theirs, *job), daemon=True)
    process.start()
    theirs.close()  # so that its death ends the connection
    try:
        made: DyadClip | UserError = ours.recv()
    except EOFError:
        process.join()
        raise UserError(
            f"the process that made clip {job[0].number} died (exit status {process.exitcode}); "
            "use fewer processes if the memory is full"
        ) from None
    process.join()
    if isinstance(made, UserError):
        raise made
    return made


def _send_clip(connection: Connection, meeting: Meeting, seconds: float, seed: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to answer
    try:
        connection.send(make_clip(meeting, seconds, seed))
    except UserError as problem:
        connection.send(problem)
