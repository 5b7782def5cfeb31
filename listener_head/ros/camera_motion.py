"""Where a camera in the robot's head was at an image's stamp, by JointStates or TF, for face_fit."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from geometry_msgs.msg import PointStamped
from numpy.typing import NDArray
from rclpy.time import Time
from scipy.spatial.transform import Rotation
from sensor_msgs.msg import JointState

from listener_head.coefficients import Coefficients
from listener_head.errors import UserError
from listener_head.face.camera import Camera
from listener_head.graph import JOINT_STATES, NO_MOTION, TF
from listener_head.plain import plain
from listener_head.robot import load_robot
from listener_head.robot.description import Robot
from listener_head.robot.head_camera import JointHistory, StillCamera
from listener_head.robot.kinematics import HeadKinematics
from listener_head.robot.transforms import rotation_of_rpy, transform
from listener_head.ros import qos
from listener_head.ros.convert import positions_of
from listener_head.ros.node import GraphNode
from listener_head.ros.stamps import to_ns, to_stamp
from listener_head.timing import NS_PER_S

FloatArray = NDArray[np.float64]

# The frame of corrected coefficients. Nobody broadcasts it: it stands still and slowly turns to the speaker.
STILL_CAMERA_FRAME = "still_camera_optical_frame"


def declare_camera_motion(node: GraphNode) -> None:
    """Declares what `open_camera_motion` reads."""
    node.declare(
        "camera_motion",
        NO_MOTION,
        "how it is known where a camera in a robot's head is",
        choices=(NO_MOTION, JOINT_STATES, TF),
        fixed=True,
    )
    node.declare("robot", "generic", "robot file that camera_motion needs, by name or path", fixed=True)
    node.declare(
        "simulated", False, "the robot is the simulated one, of the relative joint_states", fixed=True
    )


def open_camera_motion(node: GraphNode) -> CameraMotion | None:
    """What the node's parameters ask for; None for a camera that stands still."""
    source = str(node.value("camera_motion"))
    if source == NO_MOTION:
        return None
    return CameraMotion(node, source, str(node.value("robot")), bool(node.value("simulated")))


class CameraPoses(Protocol):
    """Where the camera is."""

    def start(self) -> None:
        """Begin to listen."""

    def at(self, frame_id: str, stamp_ns: int) -> FloatArray:
        """Optical frame ``frame_id`` in the body frame [4, 4] at a stamp; UserError where it is not known."""

    def stop(self) -> None:
        """End what the node does not end by itself."""


class CameraMotion:
    """Takes the motion of the robot's head out of what its camera sees; publishes `speaker/position`.

    ``source`` is ``joint_states``, with the camera of the robot file, or ``tf``; ``robot`` the name or path
    of a robot file; ``simulated`` says to listen to the simulated one's `joint_states`. UserError for a
    source that is unknown or not installed, a robot file that is not right, and joint_states without a
    camera in it.
    """

    def __init__(self, node: GraphNode, source: str, robot: str, simulated: bool) -> None:
        if source not in (JOINT_STATES, TF):
            raise UserError(
                f"camera_motion '{source}' is unknown; choose {NO_MOTION}, {JOINT_STATES} or {TF}"
            )
        description = load_robot(robot)
        self._node, self._base = node, description.frames.base
        self._base_of_body = rotation_of_rpy(*description.frames.base_rpy)
        self._poses: CameraPoses
        if source == JOINT_STATES:
            kinematics = HeadKinematics(description)
            self._poses = JointStatePoses(node, description, kinematics, simulated)
            self._still = StillCamera(kinematics.camera(description.neutral)[:3, 3])
        else:
            self._poses = TfPoses(node, self._base, self._base_of_body.T)
            self._still = StillCamera()
        self._positions = node.advertise(PointStamped, "speaker/position")

    def start(self) -> None:
        """Begin to listen to the robot."""
        self._poses.start()

    def stop(self) -> None:
        """End it."""
        self._poses.stop()

    def correct(self, seen: Coefficients, frame_id: str, stamp_ns: int, camera: Camera) -> Coefficients:
        """Coefficients in the optical frame ``frame_id`` of an image, as STILL_CAMERA_FRAME sees them.

        Invalid, with the reason, where the camera's pose at the stamp is not known.
        """
        if not seen.valid:
            return seen
        try:
            pose = self._poses.at(frame_id, stamp_ns)
        except UserError as problem:
            self._node.refused(problem)
            return Coefficients.invalid(seen.face_model, str(problem))
        still, position = self._still.see(seen, pose, stamp_ns, (camera.fx, camera.fy))
        self._publish(position, stamp_ns)
        return still

    def _publish(self, position: FloatArray, stamp_ns: int) -> None:
        message = PointStamped()
        message.header.stamp = to_stamp(stamp_ns)
        message.header.frame_id = self._base
        point = message.point
        point.x, point.y, point.z = (self._base_of_body @ position).tolist()
        self._positions.publish(message)


class JointStatePoses:
    """The camera of a robot file, from JointStates."""

    def __init__(self, node: GraphNode, robot: Robot, kinematics: HeadKinematics, simulated: bool) -> None:
        self._node, self._kinematics = node, kinematics
        self._frame = "" if robot.camera is None else robot.camera.frame
        self._topic = "joint_states" if simulated else robot.joint_states
        self._history = JointHistory(robot)
        self._differed = ""

    def start(self) -> None:
        """Subscribe to the robot's JointStates."""
        self._node.subscribe(JointState, self._topic, self._take, qos.SOUND)

    def at(self, frame_id: str, stamp_ns: int) -> FloatArray:
        """Pose of the robot file's camera; says once when the images name another frame."""
        if frame_id not in (self._frame, self._differed):
            self._differed = frame_id
            self._node.get_logger().warning(
                f"images are of frame '{plain(frame_id)}', but the robot file's camera is '{self._frame}' "
                "and its place is taken; correct the driver's frame_id or, if it is another, the robot file",
                throttle_duration_sec=5.0,
            )
        return self._kinematics.camera(self._history.at(stamp_ns))

    def stop(self) -> None:
        """The node ends its subscriptions."""

    def _take(self, state: JointState) -> None:
        try:
            self._history.add(positions_of(state), to_ns(state.header.stamp))
        except UserError as problem:
            self._node.refused(problem)


class TfPoses:
    """Any camera whose frame TF knows, on the way to ``base``."""

    def __init__(self, node: GraphNode, base: str, body_of_base: FloatArray) -> None:
        try:
            import tf2_ros
        except ImportError as problem:
            raise UserError(
                f"camera_motion '{TF}' needs tf2_ros, which cannot be imported ({problem}); install the "
                f"package tf2_ros_py of your ROS, or use camera_motion:={JOINT_STATES}"
            ) from None
        self._tf2, self._node, self._base, self._body_of_base = tf2_ros, node, base, body_of_base
        self._buffer: Any = None
        self._listener: Any = None

    def start(self) -> None:
        """Subscribe to /tf and /tf_static."""
        self._asked_ns = 0
        self._buffer = self._tf2.Buffer()
        self._listener = self._tf2.TransformListener(self._buffer, self._node)

    def at(self, frame_id: str, stamp_ns: int) -> FloatArray:
        """Pose of the images' frame, without waiting for it."""
        if stamp_ns == 0:  # to TF this would mean: the newest
            raise UserError("the image has no stamp; set it in the camera's driver")
        if stamp_ns < self._asked_ns - NS_PER_S:
            # The clock went back, and TF takes nothing that is much older than its newest.
            self._buffer.clear()
        self._asked_ns = stamp_ns
        try:
            found = self._buffer.lookup_transform(self._base, frame_id, Time(nanoseconds=stamp_ns))
        except self._tf2.TransformException as problem:
            raise UserError(
                f"no transform from '{plain(frame_id)}' to '{self._base}' at the image's time; "
                + " ".join(str(problem).split())
            ) from None
        place, turn = found.transform.translation, found.transform.rotation
        rotation = Rotation.from_quat((turn.x, turn.y, turn.z, turn.w)).as_matrix()
        return transform(self._body_of_base @ (place.x, place.y, place.z), self._body_of_base @ rotation)

    def stop(self) -> None:
        """End the listener's subscriptions, which the node does not know."""
        self._listener.unregister()
