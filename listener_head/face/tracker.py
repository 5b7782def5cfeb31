"""Image -> landmarks of the speaker's face, among others that may be in view."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from listener_head.coefficients import FloatArray
from listener_head.errors import UserError
from listener_head.face.networks import LANDMARK_COUNT, Detection, FaceDetector, LandmarkNetwork
from listener_head.face.region import SPREAD, Region
from listener_head.face.speaker_choice import LARGEST, Face, Faces, check_speaker
from listener_head.timing import NS_PER_S, RATE_HZ

__all__ = ["LANDMARK_COUNT", "FaceTracker", "Landmarks", "check_image"]

SMALLEST_SIDE = 16  # px; no face can be found in less

SEARCH_PERIOD_S = 0.2  # while nobody is followed
FAR_SEARCH_PERIOD_S = 0.4  # for those further away too, which takes four times as long
LOOK_PERIOD_S = 1.0  # for the others, while one is followed
LOST_S = 1.0  # so long a lost face is looked for; then another may be chosen

NO_FACE = "no face in view"


@dataclass(frozen=True)
class Landmarks:
    """Points of one face in one image.

    ``points`` float32 [478, 2] in pixels (x right, y down, the centre of the first pixel at 0.5),
    in MediaPipe's order; ``image_size`` (width, height); ``score`` 0..1, the share of the points
    that lie inside the image.
    """

    points: FloatArray
    image_size: tuple[int, int]
    score: float = 1.0


class FaceTracker:
    """Follows the speaker's face through a video; one thread at a time.

    ``speaker`` is the rule that chooses whom to follow: ``largest``, ``nearest_to_centre`` or a number
    of ``faces``. Who has been chosen is followed until the face is lost for a second; meanwhile it is
    looked for in every image, and nobody else is taken for it. With nobody to follow, faces are searched
    five times a second by the stamps of the images, and in an empty scene those far away every second time.

    Raises UserError for a rule that there is not.
    """

    def __init__(self, speaker: str = LARGEST) -> None:
        self._speaker = check_speaker(speaker)
        self._network, self._detector = LandmarkNetwork(), FaceDetector()
        self.reset()

    def reset(self) -> None:
        """Forget all faces: after a jump of the clock, a cut, another camera."""
        self._faces = Faces()
        self._followed = ""
        self._region: Region | None = None
        self._seen_s = self._searched_s = self._searched_far_s = self._time_s = -np.inf
        self._size: tuple[int, int] | None = None
        self._waiting: NDArray[np.uint8] | None = None
        self._reason = NO_FACE

    @property
    def speaker(self) -> str:
        """The rule that chooses; set to another one, it chooses anew. UserError for one that there is not."""
        return self._speaker

    @speaker.setter
    def speaker(self, speaker: str) -> None:
        self._speaker = check_speaker(speaker)
        self._leave()

    @property
    def faces(self) -> list[Face]:
        """The faces in view, by number; those that are not followed as of the last search or look."""
        return self._faces.in_view()

    @property
    def face_id(self) -> str:
        """Number of the face that is followed, or an empty string."""
        return self._followed

    @property
    def reason(self) -> str:
        """Why the last image gave no landmarks, or an empty string."""
        return self._reason

    def track(self, image_bgr: NDArray[np.uint8], stamp_ns: int | None = None) -> Landmarks | None:
        """Landmarks of the speaker's face in uint8 [H, W, 3], or None and a ``reason``.

        Without a stamp the image counts as the next of a video of 30 frames a second, and each one in
        which nobody is followed is searched. A stamp that goes back, or another size, starts anew.

        Raises UserError when the image is not an array of that type and shape.
        """
        height, width = check_image(image_bgr)
        self._advance(stamp_ns, (width, height))
        if min(height, width) < SMALLEST_SIDE:
            self._leave()
            self._reason = "the image is too small for a face"
            return None
        image = np.ascontiguousarray(image_bgr)
        if self._followed and self._time_s - self._seen_s > LOST_S:
            self._leave()
        points = None
        if self._region is not None:
            points = self._landmarks(image, self._region, self._followed)
        if points is None and (stamp_ns is None or self._followed or self._search_is_due()):
            points = self._search(image)
        if points is None:
            return None
        self._reason = ""
        self._waiting = image
        inside = np.all((points >= 0.0) & (points <= (width, height)), axis=1)
        return Landmarks(points, (width, height), float(np.mean(inside)))

    def look_around(self) -> None:
        """Bring ``faces`` up to date from the last image, at most once a second.

        To be called between two images, when there is time: it takes about as long as ``track``.
        """
        if self._waiting is not None and self._time_s - self._searched_s >= LOOK_PERIOD_S:
            self._find(self._waiting)
        self._waiting = None

    def close(self) -> None:
        """Free the networks; the tracker cannot be used after it."""
        self._network.close()
        self._detector.close()

    def _advance(self, stamp_ns: int | None, size: tuple[int, int]) -> None:
        """Sets the time, and forgets all where it is not that of the next image of the same video."""
        following_s = max(self._time_s, 0.0) + 1.0 / RATE_HZ
        time_s = following_s if stamp_ns is None else stamp_ns / NS_PER_S
        if time_s < self._time_s or size != self._size:
            self.reset()
        self._time_s, self._size = time_s, size

    def _search_is_due(self) -> bool:
        return self._is_due(self._searched_s, SEARCH_PERIOD_S)

    def _is_due(self, last_s: float, period_s: float) -> bool:
        # Half a frame early is better than a frame late, with stamps that are not quite even.
        return self._time_s - last_s >= period_s - 0.5 / RATE_HZ

    def _leave(self) -> None:
        """Follow nobody, and search the next image."""
        self._followed, self._region = "", None
        self._searched_s = self._searched_far_s = -np.inf

    def _search(self, image: NDArray[np.uint8]) -> FloatArray | None:
        """Landmarks of the lost face if it is in view, or of the one that the rule chooses."""
        self._find(image)
        size = (image.shape[1], image.shape[0])
        for face in self._faces.choose(self._followed or self._speaker, size):
            region = Region.of_box(face.x, face.y, face.size, face.angle)
            points = self._landmarks(image, region, face.face_id)
            if points is not None:
                return points
        self._reason = self._why_nobody()
        return None

    def _find(self, image: NDArray[np.uint8]) -> None:
        is_empty = not (self._followed or self.faces)
        near_only = is_empty and not self._is_due(self._searched_far_s, FAR_SEARCH_PERIOD_S)
        self._searched_s = self._time_s
        if not near_only:
            self._searched_far_s = self._time_s
        self._faces.look(self._detector.detect(image, near_only), self._time_s)

    def _landmarks(self, image: NDArray[np.uint8], region: Region, face_id: str) -> FloatArray | None:
        """Landmarks in the image's pixels; the face is followed when there are any."""
        crop, to_image = region.crop(image)
        found = self._network.points(crop)
        if found is None:
            return None
        points = (found @ to_image[:, :2].T + to_image[:, 2]).astype(np.float32)
        region = Region.of_points(points)
        if not region.lies_in(image.shape[1], image.shape[0]):
            return None
        place = Detection(region.x, region.y, region.side / SPREAD, region.angle)
        self._faces.see(face_id, place, self._time_s)
        self._followed, self._region, self._seen_s = face_id, region, self._time_s
        return points

    def _why_nobody(self) -> str:
        names = [face.face_id for face in self.faces]
        if not names:
            return NO_FACE
        wanted = self._followed or (self._speaker if self._speaker.isdigit() else "")
        if wanted and wanted not in names:
            return f"face {wanted} is not in view; in view: {', '.join(names)}"
        return "the face in view shows no landmarks"


def check_image(image: object) -> tuple[int, int]:
    """Height and width of a colour image; UserError when it is not uint8 [H, W, 3] with pixels."""
    if not isinstance(image, np.ndarray):
        raise UserError(f"image is {type(image).__name__}; give an array uint8 [height, width, 3] in BGR")
    if image.ndim != 3 or image.shape[2] != 3 or 0 in image.shape:
        raise UserError(f"image has shape {image.shape}; give [height, width, 3] in BGR")
    if image.dtype != np.uint8:
        raise UserError(f"image is of {image.dtype}; give uint8, 0 to 255")
    return int(image.shape[0]), int(image.shape[1])
