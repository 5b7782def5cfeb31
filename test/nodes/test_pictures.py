import threading
import time

import numpy as np
import pytest
from listener_head.msg import FaceCoefficients
from sensor_msgs.msg import Image

from listener_head.coefficients import LAYOUTS, Coefficients
from listener_head.compat import CvBridge
from listener_head.render import HeadRenderer
from listener_head.render.lasting import LEAST_LIFE
from listener_head.ros import qos
from listener_head.ros.convert import float_array, to_message
from listener_head.ros.stamps import to_ns, to_stamp

LAYOUT = LAYOUTS["arkit52"]


@pytest.fixture(scope="module")
def portrait():
    renderer = HeadRenderer(320)
    pixels = renderer.render(Coefficients.from_motion("arkit52", LAYOUT.neutral()))
    renderer.close()
    return pixels


def test_a_face_is_fitted_under_the_stamp_of_its_image(bench, portrait):
    node = bench.start("face_fit")
    faces = bench.listen(FaceCoefficients, "speaker/coefficients", qos.RESULT)
    camera = bench.speak(Image, "speaker/image", qos.IMAGE)
    sent = set()

    def publish():
        image = CvBridge().cv2_to_imgmsg(portrait, "rgb8")
        image.header.stamp = bench.probe.get_clock().now().to_msg()
        image.header.frame_id = "head_camera_optical_frame"
        sent.add(to_ns(image.header.stamp))
        camera.publish(image)

    bench.feed(node, publish, lambda: any(face.valid for face in faces), "a fit")
    face = next(face for face in faces if face.valid)
    assert to_ns(face.header.stamp) in sent
    assert face.header.stamp == face.source_stamp
    assert face.header.frame_id == "head_camera_optical_frame"
    assert len(face.expression) == 52
    assert np.abs(np.degrees(face.rotation)).max() < 10
    assert 0 < face.confidence <= 1


@pytest.mark.parametrize(
    ("image", "reason"),
    [
        (Image(width=64, height=64, step=192, encoding="rgb8", data=bytes(64 * 192)), "no face"),
        (Image(width=64, height=64, step=256, encoding="32FC1", data=bytes(64 * 256)), "32FC1"),
        (Image(width=64, height=64, step=192, encoding="rgb8", data=bytes(7)), "7 bytes"),
        (Image(encoding="bgr8"), "0x0"),
    ],
    ids=["black", "depth", "cut off", "empty"],
)
def test_an_image_without_a_usable_face_says_why(bench, image, reason):
    node = bench.start("face_fit")
    faces = bench.listen(FaceCoefficients, "speaker/coefficients", qos.RESULT)
    camera = bench.speak(Image, "speaker/image", qos.IMAGE)
    bench.feed(node, lambda: camera.publish(image), lambda: bool(faces), "an answer")
    assert not faces[0].valid
    assert reason in faces[0].reason
    assert np.isfinite(faces[0].expression).all()


def test_a_picture_bears_the_stamp_of_its_coefficients_and_bad_ones_give_none(bench):
    node = bench.start("renderer", size=64)
    pictures = bench.listen(Image, "listener/image", qos.RESULT)
    motion = bench.speak(FaceCoefficients, "listener/coefficients", qos.RESULT)
    bad = to_message(Coefficients.from_motion("arkit52", LAYOUT.neutral()), 1, None, "camera")
    bad.expression = float_array(np.zeros(7))
    motion.publish(bad)
    bench.until(lambda: node.counts["refused"] == 1, "the refusal")
    good = to_message(Coefficients.from_motion("arkit52", LAYOUT.neutral()), 42, None, "camera")
    motion.publish(good)
    bench.until(lambda: pictures, "a picture")
    assert pictures[0].header.stamp == to_stamp(42)
    assert (pictures[0].width, pictures[0].height, pictures[0].encoding) == (64, 64, "rgb8")
    assert np.ptp(np.frombuffer(pictures[0].data, np.uint8)) > 100


def moved(stamp_ns):
    return to_message(Coefficients.from_motion("arkit52", LAYOUT.neutral()), stamp_ns, None, "camera")


def test_the_renderer_draws_in_a_theme_before_nothing(bench):
    bench.start("renderer", size=64, theme="robot", background="transparent", device="cpu")
    pictures = bench.listen(Image, "listener/image", qos.RESULT)
    bench.speak(FaceCoefficients, "listener/coefficients", qos.RESULT).publish(moved(1))
    bench.until(lambda: pictures, "a picture")
    assert (pictures[0].encoding, pictures[0].step) == ("rgba8", 256)
    alpha = np.frombuffer(pictures[0].data, np.uint8).reshape(64, 64, 4)[..., 3]
    assert alpha[0, 0] == 0 and alpha[40, 32] == 255


@pytest.mark.parametrize(
    ("parameters", "reason"),
    [
        ({"renderer": "oil"}, "renderer is 'oil'; choose head, portrait or neural"),
        ({"renderer": "portrait"}, "renderer 'portrait' needs portrait"),
        ({"theme": "gold"}, "theme 'gold' is unknown"),
        ({"background": "/absent.png"}, "background '/absent.png' is no file"),
        ({"device": 99}, "graphics card 99 is not there"),
        ({"face_model": "/absent.mat"}, "/absent.mat does not exist"),
    ],
)
def test_the_renderer_refuses_what_it_cannot_use_by_name(bench, parameters, reason):
    node = bench.configured("renderer", **parameters)
    assert not node.bring_up()
    assert reason in node.problem and "\n" not in node.problem


def test_coefficients_that_are_not_finite_leave_the_last_image(bench):
    node = bench.start("renderer", size=64)
    pictures = bench.listen(Image, "listener/image", qos.RESULT)
    motion = bench.speak(FaceCoefficients, "listener/coefficients", qos.RESULT)
    motion.publish(moved(1))
    bench.until(lambda: pictures, "a picture")
    bad = moved(2)
    bad.expression = float_array(np.full(52, np.nan))
    motion.publish(bad)
    bench.until(lambda: node.counts["refused"] == 1, "the refusal")
    assert "not finite" in node.problem and node.problem.endswith("; the last good image stays")
    motion.publish(moved(3))
    bench.until(lambda: len(pictures) == 2, "the next picture")
    assert [picture.header.stamp for picture in pictures] == [to_stamp(1), to_stamp(3)]


def test_a_context_that_is_lost_is_opened_anew(bench):
    node = bench.start("renderer", size=64)
    pictures = bench.listen(Image, "listener/image", qos.RESULT)
    motion = bench.speak(FaceCoefficients, "listener/coefficients", qos.RESULT)
    motion.publish(moved(1))
    bench.until(lambda: pictures, "a picture")
    opened = time.monotonic()
    bench.until(lambda: time.monotonic() > opened + LEAST_LIFE, "the context to be old enough")
    node._lasting._renderer._context.release()  # as when a card is taken away
    motion.publish(moved(2))
    bench.until(lambda: len(pictures) == 2, "a picture by the new context")
    assert pictures[1].header.stamp == to_stamp(2)
    assert bytes(pictures[1].data) == bytes(pictures[0].data)
    assert node.status()["context_restarts"] == 1
    assert "the renderer was lost" in node.problem and "opened anew" in node.problem


def test_a_renderer_that_hangs_is_replaced(bench):
    node = bench.start("renderer", size=64, patience=2.0)  # longer than a busy machine opens one
    pictures = bench.listen(Image, "listener/image", qos.RESULT)
    motion = bench.speak(FaceCoefficients, "listener/coefficients", qos.RESULT)
    motion.publish(moved(1))
    bench.until(lambda: pictures, "a picture")
    let_go, renderer = threading.Event(), node._lasting._renderer
    draw = renderer.render
    renderer.render = lambda coefficients: let_go.wait(60) and draw(coefficients)  # as in a driver that hangs
    motion.publish(moved(2))
    bench.until(lambda: node.status()["context_restarts"] == 1, "the watchdog")
    assert "has hung for" in node.problem and node.problem.endswith("; the last good image stays")
    motion.publish(moved(3))
    bench.until(lambda: len(pictures) == 2, "a picture by the new renderer")
    let_go.set()
    motion.publish(moved(4))
    bench.until(lambda: len(pictures) == 3, "the next picture")
    assert [picture.header.stamp for picture in pictures] == [to_stamp(1), to_stamp(3), to_stamp(4)]
