"""How the process of a node ends when it is told to: at any moment, soon, with status 0.

Standard library only: it is at work before anything heavy is imported.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from typing import NoReturn

from listener_head.environment import OWNED

SIGNALS = (signal.SIGINT, signal.SIGTERM)
# So long [s] a node may take to end what it does. Then the process leaves all the same: something hangs.
GRACE = 1.6


class Stopping:
    """Waits for the signals, and for the end of a process that owns this one, on a thread of its own."""

    def __init__(self) -> None:
        self.told = threading.Event()
        self._lock = threading.Lock()
        self._wake: Callable[[], None] | None = None
        self._receiver, sender = socket.socketpair()
        sender.setblocking(False)
        # Python runs its handlers on the main thread only, which may sleep in rclpy's wait or load a
        # network; the wake-up descriptor is written at once.
        signal.set_wakeup_fd(sender.detach())
        for number in SIGNALS:
            signal.signal(number, lambda *_: None)
        threading.Thread(target=self._wait, name="signals", daemon=True).start()

    def wake_with(self, wake: Callable[[], None]) -> None:
        """From now on a signal calls ``wake`` and gives the process GRACE to end by itself.

        Before, when nothing is there that would have to be ended, it ends the process at once.
        """
        with self._lock:
            self._wake = wake

    def stop(self) -> None:
        """As if a signal had come, from any thread and without haste."""
        self.told.set()
        if self._wake is not None:
            self._wake()

    def _wait(self) -> None:
        owner = [sys.stdin] if os.environ.get(OWNED) else []
        select.select([self._receiver, *owner], [], [])
        with self._lock:
            if self._wake is None:
                leave(0)
        self.stop()
        time.sleep(GRACE)
        print(f"something hangs; left after {GRACE} s all the same", file=sys.stderr, flush=True)
        leave(0)


def leave(status: int) -> NoReturn:
    """Ends the process now, without the interpreter's own end."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


_stopping: Stopping | None = None


def watch_signals() -> Stopping:
    """The process's own; made, on the main thread, when it is first asked for."""
    global _stopping
    if _stopping is None:
        _stopping = Stopping()
    return _stopping
