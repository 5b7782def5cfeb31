"""What the listener does around the network: which inputs a grid step takes, and how it idles and holds.

Times are integer nanoseconds of one clock, steps are indices of the 30 Hz grid (`listener_head.timing`).
Nothing here reads a clock: the same calls give the same motion, live and offline.
"""

from __future__ import annotations

from bisect import insort
from dataclasses import dataclass
from enum import Enum, IntFlag
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from listener_head.errors import UserError
from listener_head.listener.liveliness import Liveliness
from listener_head.timing import HOLD_NS, NS_PER_S, RATE_HZ, grid_time_ns

if TYPE_CHECKING:
    from listener_head.policies.policy import Policy

FloatArray = NDArray[np.float32]

# A gap of the grid longer than this, or any step back, is a jump of the clock.
MAX_GAP = RATE_HZ

_HISTORY = 32
# Changes of mode settle like a critically damped spring of this rate [1/s]: 90 % within a second.
_SETTLE_RATE = 4.0
_SETTLED_FRAMES = 3 * RATE_HZ
_STEP_S = 1.0 / RATE_HZ
_DECAY = np.exp(-np.float32(_SETTLE_RATE) * np.float32(_STEP_S))
# A gain this near to the wanted one is there.
_GAIN_STEP = 1e-4


class Mode(Enum):
    """What the listener is doing, as in the message ListenerState."""

    LISTENING = "listening"
    IDLE = "idle"
    HOLDING = "holding"
    DISABLED = "disabled"


class InputFlag(IntFlag):
    """What was wrong with the inputs of a step."""

    NONE = 0
    AUDIO_MISSING = 1
    SPEAKER_REPEATED = 2
    SPEAKER_ABSENT = 4
    STEPS_SKIPPED = 8
    CLOCK_JUMPED = 16


@dataclass(frozen=True)
class ListenerFrame:
    """One step's outcome. ``motion`` [M] is for ``stamp_ns`` = t_{k+1} (paper Eq. 1).

    ``source_stamp_ns`` is the stamp of the speaker coefficients that went in, or None when the speaker
    was absent; ``frame`` counts steps since the last reset.
    """

    index: int
    frame: int
    time_ns: int
    stamp_ns: int
    source_stamp_ns: int | None
    motion: FloatArray
    mode: Mode
    flags: InputFlag


# How lively it is in each mode; see `Liveliness.step`.
_LIVELINESS = {Mode.LISTENING: 1.0, Mode.IDLE: 1.0, Mode.HOLDING: 0.4, Mode.DISABLED: 0.0}


class ListenerSession:
    """Drives a `Listener`, or another policy, on the grid from whatever inputs are there.

    A step hears the given audio features and sees the newest speaker coefficients stamped not after its
    time. Without a speaker it returns to the reference; while the robot speaks, or when disabled, it
    comes to rest where it is. Every change between these, and every reset, is smooth in position and
    velocity. With ``liveliness`` it is never quite still, unless it is disabled or ``lively`` is false.
    """

    def __init__(
        self,
        listener: Policy,
        reference: ArrayLike | None = None,
        attitude: str | None = None,
        liveliness: Liveliness | None = None,
    ) -> None:
        self._listener, self._liveliness = listener, liveliness
        self._bounds = listener.layout.expression if listener.face_model == "arkit52" else slice(0, 0)
        eyelids = [name for name in listener.layout.expression_names if name.startswith("eyeBlink")]
        self._eyelids = [listener.layout.index(name) for name in eyelids]
        self.enabled = True
        self.robot_speaking = False
        self.lively = True
        self._begin(reference, attitude)
        self._motion = self._target = self._reference
        self._velocity = np.zeros_like(self._motion)
        self._offset, self._offset_velocity = self._velocity, self._velocity
        self._settling = 0
        self._gain, self._wanted_gain = np.ones_like(self._motion), np.ones_like(self._motion)
        self._gain_velocity = np.zeros_like(self._motion)
        self._amplifies = False  # or every gain is 1

    @property
    def listener(self) -> Policy:
        """The listener that is driven."""
        return self._listener

    def reset(self, reference: ArrayLike | None = None, attitude: str | None = None) -> None:
        """Forget all inputs and start from the reference; by default the last one and its attitude.

        The motion glides from where it is into the new start. UserError, and no change, for a reference or an
        attitude that the listener refuses.
        """
        self._begin(
            self._first_reference if reference is None else reference,
            self._first_attitude if attitude is None else attitude,
        )

    def _begin(self, reference: ArrayLike | None, attitude: str | None) -> None:
        self._listener.reset(reference, attitude)
        self._first_reference, self._first_attitude = reference, attitude
        self._reference = self._listener.reference
        self._mode: Mode | None = None
        self._frame = 0
        self._last_index: int | None = None
        self._last_source: int | None = None
        self._history: list[tuple[int, FloatArray]] = []

    def set_attitude(self, attitude: str) -> None:
        """Cross-fade to another attitude, which a later reset keeps; UserError for an unknown one."""
        self._listener.set_attitude(attitude)
        self._first_attitude = attitude

    def set_gains(self, head: float, expression: float) -> None:
        """Make the motion of the head (rotation and place) and of the face, away from the reference, larger.

        1 is as predicted, 0 stays at the reference; a change is followed smoothly. Blinks stay whole.
        UserError for a gain below 0 or not finite.
        """
        for name, gain in (("head", head), ("expression", expression)):
            if not (np.isfinite(gain) and gain >= 0):
                raise UserError(f"the gain of the {name} is {gain}; give 0 or more")
        layout = self._listener.layout
        self._wanted_gain = np.full_like(self._motion, head)
        self._wanted_gain[layout.expression] = expression
        self._wanted_gain[self._eyelids] = 1.0
        self._amplifies = True

    def use(self, listener: Policy) -> None:
        """Let another listener answer from now on, with the same reference; the motion glides into its start.

        UserError, and no change, for one that does not suit.
        """
        self.check_suits(listener)
        self._listener = listener
        self._begin(self._reference, self._first_attitude if listener.attitudes else None)

    def check_suits(self, listener: Policy) -> None:
        """UserError for a listener of another face model, or that takes other inputs or attitudes."""
        for what in ("face_model", "audio_layout"):
            ours, other = getattr(self._listener, what), getattr(listener, what)
            if ours != other:
                raise UserError(f"policy {listener.name} has the {what} {other}, not {ours}; choose another")
        if self._first_attitude and listener.attitudes and self._first_attitude not in listener.attitudes:
            raise UserError(
                f"policy {listener.name} knows no attitude '{self._first_attitude}'; change it first"
            )

    def observe(self, stamp_ns: int, speaker: ArrayLike) -> None:
        """Take the speaker's motion [M] of the camera frame stamped ``stamp_ns``, in any order of arrival.

        Pass valid frames only. UserError for a wrong size or a value that is not finite.
        """
        motion = np.array(speaker, np.float32)
        if motion.shape != self._reference.shape or not np.isfinite(motion).all():
            raise UserError(
                f"speaker motion must be {len(self._reference)} finite numbers "
                f"({self._listener.face_model}), got shape {motion.shape}; drop invalid frames"
            )
        # A stamp far before the others comes from a clock that jumped back: the others are its future.
        if self._history and stamp_ns < self._history[-1][0] - NS_PER_S:
            self._history.clear()
        insort(self._history, (stamp_ns, motion), key=lambda entry: entry[0])
        del self._history[:-_HISTORY]

    def step(self, index: int, audio: ArrayLike | None) -> ListenerFrame:
        """Make grid step ``index`` with its audio features, or None when there are none.

        A clock that jumped (a step back, or more than a second forward) resets the session first.
        UserError for audio of a wrong size or not finite.
        """
        flags = self._follow_clock(index)
        time_ns = grid_time_ns(index)
        source, speaker = self._speaker_at(time_ns)
        if audio is None:
            flags |= InputFlag.AUDIO_MISSING
        if source is None:
            flags |= InputFlag.SPEAKER_ABSENT
        elif source == self._last_source:
            flags |= InputFlag.SPEAKER_REPEATED
        mode = self._mode_for(source)
        # Outside listening the network goes on in silence and alone, so that it can be faded back in.
        attending = mode is Mode.LISTENING
        heard = audio if attending and audio is not None else self._listener.quiet_audio
        seen = speaker if attending and speaker is not None else self._listener.absent_speaker
        predicted = self._listener.step(heard, seen)
        motion = self._amplified(self._move(mode, predicted))
        if self._liveliness is not None:
            motion = self._liveliness.step(motion, _LIVELINESS[mode] if self.lively else 0.0)
        frame = self._frame
        self._frame, self._last_index, self._last_source = frame + 1, index, source
        return ListenerFrame(index, frame, time_ns, grid_time_ns(index + 1), source, motion, mode, flags)

    def _follow_clock(self, index: int) -> InputFlag:
        if self._last_index is None:
            return InputFlag.NONE
        gap = index - self._last_index
        if 1 <= gap <= MAX_GAP:
            return InputFlag.STEPS_SKIPPED if gap > 1 else InputFlag.NONE
        # What was seen on the old time line is worthless on the new one, unless it belongs there.
        start = grid_time_ns(index) - HOLD_NS
        kept = [entry for entry in self._history if start <= entry[0] <= start + 2 * HOLD_NS]
        self.reset()
        self._history = kept
        return InputFlag.CLOCK_JUMPED

    def _speaker_at(self, time_ns: int) -> tuple[int | None, FloatArray | None]:
        """The newest speaker motion stamped not after ``time_ns``, unless it is too old."""
        for stamp_ns, motion in reversed(self._history):
            if stamp_ns <= time_ns:
                return (stamp_ns, motion) if time_ns - stamp_ns <= HOLD_NS else (None, None)
        return None, None

    def _mode_for(self, source: int | None) -> Mode:
        if not self.enabled:
            return Mode.DISABLED
        if self.robot_speaking:
            return Mode.HOLDING
        return Mode.IDLE if source is None else Mode.LISTENING

    def _move(self, mode: Mode, predicted: FloatArray) -> FloatArray:
        """Follow the mode's target; what separates it from the last motion at a change decays smoothly."""
        if mode is Mode.LISTENING:
            target = predicted
        elif mode is Mode.IDLE:
            target = self._reference
        else:
            resting = self._mode in (Mode.HOLDING, Mode.DISABLED)
            target = self._target if resting else self._resting_place()
        if mode is not self._mode:
            # The target's own velocity is not known yet at a change; the spring takes that up.
            self._offset, self._offset_velocity = self._motion - target, self._velocity.copy()
            self._offset_velocity[self._eyelids] = 0  # a blink under way is not drawn out
            self._settling = _SETTLED_FRAMES
        motion = target + self._decayed_offset() if self._settling else target.copy()
        bounded = motion[self._bounds]
        np.clip(bounded, 0.0, 1.0, out=bounded)
        self._velocity = (motion - self._motion) / np.float32(_STEP_S)
        self._mode, self._target, self._motion = mode, target, motion
        return motion

    def _resting_place(self) -> FloatArray:
        """Where the present motion comes to rest without turning back; never with the eyes closed."""
        place: FloatArray = self._motion + self._velocity / np.float32(_SETTLE_RATE)
        bounded = place[self._bounds]
        np.clip(bounded, 0.0, 1.0, out=bounded)
        place[self._eyelids] = self._reference[self._eyelids]
        return place

    def _decayed_offset(self) -> FloatArray:
        self._offset, self._offset_velocity = _decayed(self._offset, self._offset_velocity)
        self._settling -= 1
        return self._offset

    def _amplified(self, motion: FloatArray) -> FloatArray:
        """The motion with the gains, which follow the wanted ones as changes of mode settle."""
        if self._amplifies:
            away, velocity = _decayed(self._gain - self._wanted_gain, self._gain_velocity)
            is_there = (np.abs(away) < _GAIN_STEP).all()
            self._gain = self._wanted_gain.copy() if is_there else self._wanted_gain + away
            self._gain_velocity = np.zeros_like(velocity) if is_there else velocity
            self._amplifies = not (is_there and (self._wanted_gain == 1.0).all())
        if not self._amplifies:
            return motion
        amplified: FloatArray = self._reference + self._gain * (motion - self._reference)
        bounded = amplified[self._bounds]
        np.clip(bounded, 0.0, 1.0, out=bounded)
        return amplified


def _decayed(offset: FloatArray, velocity: FloatArray) -> tuple[FloatArray, FloatArray]:
    """One exact step of x'' = -2 r x' - r² x: the next offset and its velocity."""
    step, rate = np.float32(_STEP_S), np.float32(_SETTLE_RATE)
    impulse = velocity + rate * offset
    return (offset + step * impulse) * _DECAY, (velocity - step * rate * impulse) * _DECAY
