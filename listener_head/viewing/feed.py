"""What the browsers are shown: the last seconds of every curve, the newest pictures, the state."""

from __future__ import annotations

import json
import math
import struct
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import takewhile
from typing import Any, NamedTuple

from listener_head.viewing.panels import LISTENER, PANELS, SPEAKER

HISTORY_S = 20.0
SHORTEST_STEP_S = 0.015  # curves faster than this are thinned out
MOST_CURVES = 64
MOST_WATCHERS = 8
HEARTBEAT_S = 1.0
# What a part of the stream is: a byte, then the length of its content [bytes, little endian].
STATE = b"j"  # JSON
PICTURES = {SPEAKER: b"s", LISTENER: b"l"}  # JPEG
_HEAD = struct.Struct("<cI")


class _Sample(NamedTuple):
    number: int
    time: float
    values: list[float | None]


class Feed:
    """One writer's messages for several readers at their own pace; all methods may be called from any thread.

    Nobody waits for a reader: one that is slow misses pictures, and samples older than HISTORY_S.
    """

    def __init__(self) -> None:
        self._news = threading.Condition()
        self._began = time.monotonic()
        self._number = 0  # of the latest news
        length = math.ceil(HISTORY_S / SHORTEST_STEP_S)
        self._samples: dict[str, deque[_Sample]] = {panel.key: deque(maxlen=length) for panel in PANELS}
        self._pictures: dict[str, tuple[int, bytes]] = {}
        self._state: dict[str, Any] = {}
        self._state_number = 0
        self.watchers = 0
        self.closed = False

    @property
    def now(self) -> float:
        """Seconds since the feed was made."""
        return time.monotonic() - self._began

    def sample(self, panel: str, values: Sequence[float]) -> None:
        """A point of each curve of a panel, now; numbers that are not finite leave a gap."""
        now, samples = self.now, self._samples[panel]
        if samples and now - samples[-1].time < SHORTEST_STEP_S:
            return
        kept = [round(value, 4) if math.isfinite(value) else None for value in values[:MOST_CURVES]]
        with self._news:
            samples.append(_Sample(self._next(), now, kept))

    def picture(self, side: str, jpeg: bytes) -> None:
        """The newest picture of SPEAKER or LISTENER."""
        with self._news:
            self._pictures[side] = (self._next(), jpeg)

    def tell(self, **facts: Any) -> None:
        """Facts of the state that the page shows beside the curves, as JSON has them."""
        with self._news:
            if any(self._state.get(name) != fact for name, fact in facts.items()):
                self._state = {**self._state, **facts}
                self._state_number = self._next()

    def close(self) -> None:
        """Ends every reader's stream."""
        with self._news:
            self.closed = True
            self._news.notify_all()

    @contextmanager
    def watch(self) -> Iterator[Iterator[bytes] | None]:
        """A reader's stream, which ends when the feed is closed; None where MOST_WATCHERS are there."""
        with self._news:
            welcome = self.watchers < MOST_WATCHERS
            self.watchers += welcome
        try:
            yield self._stream() if welcome else None
        finally:
            with self._news:
                self.watchers -= welcome

    def _next(self) -> int:
        self._number += 1
        self._news.notify_all()
        return self._number

    def _stream(self) -> Iterator[bytes]:
        seen = 0
        while True:
            with self._news:
                self._news.wait_for(partial(self._has_news, seen), HEARTBEAT_S)
                if self.closed:
                    return
                parts, seen = self._since(seen), self._number
            # Outside the lock: a reader is busy with this for as long as it likes.
            yield b"".join(part if isinstance(part, bytes) else _json_part(part) for part in parts)

    def _has_news(self, seen: int) -> bool:
        return self.closed or self._number > seen

    def _since(self, seen: int) -> list[bytes | Mapping[str, Any]]:
        oldest = self.now - HISTORY_S
        curves = {key: _newer(samples, seen, oldest) for key, samples in self._samples.items()}
        news: dict[str, Any] = {"now": self.now, "curves": {key: new for key, new in curves.items() if new}}
        if self._state_number > seen:
            news["state"] = self._state
        parts: list[bytes | Mapping[str, Any]] = [news]
        for side, (number, jpeg) in self._pictures.items():
            if number > seen:
                parts += [_HEAD.pack(PICTURES[side], len(jpeg)), jpeg]
        return parts


def _newer(samples: deque[_Sample], seen: int, oldest: float) -> list[list[float | None]]:
    def is_new(sample: _Sample) -> bool:
        return sample.number > seen and sample.time > oldest

    newest_first = takewhile(is_new, reversed(samples))
    return [[round(sample.time, 4), *sample.values] for sample in newest_first][::-1]


def _json_part(news: Mapping[str, Any]) -> bytes:
    content = json.dumps(news, allow_nan=False, separators=(",", ":")).encode()
    return _HEAD.pack(STATE, len(content)) + content
