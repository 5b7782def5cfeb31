"""``python -m listener_head.doctor.child SUBJECT``: one check, as a process that may hang or die."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict

from listener_head.doctor.checks import check_of


def main() -> None:
    """Prints the finding as JSON; what libraries print goes to standard error."""
    answer = os.dup(1)
    os.dup2(2, 1)
    finding = check_of(sys.argv[1]).look()
    with os.fdopen(answer, "w") as stream:
        json.dump(asdict(finding), stream)
    # A driver that hangs or dies while it is unloaded says nothing about the check.
    sys.stderr.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
