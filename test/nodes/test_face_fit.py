"""The node takes what cameras send, good or bad, follows whom it is told to, and says what it sees."""

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from listener_head.msg import FaceCoefficients
from rclpy.parameter import Parameter
from sensor_msgs.msg import CameraInfo, Image

from listener_head.coefficients import LAYOUTS, Coefficients
from listener_head.compat import CvBridge
from listener_head.render import HeadRenderer
from listener_head.ros import qos
from listener_head.ros.convert import to_message
from listener_head.ros.stamps import to_stamp
from listener_head.timing import NS_PER_S

LAYOUT = LAYOUTS["arkit52"]
FRAME_NS = NS_PER_S // 30
FOCAL = 500.0

ENCODINGS = [
    "bgr8", "rgb8", "mono8", "bgra8", "rgba8", "8UC1", "8UC3", "yuv422", "yuv422_yuy2", "uyvy",
    "mono16", "16UC1", "32FC1", "bayer_rggb8", "bayer_gbrg16", "rgb16", "nv12", "jpeg", "", "x" * 300, "é",
]  # fmt: skip


@pytest.fixture(scope="module")
def portrait():
    """The head in RGB, 240 x 240."""
    renderer = HeadRenderer(240)
    pixels = renderer.render(Coefficients.from_motion("arkit52", LAYOUT.neutral()))
    renderer.close()
    return pixels


@pytest.fixture(scope="module")
def two(portrait):
    """A small head on the left and a large one on the right, 640 x 480 in RGB."""
    image = np.full((480, 640, 3), 128, np.uint8)
    image[200:440, :240] = portrait
    image[:, 240:] = np.repeat(np.repeat(portrait, 2, axis=0), 2, axis=1)[:, 40:440]
    return image


@pytest.fixture(scope="module")
def shared_node(ros):
    """A node for direct calls: nobody sends it anything."""
    from listener_head.nodes.face_fit import FaceFit

    node = FaceFit()
    assert node.bring_up(), node.problem
    yield node
    node.trigger_shutdown()
    node.destroy_node()


@pytest.fixture
def node(shared_node):
    shared_node.perceiver.reset()
    return shared_node


def message_of(pixels, stamp_ns=0, encoding="rgb8"):
    message = CvBridge().cv2_to_imgmsg(np.ascontiguousarray(pixels), encoding)
    message.header.stamp = to_stamp(stamp_ns)
    return message


def is_sound(coefficients):
    """Whether nothing that is not finite would be published."""
    sent = to_message(coefficients, 1, 1, "camera")
    arrays = (sent.rotation, sent.translation, sent.expression, sent.identity, sent.crop, [sent.confidence])
    return all(np.isfinite(np.asarray(array)).all() for array in arrays)


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(
    width=st.integers(0, 90) | st.integers(0, 2**32 - 1),
    height=st.integers(0, 90) | st.integers(0, 2**32 - 1),
    step=st.none() | st.integers(0, 400) | st.integers(0, 2**32 - 1),
    encoding=st.sampled_from(ENCODINGS) | st.text(max_size=12),
    is_bigendian=st.integers(0, 255),
    data=st.binary(max_size=300) | st.integers(0, 90 * 400).map(lambda size: bytes([size % 251]) * size),
)
@example(width=3, height=2, step=6, encoding="yuv422", is_bigendian=0, data=bytes(12))
@example(width=64, height=64, step=63, encoding="mono8", is_bigendian=1, data=bytes(64 * 64))
@example(width=64, height=64, step=128, encoding="mono16", is_bigendian=1, data=bytes(64 * 128))
def test_no_image_message_does_worse_than_to_be_invalid(
    shared_node, width, height, step, encoding, is_bigendian, data
):
    fits = width * 3 if step is None else step
    message = Image(width=width, height=height, step=min(fits, 2**32 - 1), encoding=encoding, data=data)
    message.is_bigendian = is_bigendian
    coefficients = shared_node.coefficients_of(message, 0)
    assert not coefficients.valid and coefficients.reason
    assert is_sound(coefficients)


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.integers(-200, 200),
    st.integers(-200, 200),
    st.integers(0, 3),
    st.sampled_from(["rgb8", "bgr8", "mono8"]),
    st.floats(-1.0, 2.0),
    st.integers(0, 60),
    st.integers(0, 10**9),
)
def test_no_picture_of_a_face_gives_what_is_not_finite(
    shared_node, portrait, right, down, quarters, encoding, gain, noise, stamp_ns
):
    """Shifted over the border, turned, in grey or wrong colours, too dark, too bright, with noise."""
    moved = np.roll(np.rot90(portrait, quarters), (down, right), axis=(0, 1)).astype(np.float32)
    random = np.random.default_rng(stamp_ns)
    pixels = np.clip(gain * moved + noise * random.standard_normal(moved.shape), 0, 255).astype(np.uint8)
    message = message_of(pixels[..., 1] if encoding == "mono8" else pixels, stamp_ns, encoding)
    coefficients = shared_node.coefficients_of(message, stamp_ns)
    assert coefficients.valid or coefficients.reason
    assert is_sound(coefficients)


def test_grey_and_huge_images_give_nearly_the_same_fit(node, portrait):
    grey = portrait.mean(axis=2).astype(np.uint8)
    huge = np.repeat(np.repeat(portrait, 18, axis=0), 18, axis=1)
    rotations = []
    for pixels, encoding in ((portrait, "rgb8"), (grey, "mono8"), (huge, "rgb8")):
        node.perceiver.reset()
        coefficients = node.coefficients_of(message_of(pixels, encoding=encoding), 0)
        assert coefficients.valid, coefficients.reason
        rotations.append(coefficients.rotation)
    assert np.abs(np.diff(rotations, axis=0)).max() < np.radians(3)


def publish_until(bench, node, camera, pixels, condition, what):
    """Sends an image 30 times for each second of its stamps until the condition holds."""

    def publish():
        camera.publish(message_of(pixels, NS_PER_S + node.counts["images"] * FRAME_NS))

    bench.feed(node, publish, condition, what)


def test_speaker_can_be_chosen_by_number_and_changed(bench, two):
    node = bench.start("face_fit", speaker="nearest_to_centre")
    faces = bench.listen(FaceCoefficients, "speaker/coefficients", qos.RESULT)
    camera = bench.speak(Image, "speaker/image", qos.IMAGE)
    publish_until(bench, node, camera, two, lambda: any(face.valid for face in faces), "a fit")
    near = next(face for face in faces if face.valid)
    other = {"0": "1", "1": "0"}[near.face_id]
    assert near.translation[0] > 0
    assert node.set_parameters([Parameter("speaker", value=int(other))])[0].successful
    publish_until(bench, node, camera, two, lambda: faces[-1].face_id == other, "the other face")
    assert faces[-1].valid and faces[-1].translation[0] < 0
    bench.until(lambda: node.status()["face_followed"] == other, "the diagnostics")
    listed = node.status()["faces_in_view"]
    assert listed.count("px") == 2 and "0 at (" in listed and "1 at (" in listed


def test_speaker_that_is_not_in_view_is_named_and_counted(bench, two):
    node = bench.start("face_fit", speaker=7)
    faces = bench.listen(FaceCoefficients, "speaker/coefficients", qos.RESULT)
    camera = bench.speak(Image, "speaker/image", qos.IMAGE)
    publish_until(bench, node, camera, two, lambda: faces, "an answer")
    assert not faces[0].valid and faces[0].face_id == ""
    assert faces[0].reason == "face 7 is not in view; in view: 0, 1"
    assert node.status()["invalid: face 7 is not in view"] >= 1


def test_wrong_rule_is_refused_at_the_start_and_later(bench, ros):
    node = bench.configured("face_fit", speaker="loudest")
    assert not node.bring_up() and "nearest_to_centre" in node.problem
    running = bench.start("face_fit")
    refused = running.set_parameters([Parameter("speaker", value="loudest")])[0]
    assert not refused.successful and "loudest" in refused.reason
    assert running.value("speaker") == "largest"


@pytest.mark.parametrize(
    ("parameters", "named"),
    [
        ({"backend": "magic"}, "magic"),
        ({"backend": "deep3d"}, "deep3d_network"),
        ({"backend": "deep3d", "deep3d_network": "/nowhere/net.onnx"}, "/nowhere/net.onnx"),
        ({"face_model": "/nowhere/BFM_model_front.mat"}, "/nowhere/BFM_model_front.mat"),
        ({"face_model": "candide"}, "candide"),
    ],
)
def test_wrong_backend_or_model_fails_the_configuration_by_name(bench, parameters, named):
    node = bench.configured("face_fit", **parameters)
    assert not node.bring_up()
    assert named in node.problem and "\n" not in node.problem


def test_camera_info_makes_depth_metric_and_a_wrong_one_is_refused_once(bench, portrait):
    node = bench.start("face_fit")
    faces = bench.listen(FaceCoefficients, "speaker/coefficients", qos.RESULT)
    camera = bench.speak(Image, "speaker/image", qos.IMAGE)
    infos = bench.speak(CameraInfo, "speaker/camera_info", qos.IMAGE)

    def depth_after(condition, **fields):
        def informed():
            if fields:
                infos.publish(CameraInfo(**fields))
            return condition()

        publish_until(bench, node, camera, portrait, informed, "a fit with that camera")
        start = len(faces)
        publish_until(bench, node, camera, portrait, lambda: len(faces) > start + 8, "fits")
        assert all(face.valid for face in faces[start:])
        return float(np.median([face.translation[2] for face in faces[start + 3 :]]))

    k = [FOCAL, 0.0, 120.0, 0.0, FOCAL, 120.0, 0.0, 0.0, 1.0]
    assumed = depth_after(lambda: True)  # with a focal length of 240 pixels
    known = dict(width=240, height=240, k=k, distortion_model="plumb_bob")
    metric = depth_after(lambda: node.perceiver.camera is not None, **known)
    assert metric == pytest.approx(assumed * FOCAL / 240, rel=0.15)
    for number, fields in enumerate(
        (
            dict(width=240, height=240, k=[np.nan, *k[1:]]),
            dict(width=240, height=240, k=k, d=[0.1] * 4, distortion_model="fishy"),
            dict(width=640, height=480, k=k),
        ),
        start=1,
    ):
        refused = depth_after(lambda wanted=number: node.counts["camera_info_refused"] == wanted, **fields)
        assert refused == pytest.approx(assumed, rel=0.1)
        assert node.counts["camera_info_refused"] == number
