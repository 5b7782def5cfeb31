"""What the tests of this folder share."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

# The tests import `made` and `browser` from here; pytest's importlib mode adds no folder to the path.
HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "study")]

from browser import Browser  # noqa: E402


@pytest.fixture
def open_page(tmp_path: Path) -> Iterator[Callable[[Path], Browser]]:
    """Opens a page from the disk, in a browser of its own."""
    browsers = []

    def opened(page: Path) -> Browser:
        browsers.append(Browser(tmp_path / f"profile{len(browsers)}", page.as_uri(), tmp_path))
        return browsers[-1]

    yield opened
    for browser in browsers:
        browser.kill()
