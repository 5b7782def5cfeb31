"""Decoding in the background, so that a slow frame does not delay the one before it."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from types import TracebackType
from typing import Generic, TypeVar

Item = TypeVar("Item")

_DEPTH = 40  # about half a second of sound chunks and frames


class ReadAhead(Generic[Item]):
    """Iterates over ``items``, of which a thread of its own fetches up to ``depth`` in advance.

    What goes wrong while they are fetched is raised where it would have been without the thread.
    """

    def __init__(self, items: Iterator[Item], depth: int = _DEPTH) -> None:
        self._items = items
        # Each item in a list of its own; at the end the error that ended it, or nothing.
        self._queue: queue.Queue[list[Item] | BaseException | None] = queue.Queue(depth)
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._fill, name="read_ahead", daemon=True)

    def __enter__(self) -> Iterator[Item]:
        self._thread.start()
        return self._fetched()

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

    def _fetched(self) -> Iterator[Item]:
        while (entry := self._queue.get()) is not None:
            if isinstance(entry, BaseException):
                raise entry
            yield from entry

    def _fill(self) -> None:
        end: BaseException | None = None
        try:
            for item in self._items:
                if self._closed.is_set():
                    return
                self._queue.put([item])
        except Exception as problem:
            end = problem
        self._queue.put(end)
