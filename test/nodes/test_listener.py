import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticArray
from listener_head.msg import Attitude, AudioFeatures, FaceCoefficients, ListenerState
from std_srvs.srv import SetBool, Trigger

from listener_head.coefficients import LAYOUTS, Coefficients
from listener_head.ros import qos
from listener_head.ros.convert import float_array, to_message
from listener_head.ros.stamps import to_ns, to_stamp
from listener_head.timing import NS_PER_S, RATE_HZ, grid_time_ns, index_at_or_before


@pytest.fixture
def listener(bench):
    return bench.start("listener")


def now_ns(bench):
    return bench.probe.get_clock().now().nanoseconds


def test_steps_on_the_grid_without_any_input(bench, listener):
    states = bench.listen(ListenerState, "listener/state", qos.RESULT)
    faces = bench.listen(FaceCoefficients, "listener/coefficients", qos.RESULT)
    bench.until(lambda: len(states) > 15 and len(faces) > 15, "fifteen steps")
    stamps = [to_ns(state.header.stamp) for state in states]
    indices = [index_at_or_before(stamp) for stamp in stamps]
    assert stamps == [grid_time_ns(index) for index in indices]
    assert len(set(indices)) == len(indices)
    assert all(state.mode == ListenerState.MODE_IDLE for state in states)
    assert all(state.flags & ListenerState.FLAG_SPEAKER_ABSENT for state in states)
    assert all(np.isfinite(face.expression).all() and len(face.expression) == 52 for face in faces)


def test_a_speaker_in_view_is_listened_to_and_its_camera_stamp_comes_back(bench, listener):
    states = bench.listen(ListenerState, "listener/state", qos.RESULT)
    speaker = bench.speak(FaceCoefficients, "speaker/coefficients", qos.RESULT)
    sent = set()

    def listened():
        stamp_ns = now_ns(bench)
        if stamp_ns - max(sent, default=0) >= NS_PER_S // RATE_HZ:  # as a camera does, not as fast as it goes
            sent.add(stamp_ns)
            face = Coefficients.from_motion("arkit52", LAYOUTS["arkit52"].neutral())
            speaker.publish(to_message(face, stamp_ns, stamp_ns, "camera"))
        return any(state.mode == ListenerState.MODE_LISTENING for state in states)

    bench.until(listened, "the mode listening")
    heard = next(state for state in states if state.mode == ListenerState.MODE_LISTENING)
    assert to_ns(heard.source_stamp) in sent
    assert to_ns(heard.source_stamp) <= to_ns(heard.header.stamp)
    assert heard.perception_ms >= 0
    assert heard.waiting_ms >= 0


def test_services_and_topics_change_what_it_does(bench, listener):
    states = bench.listen(ListenerState, "listener/state", qos.RESULT)
    enable = bench.probe.create_client(SetBool, "listener/enable")
    bench.until(enable.service_is_ready, "the service enable")
    answer = enable.call_async(SetBool.Request(data=False))
    bench.until(answer.done, "its answer")
    bench.until(lambda: states and states[-1].mode == ListenerState.MODE_DISABLED, "the mode disabled")
    attitude = bench.speak(Attitude, "attitude", qos.LATCHED)
    attitude.publish(Attitude(attitude=Attitude.POSITIVE))
    bench.until(lambda: states[-1].attitude == Attitude.POSITIVE, "the attitude")
    reset = bench.probe.create_client(Trigger, "listener/reset")
    bench.until(reset.service_is_ready, "the service reset")
    steps = states[-1].frame
    reset.call_async(Trigger.Request())
    bench.until(lambda: states[-1].frame < steps, "a new count of steps")


def test_it_lives_while_nobody_speaks_unless_told_not_to(bench):
    bench.start("listener", liveliness=False)
    faces = bench.listen(FaceCoefficients, "listener/coefficients", qos.RESULT)
    bench.until(lambda: len(faces) > 20, "twenty steps")
    assert np.ptp([face.rotation for face in faces], axis=0).max() == 0


def test_it_is_alive_by_default(bench, listener):
    faces = bench.listen(FaceCoefficients, "listener/coefficients", qos.RESULT)
    bench.until(lambda: len(faces) > 60, "two seconds")
    turns = np.degrees([face.rotation for face in faces])
    assert np.ptp(turns, axis=0).max() > 0.05
    assert np.abs(np.diff(turns, axis=0)).max() < 2


def test_it_starts_from_the_reference_in_a_file(bench, tmp_path):
    motion = LAYOUTS["arkit52"].neutral()
    motion[LAYOUTS["arkit52"].rotation] = (0.1, -0.2, 0.05)
    np.save(tmp_path / "reference.npy", motion)
    bench.start("listener", reference=tmp_path / "reference.npy", liveliness=False)
    faces = bench.listen(FaceCoefficients, "listener/coefficients", qos.RESULT)
    bench.until(lambda: len(faces) > 3, "some steps")
    np.testing.assert_allclose(faces[-1].rotation, (0.1, -0.2, 0.05), atol=1e-6)


@pytest.mark.parametrize(
    ("parameter", "value", "problem"),
    [("reference", "none.npy", "none.npy"), ("policy", "wise", "policy is 'wise'; choose")],
)
def test_what_it_cannot_start_with_is_named(bench, parameter, value, problem):
    node = bench.configured("listener", **{parameter: value})
    assert not node.bring_up() and problem in node.problem


def test_sound_of_another_layout_is_refused_by_name_and_it_goes_on_without(bench, listener):
    states = bench.listen(ListenerState, "listener/state", qos.RESULT)
    diagnostics = bench.listen(DiagnosticArray, "/diagnostics", qos.RESULT)
    sound = bench.speak(AudioFeatures, "speaker/audio_features", qos.RESULT)

    def heard_in(layout):
        stamp_ns = grid_time_ns(index_at_or_before(now_ns(bench)))
        message = AudioFeatures(layout=layout, values=float_array(np.zeros(45)))
        message.header.stamp = to_stamp(stamp_ns)
        sound.publish(message)
        bench.executor.spin_once(timeout_sec=0.02)

    def told():
        heard_in("vico45")
        return [
            status
            for array in diagnostics
            for status in array.status
            if "listener" in status.name and "vico45" in status.message and "paper45" in status.message
        ]

    bench.until(told, "diagnostics with both names")
    values = {value.key: value.value for value in told()[-1].values}
    assert int(values["refused"]) > 0
    count = len(states)
    bench.until(lambda: len(states) > count + 3, "more steps")
    assert all(state.flags & ListenerState.FLAG_AUDIO_MISSING for state in states)

    def listens_again():
        heard_in("paper45")
        return any(not state.flags & ListenerState.FLAG_AUDIO_MISSING for state in states)

    bench.until(listens_again, "a step with sound")


def test_bad_input_is_refused_and_never_comes_out(bench, listener):
    faces = bench.listen(FaceCoefficients, "listener/coefficients", qos.RESULT)
    speaker = bench.speak(FaceCoefficients, "speaker/coefficients", qos.RESULT)
    sound = bench.speak(AudioFeatures, "speaker/audio_features", qos.RESULT)
    attitude = bench.speak(Attitude, "attitude", qos.LATCHED)
    bad = to_message(Coefficients.from_motion("arkit52", LAYOUTS["arkit52"].neutral()), 0, 0, "camera")
    bad.expression = float_array(np.full(52, np.nan))
    short = to_message(Coefficients.from_motion("arkit52", LAYOUTS["arkit52"].neutral()), 0, 0, "camera")
    short.expression = float_array(np.zeros(3))
    for message in (bad, short):
        message.header.stamp = bench.probe.get_clock().now().to_msg()
        speaker.publish(message)
    sound.publish(AudioFeatures(layout="vico45", values=float_array(np.zeros(45))))
    attitude.publish(Attitude(attitude=77))
    bench.until(lambda: listener.counts["refused"] >= 3, "three refusals")
    count = len(faces)
    bench.until(lambda: len(faces) > count + 10, "more steps")
    assert all(np.isfinite(face.expression).all() and np.isfinite(face.rotation).all() for face in faces)
