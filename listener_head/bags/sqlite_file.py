"""A recording's storage file in SQLite, whole or damaged. Format: rosbag2_storage_sqlite3, schema 1 to 4."""

from __future__ import annotations

import sqlite3
import struct
from collections import Counter
from collections.abc import Collection, Iterator
from pathlib import Path
from urllib.parse import quote

import numpy as np

from listener_head.bags.connection import Connection, printable
from listener_head.bags.faults import Faults
from listener_head.bags.sqlite_pages import MessagePages
from listener_head.errors import UserError
from listener_head.timing import NS_PER_S

MAGIC = b"SQLite format 3\0"

_COLUMNS = ("name", "type", "serialization_format", "type_description_hash")


class SqliteFile:
    """An .db3 file. Rows that are damaged are passed over and named.

    Raises UserError when it has no topics that can be read.
    """

    def __init__(self, path: Path, faults: Faults) -> None:
        self._path, self._name, self._faults = path, path.name, faults
        self._pages: MessagePages | None = None
        self.span_ns: tuple[int, int] | None = None
        try:
            self._database = _connect(path)
            self._topics = self._read_topics()
        except (sqlite3.Error, UnicodeDecodeError) as problem:
            raise UserError(
                f"{path.name} is no recording in SQLite that can be read ({problem})"
            ) from problem
        counts = self._salvage("is cut off") if _is_cut_off(path) else self._survey()
        self.connections = [
            Connection(
                row["name"],
                row["type"],
                counts[key],
                row.get("definition", ""),
                row.get("encoding", ""),
                row.get("type_description_hash", ""),
                row.get("serialization_format", ""),
            )
            for key, row in self._topics.items()
        ]

    def messages(self, wanted: Collection[tuple[str, str]]) -> Iterator[tuple[tuple[str, str], int, bytes]]:
        """Key, time of recording and content of the messages of some topics, by time."""
        names = {key: (row["name"], row["type"]) for key, row in self._topics.items()}
        keys = [key for key, name in names.items() if name in wanted]
        rows = self._ordered(keys) if self._pages is None else self._salvaged(keys, ())
        for _, key, time_ns, data in rows:
            if isinstance(data, bytes) and isinstance(time_ns, int):
                yield names[key], time_ns, data
            else:
                self._faults.leave_out(names[key][0], f"damaged in {self._name}")

    def close(self) -> None:
        """Free the file."""
        self._database.close()
        if self._pages is not None:
            self._pages.close()

    def _read_topics(self) -> dict[int, dict[str, str]]:
        columns = {row[1] for row in self._database.execute("PRAGMA table_info(topics)")}
        names = [name for name in _COLUMNS if name in columns]
        if not {"name", "type"} <= set(names):
            raise sqlite3.DatabaseError("it has no topics")
        rows = self._database.execute(f"SELECT id, {', '.join(names)} FROM topics ORDER BY id")
        topics = {
            row[0]: dict(zip(names, (printable(_text(value)) for value in row[1:]), strict=True))
            for row in rows
        }
        if self._database.execute("PRAGMA table_info(message_definitions)").fetchall():
            query = "SELECT topic_type, encoding, encoded_message_definition FROM message_definitions"
            definitions = {row[0]: (_text(row[1]), _text(row[2])) for row in self._database.execute(query)}
            for row in topics.values():
                row["encoding"], row["definition"] = definitions.get(row["type"], ("", ""))
        return topics

    def _survey(self) -> Counter[int]:
        """How many messages each topic has."""
        query = (
            "SELECT topic_id, COUNT(*), MIN(timestamp), MAX(timestamp) FROM messages "
            "WHERE typeof(timestamp) = 'integer' GROUP BY topic_id"
        )
        try:
            rows = self._database.execute(query).fetchall()
        except sqlite3.DatabaseError:
            return self._salvage("is damaged")
        if rows:
            self.span_ns = (min(row[2] for row in rows), max(row[3] for row in rows))
        return Counter({row[0]: row[1] for row in rows})

    def _salvage(self, fault: str) -> Counter[int]:
        """Find the messages without the database, and count them."""
        self._pages = MessagePages(self._path)
        times = self._pages.times_ns
        if len(times):
            self.span_ns = (int(times[0]), int(times[-1]))
        seconds = (times[-1] - times[0]) / NS_PER_S if len(times) else 0.0
        self._faults.say(f"{self._name} {fault}: what is there of {seconds:.1f} s is read")
        keys, numbers = np.unique(self._pages.topic_ids, return_counts=True)
        return Counter(dict(zip(keys.tolist(), numbers.tolist(), strict=True)))

    def _ordered(self, keys: Collection[int]) -> Iterator[tuple[int, int, int, bytes | None]]:
        """Rows by time; where the order is damaged, the rest is salvaged."""
        marks = ", ".join("?" * len(keys))
        order = (
            f"SELECT id, topic_id, timestamp FROM messages WHERE topic_id IN ({marks}) ORDER BY timestamp, id"
        )
        read: list[int] = []
        try:
            for row in self._database.execute(order, list(keys)):
                read.append(row[0])
                yield (*row, self._content(row[0]))
        except sqlite3.DatabaseError:
            if self._pages is None:
                self._salvage("is damaged")
            yield from self._salvaged(keys, read)

    def _content(self, identifier: int) -> bytes | None:
        try:
            found = self._database.execute("SELECT data FROM messages WHERE id = ?", [identifier]).fetchone()
        except sqlite3.DatabaseError:
            return None
        return found[0] if found else None

    def _salvaged(
        self, keys: Collection[int], read: Collection[int]
    ) -> Iterator[tuple[int, int, int, bytes | None]]:
        assert self._pages is not None
        known = set(read)
        return (row for row in self._pages.rows(keys) if row[0] not in known)


def _text(value: object) -> str:
    """A column's text; of a damaged row it may be anything."""
    return value if isinstance(value, str) else ""


def _connect(path: Path) -> sqlite3.Connection:
    """Open for reading only, on any thread. What a killed recorder left in its log is taken into account."""
    uri = f"file:{quote(str(path.absolute()))}?mode=ro"
    log = path.with_name(f"{path.name}-wal")
    if not (log.exists() and log.stat().st_size):
        uri += "&immutable=1"  # no lock, so that read-only folders will do
    database = sqlite3.connect(uri, uri=True, check_same_thread=False)
    database.text_factory = lambda text: text.decode("utf-8", "replace")
    # Opens a file that has fewer pages than it says: https://sqlite.org/pragma.html#pragma_writable_schema
    database.execute("PRAGMA writable_schema = ON")
    return database


def _is_cut_off(path: Path) -> bool:
    """Whether a file is shorter than its header says: https://sqlite.org/fileformat2.html#in_header_database_size"""
    with path.open("rb") as file:
        header = file.read(100)
    if len(header) < 100:
        return True
    (page,), (changes, pages), (valid,) = (
        struct.unpack_from(form, header, place) for form, place in ((">H", 16), (">II", 24), (">I", 92))
    )
    return changes == valid and path.stat().st_size < pages * (65536 if page == 1 else page)
