"""Pictures back from the graphics card."""

from __future__ import annotations

from collections import deque

import moderngl
import numpy as np
from numpy.typing import NDArray

COMPONENTS = 4


class ReadBack:
    """Reads framebuffers of one size; ``start`` begins a copy and ``finish`` waits for the oldest one.

    With ``buffers`` (pixel buffer objects) the card copies while it draws the next picture and while the
    processor does something else. Without, ``start`` copies at once: a software renderer has the picture
    in this computer's memory already.
    """

    def __init__(self, context: moderngl.Context, size: tuple[int, int], buffers: int) -> None:
        self._size = size
        self._buffers = [context.buffer(reserve=size[0] * size[1] * COMPONENTS) for _ in range(buffers)]
        self._next = 0
        self._under_way: deque[moderngl.Buffer | bytes] = deque()

    @property
    def most(self) -> int:
        """How many pictures may be under way."""
        return max(len(self._buffers), 1)

    def start(self, framebuffer: moderngl.Framebuffer) -> None:
        """Begin to copy what has been drawn."""
        if not self._buffers:
            self._under_way.append(framebuffer.read(components=COMPONENTS, alignment=1))
            return
        buffer = self._buffers[self._next]
        framebuffer.read_into(buffer, components=COMPONENTS, alignment=1)
        self._under_way.append(buffer)
        self._next = (self._next + 1) % len(self._buffers)

    def finish(self) -> NDArray[np.uint8]:
        """The oldest picture under way [height, width, 4] RGBA."""
        oldest = self._under_way.popleft()
        pixels = oldest if isinstance(oldest, bytes) else oldest.read()
        return np.frombuffer(pixels, np.uint8).reshape(self._size[1], self._size[0], COMPONENTS)

    @property
    def under_way(self) -> int:
        """How many pictures have been started and not finished."""
        return len(self._under_way)

    def clear(self) -> None:
        """Forget what is under way."""
        self._under_way.clear()
