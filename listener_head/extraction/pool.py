"""Worker processes that extract clips, one clip at a time each; one that dies takes only its clip with it."""

from __future__ import annotations

import signal
from collections import deque
from collections.abc import Generator, Iterable
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import TYPE_CHECKING

from listener_head.errors import UserError
from listener_head.extraction.catalogue import Clip
from listener_head.extraction.settings import Settings
from listener_head.extraction.store import OutputError, Record

if TYPE_CHECKING:  # the workers alone import what they work with
    from listener_head.extraction.extractor import Extractor

_END_TIMEOUT = 5.0  # [s] for a worker without work to end by itself


@dataclass(frozen=True)
class Frames:
    """So many more pictures have been seen."""

    count: int


@dataclass(frozen=True)
class Done:
    """A clip's files are written."""

    clip: Clip
    record: Record


@dataclass(frozen=True)
class Bad:
    """A clip gave nothing, and why."""

    clip: Clip
    reason: str


@dataclass(frozen=True)
class _Stop:
    """Nothing more can be done, and why."""

    reason: str


@dataclass
class _Worker:
    process: BaseProcess
    connection: Connection
    clip: Clip


Events = Generator[Frames | Done | Bad, None, None]


def extract_all(clips: Iterable[Clip], settings: Settings, workers: int) -> Events:
    """Extracts the clips in ``workers`` spawned processes and tells what becomes of them, in no order.

    Each clip comes back once, done or bad. Closing the iterator, or an exception in it, ends all workers at
    once. UserError when the settings' model cannot be used or nothing can be written.
    """
    waiting, busy = deque(clips), dict[Connection, _Worker]()
    ended: list[BaseProcess] = []
    try:
        while waiting or busy:
            while waiting and len(busy) < workers:
                worker = _start(settings, waiting.popleft())
                busy[worker.connection] = worker
            for ready in wait(list(busy)):
                worker = busy[ready]  # type: ignore[index]
                heard = _hear(worker)
                if isinstance(heard, _Stop):
                    raise UserError(heard.reason)
                yield heard
                if isinstance(heard, Frames):
                    continue
                if waiting and worker.process.is_alive():
                    _give(worker, waiting.popleft())
                else:
                    del busy[worker.connection]
                    worker.connection.close()  # which tells it to end
                    ended.append(worker.process)
        for process in ended:
            process.join(_END_TIMEOUT)
    finally:
        for process in [*ended, *(worker.process for worker in busy.values())]:
            process.kill()
            process.join()


def _start(settings: Settings, clip: Clip) -> _Worker:
    context = get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_work, args=(theirs, settings), daemon=True)
    # Ctrl-C reaches the whole group of processes, but it is ours to end the workers: they inherit the mask.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        process.start()
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    theirs.close()  # so that its death ends the connection
    worker = _Worker(process, ours, clip)
    _give(worker, clip)
    return worker


def _give(worker: _Worker, clip: Clip) -> None:
    worker.clip = clip
    with suppress(OSError):  # it has died: the connection has ended, which `_hear` will tell
        worker.connection.send(clip)


def _hear(worker: _Worker) -> Frames | Done | Bad | _Stop:
    """The next word from a worker, or that it has died."""
    try:
        word: Frames | Done | Bad | _Stop = worker.connection.recv()
        return word
    except (EOFError, OSError):
        worker.process.join()
        return Bad(worker.clip, f"its worker process died ({_death(worker.process.exitcode)})")


def _death(status: int | None) -> str:
    if status is None or status >= 0:
        return f"exit status {status}"
    hint = "; is the memory full?" if -status == signal.SIGKILL else ""
    return signal.Signals(-status).name + hint


def _work(connection: Connection, settings: Settings) -> None:
    """What a worker does until its connection ends."""
    import cv2

    from listener_head.extraction.extractor import Extractor

    cv2.setNumThreads(1)
    try:
        try:
            extractor = Extractor(settings)
        except UserError as problem:
            connection.send(_Stop(str(problem)))
            return
        while True:
            clip = connection.recv()
            connection.send(_extract(extractor, clip, connection))
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return


def _extract(extractor: Extractor, clip: Clip, connection: Connection) -> Done | Bad | _Stop:
    try:
        return Done(clip, extractor.extract(clip, lambda count: connection.send(Frames(count))))
    except OutputError as problem:
        return _Stop(str(problem))
    except UserError as problem:
        return Bad(clip, str(problem))
    except (BrokenPipeError, ConnectionResetError):
        raise
    except Exception as problem:  # one clip that nobody has foreseen must not end all others
        return Bad(clip, f"{type(problem).__name__}: {' '.join(str(problem).split())}")
