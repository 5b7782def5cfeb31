"""A recording: its topics, and its messages in one pass."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

from listener_head.bags import choose
from listener_head.bags.clocks import CLOCKS, STAMP
from listener_head.bags.faults import Faults
from listener_head.bags.items import CAMERA_INFO, COMPRESSED, TAKEN, Item, Topic
from listener_head.bags.passing import Pass
from listener_head.bags.storage import Storage
from listener_head.bags.types import Types
from listener_head.errors import UserError
from listener_head.timing import NS_PER_S

_HASH_DIGITS = 12


class Bag:
    """An open recording.

    ``topics`` are those of all its files, ``span_ns`` is when the first and the last message were recorded
    (None without messages), ``storage`` is "mcap" or "sqlite3". ``problems`` has a line for each kind of
    fault that was met so far; it grows while messages are read.
    """

    def __init__(self, path: Path, storage: Storage, faults: Faults) -> None:
        self.path = path
        self.storage = storage.kind
        self.span_ns = storage.span_ns
        self.problems = faults.lines
        self._storage, self._faults = storage, faults
        self._types = Types(storage.connections)
        counts: dict[tuple[str, str], int] = {}
        self._unreadable: dict[str, str] = {}
        for connection in storage.connections:
            key = (connection.topic, connection.msgtype)
            counts[key] = counts.get(key, 0) + connection.msgcount
            reason = self._types.unreadable(connection)
            if reason:
                self._unreadable[connection.topic] = reason
                if connection.msgtype in TAKEN or "another version" in reason:
                    faults.say(f"topic {connection.topic} {reason}; it is not read")
        self.topics = tuple(Topic(name, msgtype, n) for (name, msgtype), n in sorted(counts.items()))

    @cached_property
    def digest(self) -> str:
        """12 hexadecimal digits of the SHA-256 of the content of the storage files."""
        sha256 = hashlib.sha256()
        for path in self._storage.files:
            with path.open("rb") as file:
                while block := file.read(1 << 20):
                    sha256.update(block)
        return sha256.hexdigest()[:_HASH_DIGITS]

    @property
    def duration_s(self) -> float:
        """From the first message that was recorded to the last [s]; 0 without any."""
        span = self._storage.span_ns
        return 0.0 if span is None else (span[1] - span[0]) / NS_PER_S

    def find_image(self, name: str = "", exclude: Collection[str] = ()) -> Topic | None:
        """The topic of pictures ``name``, or the likeliest to show a speaker; None when there is none.

        Without a name, pictures of the listener (drawn, or by the camera `listener_camera`) and depth are
        passed over, and so are the names in ``exclude``. UserError for a name that is not there, is of
        another type or cannot be read, and when the choice is not clear.
        """
        return self._readable(choose.find_image(self.path, self._candidates(name), name, exclude))

    def find_audio(self, name: str = "") -> Topic | None:
        """The topic of sound ``name``, or the likeliest to be a speaker's; errors as ``find_image``."""
        return self._readable(choose.find_sound(self.path, self._candidates(name), name))

    def find(self, msgtype: str, ending: str, name: str = "") -> Topic | None:
        """The topic ``name`` of a type, or the one that ends with ``ending``; errors as ``find_image``."""
        return self._readable(choose.find(self.path, self._candidates(name), msgtype, ending, name))

    def camera_info_of(self, topic: Topic) -> Topic | None:
        """The camera_info of a topic of pictures: by ROS custom the one beside it."""
        folder = topic.name.removesuffix(COMPRESSED).rpartition("/")[0]
        beside = f"{folder}/camera_info"
        found = [t for t in self.topics if t.name == beside and t.msgtype == CAMERA_INFO and t.count]
        return found[0] if found else None

    def stream(
        self,
        topics: Sequence[Topic],
        clock: str = STAMP,
        sample_rate: int = 0,
        channels: int = 0,
    ) -> Iterator[Item]:
        """The messages of several topics in recorded order: Picture, Chunk of sound, or Message.

        ``clock`` "stamp" takes the headers' stamps, "received" the time of recording. Types without header,
        and topics whose headers are empty, have the time of recording, brought to the clock of the stamps
        where that is another (simulated time). Sound that has the time of recording is taken to end then.
        Stamps rise strictly within each topic: what repeats or goes back a little is left out, and a jump
        back of more than a second (a recording that loops, a clock that was set) ends the stream.
        ``sample_rate`` and ``channels`` are of sound that does not say them. All this is named in
        ``problems``. UserError for an unknown clock and a topic that cannot be read.
        """
        if clock not in CLOCKS:
            raise UserError(f"clock '{clock}' is unknown; choose one of {', '.join(CLOCKS)}")
        for topic in topics:
            self._readable(topic)
        chosen = Pass(self._storage, self._types, self._faults, topics, clock, sample_rate, channels)
        return chosen.items()

    def _candidates(self, name: str) -> list[Topic]:
        return [topic for topic in self.topics if name or topic.name not in self._unreadable]

    def _readable(self, topic: Topic | None) -> Topic | None:
        if topic is not None and topic.name in self._unreadable:
            raise UserError(f"topic {topic.name} of '{self.path}' {self._unreadable[topic.name]}")
        return topic


@contextmanager
def open_bag(path: str | Path) -> Iterator[Bag]:
    """A recording: a rosbag2 folder, an .mcap or a .db3 file, compressed or not, whole or cut off.

    UserError when it is not there or nothing of it can be read.
    """
    path, faults = Path(path), Faults()
    storage = Storage(path, faults)
    try:
        yield Bag(path, storage, faults)
    finally:
        storage.close()
