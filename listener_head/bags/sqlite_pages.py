"""Rows of a damaged SQLite file, found page by page. Format: https://sqlite.org/fileformat2.html"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Collection, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

_LEAF = 0x0D  # a page of a table's rows
_PAGE_HEADER, _FILE_HEADER = 8, 100  # bytes
# Bytes of the integers of the record format by their serial type; those of 8 and 9 are the type itself.
_INTEGERS = {1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8, 8: 0, 9: 0}


class MessagePages:
    """The rows (id, topic_id, timestamp, data) of the table `messages`, known by their form.

    The tree of pages that leads to the rows is not needed, so that a file may end anywhere or have holes.
    ``ids``, ``topic_ids`` and ``times_ns`` [N] are in the order of the times.
    """

    def __init__(self, path: Path) -> None:
        with path.open("rb") as file:
            self._data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        size, reserved = struct.unpack_from(">H", self._data, 16)[0], self._data[20]
        self._page = 65536 if size == 1 else max(size, 512)
        self._usable = self._page - reserved
        rows = {row[0]: row for page in self._leaves() for row in self._rows_of(page)}
        table = np.array(sorted(rows.values(), key=lambda row: (row[2], row[0])), np.int64).reshape(-1, 4)
        self.ids, self.topic_ids, self.times_ns, self._cells = table.T

    def rows(self, topic_ids: Collection[int]) -> Iterator[tuple[int, int, int, bytes | None]]:
        """Rows with their content, or None where it is beyond the end of the file."""
        for row in np.flatnonzero(np.isin(self.topic_ids, list(topic_ids))):
            content = self._content(int(self._cells[row]))
            yield int(self.ids[row]), int(self.topic_ids[row]), int(self.times_ns[row]), content

    def close(self) -> None:
        """Free the file."""
        self._data.close()

    def _leaves(self) -> NDArray[np.int64]:
        """Where the pages of rows begin."""
        types = np.frombuffer(self._data, np.uint8)[:: self._page]
        return np.flatnonzero(types == _LEAF) * self._page

    def _rows_of(self, page: int) -> Iterator[tuple[int, int, int, int]]:
        """Id, topic, time and place of the cell of the rows of a page that look like messages."""
        page = int(page)
        try:
            (count,) = struct.unpack_from(">H", self._data, page + 3)
            cells = struct.unpack_from(f">{count}H", self._data, page + _PAGE_HEADER)
        except struct.error:
            return
        for cell in cells:
            try:
                row = self._row(page + cell)
            except (IndexError, struct.error):
                continue
            if row is not None and cell < self._page:
                yield row

    def _row(self, place: int) -> tuple[int, int, int, int] | None:
        payload, at = self._varint(place)
        if payload > len(self._data):
            return None
        identifier, at = self._varint(at)
        header, after = self._varint(at)
        types: list[int] = []
        while after < at + header and len(types) < 5:
            kind, after = self._varint(after)
            types.append(kind)
        if len(types) != 4 or types[0] != 0 or types[1] not in _INTEGERS or types[2] not in _INTEGERS:
            return None
        sizes = _INTEGERS[types[1]], _INTEGERS[types[2]]
        if types[3] < 12 or types[3] % 2 or header + sum(sizes) + (types[3] - 12) // 2 != payload:
            return None
        topic = self._integer(after, types[1])
        return identifier, topic, self._integer(after + sizes[0], types[2]), place

    def _content(self, place: int) -> bytes | None:
        """The blob at the end of a row's payload, which goes on in pages of its own."""
        payload, at = self._varint(place)
        _, at = self._varint(at)
        header, types = self._varint(at)
        kinds = []
        for _ in range(4):
            kind, types = self._varint(types)
            kinds.append(kind)
        local = self._local(payload)
        parts, missing = [self._data[at : at + local]], payload - local
        (following,) = struct.unpack_from(">I", self._data, at + local) if missing else (0,)
        while missing > 0:
            start = (following - 1) * self._page
            part = self._data[start + 4 : start + 4 + min(missing, self._usable - 4)] if start >= 0 else b""
            if len(part) < min(missing, self._usable - 4):
                return None
            parts.append(part)
            missing -= len(part)
            (following,) = struct.unpack_from(">I", self._data, start)
        return b"".join(parts)[header + _INTEGERS[kinds[1]] + _INTEGERS[kinds[2]] :]

    def _local(self, payload: int) -> int:
        """How many bytes of a payload stand in the row's own page."""
        most = self._usable - 35
        if payload <= most:
            return payload
        least = (self._usable - 12) * 32 // 255 - 23
        local = least + (payload - least) % (self._usable - 4)
        return local if local <= most else least

    def _integer(self, place: int, kind: int) -> int:
        if kind in (8, 9):
            return kind - 8
        return int.from_bytes(self._data[place : place + _INTEGERS[kind]], "big", signed=True)

    def _varint(self, place: int) -> tuple[int, int]:
        """A number of 1 to 9 bytes, and the place after it."""
        value = 0
        for index in range(8):
            byte = self._data[place + index]
            value = value << 7 | byte & 0x7F
            if byte < 0x80:
                return value, place + index + 1
        value = value << 8 | self._data[place + 8]
        return value - (value >> 63 << 64), place + 9
