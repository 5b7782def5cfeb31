"""A renderer that outlives its OpenGL context."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress

import numpy as np
from numpy.typing import NDArray

from listener_head.coefficients import Coefficients
from listener_head.errors import UserError
from listener_head.render.factory import Renderer

# A renderer that fails again sooner than this [s] is not opened anew for every picture.
LEAST_LIFE = 1.0


class LastingRenderer:
    """Opens a renderer with ``make``, at the latest for the first picture, and anew when it fails.

    To fail is to raise anything but a UserError: graphics drivers lose their contexts when a card is reset
    or taken away. One thread opens, renders and closes; ``busy_s``, ``device`` and ``restarts`` may be read
    from any.
    """

    def __init__(self, make: Callable[[], Renderer]) -> None:
        self._make = make
        self._renderer: Renderer | None = None
        self._opened = 0.0
        self._busy_since: float | None = None
        self.device = ""
        self.restarts = 0
        self.loss = ""  # why it was opened anew the last time

    @property
    def busy_s(self) -> float:
        """For how long the opening or picture under way has taken [s]; 0 when idle."""
        since = self._busy_since
        return 0.0 if since is None else time.monotonic() - since

    def open(self) -> None:
        """Open the renderer; raises what ``make`` raises."""
        self._busy_since = self._opened = time.monotonic()
        try:
            self._renderer = self._make()
            self.device = self._renderer.device
        finally:
            self._busy_since = None

    def render(self, coefficients: Coefficients) -> NDArray[np.uint8]:
        """The picture; by a renderer opened anew where the old one failed.

        Raises what ``make`` raises where that fails as well, and the renderer's own error where it lived
        for less than a second.
        """
        if self._renderer is not None:
            try:
                return self._draw(self._renderer, coefficients)
            except UserError:
                raise
            except Exception as error:
                self.loss = " ".join(str(error).split())
                self.close()
                if time.monotonic() - self._opened < LEAST_LIFE:
                    raise
        elif time.monotonic() - self._opened < LEAST_LIFE:
            raise UserError(f"no renderer for the moment ({self.loss}); it is opened anew every second")
        self.restarts += self._opened > 0.0
        self.open()
        assert self._renderer is not None
        return self._draw(self._renderer, coefficients)

    def _draw(self, renderer: Renderer, coefficients: Coefficients) -> NDArray[np.uint8]:
        self._busy_since = time.monotonic()
        try:
            return renderer.render(coefficients)
        finally:
            self._busy_since = None

    def close(self) -> None:
        """Close the renderer, if there is one."""
        renderer, self._renderer = self._renderer, None
        if renderer is not None:
            with suppress(Exception):  # what is lost cannot be given back
                renderer.close()
