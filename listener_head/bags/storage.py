"""The storage files of a recording: a rosbag2 folder, or one file."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml
from backports import zstd

from listener_head.bags import mcap_file, sqlite_file
from listener_head.bags.connection import Connection, StorageFile
from listener_head.bags.faults import Faults
from listener_head.bags.mcap_file import McapFile
from listener_head.bags.sqlite_file import SqliteFile
from listener_head.errors import UserError

METADATA = "metadata.yaml"
_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
_ROS1_MAGIC = b"#ROSBAG V"
_ENDINGS = (".mcap", ".db3", ".mcap.zstd", ".db3.zstd")
_BLOCK = 1 << 20


class Storage:
    """The files of a recording as one: ``connections``, and their messages one file after the other.

    ``kind`` is "mcap" or "sqlite3", ``files`` are those that could be read, as they lie on the disk, and
    ``span_ns`` is when the first and the last message were recorded. What cannot be read is named in
    ``faults``.

    Raises UserError when there is nothing, or nothing that can be read.
    """

    def __init__(self, path: Path, faults: Faults) -> None:
        self.path, self.kind = path, ""
        self.files: list[Path] = []
        self._faults = faults
        self._opened: list[StorageFile] = []
        self._stack = ExitStack()
        try:
            metadata = self._read_metadata()
            self._open_all(self._listed(metadata))
            self.connections = self._merged(_digests(metadata))
        except BaseException:
            self.close()
            raise
        spans = [file.span_ns for file in self._opened if file.span_ns is not None]
        self.span_ns = (min(s[0] for s in spans), max(s[1] for s in spans)) if spans else None

    def messages(
        self, connections: Collection[Connection]
    ) -> Iterator[tuple[Connection, int, bytes | memoryview]]:
        """Connection, time of recording [ns] and content of the messages of some connections."""
        wanted = {connection.key: connection for connection in connections}
        for file in self._opened if wanted else ():
            for key, time_ns, data in file.messages(wanted):
                # A serialised message begins with a zero, so that one that rosbag2 has compressed is known.
                if data[:4] == _ZSTD_MAGIC:
                    try:
                        data = zstd.decompress(data)
                    except zstd.ZstdError:
                        self._faults.leave_out(key[0], "cannot be decompressed")
                        continue
                yield wanted[key], time_ns, data

    def close(self) -> None:
        """Close the files and delete those that were decompressed."""
        for file in self._opened:
            file.close()
        self._stack.close()

    def _read_metadata(self) -> dict[str, Any]:
        """What metadata.yaml says; nothing where it is missing or broken, which is named."""
        if not self.path.exists():
            raise UserError(
                f"recording {self.path} does not exist; give a rosbag2 folder, an .mcap or a .db3 file"
            )
        file = self.path / METADATA
        if not self.path.is_dir():
            return {}
        if not file.exists():
            self._faults.say(f"{METADATA} is missing: the recorder did not finish")
            return {}
        try:
            read = yaml.load(file.read_text("utf-8"), getattr(yaml, "CSafeLoader", yaml.SafeLoader))
            return dict(read["rosbag2_bagfile_information"])
        except (yaml.YAMLError, OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
            self._faults.say(f"{METADATA} cannot be read; the files beside it are read without")
            return {}

    def _listed(self, metadata: dict[str, Any]) -> list[Path]:
        """The storage files in their order: as metadata.yaml lists them, then others by their number."""
        if not self.path.is_dir():
            return [self.path]
        there = sorted((p for p in self.path.iterdir() if p.name.endswith(_ENDINGS)), key=_by_number)
        listed = metadata.get("relative_file_paths")
        names = [Path(str(each)).name for each in listed] if isinstance(listed, list) else []
        for name in names:
            if not (self.path / name).is_file():
                self._faults.say(f"{name} is missing; what the other files have is read")
        first = [self.path / name for name in names if (self.path / name).is_file()]
        listed_or_found = first or there
        if not listed_or_found:
            raise UserError(
                f"recording {self.path} cannot be read: the folder has no {' or '.join(_ENDINGS[:2])} file"
            )
        return listed_or_found

    def _open_all(self, paths: list[Path]) -> None:
        reasons = []
        for path in paths:
            try:
                self._opened.append(self._open(path))
                self.files.append(path)
            except UserError as problem:
                reasons.append(str(problem))
            except OSError as problem:
                reasons.append(f"{path.name}: {problem.strerror or problem}")
        if not self._opened:
            raise UserError(f"recording {self.path} cannot be read: {'; '.join(reasons)}; record it again")
        for reason in reasons:
            self._faults.say(f"{reason}; what the other files have is read")

    def _open(self, path: Path) -> StorageFile:
        with path.open("rb") as file:
            magic = file.read(16)
        if magic.startswith(_ZSTD_MAGIC):
            path = self._decompressed(path)
            with path.open("rb") as file:
                magic = file.read(16)
        if magic.startswith(mcap_file.MAGIC):
            self.kind = self.kind or "mcap"
            return McapFile(path, self._faults)
        if magic.startswith(sqlite_file.MAGIC):
            self.kind = self.kind or "sqlite3"
            return SqliteFile(path, self._faults)
        if magic.startswith(_ROS1_MAGIC):
            raise UserError(f"{path.name} is a recording of ROS 1; convert it with rosbags-convert")
        what = "is neither MCAP nor SQLite" if magic else "is empty"
        raise UserError(f"{path.name} {what}")

    def _decompressed(self, path: Path) -> Path:
        """The content of a file in a temporary one; of a damaged file as much as there is."""
        folder = Path(self._stack.enter_context(TemporaryDirectory(prefix="listener_head-")))
        content = folder / path.name.removesuffix(path.suffix)
        with path.open("rb") as stored, zstd.ZstdFile(stored, "rb") as source, content.open("wb") as file:
            while True:
                try:
                    block = source.read(_BLOCK)
                except (zstd.ZstdError, EOFError):
                    self._faults.say(f"{path.name} is cut off or damaged: what can be decompressed is read")
                    break
                if not block:
                    break
                try:
                    file.write(block)
                except OSError as problem:
                    raise UserError(
                        f"{path.name} cannot be decompressed to {folder}: {problem.strerror}; "
                        "free some space or set TMPDIR to a folder with more"
                    ) from problem
        return content

    def _merged(self, digests: dict[tuple[str, str], str]) -> list[Connection]:
        """The connections of all files, those of one topic and type together."""
        counts: Counter[tuple[str, str]] = Counter()
        merged: dict[tuple[str, str], Connection] = {}
        for connection in (each for file in self._opened for each in file.connections):
            counts[connection.key] += connection.msgcount
            merged.setdefault(connection.key, connection)
        return [
            replace(connection, msgcount=counts[key], digest=connection.digest or digests.get(key, ""))
            for key, connection in merged.items()
        ]


def _digests(metadata: dict[str, Any]) -> dict[tuple[str, str], str]:
    """The hashes of types that metadata.yaml lists (since its version 7)."""
    digests = {}
    listed = metadata.get("topics_with_message_count")
    for each in listed if isinstance(listed, list) else []:
        topic = each.get("topic_metadata") if isinstance(each, dict) else None
        if isinstance(topic, dict):
            key = str(topic.get("name")), str(topic.get("type"))
            digests[key] = str(topic.get("type_description_hash") or "")
    return digests


def _by_number(path: Path) -> list[tuple[int, str]]:
    """Sorts the 10th file of a recording after the 2nd."""
    return [(int(part or 0), "") if part.isdigit() else (0, part) for part in re.split(r"(\d+)", path.name)]
