"""Decoding in the background, so that a slow frame does not delay the one before it."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from types import TracebackType

from listener_head.sources.events import SourceEvent

_DEPTH = 64  # about half a second of sound chunks and frames


class ReadAhead:
    """Iterates over ``events``, which a thread of its own fetches in advance."""

    def __init__(self, events: Iterator[SourceEvent]) -> None:
        self._events = events
        self._queue: queue.Queue[SourceEvent | None] = queue.Queue(_DEPTH)
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._fill, name="read_ahead", daemon=True)

    def __enter__(self) -> Iterator[SourceEvent]:
        self._thread.start()
        return iter(self._queue.get, None)

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closed.set()
        while self._thread.is_alive():
            # A thread that waits for room in the queue must find some to see that it is over.
            with self._queue.mutex:
                self._queue.queue.clear()
                self._queue.not_full.notify()
            self._thread.join(0.01)

    def _fill(self) -> None:
        for event in self._events:
            if self._closed.is_set():
                return
            self._queue.put(event)
        self._queue.put(None)
