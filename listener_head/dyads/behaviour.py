"""How a person listens: motion that answers the sound and the face of a speaker.

After the paper's section 1 and the studies it names: narrow movements in phase with stressed syllables,
wide ones in pauses, cyclic nods for yes and shakes for no, smile and raised brows for interest, tilt with
frown and tense lips for disbelief and dislike, mirroring, and blinks where phrases end. The body leans in
while the speaker is in full flow and goes along with the speaker's. All of it follows from what has been
heard and seen so far, by fixed delays, so that it can be learnt.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from listener_head.dyads.signals import Track, bump, delay, frame_times, nods, shakes, smooth, wander
from listener_head.dyads.speaker import LAYOUT, add_blinks, add_expression, columns, look_at
from listener_head.dyads.speech import LOUDNESS, SAMPLE_RATE, Speech
from listener_head.timing import RATE_HZ

FloatArray = NDArray[np.float32]

_DEGREE = np.pi / 180

# A listener knows that a phrase has ended after this much silence [s]: longer than any breath or stop
# consonant, so that what is answered can be heard. It answers these times later [s].
_PAUSE_NOTICED = 0.33
_NOD_DELAY, _BLINK_DELAY, _SHIFT_DELAY = 0.04, 0.04, 0.35
_FACE_DELAY, _POSE_DELAY, _BODY_DELAY, _BLINK_ANSWER = 0.3, 0.35, 0.4, 0.3
# How long [s] it takes to be drawn in by speech, and to take up a manner from rest.
_ENGAGING, _ONSET = 1.6, 1.5
# Factor on the beats: high-passed, they are smaller than the syllables that they answer.
_BEAT_SCALE = 1.6
# Lids that have just blinked do not blink again within this time [s].
_BLINK_REST = 0.7


@dataclass(frozen=True)
class Manner:
    """How an attitude moves: angles [degrees], weights of shapes, gains of what the speaker shows."""

    nod: float  # at the end of a phrase
    nod_cycles: float
    nod_rate_hz: float
    shake: float  # at the end of a phrase
    chin: float  # raised at the end of a phrase
    beat: float  # nod in phase with stressed syllables
    brow_beat: float  # brows on stressed syllables
    shift: float  # wide move in a pause
    pitch: float  # resting posture
    roll: float
    lean: float  # towards the speaker in full flow [m]; half of it at rest
    smile: float  # resting face
    brows_up: float
    frown: float
    lips_tense: float
    smile_mirror: float
    brow_mirror: float
    frown_mirror: float
    pose_mirror: float
    body_mirror: float  # how far the body goes along with the speaker's


MANNERS: dict[str, Manner] = {
    "positive": Manner(
        nod=7.5, nod_cycles=2.0, nod_rate_hz=2.0, shake=0.0, chin=0.0, beat=5.0, brow_beat=0.35, shift=6.0,
        pitch=0.0, roll=0.0, lean=0.045, smile=0.36, brows_up=0.16, frown=0.0, lips_tense=0.0,
        smile_mirror=0.6, brow_mirror=0.7, frown_mirror=0.15, pose_mirror=0.45, body_mirror=0.8,
    ),
    "neutral": Manner(
        nod=5.0, nod_cycles=1.0, nod_rate_hz=1.6, shake=0.0, chin=0.0, beat=3.6, brow_beat=0.15, shift=5.0,
        pitch=0.0, roll=0.0, lean=0.015, smile=0.04, brows_up=0.03, frown=0.02, lips_tense=0.04,
        smile_mirror=0.4, brow_mirror=0.4, frown_mirror=0.3, pose_mirror=0.35, body_mirror=0.6,
    ),
    "negative": Manner(
        nod=0.0, nod_cycles=2.0, nod_rate_hz=1.5, shake=6.0, chin=4.0, beat=3.2, brow_beat=-0.12, shift=6.5,
        pitch=-2.0, roll=5.0, lean=-0.045, smile=0.0, brows_up=0.0, frown=0.42, lips_tense=0.35,
        smile_mirror=0.05, brow_mirror=0.1, frown_mirror=0.5, pose_mirror=0.25, body_mirror=0.3,
    ),
}  # fmt: skip


@dataclass(frozen=True)
class ListenerPerson:
    """What is one listener's own: how strongly and quickly it moves, and its reference motion m₁ [58].

    ``nodding``, ``smiling``, ``frowning``, ``mirroring`` and ``leaning`` are factors on what the manner says.
    """

    strength: float
    lateness: float  # added to every delay [s]
    restlessness: float  # deviation of its own sway [degrees]
    reference: FloatArray
    nodding: float = 1.0
    smiling: float = 1.0
    frowning: float = 1.0
    mirroring: float = 1.0
    leaning: float = 1.0


# Deviations of how people hold their heads [degrees] and where they sit [m], and the most that a face at
# rest shows of a shape.
_TURN, _PLACE = (3.5, 6.0, 2.5), (0.05, 0.04, 0.1)
_RESTING_FACE = {
    "mouthSmile": 0.15, "browDown": 0.15, "eyeSquint": 0.25, "mouthPress": 0.2, "mouthFrown": 0.15,
    "browInnerUp": 0.15, "browOuterUp": 0.15, "mouthShrugLower": 0.15, "eyeBlink": 0.12,
}  # fmt: skip
_NEAREST, _FARTHEST = 0.4, 1.0  # [m]


def random_person(rng: np.random.Generator) -> ListenerPerson:
    """A listener within what people show, upright before the camera; its reference is its face at rest."""
    reference = LAYOUT.neutral()
    for name, largest in _RESTING_FACE.items():
        # Most faces rest near zero.
        reference[columns(name)] += largest * rng.random() ** 3
    person = ListenerPerson(
        strength=float(rng.uniform(0.85, 1.15)),
        lateness=float(rng.uniform(-0.02, 0.03)),
        restlessness=float(rng.uniform(0.1, 0.3)),
        reference=reference,
        nodding=float(rng.uniform(0.8, 1.2)),
        smiling=float(rng.uniform(0.8, 1.2)),
        frowning=float(rng.uniform(0.8, 1.2)),
        mirroring=float(rng.uniform(0.75, 1.25)),
        leaning=float(rng.uniform(0.7, 1.3)),
    )
    return seated(person, rng, share=0.1)


def seated(person: ListenerPerson, rng: np.random.Generator, share: float = 1.0) -> ListenerPerson:
    """The person with its reference turned and moved, by ``share`` of how differently people sit."""
    reference = person.reference.copy()
    reference[LAYOUT.rotation] += share * np.clip(rng.standard_normal(3), -2, 2) * _TURN * _DEGREE
    reference[LAYOUT.translation] += share * np.clip(rng.standard_normal(3), -2, 2) * _PLACE
    z = LAYOUT.translation.stop - 1
    reference[z] = np.clip(reference[z], _NEAREST, _FARTHEST)
    return replace(person, reference=reference.astype(np.float32))


def listen(
    speech: Speech,
    speaker: FloatArray,
    attitude: str,
    person: ListenerPerson,
    rng: np.random.Generator,
    from_rest: bool = False,
) -> FloatArray:
    """Motion [T, 58] of a person who listens to ``speech`` and sees the speaker's true motion [T, 58].

    ``speaker`` is the talking face about its own neutral place, before any camera and tracker. A listener
    ``from_rest`` has its reference motion at first and takes up its manner from there; another one has been
    listening for a while.
    """
    manner = MANNERS[attitude]
    count = len(speaker)
    motion = np.zeros((count, LAYOUT.size))
    seen = np.asarray(speaker, np.float64)
    heard = prominence(speech, count)
    engaged = _engagement(heard, person)
    turn = _gestures(speech, seen, heard, engaged, manner, person)
    turn += _mirrored_pose(seen, manner, person)
    for axis in range(3):
        turn[:, axis] += wander(count, person.restlessness, 0.8, rng) * _DEGREE
    motion[:, LAYOUT.rotation] = turn
    _add_face(motion, seen, heard, engaged, manner, person)
    _add_body(motion, seen, engaged, manner, person)
    # The eyes stay on the speaker.
    look_at(motion, yaw=-turn[:, 1], pitch=-turn[:, 0])
    if from_rest:
        motion *= bump(frame_times(count), 0.0, _ONSET, 1.0, hold=np.inf)[:, None]
    motion += person.reference
    add_blinks(motion, _blink_times(speech, seen, person), hold=0.06)
    motion[:, LAYOUT.expression] = np.clip(motion[:, LAYOUT.expression], 0, 1)
    return motion.astype(np.float32)


def prominence(speech: Speech, count: int) -> Track:
    """How much a syllable stands out as it is heard, 0 to 1, at each of ``count`` frames."""
    hop = SAMPLE_RATE // RATE_HZ
    samples = np.zeros((count + 1) * hop + count, np.float64)
    samples[: len(speech.samples)] = speech.samples[: len(samples)]
    # Frame k hears the 1/30 s before k / 30 s.
    ends = np.round(np.arange(count) * SAMPLE_RATE / RATE_HZ).astype(int)
    power = np.concatenate([[0.0], np.cumsum(samples**2)])
    energy = (power[ends] - power[np.maximum(ends - hop, 0)]) / hop
    level = 10 * np.log10(smooth(energy, 0.05) / LOUDNESS**2 + 1e-4)
    usual = smooth(np.maximum(level, -8), 1.2)
    return np.asarray(np.clip((level - usual) / 8, 0, 1))


def pauses(speech: Speech, count: int) -> list[tuple[float, float, float]]:
    """Pauses long enough to be noticed: start, end, and how much was said before, 0 to 1."""
    spans = speech.phrases
    starts = [*(start for start, _ in spans), count / RATE_HZ][1:]
    return [
        (end, following, min((end - start) / 2.0, 1.0))
        for (start, end), following in zip(spans, starts, strict=True)
        if following - end > _PAUSE_NOTICED
    ]


def _engagement(heard: Track, person: ListenerPerson) -> Track:
    """How far the speaker's flow has drawn the listener in, 0 to 1: slow to come and to go."""
    return np.asarray(np.clip(3 * smooth(delay(heard, 0.1 + person.lateness), _ENGAGING), 0, 1))


def _gestures(
    speech: Speech, seen: Track, heard: Track, engaged: Track, manner: Manner, person: ListenerPerson
) -> Track:
    """Nods, shakes, beats, wide moves and tilt [rad]."""
    times = frame_times(len(seen))
    turn = np.zeros((len(seen), 3))
    beat = smooth(delay(heard, person.lateness), 0.1, passes=2)
    turn[:, 0] += _BEAT_SCALE * manner.beat * (beat - 0.7 * smooth(beat, 0.7))
    aside = np.tanh(smooth(seen[:, 1], 0.3) / (4 * _DEGREE))
    for start, end, said in pauses(speech, len(seen)):
        answer = start + _PAUSE_NOTICED + _NOD_DELAY + person.lateness
        size = person.nodding * (0.5 + 0.5 * said)
        turn[:, 0] += manner.nod * size * nods(times, answer, manner.nod_cycles, manner.nod_rate_hz)
        turn[:, 1] += manner.shake * size * shakes(times, answer, manner.nod_cycles, manner.nod_rate_hz)
        turn[:, 0] -= manner.chin * size * bump(times, answer, 0.4, 0.9, hold=0.3)
        # The wide move goes to the side from which the speaker's head turned away last.
        moved = start + _PAUSE_NOTICED + _SHIFT_DELAY + person.lateness
        if end > moved:
            side = float(aside[min(round(start * RATE_HZ), len(aside) - 1)])
            gesture = bump(times, moved, 0.7, 1.4, hold=end - moved + 0.2)
            turn += np.outer(gesture, manner.shift * np.array((-0.35, -0.9 * side, 0.5 * side)))
    turn[:, 0] += manner.pitch
    turn[:, 2] += manner.roll * _side(person) * (0.6 + 0.8 * engaged)
    return turn * (person.strength * _DEGREE)


def _side(person: ListenerPerson) -> float:
    """To which side a head is tilted in doubt: further to that of its rest, else to the person's own left."""
    resting = float(person.reference[LAYOUT.rotation][2]) / _DEGREE
    return float(np.tanh((resting + 1.5) / 0.8))


def _mirrored_pose(seen: Track, manner: Manner, person: ListenerPerson) -> Track:
    """The speaker's head movement, softened and as in a mirror; where the head rests does not count."""
    followed = delay(smooth(seen[:, LAYOUT.rotation], 0.12, passes=2), _POSE_DELAY + person.lateness)
    movement = followed - smooth(followed, 6.0)
    return np.asarray(person.mirroring * manner.pose_mirror * movement * (1.0, -1.0, -1.0))


def _add_face(
    motion: Track, seen: Track, heard: Track, engaged: Track, manner: Manner, person: ListenerPerson
) -> None:
    def answered(name: str) -> Track:
        shown = seen[:, columns(name)].mean(axis=1)
        return delay(smooth(shown, 0.1), _FACE_DELAY + person.lateness)

    beat = smooth(delay(heard, 0.1 + person.lateness), 0.12, passes=2)
    strength = person.strength
    mirrored = person.mirroring
    smile = person.smiling * (manner.smile + mirrored * manner.smile_mirror * answered("mouthSmile"))
    brows = strength * (
        manner.brows_up + manner.brow_beat * beat + mirrored * manner.brow_mirror * answered("browOuterUp")
    )
    doubt = manner.frown * (0.75 + 0.5 * engaged)
    frown = person.frowning * (doubt + mirrored * manner.frown_mirror * answered("browDown"))
    tense = person.frowning * manner.lips_tense * (0.8 + 0.3 * engaged + 0.6 * beat)
    add_expression(motion, "mouthSmile", smile)
    add_expression(motion, "cheekSquint", 0.6 * smile)
    add_expression(motion, "mouthDimple", 0.2 * smile)
    add_expression(motion, "eyeSquint", 0.2 * smile + 0.45 * frown)
    add_expression(motion, "browInnerUp", brows)
    add_expression(motion, "browOuterUp", 0.9 * brows)
    add_expression(motion, "eyeWide", 0.3 * brows)
    add_expression(motion, "browDown", frown)
    add_expression(motion, "noseSneer", 0.25 * frown)
    add_expression(motion, "mouthPress", tense)
    add_expression(motion, "mouthRollLower", 0.3 * tense)
    add_expression(motion, "mouthFrown", 0.7 * tense)
    add_expression(motion, "mouthShrugLower", 0.4 * tense)
    add_expression(motion, "jawOpen", 0.08 * np.clip(brows, 0, 1))


def _add_body(motion: Track, seen: Track, engaged: Track, manner: Manner, person: ListenerPerson) -> None:
    """The neck turns below the head, and the body leans; z is away from the camera."""
    rotation = motion[:, LAYOUT.rotation]
    x, y, z = range(LAYOUT.translation.start, LAYOUT.translation.stop)
    motion[:, x] += -0.06 * rotation[:, 1] + 0.09 * rotation[:, 2]
    motion[:, y] += 0.05 * rotation[:, 0]
    motion[:, z] += -0.05 * rotation[:, 0] - person.leaning * manner.lean * (0.5 + engaged)
    followed = delay(smooth(seen[:, LAYOUT.translation], 0.25, passes=2), _BODY_DELAY + person.lateness)
    movement = followed - smooth(followed, 8.0)
    # As in a mirror: the same side in the picture is the other one's of the person.
    motion[:, LAYOUT.translation] += person.mirroring * manner.body_mirror * movement * (-1.0, 1.0, 1.0)


def _blink_times(speech: Speech, seen: Track, person: ListenerPerson) -> list[float]:
    """A blink where a phrase has ended, and one after each of the speaker's own."""
    lids = seen[:, columns("eyeBlink")].mean(axis=1)
    closing = np.flatnonzero((lids[1:] >= 0.5) & (lids[:-1] < 0.5)) + 1
    answers = [float(frame) / RATE_HZ + _BLINK_ANSWER for frame in closing]
    ends = [start + _PAUSE_NOTICED + _BLINK_DELAY for start, _, _ in pauses(speech, len(seen))]
    blinks: list[float] = []
    for time in sorted(answers + ends):
        if not blinks or time - blinks[-1] > _BLINK_REST:
            blinks.append(time)
    return [time + person.lateness for time in blinks]
