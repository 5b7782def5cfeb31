import json
from array import array

import numpy as np
import onnx
import pytest
from listener_head.msg import AudioChunk, AudioFeatures

from listener_head.audio import extract_features
from listener_head.listener import load_listener
from listener_head.paths import assets_dir
from listener_head.ros import qos
from listener_head.ros.stamps import to_ns, to_stamp
from listener_head.timing import grid_time_ns, index_at_or_before

RATE = 16000
FIRST = 9_000  # at a whole second, so that its instants round as those after zero do
START_NS = grid_time_ns(FIRST)


def chunk(samples, start_ns, channels=1, rate=RATE):
    message = AudioChunk(sample_rate=rate, channels=channels, samples=array("h", samples.tobytes()))
    message.header.stamp = to_stamp(start_ns)
    return message


@pytest.fixture(scope="module")
def vico45_network(tmp_path_factory):
    """The shipped network with a card that says it was trained on vico45."""
    model = onnx.load(assets_dir() / "listener_arkit52.onnx")
    for entry in model.metadata_props:
        if entry.key == "card":
            entry.value = json.dumps(json.loads(entry.value) | {"audio_layout": "vico45", "name": "imported"})
    path = tmp_path_factory.mktemp("networks") / "imported.onnx"
    onnx.save(model, path)
    return path


EMPTY = "''"  # as a parameter on the command line


def first_layout(bench, **parameters):
    """Layout of the messages of a node with these parameters."""
    bench.start("audio_features", **parameters)
    received = bench.listen(AudioFeatures, "speaker/audio_features", qos.RESULT)
    sound = bench.speak(AudioChunk, "speaker/audio", qos.SOUND)

    def heard():
        sound.publish(chunk(np.zeros(RATE // 10, np.int16), START_NS))
        bench.executor.spin_once(timeout_sec=0.05)
        return received

    bench.until(heard, "features")
    assert len(received[0].values) == 45
    return received[0].layout


def test_the_layout_is_that_of_the_network(bench, vico45_network):
    assert first_layout(bench, layout=EMPTY, network=vico45_network) == "vico45"


def test_without_parameters_the_layout_is_that_of_the_network_that_ships(bench):
    assert first_layout(bench, layout=EMPTY, network=EMPTY) == load_listener().audio_layout


def test_the_layout_alone_may_be_given(bench):
    assert first_layout(bench, layout="vico45", network=EMPTY) == "vico45"


@pytest.mark.parametrize("layout", ["paper45", "mfcc"])
def test_a_layout_that_is_not_the_networks_is_refused_with_both_names(bench, vico45_network, layout):
    node = bench.configured("audio_features", layout=layout, network=vico45_network)
    assert not node.bring_up()
    assert layout in node.problem
    assert "imported" in node.problem
    assert "vico45" in node.problem
    assert not node.crashed


def test_a_layout_or_a_network_that_is_none_is_refused(bench, tmp_path):
    for parameters, named in (
        ({"layout": "mfcc", "network": EMPTY}, "mfcc"),
        ({"layout": EMPTY, "network": tmp_path / "none.onnx"}, "none.onnx"),
    ):
        node = bench.configured("audio_features", **parameters)
        assert not node.bring_up()
        assert named in node.problem


def test_features_stand_on_the_grid_and_are_those_of_the_whole_clip(bench):
    node = bench.start("audio_features")
    received = bench.listen(AudioFeatures, "speaker/audio_features", qos.RESULT)
    sound = bench.speak(AudioChunk, "speaker/audio", qos.SOUND)

    def heard():
        # Best effort: chunks may be lost until both sides have found each other. This one is of another time.
        sound.publish(chunk(np.zeros(16, np.int16), START_NS - 10**11))
        return node.counts["chunks"] > 0

    bench.until(heard, "the first chunk")
    samples = (3000 * np.random.default_rng(0).standard_normal(RATE)).astype(np.int16)
    expected = extract_features(samples, RATE)
    for i in range(0, RATE, 160):
        sound.publish(chunk(samples[i : i + 160], START_NS + i * 10**9 // RATE))
        bench.executor.spin_once(timeout_sec=0.0)

    def of_the_clip():
        return [message for message in received if to_ns(message.header.stamp) >= START_NS]

    bench.until(lambda: len(of_the_clip()) >= 29, "29 feature vectors")
    for message in of_the_clip():
        stamp_ns = to_ns(message.header.stamp)
        index = index_at_or_before(stamp_ns)
        assert grid_time_ns(index) == stamp_ns
        assert message.layout == "paper45"
        np.testing.assert_allclose(message.values, expected[index - FIRST], rtol=1e-4, atol=1e-4)


def test_chunk_that_contradicts_itself_is_refused_and_the_next_one_taken(bench):
    node = bench.start("audio_features")
    received = bench.listen(AudioFeatures, "speaker/audio_features", qos.RESULT)
    sound = bench.speak(AudioChunk, "speaker/audio", qos.SOUND)
    samples = np.zeros(801, np.int16)
    sound.publish(chunk(samples, START_NS, channels=2))
    sound.publish(chunk(samples, START_NS, channels=0))
    sound.publish(chunk(samples, START_NS, rate=1))
    sound.publish(chunk(np.zeros(650, np.int16), START_NS, channels=65))
    bench.until(lambda: node.counts["refused"] == 4, "four refusals")
    assert not received
    sound.publish(chunk(np.zeros(RATE // 10, np.int16), START_NS))
    bench.until(lambda: received, "features of the good chunk")
    assert np.isfinite(received[0].values).all()
    assert received[0].flags & AudioFeatures.FLAG_SILENT


def test_a_source_that_changes_and_a_clock_that_goes_back_start_anew_and_are_counted(bench):
    node = bench.start("audio_features")
    received = bench.listen(AudioFeatures, "speaker/audio_features", qos.RESULT)
    sound = bench.speak(AudioChunk, "speaker/audio", qos.SOUND)
    rail = np.full(9600, 32767, np.int16)
    second_ns = 10**9
    sound.publish(chunk(rail[:3200], START_NS))
    sound.publish(chunk(rail[:9600], START_NS + second_ns // 5, rate=48000))  # another rate
    sound.publish(chunk(rail[:9600], START_NS + 2 * second_ns // 5, channels=3))  # three channels
    sound.publish(chunk(rail[:3200], START_NS - 50 * second_ns))  # back by nearly a minute
    bench.until(lambda: node.counts["chunks"] == 4, "four chunks")
    assert node.counts["refused"] == 0
    assert node.status() == {"restarts": 3}
    back_ns = START_NS - 50 * second_ns
    bench.until(lambda: back_ns in [to_ns(message.header.stamp) for message in received], "the last features")
    assert all(np.isfinite(message.values).all() for message in received)
    assert all(message.flags & AudioFeatures.FLAG_CLIPPED for message in received)
