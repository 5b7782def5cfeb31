import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sensor_msgs.msg import CompressedImage, Image

from listener_head.compat import cv_bridge as ours

bridge = ours.CvBridge()
pixels = np.random.default_rng(0).integers(0, 255, (6, 8, 3), dtype=np.uint8)


@pytest.mark.parametrize("encoding", ["bgr8", "rgb8"])
def test_colour_images_survive_the_message(encoding):
    message = bridge.cv2_to_imgmsg(pixels, encoding)
    assert (message.width, message.height, message.step) == (8, 6, 24)
    assert np.array_equal(bridge.imgmsg_to_cv2(message, encoding), pixels)
    other = {"bgr8": "rgb8", "rgb8": "bgr8"}[encoding]
    assert np.array_equal(bridge.imgmsg_to_cv2(message, other), pixels[..., ::-1])


def test_padding_at_the_end_of_rows_is_left_out():
    message = Image(width=2, height=2, step=10, encoding="bgr8", data=list(range(20)))
    assert bridge.imgmsg_to_cv2(message, "bgr8")[1].tolist() == [[10, 11, 12], [13, 14, 15]]


@pytest.mark.parametrize("encoding", ["mono8", "bgra8", "rgba8", "yuv422", "yuv422_yuy2"])
def test_a_grey_image_stays_grey_in_every_encoding(encoding):
    channels = {"mono8": 1, "bgra8": 4, "rgba8": 4, "yuv422": 2, "yuv422_yuy2": 2}[encoding]
    message = Image(width=4, height=2, step=4 * channels, encoding=encoding, data=[128] * (8 * channels))
    bgr = bridge.imgmsg_to_cv2(message, "bgr8")
    assert bgr.shape == (2, 4, 3)
    assert np.abs(bgr.astype(int) - 128).max() <= 3


def test_jpeg_is_decoded_and_garbage_is_refused():
    _, jpeg = cv2.imencode(".png", pixels)
    message = CompressedImage(format="png", data=jpeg.tobytes())
    assert np.array_equal(bridge.compressed_imgmsg_to_cv2(message), pixels)
    with pytest.raises(ours.CvBridgeError, match="cannot be decoded"):
        bridge.compressed_imgmsg_to_cv2(CompressedImage(format="jpeg", data=b"no picture"))


def test_unknown_encoding_is_refused_by_name():
    with pytest.raises(ours.CvBridgeError, match="bayer_rggb8"):
        bridge.imgmsg_to_cv2(Image(encoding="bayer_rggb8"), "bgr8")


@given(
    st.integers(0, 40),
    st.integers(0, 40),
    st.integers(0, 200),
    st.sampled_from(["bgr8", "mono8", "rgba8", "yuv422", "32FC1", ""]),
    st.integers(0, 5000),
)
def test_no_message_does_worse_than_to_be_refused(width, height, step, encoding, size):
    message = Image(width=width, height=height, step=step, encoding=encoding, data=bytes(size))
    try:
        image = bridge.imgmsg_to_cv2(message, "bgr8")
    except ours.CvBridgeError:
        return
    assert image.shape == (height, width, 3)


def test_same_as_the_real_one():
    real = pytest.importorskip("cv_bridge", reason="the real cv_bridge is not installed").CvBridge()
    for encoding in ("bgr8", "rgb8"):
        theirs, mine = real.cv2_to_imgmsg(pixels, encoding), bridge.cv2_to_imgmsg(pixels, encoding)
        assert theirs == mine
        for wanted in ("bgr8", "rgb8", "mono8"):
            assert np.array_equal(real.imgmsg_to_cv2(theirs, wanted), bridge.imgmsg_to_cv2(mine, wanted))
