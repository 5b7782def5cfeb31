"""Which topic of a recording is meant, by its name or by its type and usual name."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from listener_head.bags.items import COMPRESSED, IMAGES, LISTENER_CAMERA, SOUNDS, Topic
from listener_head.errors import UserError

STAMPED = "_stamped"  # how ros-drivers' audio_capture names the same sound with stamps

# Endings of names, the likeliest first; a topic without any of them comes last.
_IMAGE_ENDINGS = ("speaker/image", "image_raw", "image_color", "image_rect_color", "image")
_SOUND_ENDINGS = ("speaker/audio", "audio")
# Parts of the names of pictures that show no speaker: depth, and what the listener looks like.
_NO_SPEAKER = {"depth", "compressedDepth", "disparity", "mask", "listener", LISTENER_CAMERA}


def find_image(path: Path, topics: Sequence[Topic], name: str, exclude: Collection[str]) -> Topic | None:
    """The topic of pictures ``name``, or the likeliest to show a speaker; raw before compressed."""
    images = [topic for topic in topics if topic.msgtype in IMAGES]
    if name:
        return named(path, topics, images, name, " or ".join(IMAGES))
    images = [
        topic
        for topic in images
        if topic.count and topic.name not in exclude and not _NO_SPEAKER & set(topic.name.split("/"))
    ]
    images.sort(key=lambda topic: IMAGES.index(topic.msgtype))
    return _likeliest(path, images, _IMAGE_ENDINGS, lambda topic: topic.name.removesuffix(COMPRESSED))


def find_sound(path: Path, topics: Sequence[Topic], name: str) -> Topic | None:
    """The topic of sound ``name``, or the likeliest to be a speaker's; with stamps before without."""
    sounds = [topic for topic in topics if topic.msgtype in SOUNDS]
    if name:
        return named(path, topics, sounds, name, " or ".join(SOUNDS))
    sounds = sorted((t for t in sounds if t.count), key=lambda topic: SOUNDS.index(topic.msgtype))
    return _likeliest(path, sounds, _SOUND_ENDINGS, lambda topic: topic.name.removesuffix(STAMPED))


def find(path: Path, topics: Sequence[Topic], msgtype: str, ending: str, name: str) -> Topic | None:
    """The topic ``name`` of a type, or the one whose name ends with ``ending``."""
    fitting = [topic for topic in topics if topic.msgtype == msgtype]
    if name:
        return named(path, topics, fitting, name, msgtype)
    fitting = [topic for topic in fitting if topic.count and ends_with(topic.name, ending)]
    return _likeliest(path, fitting, (ending,), lambda topic: topic.name)


def named(path: Path, topics: Sequence[Topic], fitting: Sequence[Topic], name: str, needed: str) -> Topic:
    """The topic among ``fitting`` that is called ``name``, or the only one whose name ends with it.

    Pictures are found by the name without "/compressed" too. UserError that names what is there.
    """
    for same in (_same, ends_with):
        found = [topic for topic in fitting if same(topic.name, name)]
        found = found or [t for t in fitting if same(t.name.removesuffix(COMPRESSED), name)]
        if len(found) == 1:
            return found[0]
        if found:
            listed = ", ".join(topic.name for topic in found)
            raise UserError(f"'{path}' has several topics '{name}'; name one of {listed}")
    other = [topic for topic in topics if _same(topic.name, name) or ends_with(topic.name, name)]
    if other:
        raise UserError(f"topic {other[0].name} of '{path}' has type {other[0].msgtype}; it needs {needed}")
    there = ", ".join(topic.name for topic in fitting) or f"nothing of type {needed}"
    raise UserError(f"'{path}' has no topic '{name}'; it has {there}")


def ends_with(name: str, ending: str) -> bool:
    """Whether a full topic name ends with these components."""
    return f"/{name.strip('/')}".endswith(f"/{ending.strip('/')}")


def _same(name: str, other: str) -> bool:
    return name.strip("/") == other.strip("/")


def _likeliest(
    path: Path, topics: Sequence[Topic], endings: Sequence[str], base: Callable[[Topic], str]
) -> Topic | None:
    """The first of the topics whose base name has the best ending; UserError when several bases have it."""
    for ending in (*endings, ""):
        there = [topic for topic in topics if ending == "" or ends_with(base(topic), ending)]
        names = sorted({base(topic) for topic in there})
        if len(names) > 1:
            raise UserError(
                f"'{path}' has several topics of {there[0].msgtype}: {', '.join(names)}; name the one to read"
            )
        if there:
            return there[0]
    return None
