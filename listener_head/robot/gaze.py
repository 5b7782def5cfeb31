"""Where the head rests while it listens: facing the speaker, whom it follows slowly and smoothly."""

from __future__ import annotations

from math import atan2, exp, hypot, isfinite

import numpy as np
from numpy.typing import ArrayLike, NDArray

from listener_head.errors import UserError
from listener_head.robot.description import HEAD_ANGLES, Robot
from listener_head.robot.drive import NO_SIGNALS, Drive
from listener_head.robot.kinematics import HeadKinematics
from listener_head.robot.transforms import rotation_of_rpy, transform

FloatArray = NDArray[np.float64]

# The gaze is a critically damped spring that lags a walking speaker by this [s]. Its pull grows with the
# distance up to this one [rad], so that a speaker far to the side is met at 0.5 rad/s.
LAG = 0.7
LARGEST_PULL = 0.35
LONGEST_STEP = 0.05
# The aim is taken anew when the speaker's head has left it by this [rad]; nods and swaying do not.
DEAD_ZONE = np.radians(4.0)
# Without a speaker the gaze stays for this long [s].
STAY = 3.0
# Kept free for the listener's own motion [rad] on each side of the range, at most half of it.
ROOM = np.radians((10.0, 10.0, 0.0))
# Speakers nearer than this [m] or farther to the side than this [rad] are not believed.
NEAREST = 0.2
FARTHEST_ASIDE = np.radians(120.0)
# Turning the head also moves its eyes: so many rounds, one per position of the speaker, bring it to face the
# point within 0.2 degrees.
AIM_ROUNDS = 3


class Gaze:
    """Angles of the head [3] (pitch, yaw, roll 0, in rad from neutral) that face the speaker.

    UserError for a robot whose file has no mounts of the joints that turn the head.
    """

    def __init__(self, robot: Robot):
        if not robot.chain and robot.platform is None:
            raise UserError(
                f"robot '{robot.name}' cannot look at the speaker: none of its joints has a mount that says "
                "how it carries the head; add them or switch the gaze off"
            )
        self._robot = robot
        self._drive = Drive(robot)
        self._kinematics = HeadKinematics(robot)
        self._neutral = np.array(robot.neutral)
        self._head = self._kinematics.head(self._neutral)
        has_eye = robot.camera is not None and robot.camera.parent == robot.frames.head
        self._camera = self._kinematics.camera(self._neutral) if has_eye else None
        self._neutral_eye, _ = self._eye(np.zeros(len(HEAD_ANGLES)))
        self._low, self._high = self._range()
        self._now, self._velocities = [0.0] * len(HEAD_ANGLES), [0.0] * len(HEAD_ANGLES)
        self._aim = np.zeros(len(HEAD_ANGLES))
        # Where the speaker was seen when the aim was taken, from the neutral head: pitch, yaw.
        self._aimed_at: tuple[float, float] | None = None
        self._rounds = 0
        self._seen_at = -np.inf

    def look_at(self, point: ArrayLike, t: float) -> None:
        """Take the speaker's position [3] m in the base frame at t [s]; what cannot be is left out."""
        place = np.asarray(point, np.float64)
        if place.shape != (3,) or not np.isfinite(place).all() or not isfinite(t):
            return
        body = self._kinematics.body_of_base[:3, :3] @ place
        way = body - self._neutral_eye
        pitch, yaw = _direction(way)
        if np.linalg.norm(way) < NEAREST or abs(yaw) > FARTHEST_ASIDE:
            return
        self._seen_at = t
        aimed_at = self._aimed_at
        if aimed_at is None or hypot(pitch - aimed_at[0], yaw - aimed_at[1]) > DEAD_ZONE:
            self._aimed_at, self._rounds = (pitch, yaw), AIM_ROUNDS
        if self._rounds:
            self._rounds -= 1
            self._aim = self._nearer(self._aim, body)

    def step(self, t: float, dt: float) -> FloatArray:
        """The angles [3] after ``dt`` more seconds, at time t [s]."""
        # The minimum is for a clock that goes back.
        self._seen_at = min(self._seen_at, t)
        if t - self._seen_at > STAY:
            self._aim, self._aimed_at = np.zeros(len(HEAD_ANGLES)), None
        while dt > 0.0:
            self._pull(min(dt, LONGEST_STEP))
            dt -= LONGEST_STEP
        return np.array(self._now)

    def _pull(self, dt: float) -> None:
        """One step of the spring, exact for an aim that stays."""
        w = 2.0 / LAG
        fade = exp(-w * dt)
        aways = [angle - aim for angle, aim in zip(self._now, self._aim.tolist(), strict=True)]
        pull = LARGEST_PULL / max(hypot(*aways), LARGEST_PULL)
        for i, away in enumerate(aways):
            near = pull * away
            still = self._velocities[i] + w * near
            self._now[i] += (near + still * dt) * fade - near
            self._velocities[i] = (self._velocities[i] - w * still * dt) * fade

    def _nearer(self, angles: FloatArray, body: FloatArray) -> FloatArray:
        """Angles that turn the eye to a point of the body frame, but for the way it goes itself."""
        eye, forward = self._eye(angles)
        pitch, yaw = _direction(body - eye)
        own_pitch, own_yaw = _direction(forward)
        missing = np.array([pitch - own_pitch, yaw - own_yaw, 0.0])
        nearer: FloatArray = (angles + missing).clip(self._low, self._high)
        return nearer

    def _eye(self, angles: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Place of the eye and where it looks, in the body frame, with the head at angles from neutral."""
        head = self._turned_head(angles)
        # A head frame may point anywhere: at neutral the head looks forward.
        turned = head[:3, :3] @ self._head[:3, :3].T
        if self._camera is None:
            return head[:3, 3], turned[:, 0]
        from_head = self._camera[:3, 3] - self._head[:3, 3]
        return head[:3, 3] + turned @ from_head, turned @ self._camera[:3, 2]

    def _turned_head(self, angles: FloatArray) -> FloatArray:
        """Head frame [4, 4] in the body frame."""
        if self._robot.platform is None:
            displacements, _ = self._drive.displacements(NO_SIGNALS, angles)
            return self._kinematics.head(self._neutral + displacements)
        # A platform turns the head where it is.
        pitch, yaw, roll = angles.tolist()
        return transform(self._head[:3, 3].tolist(), rotation_of_rpy(roll, pitch, yaw) @ self._head[:3, :3])

    def _range(self) -> tuple[FloatArray, FloatArray]:
        """Lowest and highest angles that leave room for the listener's motion."""
        ends = []
        for sign in (-1.0, 1.0):
            reach = np.array([self._reach(sign * direction) for direction in np.eye(len(HEAD_ANGLES))])
            ends.append(sign * np.maximum(reach - ROOM, reach / 2))
        low, high = ends
        low[2] = high[2] = 0.0
        return low, high

    def _reach(self, direction: FloatArray) -> float:
        """How far [rad] the head turns in a direction of its angles, at most a quarter turn."""
        if not self._drive.displacements(NO_SIGNALS, 0.1 * direction)[0].any():
            return 0.0
        share, whole = 0.0, np.pi / 2
        for step in range(1, 12):
            if self._drive.reaches((share + 0.5**step) * whole * direction):
                share += 0.5**step
        return share * whole


def _direction(vector: FloatArray) -> tuple[float, float]:
    """Pitch and yaw [rad] of a vector of the body frame: positive down and to the left."""
    x, y, z = vector.tolist()
    return atan2(-z, hypot(x, y)), atan2(y, x)
