"""Small recordings to read, for the tests of this folder."""

from __future__ import annotations

import sys
from pathlib import Path

# The tests import `small_bag` from here; pytest's importlib mode adds no folder to the path.
sys.path.insert(0, str(Path(__file__).parent))
