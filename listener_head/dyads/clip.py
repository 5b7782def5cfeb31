"""The demo's speaker: the built-in head with a synthetic voice, so that nobody's likeness ships.

Made by ``python -m listener_head.dyads.clip [FILE]``; the sound is espeak-ng's where it is installed.
"""

from __future__ import annotations

import sys
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from listener_head.coefficients import Coefficients
from listener_head.dyads.speaker import SpeakerStyle, talking_face
from listener_head.dyads.speech import SAMPLE_RATE, Speech, speak
from listener_head.dyads.voice import default_voice
from listener_head.paths import assets_dir
from listener_head.render import HeadRenderer
from listener_head.render.theme import Hair, Theme
from listener_head.timing import RATE_HZ

SEED = 4  # smiles at the greeting and at the end, frowns where it tells of worry
SIZE = 512  # [px]
CLIP = "speaker.mp4"

# What is said, and the pause after it [s].
SCRIPT = (
    ("Hello! It is so good to see you again.", 0.9),
    ("Yesterday we put a new head on the robot, and it nodded at me.", 1.0),
    ("But then it stopped, and nobody knew why. We were really worried.", 1.1),
    ("In the end it was only a loose cable! Isn't that wonderful?", 1.2),
)
STYLE = SpeakerStyle(articulation=1.1, head=1.2, brows=1.2, smiling=0.5, frowning=0.25)
# Somebody else than the listener, who has the mean face: standard deviations by mode.
IDENTITY = {"face_width": -1, "jaw_width": -1.2, "nose_length": 0.8, "lip_fullness": 1.2, "brow_height": 0.8}
THEME = Theme(
    hair=Hair(colour=(0.115, 0.085, 0.075), light=(0.25, 0.19, 0.16)),
    brows=(0.13, 0.09, 0.075),
    clothes=(0.70, 0.36, 0.32),
    background=(0.62, 0.70, 0.66),
)


def make_clip(path: Path) -> None:
    """Writes the clip: H.264 and AAC in MP4, 512 x 512 at 30 fps."""
    speech = speak(default_voice(), SCRIPT, lead=0.4)
    motion = talking_face(speech, np.random.default_rng(SEED), STYLE)
    renderer = HeadRenderer(SIZE, theme=THEME)
    identity = np.array([IDENTITY.get(name, 0.0) for name in renderer.model.identity_names], np.float32)
    with av.open(str(path), "w", options={"movflags": "faststart"}) as container:
        video = container.add_stream("libx264", rate=RATE_HZ, options={"crf": "21", "preset": "slow"})
        video.width, video.height, video.pix_fmt = SIZE, SIZE, "yuv420p"
        video.time_base = Fraction(1, RATE_HZ)
        audio = container.add_stream("aac", rate=SAMPLE_RATE, layout="mono")
        for number, frame in enumerate(track(motion, "drawing the speaker")):
            pixels = renderer.render(Coefficients.from_motion("arkit52", frame, identity))
            _encode_picture(container, video, pixels, number)
        container.mux(video.encode())
        _encode_sound(container, audio, speech)
    renderer.close()


def _encode_picture(
    container: av.container.OutputContainer,
    stream: av.VideoStream,
    pixels: NDArray[np.uint8],
    number: int,
) -> None:
    frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
    frame.pts, frame.time_base = number, Fraction(1, RATE_HZ)
    container.mux(stream.encode(frame))


def _encode_sound(container: av.container.OutputContainer, stream: av.AudioStream, speech: Speech) -> None:
    samples = np.asarray(speech.samples, np.float32)[None]
    frame = av.AudioFrame.from_ndarray(samples, format="flt", layout="mono")
    frame.sample_rate, frame.pts = SAMPLE_RATE, 0
    container.mux(stream.encode(frame))
    container.mux(stream.encode())


if __name__ == "__main__":
    make_clip(Path(sys.argv[1]) if len(sys.argv) > 1 else assets_dir() / CLIP)
