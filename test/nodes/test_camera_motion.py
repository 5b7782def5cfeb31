"""face_fit behind a camera that a robot's head carries: what it sees stays still while the head moves."""

from importlib.util import find_spec

import numpy as np
import pytest
import yaml
from geometry_msgs.msg import PointStamped, TransformStamped
from listener_head.msg import FaceCoefficients
from scipy.spatial.transform import Rotation
from sensor_msgs.msg import CameraInfo, Image, JointState

from listener_head.coefficients import LAYOUTS, Coefficients
from listener_head.compat import CvBridge
from listener_head.face import Camera
from listener_head.face.geometry import rotation_angles
from listener_head.face.perceiver import FacePerceiver
from listener_head.paths import config_dir
from listener_head.render import HeadRenderer
from listener_head.render.head_renderer import camera_matrix
from listener_head.robot import load_robot
from listener_head.robot.kinematics import HeadKinematics
from listener_head.ros import qos
from listener_head.ros.camera_motion import STILL_CAMERA_FRAME
from listener_head.ros.stamps import to_ns, to_stamp
from listener_head.timing import NS_PER_S

GENERIC = load_robot("generic")
KINEMATICS = HeadKinematics(GENERIC)
SIZE, FRAME_NS, STATE_NS = 480, NS_PER_S // 30, 5_000_000
SPEAKER = np.array([1.1, 0.05, 0.5])  # in the body frame, which is the generic robot's base frame [m]
# Joint positions [rad]: at rest, and with the head moved as far as it keeps the speaker in view.
REST, MOVED = np.zeros(3), np.radians([4.0, 5.0, 12.0])
NEEDS_TF2 = pytest.mark.skipif(find_spec("tf2_ros") is None, reason="tf2_ros is not installed")


def seen_by(camera):
    """The speaker, who looks at the robot, in the optical frame of a camera [4, 4]."""
    coefficients = Coefficients.from_motion("arkit52", LAYOUTS["arkit52"].neutral())
    facing = KINEMATICS.camera(REST)[:3, :3]
    coefficients.rotation = np.float32(rotation_angles(camera[:3, :3].T @ facing))
    coefficients.translation = np.float32(camera[:3, :3].T @ (SPEAKER - camera[:3, 3]))
    return coefficients


@pytest.fixture(scope="module")
def pictures():
    """What the camera sees at REST and MOVED, RGB."""
    renderer = HeadRenderer(SIZE)
    found = [renderer.render(seen_by(KINEMATICS.camera(positions))) for positions in (REST, MOVED)]
    renderer.close()
    return found


class RobotWithCamera:
    """Sends pictures, and around each the pose of the head that they were taken from."""

    def __init__(self, bench, node, source, frame_id=GENERIC.camera.frame):
        self.bench, self.node, self.frame_id = bench, node, frame_id
        self.positions, self.began_ns = REST, 100 * NS_PER_S
        self.faces = bench.listen(FaceCoefficients, "speaker/coefficients", qos.RESULT)
        self.places = bench.listen(PointStamped, "speaker/position", qos.RESULT)
        self.camera = bench.speak(Image, "speaker/image", qos.IMAGE)
        infos = bench.speak(CameraInfo, "speaker/camera_info", qos.IMAGE)
        k = camera_matrix(SIZE).ravel()
        infos.publish(CameraInfo(width=SIZE, height=SIZE, k=k, distortion_model="plumb_bob"))
        bench.until(lambda: node._camera is not None, "camera_info")
        if source == "joint_states":
            self.states = bench.speak(JointState, "joint_states", qos.RESULT)
            self.tell = self.tell_joints
        elif source == "tf":
            from tf2_ros import TransformBroadcaster

            self.broadcaster = TransformBroadcaster(bench.probe)
            bench.until(lambda: self.broadcaster.pub_tf.get_subscription_count() > 0, "a subscription to /tf")
            self.tell = self.tell_tf
        else:
            self.tell = lambda stamp_ns: None

    def tell_joints(self, stamp_ns):
        state = JointState(name=list(GENERIC.joint_names), position=self.positions.tolist())
        state.header.stamp = to_stamp(stamp_ns)
        self.states.publish(state)

    def tell_tf(self, stamp_ns):
        camera = KINEMATICS.camera(self.positions)
        message = TransformStamped(child_frame_id=self.frame_id)
        message.header.frame_id, message.header.stamp = GENERIC.frames.base, to_stamp(stamp_ns)
        place, turn = message.transform.translation, message.transform.rotation
        place.x, place.y, place.z = camera[:3, 3].tolist()
        turn.x, turn.y, turn.z, turn.w = Rotation.from_matrix(camera[:3, :3]).as_quat().tolist()
        self.broadcaster.sendTransform(message)

    def show(self, picture, positions, condition, what):
        """Sends the picture until the condition holds."""
        self.positions = positions
        message = CvBridge().cv2_to_imgmsg(picture, "rgb8")
        message.header.frame_id = self.frame_id

        def publish():
            stamp_ns = self.began_ns + self.node.counts["images"] * FRAME_NS
            self.tell(stamp_ns - STATE_NS)
            self.tell(stamp_ns + STATE_NS)
            message.header.stamp = to_stamp(stamp_ns)
            self.camera.publish(message)

        self.bench.feed(self.node, publish, condition, what)

    def rotation(self, picture, positions):
        """What face_fit says of it after a few frames, pitch, yaw, roll [deg]."""
        enough = sum(face.valid for face in self.faces) + 8

        def seen():
            return sum(face.valid for face in self.faces) >= enough

        self.show(picture, positions, seen, "fits with the head's pose")
        return np.degrees(np.median([face.rotation for face in self.faces if face.valid][-4:], axis=0))


@pytest.mark.parametrize("source", ["joint_states", pytest.param("tf", marks=NEEDS_TF2)])
def test_the_speaker_stays_still_while_the_head_moves(bench, pictures, source, capfd):
    node = bench.start("face_fit", camera_motion=source, simulated=True)
    robot = RobotWithCamera(bench, node, source, "front_camera")
    at_rest, moved = (
        robot.rotation(picture, positions) for picture, positions in zip(pictures, (REST, MOVED), strict=True)
    )
    np.testing.assert_allclose(moved, at_rest, atol=2.0)
    assert {face.header.frame_id for face in robot.faces} == {STILL_CAMERA_FRAME}
    stamps = {to_ns(face.header.stamp) for face in robot.faces if face.valid}
    bench.until(lambda: stamps <= {to_ns(place.header.stamp) for place in robot.places}, "all positions")
    for place in robot.places[-4:]:
        assert place.header.frame_id == "torso_link"
        np.testing.assert_allclose([place.point.x, place.point.y, place.point.z], SPEAKER, atol=0.1)
    said = capfd.readouterr().err.count("images are of frame 'front_camera'")
    assert said == (source == "joint_states")


@pytest.mark.parametrize("source", ["joint_states", pytest.param("tf", marks=NEEDS_TF2)])
def test_it_goes_on_after_a_clock_that_goes_back(bench, pictures, source):
    node = bench.start("face_fit", camera_motion=source, simulated=True)
    robot = RobotWithCamera(bench, node, source)
    before = robot.rotation(pictures[0], REST)
    robot.began_ns = NS_PER_S
    np.testing.assert_allclose(robot.rotation(pictures[1], MOVED), before, atol=2.0)
    assert to_ns(robot.faces[-1].header.stamp) < 50 * NS_PER_S


def test_without_the_correction_the_same_pictures_show_a_speaker_who_moves(pictures):
    perceiver = FacePerceiver()
    k = camera_matrix(SIZE)
    perceiver.use_camera(Camera(k[0, 0], k[1, 1], k[0, 2], k[1, 2]), (SIZE, SIZE))
    rotations = []
    for k in range(16):
        bgr = np.ascontiguousarray(pictures[k // 8][..., ::-1])
        rotations.append(np.degrees(perceiver.perceive(bgr, k * FRAME_NS).rotation))
    perceiver.close()
    assert np.abs(rotations[15] - rotations[7]).max() > 10


def test_a_frame_without_the_heads_pose_is_invalid_with_the_reason(bench, pictures):
    node = bench.start("face_fit", camera_motion="joint_states", simulated=True)
    robot = RobotWithCamera(bench, node, "nothing")
    robot.show(pictures[0], REST, lambda: len(robot.faces) >= 3, "answers")
    assert not any(face.valid for face in robot.faces)
    assert robot.faces[-1].reason.startswith("no joint_states yet; the head's joints are head_pan_joint")
    bench.until(lambda: node.status()["invalid: no joint_states yet"] >= 3, "the diagnostics")
    assert not robot.places


@NEEDS_TF2
def test_a_frame_that_tf_does_not_know_is_invalid_with_the_reason(bench, pictures):
    node = bench.start("face_fit", camera_motion="tf", simulated=True)
    robot = RobotWithCamera(bench, node, "nothing")
    robot.show(pictures[0], REST, lambda: len(robot.faces) >= 2, "answers")
    wanted = "no transform from 'camera_optical_frame' to 'torso_link' at the image's time; "
    assert robot.faces[-1].reason.startswith(wanted)
    robot.frame_id = ""
    robot.show(pictures[0], REST, lambda: "''" in robot.faces[-1].reason, "the reason")
    assert not robot.places


@pytest.mark.skipif(find_spec("tf2_ros") is not None, reason="tf2_ros is installed")
def test_without_tf2_ros_the_configuration_says_so(bench):
    node = bench.configured("face_fit", camera_motion="tf")
    assert not node.bring_up()
    assert "needs tf2_ros, which cannot be imported" in node.problem and "tf2_ros_py" in node.problem


@pytest.mark.parametrize(
    ("parameters", "named"),
    [
        ({"camera_motion": "gyroscope"}, "choose none, joint_states or tf"),
        ({"camera_motion": "joint_states", "robot": "nobody"}, "robot 'nobody' is unknown"),
    ],
)
def test_what_there_is_not_fails_the_configuration(bench, parameters, named):
    node = bench.configured("face_fit", **parameters)
    assert not node.bring_up()
    assert named in node.problem


def test_a_robot_file_without_a_camera_fails_the_configuration(bench, tmp_path):
    description = yaml.safe_load((config_dir() / "robots/generic.yaml").read_text())
    del description["camera"]
    path = tmp_path / "blind.yaml"
    path.write_text(yaml.safe_dump(description))
    node = bench.configured("face_fit", camera_motion="joint_states", robot=path)
    assert not node.bring_up()
    assert "camera" in node.problem and "add" in node.problem
