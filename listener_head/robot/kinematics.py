"""Where a robot's head and its camera are for given joint positions (forward kinematics of URDF)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from listener_head.errors import UserError
from listener_head.robot.description import Mount, Robot
from listener_head.robot.stewart import StewartPlatform
from listener_head.robot.transforms import rotation_of_rpy, transform, transform_of

FloatArray = NDArray[np.float64]


class HeadKinematics:
    """Head and camera in the body frame (REP 103: x forward, y left, z up, origin of ``frames.base``).

    The joints of ``robot.chain`` stand one on the other from ``frames.base``; a platform stands on the last.
    """

    def __init__(self, robot: Robot):
        self.robot = robot
        # Takes points of the base frame to the body frame.
        self.body_of_base = transform((0.0, 0.0, 0.0), rotation_of_rpy(*robot.frames.base_rpy).T)
        self._chain = robot.chain
        mounts = [robot.joints[i].mount for i in self._chain]
        self._links = [_Link(mount) for mount in mounts if mount is not None]
        self._depth = {frame: depth for depth, frame in enumerate(robot.chain_frames)}
        self._platform = None if robot.platform is None else StewartPlatform(robot.platform)
        names = robot.joint_names
        self._legs = [] if robot.platform is None else [names.index(leg.joint) for leg in robot.platform.legs]
        self._camera = None if robot.camera is None else transform_of(robot.camera.origin)

    def head(self, positions: Sequence[float] | FloatArray) -> FloatArray:
        """Head frame in the body frame, float64 [4, 4], for joint positions [J] in rad.

        UserError when their number is wrong or one is not finite.
        """
        return self._head(self._checked(positions))

    def camera(self, positions: Sequence[float] | FloatArray) -> FloatArray:
        """Optical frame (REP 103: x right, y down, z forward) in the body frame, float64 [4, 4].

        UserError when the robot file names no camera, or the positions [J] in rad do not suit the robot.
        """
        camera = self.robot.camera
        if camera is None or self._camera is None:
            raise UserError(
                f"robot {self.robot.name} has no 'camera' in its file; add frame, parent and origin"
            )
        checked = self._checked(positions)
        if camera.parent == self.robot.frames.head:
            return self._head(checked) @ self._camera
        if camera.parent not in self._depth:
            raise UserError(
                f"camera.parent '{camera.parent}' of robot {self.robot.name} is not on the way to the head; "
                f"choose one of {', '.join([*self._depth, self.robot.frames.head])}"
            )
        return self._frame(checked, self._depth[camera.parent]) @ self._camera

    def _checked(self, positions: Sequence[float] | FloatArray) -> FloatArray:
        array = np.asarray(positions, np.float64)
        if array.shape != (len(self.robot.joints),) or not np.isfinite(array).all():
            names = ", ".join(self.robot.joint_names)
            raise UserError(
                f"joint positions {array.tolist()} do not suit {self.robot.name}; give {names} in rad"
            )
        return array

    def _head(self, positions: FloatArray) -> FloatArray:
        frame = self._frame(positions, len(self._links))
        return frame if self._platform is None else frame @ self._platform.pose(positions[self._legs])

    def _frame(self, positions: FloatArray, depth: int) -> FloatArray:
        """Frame in the body frame after the first ``depth`` joints of the chain."""
        frame = self.body_of_base
        for joint, link in zip(self._chain[:depth], self._links, strict=False):
            frame = frame @ link.at(positions[joint])
        return frame


class _Link:
    """Child frame of a revolute joint in its parent, by Rodrigues' formula with the constant parts done."""

    def __init__(self, mount: Mount):
        x, y, z = np.array(mount.axis) / np.linalg.norm(mount.axis)
        cross = np.zeros((4, 4))
        cross[:3, :3] = [[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]]
        self._origin = transform_of(mount.origin)
        self._sine, self._versine = self._origin @ cross, self._origin @ cross @ cross

    def at(self, angle: float) -> FloatArray:
        return self._origin + np.sin(angle) * self._sine + (1.0 - np.cos(angle)) * self._versine
