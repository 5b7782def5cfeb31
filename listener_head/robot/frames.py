"""From the listener's rotation to head angles of a robot's body frame.

The listener's rotation lives in the optical frame of the camera that faces it (x right, y down,
z forward; see listener_head.coefficients): R = Rz(roll) @ Ry(yaw) @ Rx(pitch), zero faces the camera. A
robot's joints turn in its body frame (REP 103: x forward, y left, z up). A head that faces the camera looks
along the camera's -z, has its own left at the camera's +x and its crown at the camera's -y:

    x_body = -z_camera      y_body = +x_camera      z_body = -y_camera

so a turn about x_camera is the same turn about y_body (pitch keeps its sign: positive looks down), one
about y_camera is the opposite turn about z_body, and one about z_camera the opposite turn about x_body (yaw
and roll change sign: positive yaw looks to the robot's left, positive roll tips the crown to its right). In
the body frame the same rotation reads

    R_body = Rx(-roll) @ Rz(-yaw) @ Ry(pitch)

which is written anew in REP 103's order Rz(yaw) @ Ry(pitch) @ Rx(roll), the order of a neck that pans, then
tilts, then rolls. Roll then turns about the nose: a pan-tilt head that drops it still points its nose right.
"""

from __future__ import annotations

from math import asin, atan2, cos, sin


def head_angles(pitch: float, yaw: float, roll: float) -> tuple[float, float, float]:
    """Pitch, yaw, roll [rad] in the body frame (Rz @ Ry @ Rx) of a rotation [rad] of coefficients."""
    cos_pitch, sin_pitch = cos(pitch), sin(pitch)
    cos_yaw, sin_yaw = cos(-yaw), sin(-yaw)
    cos_roll, sin_roll = cos(-roll), sin(-roll)
    nose_x = cos_yaw * cos_pitch
    nose_y = cos_roll * sin_yaw * cos_pitch + sin_roll * sin_pitch
    nose_z = sin_roll * sin_yaw * cos_pitch - cos_roll * sin_pitch
    left_z = sin_roll * cos_yaw
    crown_z = sin_roll * sin_yaw * sin_pitch + cos_roll * cos_pitch
    return asin(max(-1.0, min(1.0, -nose_z))), atan2(nose_y, nose_x), atan2(left_z, crown_z)
