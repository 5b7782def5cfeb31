"""How long work tells how far it is."""

from __future__ import annotations

from collections.abc import Callable

Report = Callable[[str, int, int], None]
"""Takes what is done, how much of it is finished, and of how much."""
