"""Where the package's shared files (``config/``, ``launch/``) lie, in the source tree and when installed."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from listener_head.errors import UserError

PACKAGE = "listener_head"


def assets_dir() -> Path:
    """Folder of what ships inside the Python package: the network, the face model, the demo clip."""
    return Path(__file__).resolve().parent / "assets"


def share_dir() -> Path:
    """The folder that holds ``config/``.

    Looked for in this order: the source tree beside the package, ``share/listener_head`` of the Python
    environment, and of each prefix in ``AMENT_PREFIX_PATH``. UserError when none of them has it.
    """
    prefixes = [sys.prefix, *filter(None, os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep))]
    candidates = [Path(__file__).resolve().parents[1], *(Path(p) / "share" / PACKAGE for p in prefixes)]
    for folder in candidates:
        if (folder / "config" / "robots").is_dir():
            return folder
    looked = ", ".join(str(folder) for folder in candidates)
    raise UserError(f"no folder config/robots in any of {looked}; install listener_head again")


def config_dir() -> Path:
    """The folder of the package's parameter and robot files; UserError when it is not installed."""
    return share_dir() / "config"
