"""Which topics of a recording tell of the speaker, and of a true listener."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from listener_head.bags.items import LISTENER_CAMERA
from listener_head.errors import UserError
from listener_head.graph import TOPICS

if TYPE_CHECKING:
    from listener_head.bags import Bag, Topic


@dataclass(frozen=True)
class TopicNames:
    """Topics that the user names; an empty one is found by its type and usual name."""

    image: str = ""
    audio: str = ""
    listener_image: str = ""
    listener_coefficients: str = ""


@dataclass(frozen=True)
class ChosenTopics:
    """The topics that are read.

    Where there is no ``image``, the ``coefficients`` of a live run are taken, and likewise its ``features``
    where there is no ``audio``. A true listener has a camera of its own, or coefficients that were recorded.
    """

    image: Topic | None = None
    camera_info: Topic | None = None
    coefficients: Topic | None = None
    audio: Topic | None = None
    features: Topic | None = None
    listener_image: Topic | None = None
    listener_camera_info: Topic | None = None
    listener_coefficients: Topic | None = None

    @property
    def all(self) -> list[Topic]:
        """Those that there are."""
        return [topic for topic in vars(self).values() if topic is not None]

    def names(self) -> dict[str, str]:
        """Role to name of those that there are."""
        return {role: topic.name for role, topic in vars(self).items() if topic is not None}


def choose_topics(bag: Bag, names: TopicNames) -> ChosenTopics:
    """The topics of a recording that an evaluation takes.

    UserError when there is nothing to be seen of a speaker, or for a name that is not there or of another
    type. Sound that is missing is said in ``bag.problems``.
    """
    listener_image = _listener_image(bag, names)
    others = (listener_image.name,) if listener_image else ()
    image = bag.find_image(names.image, exclude=others)
    coefficients = None if image else _find(bag, "speaker/coefficients")
    if image is None and coefficients is None:
        there = ", ".join(f"{topic.name} ({topic.msgtype})" for topic in bag.topics) or "nothing"
        raise UserError(
            f"'{bag.path}' shows no speaker: it has {there}; record a camera's images "
            "(sensor_msgs/Image or CompressedImage), or name their topic with --image"
        )
    audio = bag.find_audio(names.audio)
    features = None if audio else _find(bag, "speaker/audio_features")
    if audio is None and features is None:
        bag.problems.append("there is no sound: the listener hears nothing; name its topic with --audio")
    truth = names.listener_coefficients
    return ChosenTopics(
        image=image,
        camera_info=bag.camera_info_of(image) if image else None,
        coefficients=coefficients,
        audio=audio,
        features=features,
        listener_image=listener_image,
        listener_camera_info=bag.camera_info_of(listener_image) if listener_image else None,
        listener_coefficients=bag.find(TOPICS["listener/coefficients"], truth, truth) if truth else None,
    )


def _listener_image(bag: Bag, names: TopicNames) -> Topic | None:
    if names.listener_image:
        return bag.find_image(names.listener_image)
    usual = [topic.name for topic in bag.topics if f"/{LISTENER_CAMERA}/" in f"/{topic.name}"]
    images = [topic for topic in bag.topics if topic.name in usual and "Image" in topic.msgtype]
    return bag.find_image(images[0].name) if images else None


def _find(bag: Bag, key: str) -> Topic | None:
    return bag.find(TOPICS[key], key)
