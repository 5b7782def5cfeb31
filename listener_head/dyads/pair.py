"""A pair of a speaker and a listener from a video of two people, as the paper's section 4 makes them."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from listener_head.dyads.metadata import Row
from listener_head.dyads.two_people import crop_people, find_people, write_sound
from listener_head.dyads.vico import FEATURES, OPEN, ROLES, kind_of
from listener_head.dyads.writing import existing_rows, set_settings, write_set_statistics, write_table
from listener_head.errors import UserError
from listener_head.extraction.catalogue import Clip
from listener_head.extraction.extractor import Extractor
from listener_head.extraction.media import Movie, open_movie, read_sound
from listener_head.extraction.published import require_torch
from listener_head.extraction.settings import AudioLayout, Settings
from listener_head.extraction.store import Store
from listener_head.face import load_face_model
from listener_head.progress import Report
from listener_head.timing import RATE_HZ

SIDES = ("left", "right")


@dataclass(frozen=True)
class PairRequest:
    """Which part of a video [s] becomes which clip of the set in ``output``.

    ``speaker`` is the side of the picture where the speaker is; the other person listens. Empty names are
    made of the video's: the clip's, and those of the two people.
    """

    video: Path
    speaker: str
    attitude: str
    output: Path
    split: str = "train"
    start: float = 0.0
    end: float | None = None
    name: str = ""
    speaker_id: str = ""
    listener_id: str = ""
    audio_layout: AudioLayout = AudioLayout.PAPER45
    face_model: str = "arkit52"

    def row(self) -> Row:
        """Its row in the table; UserError for an unknown side, attitude, part or an impossible name."""
        if self.speaker not in SIDES:
            raise UserError(f"speaker '{self.speaker}' is unknown; choose {' or '.join(SIDES)}")
        stem = self.video.stem
        other = SIDES[1 - SIDES.index(self.speaker)]
        part = "" if self.end is None and not self.start else f"_{self.start:g}_{self.end or 'end'}"
        name = self.name or f"{stem}{part}"
        people = self.speaker_id or f"{stem}.{self.speaker}", self.listener_id or f"{stem}.{other}"
        files = name, *(f"{name}.{role}" for role in ROLES)
        row = Row(name, stem, *people, self.attitude, self.split, *files)
        if row.fault:
            raise UserError(f"clip '{name}' {row.fault}")
        return row


def add_pair(request: PairRequest, report: Report) -> Row:
    """Adds a clip to the set in ``output``, or begins one: videos, sound, features, table and statistics.

    Both faces are cropped to 384 x 384 at 30 frames a second, the sound is brought to 44.1 kHz, and features
    are extracted of these files as `listener_head extract` does. After an error the set is as it was.

    UserError when the video does not show two people side by side, a face cannot be followed, there is no
    sound, the clip is in the set already, or the set is of another face model or audio layout.
    """
    require_torch()
    row = request.row()
    settings = set_settings(
        request.output.absolute(), audio_layout=request.audio_layout, face_model=request.face_model
    )
    movie, sound = open_movie(request.video), read_sound(request.video)
    steps = _steps(request, movie)
    rows = existing_rows(settings.output)
    kind = _check_set(settings, row, rows)
    store = Store(settings)
    with store.opened(), ExitStack() as undo, TemporaryDirectory(dir=settings.output, prefix=".pair") as new:
        squares = find_people(movie, steps, report)
        roles = ROLES if request.speaker == SIDES[0] else ROLES[::-1]
        videos = {role: Path(new, f"{role}.mp4") for role in roles}
        count = crop_people(movie, steps, squares, (videos[roles[0]], videos[roles[1]]), report)
        write_sound(sound, steps.start, count, Path(new, "sound.wav"))
        clips = _clips(row, settings)
        for clip in clips:
            _move(videos[clip.role], clip.video, undo)
        _move(Path(new, "sound.wav"), clips[0].sound, undo)
        _extract(clips, settings, store, count, report, undo)
        usable = [each for each in rows if kind_of(settings.output, each) == kind]
        write_set_statistics(store, [*usable, row])
        write_table(store, [*rows, row])
        undo.pop_all()
    return row


def _steps(request: PairRequest, movie: Movie) -> range:
    """The grid steps of the part that is asked for; UserError when the video has no such part."""
    end = movie.duration if request.end is None else request.end
    if not 0 <= request.start < end or request.start >= (movie.duration or end):
        raise UserError(
            f"there is nothing from {request.start:g} to {end:g} s: '{movie.path.name}' lasts "
            f"{movie.duration:.1f} s; give another --start and --end"
        )
    return range(round(request.start * RATE_HZ), round(end * RATE_HZ))


def _check_set(settings: Settings, row: Row, rows: list[Row]) -> tuple[str, str]:
    """Face model and audio layout of the set; UserError when the clip cannot be added to it."""
    folder = settings.output
    if folder.exists() and not folder.is_dir():
        raise UserError(f"'{folder}' is a file; give the folder of a set as --output")
    if (folder / OPEN).is_dir() and not (folder / FEATURES).is_dir():
        raise UserError(
            f"the set in '{folder}' has the format npz; videos are added to sets of the format vico only"
        )
    if any(each.name == row.name for each in rows):
        raise UserError(f"'{folder}' has a clip '{row.name}' already; give another --name")
    wanted = load_face_model(settings.face_model).name, str(settings.audio_layout)
    kind = next(filter(None, (kind_of(folder, each) for each in rows)), wanted)
    if kind != wanted:
        raise UserError(
            f"the set in '{folder}' is {kind[0]} with sound {kind[1]}, not {wanted[0]} with {wanted[1]}; "
            "give --face-model and --audio-layout as the set has them, or another --output"
        )
    return wanted


def _clips(row: Row, settings: Settings) -> list[Clip]:
    sound = settings.output / "audios" / f"{row.name}.wav"
    videos = {role: settings.output / "videos" / f"{row.name}.{role}.mp4" for role in ROLES}
    return [Clip(row.name, role, video, sound, role == "speaker") for role, video in videos.items()]


def _move(source: Path, target: Path, undo: ExitStack) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    undo.callback(target.unlink, missing_ok=True)
    source.replace(target)


def _extract(
    clips: list[Clip], settings: Settings, store: Store, count: int, report: Report, undo: ExitStack
) -> None:
    extractor, done = Extractor(settings), 0

    def progress(pictures: int) -> None:
        nonlocal done
        done += pictures
        report("extracting", done, count * len(clips))

    for clip in clips:
        undo.callback(store.forget, clip)
        try:
            extractor.extract(clip, progress)
        except UserError as problem:
            raise UserError(f"the {clip.role}: {problem}") from None
