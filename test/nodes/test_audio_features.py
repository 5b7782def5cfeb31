from array import array

import numpy as np
from listener_head.msg import AudioChunk, AudioFeatures

from listener_head.audio import extract_features
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
    bench.until(lambda: node.counts["refused"] == 3, "three refusals")
    sound.publish(chunk(np.zeros(RATE // 10, np.int16), START_NS))
    bench.until(lambda: received, "features of the good chunk")
    assert np.isfinite(received[0].values).all()
    assert received[0].flags & AudioFeatures.FLAG_SILENT
