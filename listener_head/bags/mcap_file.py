"""A recording's storage file in MCAP, whole or damaged. Format: https://mcap.dev/spec"""

from __future__ import annotations

import heapq
import struct
import zlib
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from io import BufferedIOBase, BufferedReader, RawIOBase
from operator import itemgetter
from pathlib import Path
from typing import Any

import lz4.frame
from backports import zstd

from listener_head.bags.connection import Connection, printable
from listener_head.bags.faults import Faults
from listener_head.errors import UserError
from listener_head.timing import NS_PER_S

MAGIC = b"\x89MCAP0\r\n"

_FOOTER, _SCHEMA, _CHANNEL, _MESSAGE, _CHUNK, _MESSAGE_INDEX = range(2, 8)
_CHUNK_INDEX, _DATA_END = 0x08, 0x0F
_LAST_KNOWN, _PRIVATE = 0x0F, 0x80
_RECORD = struct.Struct("<BQ")  # opcode, length
_MESSAGE_HEAD = struct.Struct("<HIQQ")  # channel, sequence, log time, publish time
_CHUNK_HEAD = struct.Struct("<QQQI")  # first and last time, size, checksum
_FOOTER_LENGTH = 20

# A chunk up to this many bytes is sorted by time; a larger one is read as it was written, so that memory
# stays bounded.
_SORTED = 64 << 20
_BLOCK = 256 << 10

_Row = tuple[int, int, memoryview]  # channel, time, content


class _Damage(Exception):
    """What follows cannot be read."""


@dataclass
class _Part:
    """A chunk, or messages outside of chunks, from ``start`` to ``end`` in the file."""

    start: int
    end: int
    first_ns: int
    last_ns: int
    size: int = 0
    checksum: int = 0
    compression: str | None = None  # None outside of chunks
    counts: Counter[int] = field(default_factory=Counter)
    indexed: bool = False  # whether ``counts`` are known
    cut_off: bool = False


class McapFile:
    """An .mcap file. Its summary is not needed; what is damaged is passed over and named.

    Raises UserError when it is no MCAP.
    """

    def __init__(self, path: Path, faults: Faults) -> None:
        self._name, self._faults = path.name, faults
        self._path, self._size = path, path.stat().st_size
        self._schemas: dict[int, tuple[str, str, str]] = {}
        self._channels: dict[int, tuple[int, str, str, str]] = {}
        self._parts: list[_Part] = []
        self._found: set[int] = set()  # places of chunks
        with path.open("rb") as file:
            chunks = self._read_summary(file)
            whole = self._scan(file, chunks)
            self._learn(file)
        self.span_ns = self._span()
        if not whole:
            self._say_cut_off()
        counts = sum((part.counts for part in self._parts), Counter[int]())
        self.connections = [
            self._connection(channel, counts[channel])
            for channel in self._channels
            if self._is_known(channel)
        ]

    def messages(
        self, wanted: Collection[tuple[str, str]]
    ) -> Iterator[tuple[tuple[str, str], int, memoryview]]:
        """Key, time of recording and content of the messages of some topics, by time."""
        keys = {
            channel: self._connection(channel, 0).key for channel in self._channels if self._is_known(channel)
        }
        keys = {channel: key for channel, key in keys.items() if key in wanted}
        parts = [
            part for part in self._parts if not part.indexed or any(part.counts[channel] for channel in keys)
        ]
        with self._path.open("rb") as file:
            for channel, time_ns, data in _merged(parts, lambda part: self._rows(file, part, keys)):
                yield keys[channel], time_ns, data

    def close(self) -> None:
        """Free the file."""

    # --- what is in the file ---

    def _read_summary(self, file: BufferedReader) -> list[int]:
        """Learn what the summary at the end tells; gives the places of chunks, none without a summary."""
        file.seek(0)
        if file.read(len(MAGIC)) != MAGIC:
            raise UserError(f"{self._name} is no MCAP file")
        end = self._size - len(MAGIC) - _RECORD.size - _FOOTER_LENGTH
        if end < len(MAGIC):
            return []
        file.seek(end)
        footer = file.read()
        opcode, length, start = struct.unpack_from("<BQQ", footer)
        if (opcode, length) != (_FOOTER, _FOOTER_LENGTH) or not footer.endswith(MAGIC) or not 0 < start < end:
            return []
        chunks = []
        try:
            for opcode, place, length in _records(file, start, end):
                if opcode == _CHUNK_INDEX:
                    file.seek(place + 16)
                    chunks.append(struct.unpack("<Q", file.read(8))[0])
                else:
                    self._read_description(opcode, file, place, length)
        except struct.error:
            pass
        return sorted(chunks)

    def _scan(self, file: BufferedReader, chunks: list[int]) -> bool:
        """Find all chunks and messages, also by the places of ``chunks``; False without an end."""
        whole = self._scan_from(file, len(MAGIC))
        for chunk in chunks:
            if chunk not in self._found:
                self._faults.say(f"{self._name} is damaged: what can be read of it is read")
                whole = self._scan_from(file, chunk) or whole
        return whole

    def _scan_from(self, file: BufferedReader, start: int) -> bool:
        """Find what follows, until the end of the data (True), damage, or a chunk that is known."""
        for opcode, place, length in _records(file, start, self._size):
            if opcode in (_DATA_END, _FOOTER):
                return True
            if opcode == _MESSAGE:
                self._add_message(file, place, length)
            elif opcode == _CHUNK:
                if place - _RECORD.size in self._found:
                    return False
                self._found.add(place - _RECORD.size)
                self._add_chunk(file, place, length)
            elif opcode == _MESSAGE_INDEX:
                self._add_index(file)
            else:
                self._read_description(opcode, file, place, length)
        return False

    def _add_message(self, file: BufferedReader, place: int, length: int) -> None:
        if length < _MESSAGE_HEAD.size or place + length > self._size:
            return
        channel, _, time_ns, _ = _MESSAGE_HEAD.unpack(file.read(_MESSAGE_HEAD.size))
        start = place - _RECORD.size
        if not self._parts or self._parts[-1].compression is not None or self._parts[-1].end != start:
            self._parts.append(_Part(start, start, time_ns, time_ns, indexed=True))
        part = self._parts[-1]
        part.end, part.last_ns = place + length, max(part.last_ns, time_ns)
        part.counts[channel] += 1

    def _add_chunk(self, file: BufferedReader, place: int, length: int) -> None:
        head = file.read(min(length, 4096))
        try:
            first_ns, last_ns, size, checksum = _CHUNK_HEAD.unpack_from(head)
            compression, at = _text(head, _CHUNK_HEAD.size)
            (stored,) = struct.unpack_from("<Q", head, at)
        except (struct.error, UnicodeDecodeError):
            return
        start = place + at + 8
        end = min(start + stored, place + length)
        part = _Part(start, min(end, self._size), first_ns, last_ns, size, checksum, compression)
        part.cut_off = end > self._size
        self._parts.append(part)

    def _add_index(self, file: BufferedReader) -> None:
        body = file.read(6)
        if len(body) == 6 and self._parts and self._parts[-1].compression is not None:
            channel, size = struct.unpack("<HI", body)
            self._parts[-1].counts[channel] += size // 16
            self._parts[-1].indexed = True

    def _read_description(self, opcode: int, file: BufferedReader, place: int, length: int) -> None:
        if opcode in (_SCHEMA, _CHANNEL) and place + length <= self._size:
            file.seek(place)
            self._describe(opcode, file.read(length))

    def _describe(self, opcode: int, body: bytes) -> None:
        """Take over a schema or a channel; one that is damaged is as if it were not there."""
        try:
            (key,) = struct.unpack_from("<H", body)
            if opcode == _SCHEMA:
                name, at = _text(body, 2)
                encoding, at = _text(body, at)
                text, at = _text(body, at)
                self._schemas[key] = (name, encoding, text)
            else:
                (schema,) = struct.unpack_from("<H", body, 2)
                topic, at = _text(body, 4)
                encoding, at = _text(body, at)
                self._channels[key] = (schema, topic, encoding, _digest(body, at))
        except (struct.error, UnicodeDecodeError):
            pass

    def _learn(self, file: BufferedReader) -> None:
        """Look into the chunks that nothing tells about, and for channels that nothing describes."""
        for part in self._parts:
            if part.compression is None:
                continue
            if part.indexed and all(self._is_known(channel) for channel in part.counts):
                continue
            times: list[int] = []
            part.counts.clear()
            for channel, time_ns, _ in self._read_rows(file, part, None, lambda reason: None):
                part.counts[channel] += 1
                times.append(time_ns)
            part.indexed = True
            if times:
                part.first_ns, part.last_ns = min(times), max(times)

    def _is_known(self, channel: int) -> bool:
        return channel in self._channels and self._channels[channel][0] in self._schemas

    def _connection(self, channel: int, count: int) -> Connection:
        schema, topic, encoding, digest = self._channels[channel]
        name, definition_format, text = self._schemas[schema]
        return Connection(
            printable(topic), printable(name), count, text, definition_format, digest, printable(encoding)
        )

    def _span(self) -> tuple[int, int] | None:
        parts = [part for part in self._parts if part.counts.total()]
        return (min(p.first_ns for p in parts), max(p.last_ns for p in parts)) if parts else None

    def _seconds(self) -> float:
        """How long what was found so far lasts."""
        span = self._span()
        return (span[1] - span[0]) / NS_PER_S if span else 0.0

    def _say_cut_off(self) -> None:
        self._faults.say(
            f"{self._name} is cut off after {self._seconds():.1f} s: the recorder did not finish; "
            "what was there is read"
        )

    # --- messages ---

    def _rows(self, file: BufferedReader, part: _Part, channels: Collection[int]) -> Iterator[_Row]:
        """The messages of a part, by time if it is not too large."""

        def say(reason: str) -> None:
            if part.cut_off:
                return  # is said already, of the whole file
            seconds = (part.first_ns - self.span_ns[0]) / NS_PER_S if self.span_ns else 0.0
            self._faults.say(
                f"{self._name} is damaged at {seconds:.1f} s ({reason}): what can be read is read"
            )

        rows = self._read_rows(file, part, channels, say)
        if part.compression is None or part.size > _SORTED:
            return rows
        return iter(sorted(rows, key=itemgetter(1)))

    def _read_rows(
        self, file: BufferedReader, part: _Part, channels: Collection[int] | None, say: Callable[[str], None]
    ) -> Iterator[_Row]:
        """The messages of a part as they stand there, up to damage; also learns of channels."""
        try:
            content = _Content(file, part)
            while True:
                head = content.read(_RECORD.size)
                if not head:
                    break
                opcode, length = _RECORD.unpack(head)
                body = content.read(length)
                if len(body) < length:
                    raise _Damage("cut off")
                if opcode == _MESSAGE and length >= _MESSAGE_HEAD.size:
                    channel, _, time_ns, _ = _MESSAGE_HEAD.unpack_from(body)
                    if channels is None or channel in channels:
                        yield channel, time_ns, memoryview(body)[_MESSAGE_HEAD.size :]
                elif opcode in (_SCHEMA, _CHANNEL) and channels is None:
                    self._describe(opcode, body)
            content.check()
        except (
            _Damage,
            struct.error,
            zstd.ZstdError,
            RuntimeError,
            EOFError,
            OSError,
            ValueError,
        ) as problem:
            say(" ".join(str(problem).split()) or type(problem).__name__)


class _Content:
    """What is in a part, decompressed bit by bit."""

    def __init__(self, file: BufferedReader, part: _Part) -> None:
        self._part, self._read, self._checksum = part, 0, 0
        stored = BufferedReader(_Slice(file, part.start, part.end), _BLOCK)
        if part.compression == "zstd":
            self._stream: BufferedIOBase = zstd.ZstdFile(stored, "rb")
        elif part.compression == "lz4":
            self._stream = lz4.frame.LZ4FrameFile(stored, "rb")
        elif not part.compression:
            self._stream = stored
        else:
            raise _Damage(f"compression '{part.compression}' is unknown")

    def read(self, length: int) -> bytes:
        """So many bytes, or what is there until the end."""
        if self._part.compression is not None and length > self._part.size - self._read:
            length = max(0, self._part.size - self._read)
        pieces = []
        while length:
            piece = self._stream.read(length)
            if not piece:
                break
            pieces.append(piece)
            length -= len(piece)
        data = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        self._read += len(data)
        if self._part.checksum:
            self._checksum = zlib.crc32(data, self._checksum)
        return data

    def check(self) -> None:
        """Compare size and checksum of what was read to the end."""
        if self._part.compression is not None and self._read != self._part.size:
            raise _Damage("a chunk is too short")
        if self._part.checksum and self._checksum != self._part.checksum:
            raise _Damage("a chunk's checksum is wrong")


class _Slice(RawIOBase):
    """A part of a file that several read at once."""

    def __init__(self, file: BufferedReader, start: int, end: int) -> None:
        self._file, self._at, self._end = file, start, end

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer as far as the slice goes."""
        self._file.seek(self._at)
        count = self._file.readinto(memoryview(buffer)[: self._end - self._at])
        self._at += count
        return count


def _records(file: BufferedReader, start: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Opcode, place and length of the records from ``start`` on, up to ``end`` or to what is no record.

    The file stands at the record when it is given. The last may be longer than the file.
    """
    while start + _RECORD.size <= end:
        file.seek(start)
        opcode, length = _RECORD.unpack(file.read(_RECORD.size))
        if opcode == 0 or _LAST_KNOWN < opcode < _PRIVATE:
            return
        start += _RECORD.size
        yield opcode, start, length
        start += length


def _merged(parts: Sequence[_Part], rows: Callable[[_Part], Iterator[_Row]]) -> Iterator[_Row]:
    """The messages of all parts by time; a part is opened when its first is due."""
    heap: list[tuple[int, int, _Row, Iterator[_Row]]] = []

    def push(order: int, each: Iterator[_Row]) -> None:
        row = next(each, None)
        if row is not None:
            heapq.heappush(heap, (row[1], order, row, each))

    for order, part in enumerate(sorted(parts, key=lambda part: part.first_ns)):
        while heap and heap[0][0] < part.first_ns:
            _, first, row, each = heapq.heappop(heap)
            yield row
            push(first, each)
        push(order, rows(part))
    while heap:
        _, first, row, each = heapq.heappop(heap)
        yield row
        push(first, each)


def _text(body: bytes, at: int) -> tuple[str, int]:
    """A string with its length before it, and the place after it."""
    (length,) = struct.unpack_from("<I", body, at)
    if at + 4 + length > len(body):
        raise struct.error("a text is cut off")
    return body[at + 4 : at + 4 + length].decode(), at + 4 + length


def _digest(body: bytes, at: int) -> str:
    """The type's hash in a channel's metadata, as rosbag2_storage_mcap puts it there, or ""."""
    end = at + 4 + struct.unpack_from("<I", body, at)[0]
    at += 4
    while at < min(end, len(body)):
        key, at = _text(body, at)
        value, at = _text(body, at)
        if key == "topic_type_hash":
            return value
    return ""
