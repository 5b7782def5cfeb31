"""A network between two hosts that loses packets and is slow, in the test's own process."""

from __future__ import annotations

import fcntl
import os
import random
import selectors
import struct
import threading
import time
from collections import deque
from collections.abc import Sequence

# From linux/if_tun.h: packets of IP without a header before them.
_TUNSETIFF, _IFF_TUN, _IFF_NO_PI = 0x400454CA, 0x0001, 0x1000
_LARGEST = 65536  # bytes
_PERIOD = 0.005  # [s]


def open_tun(device: str) -> int:
    """Makes a network device; what the kernel sends to it can be read from the file, and the other way round.

    OSError where that is not permitted.
    """
    end = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    try:
        fcntl.ioctl(end, _TUNSETIFF, struct.pack("16sH", device.encode(), _IFF_TUN | _IFF_NO_PI))
    except OSError:
        os.close(end)
        raise
    return end


class Tunnel:
    """Carries packets between two such files; ``loss`` is the share that is lost, ``delay`` in seconds."""

    def __init__(self, ends: Sequence[int]) -> None:
        self.loss, self.delay = 0.0, 0.0
        self._ends = tuple(ends)
        self._underway: deque[tuple[float, int, bytes]] = deque()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._carry, name="tunnel", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._closing.set()
        self._thread.join()
        for end in self._ends:
            os.close(end)

    def _carry(self) -> None:
        first, second = self._ends
        with selectors.DefaultSelector() as selector:
            selector.register(first, selectors.EVENT_READ, second)
            selector.register(second, selectors.EVENT_READ, first)
            while not self._closing.is_set():
                for key, _ in selector.select(_PERIOD):
                    packet = os.read(key.fd, _LARGEST)
                    if random.random() >= self.loss:
                        self._underway.append((time.monotonic() + self.delay, key.data, packet))
                while self._underway and self._underway[0][0] <= time.monotonic():
                    _, end, packet = self._underway.popleft()
                    try:
                        os.write(end, packet)
                    except OSError:  # a host that is not up yet, or no longer: the packet is lost
                        continue
