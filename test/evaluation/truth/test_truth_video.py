"""The video of a listener beside the people of the recording."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from listener_head.coefficients import LAYOUTS
from listener_head.errors import UserError
from listener_head.evaluation.truth.video import make_video
from listener_head.evaluation.video import BAR_HEIGHT
from listener_head.rendering.renderers import Look
from listener_head.timing import NS_PER_S

LAYOUT = LAYOUTS["arkit52"]
SIZE, WIDTH = 64, 80
STEPS = 45
FLASH_S = 0.7  # after the first instant
LOOK = Look(size=SIZE)


@pytest.fixture(autouse=True, scope="module")
def _opengl():
    """Skips where no OpenGL context opens."""
    from listener_head.render import HeadRenderer

    try:
        HeadRenderer(SIZE).close()
    except UserError as error:
        pytest.skip(str(error))


@pytest.fixture
def people(make_listened, stamps):
    """What the listener did, and the pictures of a camera that sees a flash at FLASH_S."""
    listened = make_listened(STEPS)
    start = int(listened.stamp_ns[0])

    def pictures(level: int, rate_hz: float = 25.0, early_s: float = 0.5) -> Iterator[tuple]:
        for stamp in stamps(60, rate_hz, -round(early_s * NS_PER_S)).tolist():
            bright = 0 <= stamp - start - FLASH_S * NS_PER_S < 0.1 * NS_PER_S
            yield stamp, np.full((48, 60, 3), 250 if bright else level, np.uint8)

    return listened, pictures


def chunks(start_ns: int, rate: int = 16_000, channels: int = 1, early_s: float = 0.35) -> Iterator[tuple]:
    """Sound in pieces of 50 ms from before the start, silent but for a tone of 0.1 s at FLASH_S."""
    times = np.arange(-early_s, 2.0, 1 / rate)
    heard = (times >= FLASH_S) & (times < FLASH_S + 0.1)
    sound = np.where(heard, 12_000 * np.sin(2 * np.pi * 800 * times), 0).astype(np.int16)
    size = rate // 20
    for first in range(0, len(sound), size):
        piece = np.repeat(sound[first : first + size, None], channels, axis=1)
        yield start_ns + round(times[first] * NS_PER_S), piece, rate


def decoded(path: Path) -> tuple[list[np.ndarray], np.ndarray, np.ndarray]:
    """Frames in RGB, sound in mono and the times [s] of its samples."""
    with av.open(str(path)) as container:
        video = list(container.decode(video=0))
        assert [Fraction(frame.pts) * frame.time_base for frame in video] == [
            Fraction(number, 30) for number in range(len(video))
        ]
        container.seek(0)
        pieces = list(container.decode(audio=0))
        sound = np.concatenate([piece.to_ndarray().mean(axis=0) for piece in pieces])
        begin = float(pieces[0].pts * pieces[0].time_base)
    return (
        [frame.to_ndarray(format="rgb24") for frame in video],
        sound,
        begin + np.arange(len(sound)) / 48_000,
    )


def test_all_three_are_beside_each_other_in_time_with_the_sound(people, tmp_path):
    listened, pictures = people
    output, told = tmp_path / "new" / "video.mp4", []

    count = make_video(
        listened,
        pictures(60),
        chunks(int(listened.stamp_ns[0])),
        output,
        LOOK,
        pictures(150, 30.0),
        report=lambda _, done, total: told.append((done, total)),
    )

    frames, sound, times = decoded(output)
    assert count == len(frames) == STEPS
    assert told == [(number, STEPS) for number in range(1, STEPS + 1)]
    assert frames[0].shape == (SIZE + BAR_HEIGHT, 2 * WIDTH + SIZE, 3)
    speaker = np.array([frame[8:56, 8:72].mean() for frame in frames])
    true = np.array([frame[8:56, WIDTH + SIZE + 8 : -8].mean() for frame in frames])
    bright = [(np.flatnonzero(each > 200)[[0, -1]] / 30).tolist() for each in (speaker, true)]
    for begin, end in bright:
        assert begin == pytest.approx(FLASH_S, abs=0.045) and end == pytest.approx(FLASH_S + 0.08, abs=0.045)
    assert speaker[0] == pytest.approx(60, abs=6) and true[0] == pytest.approx(150, abs=6)
    loud = times[np.abs(sound) > 0.1]
    assert loud[0] == pytest.approx(FLASH_S, abs=0.02)
    assert loud[-1] == pytest.approx(FLASH_S + 0.1, abs=0.02)
    assert times[-1] == pytest.approx(STEPS / 30, abs=0.05)
    # The head is there, and its caption is text on the bar.
    assert frames[0][:SIZE, WIDTH : WIDTH + SIZE].std() > 20
    assert (frames[0][SIZE:, WIDTH:].max(axis=2) > 150).any()


def test_the_head_moves_at_the_step_that_moves_it(people, make_listened, tmp_path):
    """Wherever the camera of the recording stood."""
    _, pictures = people
    motion = np.tile(LAYOUT.neutral(), (STEPS, 1))
    motion[:, LAYOUT.translation] += (0.3, -0.2, 0.8)
    motion[20:, 1] = 0.5
    listened = make_listened(STEPS, motion)

    make_video(listened, pictures(60), [], tmp_path / "video.mp4", LOOK)

    with av.open(str(tmp_path / "video.mp4")) as container:
        assert not container.streams.audio
        frames = [frame.to_ndarray(format="gray") for frame in container.decode(video=0)]
    heads = np.array([frame[:SIZE, WIDTH:].astype(float) for frame in frames])
    changed = np.abs(np.diff(heads, axis=0)).mean(axis=(1, 2))
    assert changed.argmax() == 19 and changed[19] > 5 * np.delete(changed, 19).max()
    assert abs(heads[0, 30:34, :8].mean() - heads[0, 30:34, 28:36].mean()) > 15  # it sits in the middle


def test_the_lamp_is_lit_while_the_speaker_speaks(people, make_listened, tmp_path):
    _, pictures = people
    listened = make_listened(STEPS, voice_activity=(np.arange(STEPS) >= 15).astype(np.float32))
    make_video(listened, pictures(60), [], tmp_path / "video.mp4", LOOK)
    with av.open(str(tmp_path / "video.mp4")) as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    lamp = np.array([frame[SIZE + BAR_HEIGHT // 2, 21, 1] for frame in frames]).astype(int)
    assert (lamp[:15] < 110).all() and (lamp[16:] > 150).all()


def test_it_is_no_longer_than_wanted_and_takes_no_more_than_that(people, tmp_path):
    listened, pictures = people
    taken = []

    def counted():
        for stamp, pixels in pictures(60):
            taken.append(stamp)
            yield stamp, pixels

    sound = chunks(int(listened.stamp_ns[0]), channels=2)
    assert make_video(listened, counted(), sound, tmp_path / "video.mp4", LOOK, seconds=0.5) == 15
    frames, heard, times = decoded(tmp_path / "video.mp4")
    assert len(frames) == 15 and times[-1] == pytest.approx(0.5, abs=0.05) and len(heard)
    assert taken[-1] <= listened.stamp_ns[14] + 2 * NS_PER_S // 25


def test_what_makes_no_video_is_refused_and_leaves_no_file(people, make_listened, tmp_path):
    listened, pictures = people
    output = tmp_path / "out" / "video.mp4"
    start = int(listened.stamp_ns[0])

    def changed():
        yield from list(chunks(start))[:20]
        yield start + NS_PER_S, np.zeros((100, 2), np.int16), 48_000

    for arguments, message in (
        ((listened, iter([]), [], output, LOOK), "lacks a picture"),
        ((listened, pictures(60), [], output, LOOK, iter([])), "lacks a picture"),
        ((make_listened(0), pictures(60), [], output, LOOK), "no step"),
        ((listened, pictures(60), [], output, Look(size=65)), "even sides"),
        ((listened, pictures(60), [], output, Look(size=64, background="transparent")), "transparent"),
        ((listened, pictures(60), changed(), output, LOOK), "from 16000 Hz, 1 channels to 48000 Hz, 2"),
    ):
        with pytest.raises(UserError, match=message):
            make_video(*arguments)
    assert not output.parent.exists() or not list(output.parent.iterdir())
