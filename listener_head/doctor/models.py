"""The models that ship: the listener's network, the face tracker, the head."""

from __future__ import annotations

import time
from pathlib import Path
from statistics import median

from listener_head.doctor.finding import Finding, failure, ok, refusal, warning
from listener_head.errors import UserError
from listener_head.paths import assets_dir
from listener_head.timing import RATE_HZ

STEPS = RATE_HZ  # a second of the listener
FRAMES = 5  # of the clip, in which the tracker must find the face
SLOW_STEP_MS = 5.0

_AGAIN = "install listener_head again; pip install --force-reinstall --no-deps . does"


def listener_network(path: Path | None = None) -> Finding:
    """Whether the network loads and a second of it gives finite motion."""
    import numpy as np

    from listener_head.listener import load_listener

    try:
        listener = load_listener(path)
    except UserError as problem:
        return refusal(problem)
    times, motion = [], listener.reference
    for _ in range(STEPS):
        began = time.perf_counter()
        motion = listener.step(listener.quiet_audio, listener.absent_speaker)
        times.append(time.perf_counter() - began)
    named = f"{listener.name} ({listener.hash})"
    if not np.isfinite(motion).all():
        return failure(f"{named} gives numbers that are not finite", _AGAIN)
    step_ms = 1e3 * median(times)
    text = f"{named}: a step takes {step_ms:.2f} ms"
    return warning(text, "see 'processor'") if step_ms > SLOW_STEP_MS else ok(text)


def face_tracker(clip: Path | None = None) -> Finding:
    """Whether MediaPipe's graphs load and find the face of the clip that ships."""
    from listener_head.face import FaceTracker
    from listener_head.sources import VideoFile

    try:
        video = VideoFile(clip or assets_dir() / "speaker.mp4", silent=True)
        tracker = FaceTracker()
        times, seen = [], 0
        for _, image in zip(range(FRAMES), video.images(), strict=False):
            began = time.perf_counter()
            seen += tracker.track(image.pixels) is not None
            times.append(time.perf_counter() - began)
        tracker.close()
    except UserError as problem:
        return refusal(problem)
    if not seen:
        return failure(
            f"MediaPipe finds no face in {video.path}", "pip install --force-reinstall mediapipe==0.10.21"
        )
    return ok(f"MediaPipe finds the face in {seen} of {len(times)} frames, {1e3 * median(times):.0f} ms each")


def head() -> Finding:
    """Whether the head's files belong together: the mesh, its hair, and the landmarks on it."""
    from listener_head.face.arkit52.locks import head_with_locks
    from listener_head.face.correspondence import load_correspondence
    from listener_head.face.model import load_face_model

    try:
        model = load_face_model()
        whole, landmarks = head_with_locks(), load_correspondence(model)
    except UserError as problem:
        return refusal(problem)
    if landmarks.vertex.max() >= len(model.mean) or len(whole.mean) < len(model.mean):
        return failure(f"the files of {model.name} do not belong together", _AGAIN)
    return ok(f"{model.name}: {len(whole.mean)} vertices, {len(landmarks.vertex)} landmarks")
