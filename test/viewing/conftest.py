"""The tests of the page import `browser`, which the study's page needs as well."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "study"))
