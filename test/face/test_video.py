"""Tracker and fit on video: of real people where there are clips, and of a face that holds still."""

from fractions import Fraction

import av
import numpy as np
import pytest

from listener_head.coefficients import LAYOUTS, Coefficients
from listener_head.face import FaceFitter, FaceTracker, load_face_model
from listener_head.face.measure_clip import jitter_of, measure_clip
from listener_head.render import HeadRenderer

LAYOUT = LAYOUTS["arkit52"]
FPS, FRAMES, LEARNED = 30, 90, 40
PIXEL_NOISE = 4.0  # grey levels, of a webcam indoors


@pytest.mark.parametrize("name", ["speaker_office.mp4", "speaker_short.mp4", "two_people.avi"])
def test_real_people_are_fitted(real_clips, name):
    clip = measure_clip(real_clips / name)
    assert clip.share_valid >= 0.99
    assert np.median(clip.errors) <= 0.06
    # two_people ends with four frames of a title card.
    assert clip.empty == (4 if name == "two_people.avi" else 0)


@pytest.fixture(scope="module")
def still_video(tmp_path_factory):
    """Writes a video of a head that holds still, as a webcam would: noise, then H.264."""
    folder = tmp_path_factory.mktemp("still")

    def write(rotation, size, quality):
        renderer, motion = HeadRenderer(size), LAYOUT.neutral()
        motion[LAYOUT.rotation] = rotation
        head = renderer.render(Coefficients.from_motion("arkit52", motion))
        renderer.close()
        picture = np.full((480, 640, 3), 128, np.float32)
        picture[240 - size // 2 : 240 + size // 2, 320 - size // 2 : 320 + size // 2] = head
        random, path = np.random.default_rng(1), folder / f"{size}_{quality}.mp4"
        grain = PIXEL_NOISE * random.standard_normal((8, *picture.shape), np.float32)
        with av.open(str(path), "w") as container:
            stream = container.add_stream("libx264", rate=FPS, options={"crf": str(quality)})
            stream.width, stream.height, stream.pix_fmt = 640, 480, "yuv420p"
            for number in range(FRAMES):
                noisy = picture + np.roll(grain[number % 8], random.integers(0, 480, 2), axis=(0, 1))
                frame = av.VideoFrame.from_ndarray(np.clip(noisy, 0, 255).astype(np.uint8), format="rgb24")
                frame.pts, frame.time_base = number, Fraction(1, FPS)
                container.mux(stream.encode(frame))
            container.mux(stream.encode())
        return path

    return write


@pytest.mark.parametrize(
    ("rotation", "size", "quality"), [((0.15, 0.3, 0.1), 480, 23), ((0.1, -0.3, 0), 240, 30)]
)
def test_still_face_in_video_holds_still(still_video, rotation, size, quality):
    tracker, fitter = FaceTracker(), FaceFitter(load_face_model("arkit52"))
    rotations = []
    with av.open(str(still_video(rotation, size, quality))) as container:
        for number, frame in enumerate(container.decode(video=0)):
            image = frame.to_ndarray(format="bgr24")
            fit = fitter.fit(tracker.track(image, number * 10**9 // FPS), number / FPS)
            assert fit.valid, fit.reason
            rotations.append(fit.rotation)
    tracker.close()
    assert len(rotations) == FRAMES
    assert np.degrees(np.std(rotations[LEARNED:], axis=0)).max() <= 0.3


def test_jitter_is_that_of_the_quick_part_while_the_head_holds_still():
    random, times = np.random.default_rng(0), np.arange(600) / 30.0
    noise = np.radians(0.2) * random.standard_normal((600, 3))
    swing = np.where(times < 10.0, 0.0, 0.5 * np.sin(3.0 * times))[:, None] * [0.0, 1.0, 0.0]
    assert np.degrees(jitter_of(times, noise + swing)) == pytest.approx(0.2, rel=0.25)
    assert np.isnan(jitter_of(times, 5.0 * times[:, None] * [1.0, 0.0, 0.0]))
    assert np.isnan(jitter_of(times[:2], noise[:2]))
