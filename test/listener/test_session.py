import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from listener_head.coefficients import LAYOUTS
from listener_head.errors import UserError
from listener_head.listener import InputFlag, ListenerSession, Mode, load_listener
from listener_head.listener.liveliness import Liveliness
from listener_head.timing import grid_time_ns

LAYOUT = LAYOUTS["arkit52"]
START = 51_000_000_000  # a wall clock's grid index is large
DEGREE = np.pi / 180


@pytest.fixture
def session(listener):
    return ListenerSession(listener)


@pytest.fixture
def signals(random_signals):
    """Audio and speaker of 300 frames, changing slowly as real ones do."""
    audio, speaker = random_signals(300)
    kernel = np.hanning(15) / np.hanning(15).sum()
    return tuple(
        np.apply_along_axis(np.convolve, 0, part, kernel, "same").astype(np.float32)
        for part in (audio, speaker)
    )


def listen(session, signals, steps, first=0, see=True):
    """Make the given number of steps; with ``see`` every one has its own camera frame."""
    frames = []
    for step in range(first, first + steps):
        if see:
            session.observe(grid_time_ns(START + step), signals[1][step])
        frames.append(session.step(START + step, signals[0][step]))
    return frames


def motions(frames):
    return np.stack([frame.motion for frame in frames])


def assert_smooth(motion, largest_jerk_degrees=0.25):
    """No corner in the head's path: its velocity changes little from frame to frame."""
    change = np.diff(motion[:, LAYOUT.rotation], n=2, axis=0) / DEGREE
    assert np.abs(change).max() < largest_jerk_degrees


def test_a_step_says_when_and_from_what(session, signals):
    session.observe(grid_time_ns(START) - 7, signals[1][0])
    session.observe(grid_time_ns(START) + 1, signals[1][1])
    frame = session.step(START, signals[0][0])
    assert frame.index == START and frame.frame == 0
    assert frame.time_ns == grid_time_ns(START) and frame.stamp_ns == grid_time_ns(START + 1)
    assert frame.source_stamp_ns == grid_time_ns(START) - 7
    assert frame.mode is Mode.LISTENING and frame.flags == InputFlag.NONE
    assert session.step(START + 1, signals[0][1]).source_stamp_ns == grid_time_ns(START) + 1


def test_camera_frames_may_arrive_in_any_order(listener, signals):
    stamps = [grid_time_ns(START) - age for age in (90_000_000, 60_000_000, 30_000_000)]
    results = []
    for order in ((0, 1, 2), (2, 0, 1), (1, 2, 0)):
        session = ListenerSession(listener)
        for number in order:
            session.observe(stamps[number], signals[1][number])
        results.append(session.step(START, signals[0][0]))
    assert {result.source_stamp_ns for result in results} == {stamps[2]}
    np.testing.assert_array_equal(results[0].motion, results[1].motion)
    np.testing.assert_array_equal(results[0].motion, results[2].motion)


def test_a_held_frame_is_flagged_and_held_for_300_ms(session, signals):
    session.observe(grid_time_ns(START), signals[1][0])
    frames = listen(session, signals, 12, see=False)
    assert [frame.mode for frame in frames] == [Mode.LISTENING] * 10 + [Mode.IDLE] * 2
    assert frames[0].flags == InputFlag.NONE
    assert all(frame.flags == InputFlag.SPEAKER_REPEATED for frame in frames[1:10])
    assert frames[10].flags == InputFlag.SPEAKER_ABSENT and frames[10].source_stamp_ns is None


def test_missing_sound_is_flagged_and_survived(session, signals):
    listen(session, signals, 10)
    session.observe(grid_time_ns(START + 10), signals[1][10])
    frame = session.step(START + 10, None)
    assert frame.flags == InputFlag.AUDIO_MISSING and np.isfinite(frame.motion).all()


def test_without_a_speaker_it_returns_to_the_reference_and_back_smoothly(listener, signals):
    reference = LAYOUT.neutral()
    reference[LAYOUT.rotation] = 0.05
    session = ListenerSession(listener, reference)
    frames = listen(session, signals, 60)
    frames += listen(session, signals, 120, first=60, see=False)
    np.testing.assert_allclose(frames[-1].motion, reference, atol=1e-3)
    frames += listen(session, signals, 60, first=180)
    assert frames[-1].mode is Mode.LISTENING
    assert np.abs(frames[-1].motion - reference).max() > 1e-2
    assert_smooth(motions(frames))


@pytest.mark.parametrize(
    ("switch", "value", "mode"), [("robot_speaking", True, Mode.HOLDING), ("enabled", False, Mode.DISABLED)]
)
def test_it_comes_to_rest_where_it_is_and_goes_on_smoothly(session, signals, switch, value, mode):
    frames = listen(session, signals, 60)
    setattr(session, switch, value)
    frames += listen(session, signals, 100, first=60)
    assert frames[60].mode is mode and frames[-1].mode is mode
    assert np.abs(np.diff(motions(frames[-20:]), axis=0)).max() < 1e-4
    moved = frames[-1].motion[LAYOUT.rotation] - frames[59].motion[LAYOUT.rotation]
    assert np.abs(moved).max() < 5 * DEGREE
    setattr(session, switch, not value)
    frames += listen(session, signals, 60, first=160)
    assert frames[-1].mode is Mode.LISTENING
    assert_smooth(motions(frames))


def test_it_does_not_hold_its_eyes_closed(session, signals):
    frames = listen(session, signals, 60)
    session.robot_speaking = True
    frames = listen(session, signals, 100, first=60)
    lids = [LAYOUT.index("eyeBlinkLeft"), LAYOUT.index("eyeBlinkRight")]
    np.testing.assert_allclose(frames[-1].motion[lids], 0, atol=1e-3)


def test_a_robot_that_speaks_does_not_hear_itself(listener, signals):
    results = []
    for loud in (0, 5):
        session = ListenerSession(listener)
        session.robot_speaking = True
        results.append(motions(listen(session, (signals[0] + loud, signals[1]), 30)))
        session.robot_speaking = False
        results.append(motions(listen(session, signals, 30, first=30)))
    np.testing.assert_array_equal(results[0], results[2])
    np.testing.assert_array_equal(results[1], results[3])


def test_a_skipped_step_is_flagged(session, signals):
    listen(session, signals, 5)
    session.observe(grid_time_ns(START + 8), signals[1][8])
    assert session.step(START + 8, signals[0][8]).flags == InputFlag.STEPS_SKIPPED


@pytest.mark.parametrize("jump", [-1000, 0, 31, 10**9])
def test_a_clock_jump_starts_anew_but_glides_there(session, exported, signals, jump):
    frames = listen(session, signals, 41)
    index = START + 40 + jump
    afresh = ListenerSession(load_listener(exported[0]))
    expected = []
    for step in range(100):
        for each, made in ((session, frames), (afresh, expected)):
            each.observe(grid_time_ns(index + step), signals[1][step])
            made.append(each.step(index + step, signals[0][step]))
    assert frames[41].flags == InputFlag.CLOCK_JUMPED and frames[41].frame == 0
    assert_smooth(motions(frames))
    np.testing.assert_allclose(frames[-1].motion, expected[-1].motion, atol=1e-3)


def test_reset_keeps_reference_and_attitude(listener, signals):
    reference = LAYOUT.neutral()
    reference[LAYOUT.rotation] = 0.05
    session = ListenerSession(listener, reference, "positive")
    session.set_attitude("negative")
    session.reset()
    assert listener.attitude == "negative"
    np.testing.assert_array_equal(listener.reference, reference)
    session.reset(attitude="neutral")
    assert listener.attitude == "neutral"


def test_a_refused_reset_changes_nothing(listener, exported, signals):
    session, other = (ListenerSession(each) for each in (listener, load_listener(exported[0])))
    expected = motions(listen(other, signals, 40))
    first = listen(session, signals, 20)
    for wrong in ({"reference": np.zeros(3)}, {"attitude": "angry"}):
        with pytest.raises(UserError):
            session.reset(**wrong)
    np.testing.assert_array_equal(motions(first + listen(session, signals, 20, first=20)), expected)


@pytest.mark.parametrize("speaker", [np.zeros(57), np.full(58, np.nan), np.zeros((2, 58))])
def test_bad_speaker_motion_is_refused_and_forgotten(session, signals, speaker):
    with pytest.raises(UserError, match="58 finite numbers"):
        session.observe(grid_time_ns(START), speaker)
    assert session.step(START, signals[0][0]).flags == InputFlag.SPEAKER_ABSENT


def test_liveliness_is_laid_upon_the_same_motion(listener, exported, signals):
    plain = ListenerSession(listener)
    lively = ListenerSession(load_listener(exported[0]), liveliness=Liveliness(LAYOUT))
    layer = Liveliness(LAYOUT)
    for frame, expected in zip(listen(lively, signals, 60), listen(plain, signals, 60), strict=True):
        np.testing.assert_array_equal(frame.motion, layer.step(expected.motion, 1.0))


def stillest(motion):
    """The least range [degrees] of the head's widest turn within two seconds."""
    windows = np.lib.stride_tricks.sliding_window_view(motion[:, LAYOUT.rotation], 60, axis=0)
    return np.ptp(windows, axis=-1).max(axis=1).min() / DEGREE


def test_idle_and_holding_live_but_disabled_holds_still(listener):
    session = ListenerSession(listener, liveliness=Liveliness(LAYOUT))

    def alone(first, steps):
        return motions([session.step(START + step, None) for step in range(first, first + steps)])

    assert stillest(alone(0, 900)[60:]) > 0.15
    session.robot_speaking = True
    holding = alone(900, 600)[90:]
    assert stillest(holding) > 0.05 and np.ptp(holding[:, LAYOUT.rotation]) < 1.5 * DEGREE
    session.enabled = False
    assert np.ptp(alone(1500, 300)[120:], axis=0).max() < 1e-4


EVENTS = st.lists(
    st.tuples(
        st.integers(1, 25),  # steps
        st.booleans(),  # speaker in view
        st.booleans(),  # sound there
        st.booleans(),  # robot speaks
        st.booleans(),  # enabled
        st.sampled_from(["positive", "neutral", "negative"]),
        st.sampled_from(["", "", "", "reset", "clock back", "clock forward"]),
    ),
    min_size=1,
    max_size=8,
)


@given(EVENTS, st.booleans())
@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_happens_the_motion_stays_sound(listener, signals, events, lively):
    reference = LAYOUT.neutral()
    reference[LAYOUT.rotation] = 0.15
    session = ListenerSession(listener, reference, liveliness=Liveliness(LAYOUT) if lively else None)
    frames, step = [], 0
    for steps, seen, heard, speaks, enabled, attitude, event in events:
        session.robot_speaking, session.enabled = speaks, enabled
        session.set_attitude(attitude)
        if event == "reset":
            session.reset()
        step += {"clock back": -500, "clock forward": 500}.get(event, 0)
        for _ in range(steps):
            if seen:
                session.observe(grid_time_ns(START + step), signals[1][step % 300])
            frames.append(session.step(START + step, signals[0][step % 300] if heard else None))
            step += 1
    motion = motions(frames)
    assert np.isfinite(motion).all()
    assert motion[:, LAYOUT.expression].min() >= 0 and motion[:, LAYOUT.expression].max() <= 1
    turns = np.linalg.norm(np.diff(motion[:, LAYOUT.rotation], axis=0), axis=1) / DEGREE
    assert len(turns) == 0 or turns.max() < 2
