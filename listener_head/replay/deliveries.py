"""A recording's messages in the order and at the times at which camera and microphone delivered them."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from listener_head.bags import Bag, Chunk, Item, Picture, Topic, open_bag
from listener_head.errors import UserError
from listener_head.evaluation.offline.topics import TopicNames, choose_topics
from listener_head.timing import NS_PER_S

# A message is recorded at most so long before another one that is due earlier: a chunk of sound is due at its
# end, and recorders write down what they receive.
_DISORDER_NS = 300_000_000
# The first camera_info is sent so long before the first picture.
_CAMERA_LEAD_NS = 100_000_000


@dataclass(frozen=True)
class PlayedTopics:
    """The topics of a recording that a graph takes; None for what is not there."""

    image: Topic
    audio: Topic | None
    camera_info: Topic | None
    attitude: Topic | None
    robot_speaking: Topic | None

    @property
    def all(self) -> list[Topic]:
        """Those that are there."""
        return [topic for topic in vars(self).values() if topic is not None]


@dataclass(frozen=True)
class Delivery:
    """An item and when it is due on the recording's clock; of a picture its pixels, or why there are none."""

    due_ns: int
    item: Item
    pixels: NDArray[np.uint8] | UserError | None = None


def played_topics(bag: Bag, image: str = "", audio: str = "") -> PlayedTopics:
    """The topics to play: those named, or found by type and usual name.

    UserError for a recording without pictures, and for a name that is not there or of another type.
    """
    chosen = choose_topics(bag, TopicNames(image=image, audio=audio))
    if chosen.image is None:
        raise UserError(
            f"'{bag.path}' has no pictures, only what a live run made of them; give a recording of a camera"
        )
    return PlayedTopics(
        chosen.image,
        chosen.audio,
        chosen.camera_info,
        bag.find("listener_head/msg/Attitude", "attitude"),
        bag.find("std_msgs/msg/Bool", "robot_speaking"),
    )


def due_ns(item: Item) -> int:
    """When a driver delivers an item: a picture when it is taken, sound at its last sample."""
    if isinstance(item, Chunk):
        return item.stamp_ns + len(item.samples) * NS_PER_S // item.sample_rate
    return item.stamp_ns


def deliveries(path: Path, topics: PlayedTopics) -> Iterator[Delivery]:
    """All that is played of a recording, pictures decoded, in the order in which it is due.

    The first camera_info comes first, whenever it was recorded: live, a camera is known before its pictures.
    """
    with open_bag(path) as bag:
        camera = next(iter(bag.stream([topics.camera_info])), None) if topics.camera_info else None
        for item in in_due_order(bag.stream(topics.all)):
            if camera is not None:
                yield Delivery(due_ns(item) - _CAMERA_LEAD_NS, camera)
                camera = None
            yield Delivery(due_ns(item), item, _pixels(item))


def in_due_order(items: Iterable[Item]) -> Iterator[Item]:
    """Items in the order in which they are due; they may be recorded up to 0.3 s out of it."""
    waiting: list[tuple[int, int, Item]] = []
    newest_ns = 0
    for number, item in enumerate(items):
        heapq.heappush(waiting, (due_ns(item), number, item))
        newest_ns = max(newest_ns, item.stamp_ns)
        while waiting[0][0] <= newest_ns - _DISORDER_NS:
            yield heapq.heappop(waiting)[2]
    while waiting:
        yield heapq.heappop(waiting)[2]


def _pixels(item: Item) -> NDArray[np.uint8] | UserError | None:
    if not isinstance(item, Picture):
        return None
    try:
        return item.decode()
    except UserError as problem:
        return problem
