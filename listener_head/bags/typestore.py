"""The ROS message types without a ROS: Jazzy's standard ones, this package's own, and two of sound."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING

from listener_head.errors import UserError
from listener_head.paths import PACKAGE, share_dir

if TYPE_CHECKING:
    from rosbags.typesys.store import Typestore

AUDIO_PACKAGE = "audio_common_msgs"
ROS_DRIVERS, MGONZS13 = "ros-drivers", "mgonzs13"

# The messages of the two packages called audio_common_msgs, of those who keep them on GitHub.
_AUDIO = {
    ROS_DRIVERS: {
        "AudioData": "uint8[] data",
        "AudioDataStamped": "std_msgs/Header header\naudio_common_msgs/AudioData audio",
        "AudioInfo": (
            "uint8 channels\nuint32 sample_rate\nstring sample_format\nuint32 bitrate\nstring coding_format"
        ),
    },
    MGONZS13: {
        "AudioData": (
            "float32[] float32_data\nint32[] int32_data\nint16[] int16_data\n"
            "int8[] int8_data\nuint8[] uint8_data"
        ),
        "AudioInfo": "int32 format\nint32 channels\nint32 rate\nint32 chunk",
        "Audio": "audio_common_msgs/AudioData audio_data\naudio_common_msgs/AudioInfo info",
        "AudioStamped": "std_msgs/Header header\naudio_common_msgs/Audio audio",
    },
}


def audio_package(msgtypes: Iterable[str]) -> str:
    """Which package called audio_common_msgs has these types, "" when none is of that name.

    Of AudioData and AudioInfo, which both have, only ros-drivers' are sent by themselves.
    """
    names = {name.rpartition("/")[2] for name in msgtypes if name.startswith(f"{AUDIO_PACKAGE}/")}
    if not names:
        return ""
    return ROS_DRIVERS if names <= set(_AUDIO[ROS_DRIVERS]) else MGONZS13


@cache
def load_typestore(audio: str = "") -> Typestore:
    """Types of ROS 2 Jazzy and of this package, for writing and reading CDR; made once per process.

    ``audio`` (ROS_DRIVERS or MGONZS13) adds the messages of one of the packages called audio_common_msgs.
    Raises UserError when the package's .msg files are not installed.
    """
    from rosbags.typesys import Stores, get_types_from_msg, get_typestore

    folder = share_dir() / "msg"
    types = {}
    for path in sorted(folder.glob("*.msg")):
        types.update(get_types_from_msg(path.read_text("utf-8"), f"{PACKAGE}/msg/{path.stem}"))
    if not types:
        raise UserError(f"no message definitions (*.msg) in {folder}; install {PACKAGE} again")
    for name, text in _AUDIO.get(audio, {}).items():
        types.update(get_types_from_msg(text, f"{AUDIO_PACKAGE}/msg/{name}"))
    store = get_typestore(Stores.ROS2_JAZZY)
    store.register(types)
    return store
