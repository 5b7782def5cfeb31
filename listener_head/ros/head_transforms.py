"""TF of a robot's head for joint positions, as robot_state_publisher does, and of a head on a platform."""

from __future__ import annotations

from typing import Any

import numpy as np
from builtin_interfaces.msg import Time
from geometry_msgs.msg import TransformStamped
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from listener_head.robot.description import Robot
from listener_head.robot.stewart import StewartPlatform
from listener_head.robot.transforms import transform_of
from listener_head.ros.interfaces import interface
from listener_head.ros.node import GraphNode
from listener_head.ros.qos import LATCHED

FloatArray = NDArray[np.float64]


class HeadTransforms:
    """Publishes `/tf` for the joints that have a mount, and `/tf_static` for the camera.

    UserError where tf2_msgs is not installed.
    """

    def __init__(self, node: GraphNode, robot: Robot) -> None:
        message_type = interface("tf2_msgs", "msg", "TFMessage")
        self._moving = node.advertise(message_type, "/tf")
        self._fixed = node.advertise(message_type, "/tf_static", LATCHED)
        self._message = message_type()
        self._joints = [(i, joint.mount) for i, joint in enumerate(robot.joints) if joint.mount is not None]
        self._axes = np.array([mount.axis for _, mount in self._joints]).reshape(-1, 3)
        self._origins = [transform_of(mount.origin) for _, mount in self._joints]
        self._platform = None if robot.platform is None else StewartPlatform(robot.platform)
        self._legs: list[int] = []
        frames = [(mount.parent, mount.child) for _, mount in self._joints]
        if robot.platform is not None:
            mount = robot.joints[robot.chain[-1]].mount if robot.chain else None
            frames.append((robot.frames.base if mount is None else mount.child, robot.frames.head))
            self._legs = [robot.joint_names.index(leg.joint) for leg in robot.platform.legs]
        self._message.transforms = [_transform(parent, child) for parent, child in frames]
        if robot.camera is not None:
            fixed = _transform(robot.camera.parent, robot.camera.frame)
            fixed.header.stamp = node.get_clock().now().to_msg()
            _place(fixed, transform_of(robot.camera.origin))
            self._fixed.publish(message_type(transforms=[fixed]))

    def publish(self, positions: FloatArray, stamp: Time) -> None:
        """Publish the frames for joint positions [J] in rad."""
        angles = positions[[i for i, _ in self._joints]]
        turns = Rotation.from_rotvec(self._axes * angles[:, None]).as_matrix()
        poses = []
        for origin, turn in zip(self._origins, turns, strict=True):
            pose = origin.copy()
            pose[:3, :3] = origin[:3, :3] @ turn
            poses.append(pose)
        if self._platform is not None:
            poses.append(self._platform.pose(positions[self._legs]))
        for message, pose in zip(self._message.transforms, poses, strict=True):
            message.header.stamp = stamp
            _place(message, pose)
        self._moving.publish(self._message)


def _transform(parent: str, child: str) -> Any:
    message = TransformStamped(child_frame_id=child)
    message.header.frame_id = parent
    return message


def _place(message: Any, pose: FloatArray) -> None:
    translation, rotation = message.transform.translation, message.transform.rotation
    translation.x, translation.y, translation.z = pose[:3, 3].tolist()
    rotation.x, rotation.y, rotation.z, rotation.w = Rotation.from_matrix(pose[:3, :3]).as_quat().tolist()
