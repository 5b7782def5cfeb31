"""One clip from its files to those of the output folder."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import numpy as np

from listener_head import __version__
from listener_head.audio import FeatureStream
from listener_head.audio.stream import LOWEST_RATE
from listener_head.errors import UserError
from listener_head.extraction.catalogue import Clip
from listener_head.extraction.clip_file import ClipFeatures, write_clip
from listener_head.extraction.conversion import reconstruction, video_features
from listener_head.extraction.grid import Seen, check_face, face_on_grid, sound_on_grid
from listener_head.extraction.media import MISSING_END, Movie, open_movie, read_pictures, read_sound
from listener_head.extraction.perception import open_perception
from listener_head.extraction.published import write_audio_npy, write_mat, write_video_bin
from listener_head.extraction.settings import Backend, Settings
from listener_head.extraction.store import Record, Store
from listener_head.sources import Sound
from listener_head.timing import NS_PER_S, RATE_HZ

# Trackers look at 192 pixels of face; Deep3D cuts 224 out of the original.
LARGEST_SIDE = {Backend.LANDMARKS: 640, Backend.DEEP3D: 1920}

Report = Callable[[int], None]

_REPORT_PERIOD = RATE_HZ  # pictures


class Extractor:
    """Extracts clips one after the other; UserError when the settings' model cannot be used."""

    def __init__(self, settings: Settings) -> None:
        self._settings, self._store = settings, Store(settings)
        FeatureStream(
            LOWEST_RATE, settings.audio_layout
        )  # what is wrong with the layout is not the clips' fault
        self._perception = open_perception(settings)

    def extract(self, clip: Clip, report: Report) -> Record:
        """Writes a clip's files and its record; ``report`` is told of pictures that are done, some at a time.

        UserError says what is wrong with the clip, OutputError that nothing can be written.
        """
        store = self._store
        store.forget(clip)
        sources = store.sources(clip)
        features = self.features(clip, report)
        for kind, file in store.files(clip).items():
            store.write(file, _packed(kind, features))
        return store.finish(clip, sources, len(features), int((~features.valid).sum()))

    def features(self, clip: Clip, report: Report) -> ClipFeatures:
        """What a clip holds; UserError says what is wrong with it."""
        movie, sound = open_movie(clip.video), read_sound(clip.sound)
        seen, image_size = self._watch(movie, report)
        _check_end(movie, seen, sound if clip.sound == clip.video else None)
        face = face_on_grid(seen, self._perception.face_model)
        check_face(seen, face["valid"])
        heard = sound_on_grid(sound, len(face["valid"]), self._settings.audio_layout)
        return ClipFeatures(
            uuid=clip.uuid,
            role=clip.role,
            audio_layout=str(self._settings.audio_layout),
            face_model=self._perception.face_model,
            image_size=image_size,
            source=self._facts(clip, movie, seen),
            audio_features=heard.values,
            voice_activity=heard.voice_activity,
            **face,
        )

    def _watch(self, movie: Movie, report: Report) -> tuple[list[Seen], tuple[int, int]]:
        """What is seen in a clip, crops in pixels of the file, and the size of its pictures there."""
        perception, when = self._perception, []
        perception.start()
        for picture in read_pictures(movie, LARGEST_SIDE[self._settings.backend]):
            if picture.steps:
                perception.watch(picture.pixels, picture.time_ns)
                when.append((picture.time_ns, picture.steps))
                size, scale = picture.size, picture.pixels.shape[1] / picture.size[0]
                if len(when) % _REPORT_PERIOD == 0:
                    report(_REPORT_PERIOD)
        report(len(when) % _REPORT_PERIOD)
        seen = [Seen(each, *at) for each, at in zip(perception.coefficients(), when, strict=True)]
        to_file = np.array([scale, 1.0 / scale, 1.0 / scale], np.float32)
        for each in seen:
            if each.coefficients.crop.size:
                each.coefficients.crop = each.coefficients.crop * to_file
        return seen, size

    def _facts(self, clip: Clip, movie: Movie, seen: list[Seen]) -> dict[str, Any]:
        reasons = Counter(each.coefficients.reason for each in seen if not each.coefficients.valid)
        return {
            "video": self._store.relative(clip.video),
            "sound": self._store.relative(clip.sound),
            "frames_per_second": movie.fps,
            "pictures": len(seen),
            "pictures_not_valid": dict(reasons),
            "backend": str(self._settings.backend),
            "versions": {"listener_head": __version__, "mediapipe": version("mediapipe")},
        }


def _check_end(movie: Movie, seen: list[Seen], own_sound: Sound | None) -> None:
    """UserError when a file ends long before its header says: it has been cut off."""
    if movie.has_sound and own_sound is None:
        return  # its duration may be that of sound that is not read
    end = seen[-1].steps.stop / RATE_HZ
    if own_sound is not None:
        end = max(end, own_sound.time_ns / NS_PER_S + len(own_sound.samples) / own_sound.sample_rate)
    if end < movie.duration - MISSING_END:
        name = movie.path.name
        raise UserError(
            f"'{name}' is cut off: it ends after {end:.1f} of {movie.duration:.1f} s; copy it again"
        )


def _packed(kind: str, features: ClipFeatures) -> bytes:
    """A file of a clip."""
    file = io.BytesIO()
    if kind == "npz":
        write_clip(file, features)
    elif kind == "npy":
        write_audio_npy(file, features.audio_features)
    elif kind == "bin":
        write_video_bin(file, video_features(features))
    else:
        write_mat(file, reconstruction(features))
    return file.getvalue()
