"""A listener through a whole recording, step by step, with the session that the node listener drives."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from listener_head.errors import UserError
from listener_head.evaluation.offline.data import Listened, Perceived
from listener_head.evaluation.offline.schedule import Schedule
from listener_head.evaluation.series import ATTITUDE_NAMES
from listener_head.listener.session import ListenerSession, Mode

if TYPE_CHECKING:
    from listener_head.listener.liveliness import Liveliness
    from listener_head.policies.policy import Policy

# As in ListenerState.msg.
MODES = (Mode.LISTENING, Mode.IDLE, Mode.HOLDING, Mode.DISABLED)
_HOLDING, _DISABLED = MODES.index(Mode.HOLDING), MODES.index(Mode.DISABLED)
# How often progress is told [steps].
_TOLD = 300


def listen(
    perceived: Perceived,
    policy: Policy,
    policy_name: str,
    schedule: Schedule,
    reference: ArrayLike | None = None,
    liveliness: Liveliness | None = None,
    report: Callable[[int, int], None] | None = None,
) -> Listened:
    """Drive ``policy`` over the steps of ``schedule``; the same arguments give the same motion.

    ``reference`` [M] is the listener's at rest, by default the policy's own. ``report`` is told the steps
    done, and of how many. UserError when sound or face are not what the policy was made for, or the schedule
    names a picture that was not perceived.
    """
    _check(perceived, policy)
    attitudes = [ATTITUDE_NAMES[number] for number in schedule.attitude.tolist()]
    session = ListenerSession(policy, reference, attitudes[0] if policy.attitudes else None, liveliness)
    driver = _Driver(perceived, session, schedule)
    count = len(schedule.indices)
    step_ms = np.zeros(count, np.float32)
    for step in range(count):
        if policy.attitudes and step and attitudes[step] != attitudes[step - 1]:
            session.set_attitude(attitudes[step])
        began = time.perf_counter()
        driver.step(step)
        step_ms[step] = (time.perf_counter() - began) * 1e3
        if report and step % _TOLD == 0:
            report(step, count)
    return driver.listened(policy_name, attitudes[0], step_ms)


def _check(perceived: Perceived, policy: Policy) -> None:
    face, sound = perceived.speaker.layout.face_model, perceived.heard.layout
    if face != policy.face_model or (len(perceived.heard.indices) and sound != policy.audio_layout):
        raise UserError(
            f"the recording was perceived as {face} with sound {sound}, and {policy.name} needs "
            f"{policy.face_model} with {policy.audio_layout}; give the network that goes with it"
        )


class _Driver:
    """Gives a session its inputs, and keeps what went in and what came out."""

    def __init__(self, perceived: Perceived, session: ListenerSession, schedule: Schedule) -> None:
        self._session, self._schedule = session, schedule
        seen, heard = perceived.speaker, perceived.heard
        self._motion = seen.motion
        self._row_of_stamp = {int(seen.stamp_ns[row]): int(row) for row in np.flatnonzero(seen.valid)}
        self._values, self._activity = heard.values, heard.voice_activity
        self._row_of_index = {int(index): row for row, index in enumerate(heard.indices)}
        listener = session.listener
        count = len(schedule.indices)
        self._audio = np.tile(listener.quiet_audio.astype(np.float32), (count, 1))
        self._speaker = np.tile(listener.absent_speaker.astype(np.float32), (count, 1))
        self._answers = np.empty((count, listener.layout.size), np.float32)
        self._voice = np.zeros(count, np.float32)
        self._heard, self._seen = np.zeros(count, bool), np.zeros(count, bool)
        self._source = np.zeros(count, np.int64)
        self._mode, self._flags = np.zeros(count, np.uint8), np.zeros(count, np.uint8)
        self._observed = 0

    def step(self, number: int) -> None:
        """Run step ``number`` of the schedule."""
        schedule, session = self._schedule, self._session
        index, source = int(schedule.indices[number]), int(schedule.source_ns[number])
        session.enabled = schedule.mode[number] != _DISABLED
        session.robot_speaking = schedule.mode[number] == _HOLDING
        if schedule.reset[number]:
            session.reset()
        if source and source != self._observed:
            session.observe(source, self._motion[self._row_of(source)])
            self._observed = source
        sound = self._row_of_index.get(index) if schedule.heard[number] else None
        frame = session.step(index, None if sound is None else self._values[sound])
        if sound is not None:
            self._audio[number], self._voice[number] = self._values[sound], self._activity[sound]
            self._heard[number] = True
        if frame.source_stamp_ns is not None:
            self._speaker[number] = self._motion[self._row_of(frame.source_stamp_ns)]
            self._source[number], self._seen[number] = frame.source_stamp_ns, True
        self._answers[number] = frame.motion
        self._mode[number], self._flags[number] = MODES.index(frame.mode), int(frame.flags)

    def _row_of(self, stamp_ns: int) -> int:
        row = self._row_of_stamp.get(stamp_ns)
        if row is None:
            raise UserError(
                f"the live run saw a face in the picture stamped {stamp_ns} ns, and this recording has none "
                "there; give the recording that was played"
            )
        return row

    def listened(self, policy_name: str, attitude: str, step_ms: np.ndarray) -> Listened:
        """Everything that was kept."""
        listener = self._session.listener
        return Listened(
            policy=policy_name,
            name=listener.name,
            hash=listener.hash,
            attitude=attitude,
            layout=listener.layout,
            indices=self._schedule.indices,
            motion=self._answers,
            source_ns=self._source,
            audio=self._audio,
            speaker=self._speaker,
            voice_activity=self._voice,
            heard=self._heard,
            seen=self._seen,
            mode=self._mode,
            flags=self._flags,
            step_ms=step_ms,
        )
