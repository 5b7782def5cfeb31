"""A talking face: head, lips, brows, lids and gaze tied to the sound of a `Speech`, as arkit52 motion."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from listener_head.coefficients import LAYOUTS
from listener_head.dyads.phonemes import sound_of
from listener_head.dyads.signals import Track, bump, frame_times, nods, smooth, wander
from listener_head.dyads.speech import Speech
from listener_head.timing import RATE_HZ

FloatArray = NDArray[np.float32]

LAYOUT = LAYOUTS["arkit52"]

# Mouth shapes by viseme. A name without a side means both sides.
VISEMES: dict[str, dict[str, float]] = {
    "open": {"jawOpen": 0.5, "mouthLowerDown": 0.2, "mouthUpperUp": 0.1},
    "wide_open": {"jawOpen": 0.42, "mouthStretch": 0.2, "mouthLowerDown": 0.25, "mouthUpperUp": 0.15},
    "half_open": {"jawOpen": 0.28, "mouthStretch": 0.18, "mouthLowerDown": 0.2, "mouthUpperUp": 0.1},
    "neutral": {"jawOpen": 0.2, "mouthLowerDown": 0.1},
    "spread": {"jawOpen": 0.12, "mouthStretch": 0.3, "mouthSmile": 0.1, "mouthLowerDown": 0.15},
    "round_open": {"jawOpen": 0.32, "mouthFunnel": 0.4, "mouthPucker": 0.2},
    "rounded": {"jawOpen": 0.1, "mouthPucker": 0.65, "mouthFunnel": 0.2},
    "closed": {"mouthPress": 0.3, "mouthRollLower": 0.2, "mouthRollUpper": 0.15},
    "lip_teeth": {"jawOpen": 0.05, "mouthRollLower": 0.4, "mouthUpperUp": 0.15},
    "tongue_teeth": {"jawOpen": 0.12, "tongueOut": 0.2, "mouthLowerDown": 0.15},
    "ridge": {"jawOpen": 0.1, "mouthLowerDown": 0.12},
    "teeth": {"jawOpen": 0.05, "mouthStretch": 0.2, "mouthLowerDown": 0.2, "mouthUpperUp": 0.1},
    "hush": {"jawOpen": 0.1, "mouthFunnel": 0.45, "mouthPucker": 0.2},
    "back": {"jawOpen": 0.16},
    "bunched": {"jawOpen": 0.12, "mouthPucker": 0.3, "mouthFunnel": 0.15},
}
# Lips that must meet, whatever stands beside them.
_CLOSED_VISEMES = ("closed", "lip_teeth")

_MOUTH_RATE_HZ = 240
_COARTICULATION = 0.035  # [s], standard deviation
_LIP_CLOSURE = 0.018

_DEGREE = np.pi / 180


@dataclass(frozen=True)
class SpeakerStyle:
    """How lively a speaker is; 1 is ordinary. ``smiling`` and ``frowning`` are shares of phrases."""

    articulation: float = 1.0
    head: float = 1.0
    brows: float = 1.0
    smiling: float = 0.35
    frowning: float = 0.15
    blinks_per_minute: float = 16.0


def random_style(rng: np.random.Generator) -> SpeakerStyle:
    """A style within what people show."""
    return SpeakerStyle(
        articulation=float(rng.uniform(0.5, 1.3)),
        head=float(rng.uniform(0.5, 1.6)),
        brows=float(rng.uniform(0.4, 1.6)),
        smiling=float(rng.uniform(0.1, 0.6)),
        frowning=float(rng.uniform(0.05, 0.35)),
        blinks_per_minute=float(rng.uniform(8, 28)),
    )


def talking_face(speech: Speech, rng: np.random.Generator, style: SpeakerStyle | None = None) -> FloatArray:
    """Motion [T, 58] of a face that speaks ``speech``; frame k is at k / 30 s, T covers its length.

    The head is about the neutral place; where a camera sees it is not added here.
    """
    style = style or SpeakerStyle()
    count = int(np.ceil(speech.duration * RATE_HZ))
    motion = np.tile(LAYOUT.neutral(), (count, 1)).astype(np.float64)
    _add_mouth(motion, speech, style)
    _add_moods(motion, speech, style, rng)
    _add_head(motion, speech, style, rng)
    _add_brow_beats(motion, speech, style, rng)
    _add_gaze(motion, rng)
    add_blinks(motion, blink_times(speech, style.blinks_per_minute, rng))
    motion[:, LAYOUT.expression] = np.clip(motion[:, LAYOUT.expression], 0, 1)
    return motion.astype(np.float32)


def columns(name: str) -> list[int]:
    """Positions of a shape in the motion vector; a name without a side means both sides."""
    if name in LAYOUT.expression_names:
        return [LAYOUT.index(name)]
    return [LAYOUT.index(name + side) for side in ("Left", "Right")]


def add_expression(motion: Track, name: str, track: Track | float) -> None:
    """Add a weight over time to a shape, on both sides where it has two."""
    for column in columns(name):
        motion[:, column] += track


def add_blinks(motion: Track, starts: list[float], hold: float = 0.05) -> None:
    """Close the lids at the given times [s]: quickly, and open them more slowly."""
    times = frame_times(len(motion))
    lids = np.zeros(len(motion))
    for start in starts:
        lids = np.maximum(lids, bump(times, start, rise=0.09, fall=0.17, hold=hold))
    for column in columns("eyeBlink"):
        motion[:, column] = np.maximum(motion[:, column], lids)


def blink_times(speech: Speech, per_minute: float, rng: np.random.Generator) -> list[float]:
    """Blinks at random, more of them where a phrase ends, never two at once."""
    mean = 60 / per_minute
    random_ones = np.cumsum(rng.uniform(0.4 * mean, 2.2 * mean, int(3 * speech.duration / mean) + 2))
    at_ends = [end + rng.uniform(-0.05, 0.25) for _, end in speech.phrases if rng.random() < 0.4]
    chosen: list[float] = []
    for start in sorted([*random_ones, *at_ends]):
        if start < speech.duration and (not chosen or start - chosen[-1] > 0.6):
            chosen.append(float(start))
    return chosen


def _add_mouth(motion: Track, speech: Speech, style: SpeakerStyle) -> None:
    """Lips and jaw: viseme targets at a high rate, blurred into one another, lip closures kept sharp."""
    fine = np.zeros((int(np.ceil(speech.duration * _MOUTH_RATE_HZ)) + 1, LAYOUT.size))
    closure = np.zeros(len(fine))
    for phoneme in speech.phonemes:
        span = slice(round(phoneme.start * _MOUTH_RATE_HZ), round(phoneme.end * _MOUTH_RATE_HZ))
        viseme = sound_of(phoneme.symbol).viseme
        strength = style.articulation * (1.15 if phoneme.stressed else 0.85)
        for name, weight in VISEMES[viseme].items():
            for column in columns(name):
                fine[span, column] = weight * strength
        closure[span] = viseme in _CLOSED_VISEMES
    fine = gaussian_filter1d(fine, _COARTICULATION * _MOUTH_RATE_HZ, axis=0)
    closure = np.clip(1.4 * gaussian_filter1d(closure, _LIP_CLOSURE * _MOUTH_RATE_HZ), 0, 1)
    for name in ("jawOpen", "mouthLowerDown", "mouthFunnel"):
        for column in columns(name):
            fine[:, column] *= 1 - 0.9 * closure
    frames = np.round(frame_times(len(motion)) * _MOUTH_RATE_HZ).astype(int)
    motion[:, LAYOUT.expression] += fine[frames][:, LAYOUT.expression]


def _add_moods(motion: Track, speech: Speech, style: SpeakerStyle, rng: np.random.Generator) -> None:
    """Some phrases are said with a smile, some with a frown; the mood outlasts the phrase a little."""
    times = frame_times(len(motion))
    smile, frown = np.zeros(len(motion)), np.zeros(len(motion))
    for start, end in speech.phrases:
        mood, strength = rng.random(), rng.uniform(0.35, 0.85)
        gesture = strength * bump(times, start - 0.2, 0.5, 0.8, hold=end - start + rng.uniform(0.2, 0.9))
        if mood < style.smiling:
            smile = np.maximum(smile, gesture)
        elif mood < style.smiling + style.frowning:
            frown = np.maximum(frown, gesture)
    add_expression(motion, "mouthSmile", smile)
    add_expression(motion, "cheekSquint", 0.6 * smile)
    add_expression(motion, "eyeSquint", 0.25 * smile + 0.3 * frown)
    add_expression(motion, "mouthDimple", 0.2 * smile)
    add_expression(motion, "browDown", 0.8 * frown)
    add_expression(motion, "noseSneer", 0.15 * frown)
    add_expression(motion, "mouthFrown", 0.35 * frown)


def _add_head(motion: Track, speech: Speech, style: SpeakerStyle, rng: np.random.Generator) -> None:
    """Beats on stressed syllables, a posture per phrase, wider moves and nods in pauses, drift, breath."""
    count = len(motion)
    times = frame_times(count)
    pitch, posture = np.zeros(count), np.zeros((count, 3))
    for stress in speech.stresses:
        if rng.random() < 0.65:
            pitch += rng.uniform(0.8, 3.2) * bump(times, stress - 0.12, 0.14, 0.3)
    target = np.zeros(3)
    for start, end in speech.phrases:
        # The new posture is taken up just before the phrase and left as it is until the next one.
        target = 0.5 * target + rng.normal(0, (1.6, 4.5, 1.8))
        posture[times >= start - 0.25] = target
        if rng.random() < 0.45:
            pitch += rng.uniform(2, 4.5) * nods(times, end - 0.15, rng.choice((1.0, 2.0)), 1.9)
    turn = smooth(posture, 0.16, passes=2)
    turn[:, 0] += pitch
    for axis, deviation in enumerate((0.8, 1.4, 0.7)):
        turn[:, axis] += wander(count, deviation, 0.9, rng)
    motion[:, LAYOUT.rotation] += style.head * turn * _DEGREE
    # The neck turns below the head: it travels a little with every rotation.
    rotation = motion[:, LAYOUT.rotation]
    x, y, z = range(LAYOUT.translation.start, LAYOUT.translation.stop)
    motion[:, x] += -0.06 * rotation[:, 1] + 0.09 * rotation[:, 2] + wander(count, 0.004, 1.5, rng)
    motion[:, y] += 0.05 * rotation[:, 0] + 0.001 * np.sin(2 * np.pi * 0.25 * times)
    motion[:, z] += -0.05 * rotation[:, 0] + wander(count, 0.006, 1.5, rng)
    motion[:, LAYOUT.translation] += style.head * _seat(speech, times, rng)


def _seat(speech: Speech, times: Track, rng: np.random.Generator) -> Track:
    """The body shifts in its seat before about every third phrase: travel [T, 3] in metres."""
    place, target = np.zeros((len(times), 3)), np.zeros(3)
    for start, _ in speech.phrases:
        if rng.random() < 0.35:
            target = 0.4 * target + rng.normal(0, (0.02, 0.006, 0.025))
        place[times >= start - 0.3] = target
    return smooth(place, 0.3, passes=2)


def _add_brow_beats(motion: Track, speech: Speech, style: SpeakerStyle, rng: np.random.Generator) -> None:
    times = frame_times(len(motion))
    raised = np.zeros(len(motion))
    for stress in speech.stresses:
        if rng.random() < 0.22:
            gesture = bump(times, stress - 0.15, 0.15, 0.35, hold=rng.uniform(0.05, 0.4))
            raised = np.maximum(raised, rng.uniform(0.25, 0.9) * gesture)
    add_expression(motion, "browInnerUp", style.brows * raised)
    add_expression(motion, "browOuterUp", 0.8 * style.brows * raised)
    add_expression(motion, "eyeWide", 0.25 * style.brows * raised)


def _add_gaze(motion: Track, rng: np.random.Generator) -> None:
    """Eyes stay on the listener, who need not be at the camera, while the head moves; and glances aside."""
    count = len(motion)
    aside = np.tile(rng.normal(0, (0.1, 0.08)), (count, 1))
    start = rng.uniform(1, 4)
    times = frame_times(count)
    while start < times[-1]:
        # Thinking, people look away for longer, and down more often than up.
        glance = bump(times, start, 0.07, 0.07, hold=rng.gamma(2.0, 0.5))
        aside += glance[:, None] * rng.normal((0, 0.08), (0.6, 0.4))
        start += rng.uniform(1.5, 5)
    look_at(motion, yaw=aside[:, 0] - motion[:, 1], pitch=aside[:, 1] - motion[:, 0])


def look_at(motion: Track, yaw: Track, pitch: Track) -> None:
    """Turn the eyes in the head by yaw and pitch [rad], signs as those of the head; full scale is 0.5 rad."""
    right, left = np.clip(yaw / 0.5, 0, 1), np.clip(-yaw / 0.5, 0, 1)
    add_expression(motion, "eyeLookOutRight", right)
    add_expression(motion, "eyeLookInLeft", right)
    add_expression(motion, "eyeLookInRight", left)
    add_expression(motion, "eyeLookOutLeft", left)
    add_expression(motion, "eyeLookDown", np.clip(pitch / 0.5, 0, 1))
    add_expression(motion, "eyeLookUp", np.clip(-pitch / 0.5, 0, 1))
