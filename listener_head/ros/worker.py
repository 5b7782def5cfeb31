"""One thread that works on the newest item and lets older ones go."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any


class NewestWorker:
    """Calls ``process`` with the newest item put in; items overtaken while it is busy count as skipped.

    ``start`` is called first on the worker's own thread (a GL context belongs to the thread that made
    it) and ``stop`` last. An exception of either callback goes to ``failed`` and ends the thread only
    if it came from ``start``.
    """

    def __init__(
        self,
        process: Callable[[Any], None],
        failed: Callable[[Exception], None],
        start: Callable[[], None] | None = None,
        stop: Callable[[], None] | None = None,
    ) -> None:
        self.skipped = 0
        self._process, self._failed, self._start, self._stop = process, failed, start, stop
        self._condition = threading.Condition()
        self._item: Any = None
        self._closed = False
        self._ready = threading.Event()
        self._problem: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="worker", daemon=True)
        self._thread.start()

    def wait_until_started(self) -> None:
        """Blocks until ``start`` has returned; raises what it raised."""
        self._ready.wait()
        if self._problem is not None:
            raise self._problem

    def put(self, item: Any) -> None:
        """Hands over an item, in place of one that still waits."""
        with self._condition:
            self.skipped += self._item is not None
            self._item = item
            self._condition.notify()

    def close(self) -> None:
        """Lets the current item finish and ends the thread."""
        with self._condition:
            self._closed = True
            self._condition.notify()
        self._thread.join()

    def _run(self) -> None:
        try:
            if self._start is not None:
                self._start()
        except Exception as problem:
            self._problem = problem
            return
        finally:
            self._ready.set()
        while (item := self._take()) is not None:
            try:
                self._process(item)
            except Exception as problem:
                self._failed(problem)
        if self._stop is not None:
            self._stop()

    def _take(self) -> Any:
        with self._condition:
            self._condition.wait_for(lambda: self._item is not None or self._closed)
            item, self._item = self._item, None
            return None if self._closed else item
