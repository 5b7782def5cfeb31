"""The ROS message types without a ROS: Jazzy's standard ones and this package's own."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from listener_head.errors import UserError
from listener_head.paths import PACKAGE, share_dir

if TYPE_CHECKING:
    from rosbags.typesys.store import Typestore


@cache
def load_typestore() -> Typestore:
    """Types of ROS 2 Jazzy and of this package, for writing and reading CDR; made once per process.

    Raises UserError when the package's .msg files are not installed.
    """
    from rosbags.typesys import Stores, get_types_from_msg, get_typestore

    folder = share_dir() / "msg"
    types = {}
    for path in sorted(folder.glob("*.msg")):
        types.update(get_types_from_msg(path.read_text("utf-8"), f"{PACKAGE}/msg/{path.stem}"))
    if not types:
        raise UserError(f"no message definitions (*.msg) in {folder}; install {PACKAGE} again")
    store = get_typestore(Stores.ROS2_JAZZY)
    store.register(types)
    return store
