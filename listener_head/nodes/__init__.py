"""The nodes, one file each; every file has a ``main``."""

import sys
from pathlib import Path

# A node's own process (`python -m listener_head.nodes.NAME`, or the executable `lib/listener_head/NAME`)
# leaves cleanly even when it is told to stop while its file is still imported.
if sys.argv[0] == "-m" or Path(sys.argv[0]).parts[-3:-1] == ("lib", "listener_head"):
    from listener_head.ros.stopping import watch_signals

    watch_signals()
