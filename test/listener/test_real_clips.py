"""The shipped network before real people, from pixels and sound; skips where there are no clips."""

import av
import numpy as np
import pytest

from listener_head.audio import extract_features
from listener_head.coefficients import LAYOUTS
from listener_head.face import FaceFitter, FaceTracker, load_face_model
from listener_head.listener import ListenerSession, load_listener
from listener_head.timing import RATE_HZ

LAYOUT = LAYOUTS["arkit52"]
ATTITUDES = ("positive", "neutral", "negative")
CLIPS = ("speaker_office", "speaker_short")


@pytest.fixture(scope="module")
def perceived(real_clips):
    """For each clip the audio features [T, 45] and the (stamp, speaker motion) of its camera frames."""
    return {name: (hear(real_clips / f"{name}.mp4"), watch(real_clips / f"{name}.mp4")) for name in CLIPS}


def hear(path):
    with av.open(str(path)) as container:
        rate = container.streams.audio[0].rate
        resampler = av.AudioResampler("flt", "mono", rate)
        chunks = [part.to_ndarray()[0] for f in container.decode(audio=0) for part in resampler.resample(f)]
    return extract_features(np.concatenate(chunks), rate)


def watch(path):
    fitter, frames = FaceFitter(load_face_model("arkit52")), []
    tracker = FaceTracker()
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            coefficients = fitter.fit(tracker.track(frame.to_ndarray(format="bgr24")))
            if coefficients.valid:
                frames.append((round(frame.time * 1e9), coefficients.motion))
    tracker.close()
    return frames


def respond(audio, speaker, attitude):
    """Motion [T, 58] of a session that hears one clip and sees one, its first second left out."""
    session = ListenerSession(load_listener(), attitude=attitude)
    frames = list(speaker)
    motions = []
    for index, sound in enumerate(audio):
        while frames and frames[0][0] <= index * 1e9 / RATE_HZ:
            session.observe(*frames.pop(0))
        motions.append(session.step(index, sound).motion)
    return np.stack(motions)[RATE_HZ:]


def shape(motion, name):
    return motion[:, LAYOUT.index(name)]


@pytest.mark.parametrize("attitude", ATTITUDES)
@pytest.mark.parametrize("clip", CLIPS)
def test_it_moves_like_a_listener(perceived, clip, attitude):
    turns = np.degrees(respond(*perceived[clip], attitude)[:, LAYOUT.rotation])
    assert np.ptp(turns[:, 0]) >= 3
    assert np.abs(np.diff(turns, axis=0)).max() < 3
    windows = np.lib.stride_tricks.sliding_window_view(turns, 2 * RATE_HZ, axis=0)
    assert np.ptp(windows, axis=-1).max(axis=1).min() > 0.15


@pytest.mark.parametrize("clip", CLIPS)
def test_attitudes_can_be_told_apart(perceived, clip):
    motions = {attitude: respond(*perceived[clip], attitude) for attitude in ATTITUDES}
    smile = {name: shape(motion, "mouthSmileLeft").mean() for name, motion in motions.items()}
    frown = {name: shape(motion, "browDownLeft").mean() for name, motion in motions.items()}
    assert smile["positive"] - smile["negative"] >= 0.15
    assert frown["negative"] - frown["positive"] >= 0.1


@pytest.mark.parametrize("attitude", ATTITUDES)
def test_it_listens_and_looks(perceived, attitude):
    """Another clip's sound or face changes the motion by more than a third of its own range."""
    (audio, face), (other_audio, other_face) = (perceived[name] for name in CLIPS)
    count = min(len(audio), len(other_audio))
    own = respond(audio[:count], face, attitude)
    for sound, sight in ((other_audio, face), (audio, other_face)):
        changed = respond(sound[:count], sight, attitude)
        difference = np.abs(changed - own)[:, LAYOUT.rotation].max(axis=0)
        assert (difference / np.ptp(own[:, LAYOUT.rotation], axis=0)).max() > 1 / 3
