"""One pass over the messages of several topics of a recording."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from statistics import median
from typing import Any

from listener_head.bags.clocks import OTHER_CLOCK_NS, RECEIVED, JumpedBack, Rising, Shift
from listener_head.bags.connection import Connection
from listener_head.bags.faults import Faults
from listener_head.bags.items import (
    AUDIO_CHUNK,
    AUDIO_INFO,
    CLOCK,
    IMAGES,
    SOUNDS,
    TAKEN,
    Chunk,
    Item,
    Message,
    Picture,
    Topic,
)
from listener_head.bags.reader import header_stamp_ns
from listener_head.bags.storage import Storage
from listener_head.bags.types import Types
from listener_head.errors import UserError
from listener_head.sounds import SampleClock, SoundDecoder
from listener_head.timing import NS_PER_S

# Messages of a topic that are looked at before the pass, to know its clock.
_PROBED = 60


@dataclass
class _Reader:
    """Makes items of one topic's messages. Without a ``shift`` their headers have the stamps."""

    topic: Topic
    shift: Shift | None
    decoder: SoundDecoder
    counted: bool  # whether stamps of sound are made by counting samples
    rising: Rising
    count: int = 0
    sound_clock: SampleClock = field(default_factory=SampleClock)

    def item(self, content: Any, received_ns: int) -> Item | None:
        """The item of a message; None of sound that is begun only. UserError for a message that is broken."""
        stamp_ns = self._stamp(content, received_ns)
        if self.topic.msgtype in SOUNDS:
            return self._chunk(content, stamp_ns, received_ns)
        if self.topic.msgtype in IMAGES:
            return Picture(self.topic.name, stamp_ns, received_ns, content.header.frame_id, content)
        return Message(self.topic.name, stamp_ns, received_ns, content)

    def _stamp(self, content: Any, received_ns: int) -> int:
        if self.shift is not None:
            return self.shift(received_ns)
        stamp_ns: int = content.header.stamp.sec * NS_PER_S + content.header.stamp.nanosec
        if stamp_ns <= 0:
            raise UserError("no stamp")
        return stamp_ns

    def _chunk(self, content: Any, stamp_ns: int, received_ns: int) -> Chunk | None:
        samples, rate = self.decoder.decode(content)
        if not len(samples):
            return None
        if self.shift is not None:
            stamp_ns -= len(samples) * NS_PER_S // rate  # sound is sent when its last sample is there
        if self.counted:
            stamp_ns = self.sound_clock.stamp(stamp_ns, len(samples), rate)
        return Chunk(self.topic.name, stamp_ns, received_ns, samples, rate)


class Pass:
    """Reads topics of a recording; see `Bag.stream`."""

    def __init__(
        self,
        storage: Storage,
        types: Types,
        faults: Faults,
        topics: Sequence[Topic],
        clock: str,
        sample_rate: int,
        channels: int,
    ) -> None:
        self._storage, self._types, self._faults = storage, types, faults
        self._sound_format = (sample_rate, channels)
        self._topics = list(dict.fromkeys(topics))
        self._clock_shift: Shift | None = None
        received: dict[Topic, Shift | None] = {topic: Shift() for topic in self._topics}
        shifts = received if clock == RECEIVED else self._stamped()
        self._readers = {
            (topic.name, topic.msgtype): self._reader(topic, shift) for topic, shift in shifts.items()
        }

    def items(self) -> Iterator[Item]:
        """The items in recorded order."""
        connections = [c for topic in self._topics for c in self._connections(topic)]
        if self._clock_shift is not None:
            connections += [c for c in self._of_type(CLOCK) if c not in connections]
        for connection, received_ns, data in self._storage.messages(connections):
            if connection.msgtype == CLOCK:
                self._tick(connection, received_ns, data)
            reader = self._readers.get(connection.key)
            if reader is None:
                continue
            reader.count += 1
            try:
                item = reader.item(self._types.read(connection, data), received_ns)
                passed = [] if item is None else reader.rising.put(item)
            except UserError as problem:
                self._faults.leave_out(connection.topic, "cannot be read", str(problem))
                continue
            except JumpedBack as jump:
                self._end(jump)
                return
            yield from passed
        for reader in self._readers.values():
            yield from reader.rising.rest()

    def _end(self, jump: JumpedBack) -> None:
        """Say where the stream ends, and what is not read."""
        read = sum(reader.count for reader in self._readers.values()) - 1
        left = sum(topic.count for topic in self._topics) - read
        start_ns = self._storage.span_ns[0] if self._storage.span_ns else 0
        self._faults.say(
            f"topic {jump.item.topic} goes back by {jump.back_ns / NS_PER_S:.1f} s after "
            f"{(jump.item.received_ns - start_ns) / NS_PER_S:.1f} s: the recording starts again or the clock "
            f"was set; the {max(left, 1)} messages from there on are left out"
        )

    def _connections(self, topic: Topic) -> list[Connection]:
        return [c for c in self._storage.connections if (c.topic, c.msgtype) == (topic.name, topic.msgtype)]

    def _of_type(self, msgtype: str) -> list[Connection]:
        return [c for c in self._storage.connections if c.msgtype == msgtype]

    def _reader(self, topic: Topic, shift: Shift | None) -> _Reader:
        decoder = SoundDecoder(*self._sound_format)
        counted = topic.msgtype in SOUNDS and shift is not None
        if topic.msgtype in SOUNDS and topic.msgtype != AUDIO_CHUNK:
            info = self._audio_info(topic)
            if info is not None:
                decoder.use_info(info)
                counted = counted or info.coding_format.lower() == "mp3"
        rising = Rising(partial(self._faults.leave_out, topic.name))
        return _Reader(topic, shift, decoder, counted, rising)

    def _audio_info(self, topic: Topic) -> Any:
        """The first AudioInfo beside a topic of sound, or the only one there is."""
        infos = self._of_type(AUDIO_INFO)
        folder = topic.name.rpartition("/")[0]
        beside = [c for c in infos if c.topic.rpartition("/")[0] == folder] or infos
        for connection, _, data in self._storage.messages(beside[:1]) if beside else ():
            try:
                return self._types.read(connection, data)
            except UserError:
                continue
        return None

    def _stamped(self) -> dict[Topic, Shift | None]:
        """For each topic None where its headers have stamps, else how the time of recording is shifted."""
        late = {topic: self._lateness(topic) for topic in self._topics}
        stamped = sorted((t for t in late if late[t] is not None), key=lambda t: t.msgtype not in IMAGES)
        reference = stamped[0] if stamped else None
        late_ns = 0 if reference is None else late[reference] or 0
        shifts: dict[Topic, Shift | None] = {}
        for topic in self._topics:
            if topic in stamped:
                shifts[topic] = None
                apart_ns = abs((late[topic] or 0) - late_ns)
                if reference is not None and topic.msgtype in TAKEN and apart_ns > OTHER_CLOCK_NS:
                    self._faults.say(
                        f"topics {reference.name} and {topic.name} are stamped by clocks that are "
                        f"{apart_ns / NS_PER_S:.1f} s apart; read them by the time of recording"
                    )
            elif abs(late_ns) <= OTHER_CLOCK_NS:
                shifts[topic] = Shift()
                self._faults.say(f"topic {topic.name} has no stamps; the time of recording is taken")
            else:
                shifts[topic] = self._to_clock(topic, reference, late_ns)
        return shifts

    def _to_clock(self, topic: Topic, reference: Topic | None, late_ns: int) -> Shift:
        """From the time of recording to the stamps' own clock: by recorded ticks, else by their lateness."""
        told = f"topic {topic.name} has no stamps; the time of recording is taken"
        ticks = self._storage.messages(self._of_type(CLOCK))
        first = next(ticks, None)
        if first is not None:
            self._clock_shift = self._clock_shift or Shift()
            self._tick(*first)
            self._faults.say(f"{told}, brought to the time of {first[0].topic}")
            return self._clock_shift
        name = reference.name if reference else ""
        self._faults.say(f"{told}, less the {late_ns / NS_PER_S:.3f} s by which {name} is stamped earlier")
        return Shift(late_ns, 0)

    def _tick(self, connection: Connection, received_ns: int, data: bytes | memoryview) -> None:
        if self._clock_shift is None:
            return
        try:
            clock = self._types.read(connection, data).clock
        except UserError:
            return
        self._clock_shift.tick(received_ns, clock.sec * NS_PER_S + clock.nanosec)

    def _lateness(self, topic: Topic) -> int | None:
        """By how much the first messages of a topic are received after their stamps; None without stamps."""
        connections = self._connections(topic)
        if not all(self._types.has_header(connection) for connection in connections):
            return None
        late = []
        for _, received_ns, data in islice(self._storage.messages(connections), _PROBED):
            try:
                stamp_ns = header_stamp_ns(data)
            except (struct.error, IndexError):
                continue
            if stamp_ns > 0:
                late.append(received_ns - stamp_ns)
        return round(median(late)) if late else None
