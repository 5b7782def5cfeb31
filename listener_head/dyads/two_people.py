"""The two people of a video, side by side: where they are, and a picture of each (paper, section 4).

The crops do not move: one that followed the face would take the head's movement out of the picture.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from listener_head.errors import UserError
from listener_head.extraction.media import Movie, read_pictures
from listener_head.face.networks import Detection, FaceDetector
from listener_head.progress import Report
from listener_head.sources import Sound
from listener_head.timing import NS_PER_S, RATE_HZ, grid_time_ns

SIDE = 384  # px
SOUND_RATE = 44_100  # [Hz]

# How often faces are looked for [grid steps], and in how large a picture [px].
_LOOK_EVERY, _LOOK_SIDE = 5, 640
# Larger originals are first made as small as this [px].
_LARGEST_SIDE = 1920
_LEAST_TWO = 0.5  # share of the pictures that must show two people
# Half of a crop's side in sizes of the face, beyond what the face moves; the least that shows it whole.
_MARGIN, _LEAST_MARGIN = 0.95, 0.6
_QUALITY = "14"  # constant rate factor of H.264; 18 is said to look lossless


@dataclass(frozen=True)
class Square:
    """A square of a picture in pixels: its centre and half of its side."""

    x: float
    y: float
    half: float

    def cut(self, picture: NDArray[np.uint8], scale: float) -> NDArray[np.uint8]:
        """Its pixels uint8 [384, 384, 3], from a picture ``scale`` times as large as that of its numbers."""
        left, top = round((self.x - self.half) * scale), round((self.y - self.half) * scale)
        side = max(1, round(2 * self.half * scale))
        height, width = picture.shape[:2]
        inside = picture[max(0, top) : top + side, max(0, left) : left + side]
        beyond = (max(0, -top), max(0, top + side - height), max(0, -left), max(0, left + side - width))
        whole = cv2.copyMakeBorder(inside, *beyond, cv2.BORDER_REPLICATE)
        how = cv2.INTER_AREA if side > SIDE else cv2.INTER_CUBIC
        return cv2.resize(whole, (SIDE, SIDE), interpolation=how).astype(np.uint8, copy=False)


def find_people(movie: Movie, steps: range, report: Report) -> tuple[Square, Square]:
    """The squares of the left and the right person over some grid steps, in pixels of the file.

    UserError when fewer than half of the pictures show two people, they change places or are too close.
    """
    seen: list[list[Detection]] = []
    detector, due, size = FaceDetector(), steps.start, (0, 0)
    for picture in read_pictures(movie, _LOOK_SIDE):
        if picture.steps.start >= steps.stop:
            break
        if picture.steps.stop > due:
            scale = picture.size[0] / picture.pixels.shape[1]
            seen.append([_scaled(face, scale) for face in detector.detect(picture.pixels)])
            due, size = picture.steps.stop + _LOOK_EVERY - 1, picture.size
        report("finding the two people", picture.steps.stop - steps.start, len(steps))
    detector.close()
    pairs = [sorted(faces, key=lambda face: face.x) for faces in seen if len(faces) == 2]
    if len(pairs) < _LEAST_TWO * max(len(seen), 1):
        usual = Counter(map(len, seen)).most_common(1)[0][0] if seen else 0
        raise UserError(
            f"'{movie.path.name}' shows two faces in {len(pairs)} of {len(seen)} pictures looked at, most "
            f"show {usual}; give a part with two people side by side (--start, --end)"
        )
    places = np.array([[(face.x, face.y, face.size) for face in pair] for pair in pairs])
    if places[:, 0, 0].max() >= places[:, 1, 0].min():
        raise UserError(f"in '{movie.path.name}' the two people change places; give a part where they do not")
    left, right = (_square(places[:, side], places[:, 1 - side], size, movie) for side in (0, 1))
    return left, right


def crop_people(
    movie: Movie, steps: range, squares: tuple[Square, Square], files: tuple[Path, Path], report: Report
) -> int:
    """Writes a video of each square at 30 frames a second; gives their number of frames."""
    writers = [_VideoWriter(file) for file in files]
    written = 0
    try:
        for picture in read_pictures(movie, _LARGEST_SIDE):
            count = len(range(max(picture.steps.start, steps.start), min(picture.steps.stop, steps.stop)))
            if count:
                scale = picture.pixels.shape[1] / picture.size[0]
                for writer, square in zip(writers, squares, strict=True):
                    writer.write(square.cut(picture.pixels, scale), count)
                written += count
                report("cropping", written, len(steps))
            elif picture.steps.start >= steps.stop:
                break
    finally:
        for writer in writers:
            writer.close()
    return written


def write_sound(sound: Sound, first_step: int, count: int, file: Path) -> None:
    """Writes the sound of ``count`` grid steps from ``first_step`` on: one channel, 44.1 kHz, 16 bit.

    Silence stands where the sound has not begun or is over.
    """
    rate = sound.sample_rate
    start = round((grid_time_ns(first_step) - sound.time_ns) * rate / NS_PER_S)
    mono = sound.samples.mean(axis=1).round().astype(np.int16)
    length = count * rate // RATE_HZ
    samples = np.zeros(length, np.int16)
    known = mono[max(0, start) : max(0, start + length)]
    offset = max(0, -start)
    samples[offset : offset + len(known)] = known[: max(0, length - offset)]
    with av.open(str(file), "w", format="wav") as container:
        stream = container.add_stream("pcm_s16le", rate=SOUND_RATE, layout="mono")
        resampler = av.AudioResampler(format="s16", layout="mono", rate=SOUND_RATE)
        frame = av.AudioFrame.from_ndarray(samples[None], format="s16", layout="mono")
        frame.sample_rate, frame.pts = rate, 0
        for piece in (*resampler.resample(frame), *resampler.resample(None)):
            container.mux(stream.encode(piece))
        container.mux(stream.encode())


class _VideoWriter:
    """Writes H.264 in MP4 at 30 frames a second."""

    def __init__(self, file: Path) -> None:
        self._container = av.open(str(file), "w", format="mp4")
        self._stream = self._container.add_stream("libx264", rate=RATE_HZ, options={"crf": _QUALITY})
        self._stream.width = self._stream.height = SIDE
        self._stream.pix_fmt, self._stream.time_base = "yuv420p", Fraction(1, RATE_HZ)
        self._next = 0

    def write(self, pixels: NDArray[np.uint8], times: int) -> None:
        """Adds a picture [384, 384, 3] in BGR that stands for so many frames."""
        for _ in range(times):
            frame = av.VideoFrame.from_ndarray(pixels, format="bgr24")
            frame.pts, frame.time_base = self._next, Fraction(1, RATE_HZ)
            self._container.mux(self._stream.encode(frame))
            self._next += 1

    def close(self) -> None:
        """Completes the file."""
        if self._next:
            self._container.mux(self._stream.encode())
        self._container.close()


def _scaled(face: Detection, scale: float) -> Detection:
    return Detection(face.x * scale, face.y * scale, face.size * scale, face.angle)


def _square(own: NDArray, other: NDArray, size: tuple[int, int], movie: Movie) -> Square:
    """Around the places (x, y, size) [N, 3] of a face, without the other one's."""
    centre, face = np.median(own[:, :2], axis=0), float(np.median(own[:, 2]))
    moved = float(np.quantile(np.abs(own[:, :2] - centre).max(axis=1), 0.95))
    half = _MARGIN * face + moved
    # Where there is room, the square lies in the picture.
    inside = [
        np.clip(place, half, whole - half) if whole > 2 * half else place
        for place, whole in zip(centre, size, strict=True)
    ]
    free = float(np.min(np.abs(other[:, 0] - inside[0]) - other[:, 2] / 2))
    if free < _LEAST_MARGIN * face:
        raise UserError(
            f"in '{movie.path.name}' the two faces are too close to be cut apart; give another part of it"
        )
    return Square(float(inside[0]), float(inside[1]), min(half, free))
