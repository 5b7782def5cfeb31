"""Who of several people in view is the speaker: faces with numbers that stay, and the rule that chooses."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from listener_head.errors import UserError
from listener_head.face.networks import Detection

LARGEST, NEAREST_TO_CENTRE = "largest", "nearest_to_centre"

# Two sightings are of one face when it moved by less than this, in sizes of the face, and did not grow or
# shrink by more than this factor. Heads side by side are further apart.
_REACH, _GROWTH = 0.8, 2.0

# A face that is out of view keeps its number for this long; then the next new face may get it [s].
_REMEMBERED_S = 10.0


def check_speaker(speaker: str) -> str:
    """The rule as it is; UserError when it is neither of the two words nor a face's number."""
    if speaker in (LARGEST, NEAREST_TO_CENTRE) or (speaker.isascii() and speaker.isdigit()):
        return speaker
    text = f"speaker is '{speaker}'; choose {LARGEST}, {NEAREST_TO_CENTRE} or a face's number such as 0"
    raise UserError(text)


@dataclass(frozen=True)
class Face:
    """Where the face of number ``face_id`` was seen last: its centre and longer side in pixels."""

    face_id: str
    x: float
    y: float
    size: float
    angle: float
    seen_s: float


class Faces:
    """The faces of one camera. A face is known again by its place; a new one gets the lowest free number."""

    def __init__(self) -> None:
        self._known: dict[str, Face] = {}
        self._in_view: set[str] = set()

    def look(self, found: list[Detection], time_s: float) -> None:
        """Take all faces that an image shows; those that it does not are out of view."""
        self._in_view = set()
        self._known = {
            name: face for name, face in self._known.items() if time_s - face.seen_s <= _REMEMBERED_S
        }
        pairs = sorted(
            (distance, name, number)
            for name, face in self._known.items()
            for number, detection in enumerate(found)
            if (distance := _distance(face, detection)) < _REACH
        )
        named: dict[int, str] = {}
        for _, name, number in pairs:
            if number not in named and name not in named.values():
                named[number] = name
        for number, detection in enumerate(found):
            self.see(named.get(number) or self._free(), detection, time_s)

    def see(self, face_id: str, place: Detection, time_s: float) -> None:
        """Note where the face of that number is now."""
        self._in_view.add(face_id)
        self._known[face_id] = Face(face_id, place.x, place.y, place.size, place.angle, time_s)

    def in_view(self) -> list[Face]:
        """The faces seen in the last image that was searched, or since, by number."""
        return [self._known[name] for name in sorted(self._in_view, key=int)]

    def choose(self, speaker: str, image_size: tuple[int, int]) -> list[Face]:
        """Those in view whom the rule allows, best first."""
        faces = self.in_view()
        if speaker == LARGEST:
            return sorted(faces, key=lambda face: -face.size)
        if speaker == NEAREST_TO_CENTRE:
            width, height = image_size
            return sorted(faces, key=lambda face: np.hypot(face.x - width / 2, face.y - height / 2))
        return [face for face in faces if int(face.face_id) == int(speaker)]

    def _free(self) -> str:
        return next(str(number) for number in range(len(self._known) + 1) if str(number) not in self._known)


def _distance(face: Face, detection: Detection) -> float:
    """Distance of the centres in sizes of the larger; infinite where the sizes do not fit."""
    larger, smaller = max(face.size, detection.size), min(face.size, detection.size)
    if not larger < _GROWTH * smaller:
        return np.inf
    return float(np.hypot(face.x - detection.x, face.y - detection.y)) / larger
