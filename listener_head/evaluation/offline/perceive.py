"""A recording's pictures and sound through what the nodes face_fit and audio_features do with them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack, closing
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from listener_head.bags import Bag, Chunk, Message, Picture, Topic
from listener_head.bags.faults import Faults
from listener_head.errors import UserError
from listener_head.evaluation.offline.data import Heard, Perceived, Seen
from listener_head.evaluation.offline.ear import Ear
from listener_head.evaluation.offline.topics import ChosenTopics
from listener_head.evaluation.offline.watcher import Perception, Watcher
from listener_head.evaluation.tracks import coefficient_track, feature_track, stamp_ns
from listener_head.sources.read_ahead import ReadAhead
from listener_head.timing import NS_PER_S, indices_at_or_before

Item = Picture | Chunk | Message
Pixels = NDArray[np.uint8]
Received = tuple[int, Any]

# Pictures that are decoded in advance; each may take some megabytes.
_AHEAD = 8


def perceive(
    bag: Bag,
    topics: ChosenTopics,
    perception: Perception,
    clock: str = "stamp",
    only: Collection[int] | None = None,
    report: Callable[[float], None] | None = None,
) -> Perceived:
    """Look at and listen to a whole recording, one item after the other, in bounded memory.

    With ``only``, pictures of the speaker with other stamps are passed over: a live run has not looked at
    them. ``report`` is told the seconds of the recording that are done. Faults of single items are counted in
    ``bag.problems``.

    UserError for a perception that cannot be, or a recording that cannot be read at all.
    """
    with ExitStack() as stack:
        senses = _Senses(topics, perception)
        stack.enter_context(closing(senses))
        for camera_info in filter(None, (topics.camera_info, topics.listener_camera_info)):
            # A live node has it, as a rule, before the first picture that it looks at.
            for item in islice(bag.stream([camera_info], clock), 1):
                senses.take(item, None)
        items = stack.enter_context(ReadAhead(_decoded(bag, topics, clock, only), _AHEAD))
        first_ns: int | None = None
        for item, pixels in items:
            senses.take(item, pixels)
            first_ns = item.received_ns if first_ns is None else first_ns
            if report:
                report((item.received_ns - first_ns) / NS_PER_S)
    bag.problems += senses.faults.lines
    return senses.perceived()


def _decoded(
    bag: Bag, topics: ChosenTopics, clock: str, only: Collection[int] | None
) -> Iterator[tuple[Item, Pixels | UserError | None]]:
    """The items with the pixels of pictures, or why there are none."""
    for item in bag.stream(topics.all, clock):
        if not isinstance(item, Picture):
            yield item, None
        elif only is None or not _is(item, topics.image) or item.stamp_ns in only:
            try:
                yield item, item.decode()
            except UserError as problem:
                yield item, problem


def _is(item: Item, topic: Topic | None) -> bool:
    return topic is not None and item.topic == topic.name


class _Senses:
    """Who watches and who listens, and what was recorded in their stead."""

    def __init__(self, topics: ChosenTopics, perception: Perception) -> None:
        self.faults = Faults()
        self._topics = topics
        self._speaker = Watcher(perception, self.faults)
        self._listener = Watcher(perception, self.faults) if topics.listener_image else None
        self._ear = Ear(perception.audio_layout, self.faults)
        self._recorded: dict[str, list[Received]] = {}

    def take(self, item: Item, pixels: Pixels | UserError | None) -> None:
        """Give an item to whom it is for."""
        topics = self._topics
        if isinstance(item, Picture):
            watcher = self._listener if _is(item, topics.listener_image) else self._speaker
            if watcher is not None and pixels is not None:
                watcher.see(item, pixels)
        elif isinstance(item, Chunk):
            self._ear.hear(item)
        elif _is(item, topics.camera_info):
            self._speaker.use_camera(item.topic, item.message)
        elif _is(item, topics.listener_camera_info) and self._listener is not None:
            self._listener.use_camera(item.topic, item.message)
        else:
            self._recorded.setdefault(item.topic, []).append((item.received_ns, item.message))

    def close(self) -> None:
        """Free the networks."""
        self._speaker.close()
        if self._listener is not None:
            self._listener.close()

    def perceived(self) -> Perceived:
        """All of it."""
        topics = self._topics
        speaker, truth = self._speaker.seen(), self._listener.seen() if self._listener else None
        if topics.coefficients:
            speaker = _seen(topics.coefficients, self._recorded)
        if topics.listener_coefficients:
            truth = _seen(topics.listener_coefficients, self._recorded)
        heard = _heard(topics.features, self._recorded) if topics.features else self._ear.heard()
        return Perceived(
            speaker,
            heard,
            truth,
            self._ear.envelope(),
            np.array(self._speaker.spent_ms, np.float32),
            np.array(self._ear.spent_ms, np.float32),
        )


def _seen(topic: Topic, recorded: dict[str, list[Received]]) -> Seen:
    """Coefficients that were recorded."""
    messages = recorded.get(topic.name, [])
    track = coefficient_track(topic.name, messages)
    layout = track.layout
    motion = np.zeros((len(track.valid), layout.size), np.float32)
    motion[:, layout.rotation], motion[:, layout.translation] = track.rotation, track.translation
    motion[:, layout.expression] = track.expression
    valid = track.valid.copy()
    if layout.crop_size:
        order = np.argsort([stamp_ns(message.header.stamp) for _, message in messages], kind="stable")
        for row, number in enumerate(order):
            crop = messages[number][1].crop
            if len(crop) == layout.crop_size and np.isfinite(crop).all():
                motion[row, layout.crop] = crop
            else:
                valid[row] = False
    motion[~valid] = 0.0
    stamps, rows = np.unique(track.stamp_ns, return_index=True)
    return Seen(layout, stamps, motion[rows], valid[rows])


def _heard(topic: Topic, recorded: dict[str, list[Received]]) -> Heard:
    """Features that were recorded."""
    track = feature_track(topic.name, recorded.get(topic.name, []))
    indices, rows = np.unique(indices_at_or_before(track.stamp_ns), return_index=True)
    return Heard(track.layout, indices, track.values[rows], track.voice_activity[rows], track.flags[rows])
