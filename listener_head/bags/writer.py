"""Writes rosbag2 folders (MCAP) without a ROS. Format: https://mcap.dev and rosbag2's metadata.yaml."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from queue import Queue
from threading import Thread
from typing import TYPE_CHECKING

from listener_head.bags.typestore import audio_package, load_typestore
from listener_head.errors import UserError

if TYPE_CHECKING:
    from types import TracebackType

    from rosbags.interfaces import Connection

# Messages that may wait for the disk; then writing waits.
_QUEUED = 256


class RecordingWriter:
    """Writes messages, already serialised as CDR, to a rosbag2 folder with one MCAP file.

    The folder appears under its name when it is closed: what was cut short never looks whole. As a
    context manager it closes, or after an error leaves nothing. Only a disk that becomes full, or fails,
    leaves what was written until then, to be read as any recording that was cut off.
    """

    def __init__(self, path: Path, topics: Mapping[str, str]) -> None:
        """Open ``path`` for ``topics`` (name to type, "listener_head/msg/JointCommand").

        Raises UserError when ``path`` exists, cannot be written, or a type is unknown.
        """
        from rosbags.rosbag2 import StoragePlugin, Writer

        self.path = path
        if path.exists():
            raise UserError(f"recording {path} exists already; delete it or choose another name")
        # rosbags names the file after its folder, so the partial folder holds one of the final name.
        self._partial = path.with_name(f".{path.name}.partial")
        store = load_typestore(audio_package(topics.values()))
        for topic, msgtype in topics.items():
            if msgtype not in store.types:
                raise UserError(f"topic {topic} has type {msgtype}, which is unknown here")
        with self._named_errors():
            if self._partial.exists():
                shutil.rmtree(self._partial)
            self._writer = Writer(self._partial / path.name, version=9, storage_plugin=StoragePlugin.MCAP)
            self._writer.open()
            self._connections = {
                topic: self._writer.add_connection(topic, msgtype, typestore=store)
                for topic, msgtype in topics.items()
            }

        self._failure: OSError | None = None
        self._queue: Queue[tuple[Connection, int, bytes] | None] = Queue(_QUEUED)
        self._thread = Thread(target=self._drain, name="recording", daemon=True)
        self._thread.start()

    def write(self, topic: str, time_ns: int, cdr: bytes) -> None:
        """Add one message of a topic given at opening, received at ``time_ns``.

        A thread of its own writes it, so that a slow disk does not delay the next message's time of arrival.
        Raises UserError when an earlier message could not be written; what was written before is kept.
        """
        self._require_disk()
        self._queue.put((self._connections[topic], time_ns, cdr))

    def close(self) -> None:
        """Finish the file and give the folder its name; UserError as ``write``."""
        self._stop()
        self._require_disk()
        try:
            self._writer.close()
        except OSError as problem:
            self._failure = problem
        self._require_disk()
        with self._named_errors():
            self._rename()

    def abort(self) -> None:
        """Stop and delete what was written."""
        self._stop()
        self._let_go()
        shutil.rmtree(self._partial, ignore_errors=True)

    def _drain(self) -> None:
        while (item := self._queue.get()) is not None:
            if self._failure is None:
                try:
                    self._writer.write(*item)
                except OSError as error:
                    self._failure = error

    def _stop(self) -> None:
        if self._thread.is_alive():
            self._queue.put(None)
            self._thread.join()

    def _require_disk(self) -> None:
        """After an error of writing keep what was written before, and raise it as UserError."""
        if self._failure is None:
            return
        self._stop()
        self._let_go()
        kept = "nothing could be kept"
        with suppress(OSError):
            if self._partial.exists():
                self._rename()
        if self.path.exists():
            kept = "what was written until then is kept there"
        reason = self._failure.strerror or self._failure
        raise UserError(
            f"cannot write {self.path}: {reason}; free some space or choose another folder; {kept}"
        )

    def _let_go(self) -> None:
        """Close the file as it is."""
        with suppress(OSError):
            self._writer.abort()

    def _rename(self) -> None:
        (self._partial / self.path.name).replace(self.path)
        self._partial.rmdir()

    @contextmanager
    def _named_errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            reason = error.strerror or error
            raise UserError(f"cannot write {self.path}: {reason}; choose another folder") from error

    def __enter__(self) -> RecordingWriter:
        return self

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error_type is None:
            self.close()
        else:
            self.abort()


def size_so_far(path: Path) -> int:
    """Bytes on the disk of a recording that is being written to ``path``."""
    partial = path.with_name(f".{path.name}.partial")
    with suppress(OSError):
        return sum(file.stat().st_size for file in partial.rglob("*.mcap"))
    return 0
