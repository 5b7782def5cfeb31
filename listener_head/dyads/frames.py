"""Sets of the published baseline in the frame that everything here works in."""

from __future__ import annotations

from dataclasses import replace

from listener_head.dyads.clips import DyadClip, DyadClips
from listener_head.face.deep3d.published import FACE_MODEL
from listener_head.listener.reference import optical_motion


def in_optical_frame(clips: DyadClips) -> DyadClips:
    """bfm2009 motion from the published frame into the camera's optical frame; other clips as they are."""
    if clips.layout.face_model != FACE_MODEL:
        return clips

    def converted(clip: DyadClip) -> DyadClip:
        speaker, listener = (optical_motion(part, clips.layout) for part in (clip.speaker, clip.listener))
        return replace(clip, speaker=speaker, listener=listener)

    return replace(clips, clips=tuple(converted(clip) for clip in clips))
