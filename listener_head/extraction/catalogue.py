"""Which clips a folder holds, who is in them, and where their sound is.

After the layout of the ViCo data set: ``videos/<uuid>.speaker.mp4`` and ``videos/<uuid>.listener.mp4`` are
the two sides of one conversation and ``audios/<uuid>.wav`` is what the speaker says. The folders may have any
names; a video without a role in its name is a speaker.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from listener_head.errors import UserError
from listener_head.extraction.media import SOUND_ENDINGS, VIDEO_ENDINGS

ROLES = ("speaker", "listener")


@dataclass(frozen=True)
class Clip:
    """One video to extract.

    ``sound`` is the file with the speaker's voice: a sound file of the same name, else the speaker's video,
    else the video itself. ``owns_sound`` says that the features of the dyad's sound are this clip's to write.
    """

    uuid: str
    role: str
    video: Path
    sound: Path
    owns_sound: bool

    @property
    def name(self) -> str:
        """``<uuid>.<role>``, unique in a folder."""
        return f"{self.uuid}.{self.role}"


@dataclass(frozen=True)
class Skipped:
    """A file that gave nothing, and why."""

    path: Path
    reason: str


def find_clips(folder: Path) -> tuple[list[Clip], list[Skipped]]:
    """The clips below ``folder`` in the order of their names, and the files that cannot be one.

    UserError when it is not a folder or holds no video.
    """
    if not folder.is_dir():
        raise UserError(f"'{folder}' is not a folder; give the folder that holds the clips")
    videos: dict[tuple[str, str], list[Path]] = defaultdict(list)
    sounds: dict[tuple[str, str], list[Path]] = defaultdict(list)
    for path in sorted(folder.rglob("*")):
        if path.name.startswith(".") or not path.is_file():
            continue
        if path.suffix.lower() in VIDEO_ENDINGS:
            videos[_uuid_and_role(path)].append(path)
        elif path.suffix.lower() in SOUND_ENDINGS:
            sounds[_uuid_and_role(path)].append(path)
    if not videos:
        raise UserError(
            f"'{folder}' holds no video ({', '.join(VIDEO_ENDINGS)}); give the folder of the clips"
        )
    clips = [_clip(uuid, role, videos, sounds) for uuid, role in sorted(videos)]
    return clips, _unused(videos, sounds)


def _clip(
    uuid: str, role: str, videos: dict[tuple[str, str], list[Path]], sounds: dict[tuple[str, str], list[Path]]
) -> Clip:
    speaker = (uuid, "speaker")
    video = videos[uuid, role][0]
    sound = next(iter(sounds.get(speaker, []) or videos.get(speaker, [])), video)
    return Clip(uuid, role, video, sound, owns_sound=role == "speaker" or speaker not in videos)


def _unused(
    videos: dict[tuple[str, str], list[Path]], sounds: dict[tuple[str, str], list[Path]]
) -> list[Skipped]:
    skipped = []
    for paths in (*videos.values(), *sounds.values()):
        for path in paths[1:]:
            skipped.append(Skipped(path, f"has the name of '{paths[0]}' and would overwrite it; rename one"))
    uuids = {uuid for uuid, _ in videos}
    for (uuid, role), paths in sounds.items():
        if uuid not in uuids or role != "speaker":
            skipped.append(Skipped(paths[0], f"is the sound of no speaker: there is no video '{uuid}'"))
    return skipped


def _uuid_and_role(path: Path) -> tuple[str, str]:
    uuid, _, role = path.stem.rpartition(".")
    return (uuid, role) if uuid and role in ROLES else (path.stem, ROLES[0])
