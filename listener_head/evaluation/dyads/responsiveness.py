"""Does a listener answer its speaker, rightly and at the right moment? Against speakers shifted in time.

Distances and diversity can be won by a head that ignores its speaker. So the listener of each clip is held
against controls: the same motion before the same speaker, circularly shifted by five seconds or more, each
clip by its own chance. A shift leaves all as it was but who answers what; what remains of a score is chance
and habit. A listener that ignores its speaker has a gain of zero but for chance. Two scores:

- *responsiveness*: how much better the policy, given the speaker's past, predicts the true listener than
  given the speaker shifted: 1 less the ratio of the two errors (a skill score: Murphy, "Skill scores based on
  the mean square error", 1988). The error is the mean absolute difference of the two movements about their
  means, in units of the true listeners' deviations. To step a network anew on shifted speakers gives the same
  as to shift what it did, at once.
- *granger*: how much of the listener's next tenth of a second is told by the speaker's past beyond its own
  past (after Granger, "Investigating causal relations", 1969): the share of what its own past leaves open
  that a ridge regression on the speaker's sound and face of the last 1.4 s tells, on stretches of the clips
  that the regression has not seen. It needs no true listener, and asks for any answer, not for a right one: a
  mere copy of the speaker scores highest.

Surrogates of the same pair are how psychology tells synchrony from chance (pseudosynchrony: Bernieri, Reznick
and Rosenthal 1988; effect sizes over surrogates: SUSY, Tschacher and Meier 2020; kinds of surrogates: Moulder
et al., Psychological Methods 23, 2018). Those measure how alike the two people move, which a copy wins too;
here the surrogates are of that kind, and the measure is whether the answer is the true one.

What responsiveness does not show: a listener that answers well, but otherwise than this person did, gets
nothing for it; on synthetic clips the true answers are the generator's rules. Size counts for little: a right
answer twice or half as large keeps most of its gain. What is right because all listeners do it at the same
time of every clip, whatever is said, would count as an answer; the first three seconds, where each starts
from its reference, are therefore left out.

Of each score: its gain over the mean of the controls, the gain that 99 % of the controls stay below, its
place among them (percentile) and its distance from their mean in their standard deviations (z).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from listener_head.coefficients import Layout
from listener_head.dyads.clips import DyadClip
from listener_head.timing import RATE_HZ

Array = NDArray[np.float32]

CONTROLS = 200
LEAST_SHIFT_S = 5.0
# A minute, but for the frame or two that decoders lose.
LEAST_CLIP_S = 59.0

# Motion is looked at in steps of a tenth of a second.
_STEP_FRAMES = 3
_STEP_RATE = RATE_HZ / _STEP_FRAMES
# The beginning is left out: every listener starts from its reference when the speaker starts to speak.
_START_STEPS = 30
# The speaker's past in steps before the present, means over wider stretches the longer ago.
_SPEAKER_LAGS = ((1, 2), (2, 3), (3, 4), (4, 6), (6, 9), (9, 15))
_OWN_LAGS = 5
_EXPRESSIONS = 6
_FOLDS = 5
# Strong enough that a listener who ignores the speaker is not overfitted by much (share of the rows).
_RIDGE = 1.0
_STILL = 1e-5


@dataclass(frozen=True)
class Gain:
    """A score against its controls; all but the last two are shares (0.01 is a per cent).

    ``gain``, ``controls_99`` (99th percentile of the controls) and ``controls_std`` are about their mean.
    """

    score: float
    gain: float
    controls_99: float
    controls_std: float
    percentile: float
    z: float


class Controls:
    """The speakers of some clips, ready to be held against any listener; shared by all policies.

    ``clips`` are those of `long_enough`. The controls' shifts are drawn from ``seed``.
    """

    def __init__(self, clips: Sequence[DyadClip], layout: Layout, seed: int = 0) -> None:
        self._layout = layout
        self._clips = clips
        rng = np.random.default_rng(seed)
        self._shifts = []
        self._truth = []
        for clip in clips:
            steps = _steps(clip.listener[1:])[_START_STEPS:]
            self._truth.append(steps - steps.mean(axis=0))
            least = round(LEAST_SHIFT_S * _STEP_RATE)
            shifts = rng.integers(least, len(steps) - least + 1, CONTROLS)
            self._shifts.append(np.concatenate([[0], shifts]))
        deviation = np.concatenate(self._truth).std(axis=0)
        self._scale = np.where(deviation > _STILL, 1 / np.maximum(deviation, _STILL), 0).astype(np.float32)
        self._scale[layout.crop] = 0.0
        groups: dict[str, list[int]] = {}
        for number, clip in enumerate(clips):
            groups.setdefault(clip.attitude, []).append(number)
        self._groups = [
            (members, _Regression([_past(clips[i]) for i in members])) for members in groups.values()
        ]

    def granger(self, motions: Sequence[Array]) -> Gain:
        """The score *granger* of motions [T − 1, M] for the frames 1 to T − 1 of the clips."""
        told, weight = np.zeros(1 + CONTROLS), 0
        for members, regression in self._groups:
            news = _news([motions[i] for i in members], self._layout)
            share = regression.told(news, [self._shifts[i] for i in members])
            rows = sum(len(own) for own in news)
            told, weight = told + rows * share, weight + rows
        return _against_controls(told / weight)

    def responsiveness(self, motions: Sequence[Array]) -> Gain:
        """The score *responsiveness* of motions [T − 1, M] for the frames 1 to T − 1 of the clips."""
        distance, weight = np.zeros(1 + CONTROLS), 0
        for motion, truth, shifts in zip(motions, self._truth, self._shifts, strict=True):
            steps = _steps(motion)[_START_STEPS:]
            moved = np.ascontiguousarray(((steps - steps.mean(axis=0)) * self._scale).T)
            wanted = np.ascontiguousarray((truth * self._scale).T)
            twice = np.concatenate([moved, moved], axis=1)
            count = moved.shape[1]
            for number, shift in enumerate(shifts):
                distance[number] += np.abs(twice[:, shift : shift + count] - wanted).sum(dtype=np.float64)
            weight += count
        near = distance[1:].mean()
        return _against_controls(1 - distance / near if near > 0 else 0 * distance)


def long_enough(clips: Sequence[DyadClip]) -> list[DyadClip]:
    """The clips of a minute or more: shorter ones have too few shifts of five seconds."""
    return [clip for clip in clips if len(clip) >= LEAST_CLIP_S * RATE_HZ]


def _against_controls(scores: NDArray[np.float64]) -> Gain:
    own, controls = float(scores[0]), scores[1:]
    # Differences below this are rounding: a listener that keeps still equals all of its controls.
    same = np.abs(controls - own) < 1e-9
    below = (controls < own) & ~same
    gain, deviation = own - float(controls.mean()), float(controls.std())
    return Gain(
        score=own,
        gain=gain,
        controls_99=float(np.percentile(controls, 99) - controls.mean()),
        controls_std=deviation,
        percentile=float(100 * (below.sum() + 0.5 * same.sum()) / len(controls)),
        z=gain / deviation if deviation > 1e-9 else 0.0,
    )


def _steps(track: Array) -> Array:
    """Means [T // 3, D] over tenths of a second of a track [T, D]."""
    count = len(track) // _STEP_FRAMES
    means: Array = track[: count * _STEP_FRAMES].reshape(count, _STEP_FRAMES, -1).mean(axis=1)
    return means


def _past(clip: DyadClip) -> Array:
    """What the speaker did before every step: rows [S, P] about their mean.

    Row s belongs to the listener's frames 3s + 1 to 3s + 3 and knows the speaker up to frame 3s.
    """
    signals = np.hstack([clip.audio, clip.speaker])
    signals = np.concatenate([signals[:1]] * (_STEP_FRAMES - 1) + [signals])[:-_STEP_FRAMES]
    steps = _steps(signals)
    summed = np.concatenate([np.zeros((1, steps.shape[1])), steps.cumsum(axis=0, dtype=np.float64)])
    rows = np.arange(_START_STEPS, (len(clip) - 1) // _STEP_FRAMES)
    # Step s of `steps` ends with frame 3s; lag 1 is the newest that row s may know.
    lagged = [
        (summed[rows + 2 - first] - summed[rows + 2 - end]) / (end - first) for first, end in _SPEAKER_LAGS
    ]
    past = np.hstack(lagged)
    return np.asarray(past - past.mean(axis=0), np.float32)


def _news(motions: Sequence[Array], layout: Layout) -> list[Array]:
    """What each motion's own past leaves open: rows [S, D] about their mean, in units of their deviation.

    D numbers: pitch, yaw, roll and the first principal components of expression.
    """
    steps = [_steps(motion) for motion in motions]
    expressions = [part[:, layout.expression] - part[:, layout.expression].mean(axis=0) for part in steps]
    whole = np.concatenate(expressions).astype(np.float64)
    _, axes = np.linalg.eigh(whole.T @ whole)
    axes = axes[:, ::-1][:, :_EXPRESSIONS].astype(np.float32)
    tracks = [
        np.hstack([part[:, layout.rotation], own @ axes])
        for part, own in zip(steps, expressions, strict=True)
    ]
    present = [_centred(track[_START_STEPS:]) for track in tracks]
    past = [
        _centred(np.hstack([track[_START_STEPS - lag : len(track) - lag] for lag in range(1, _OWN_LAGS + 1)]))
        for track in tracks
    ]
    rows, target = np.concatenate(past).astype(np.float64), np.concatenate(present).astype(np.float64)
    weights = np.linalg.lstsq(rows, target, rcond=1e-6)[0]
    left = target - rows @ weights
    deviation, moved = left.std(axis=0), target.std(axis=0)
    # Rounding is no news of a listener that keeps still.
    scale = np.where((moved > _STILL) & (deviation > 1e-4 * moved), 1 / np.maximum(deviation, 1e-12), 0)
    ends = np.cumsum([len(part) for part in present])[:-1]
    return [np.asarray(_centred(part), np.float32) for part in np.split(left * scale, ends)]


def _centred(rows: NDArray[np.floating]) -> NDArray[np.floating]:
    return rows - rows.mean(axis=0)


def _shifted(news: Array, shifts: NDArray[np.int64]) -> Array:
    """The rows [S, D] at every shift: [S, shifts, D]. To shift the listener is to shift the speaker back."""
    rows = (np.arange(len(news))[:, None] + shifts) % len(news)
    return news[rows]


class _Regression:
    """Ridge regressions on the speakers' past, one for each fold: all but a fifth of every clip.

    The speaker stays in its place for all controls, so that each fold's normal matrix is inverted once; the
    ridge keeps it well conditioned.
    """

    def __init__(self, pasts: Sequence[Array]) -> None:
        scale = np.concatenate(pasts).std(axis=0)
        scale = np.where(scale > 1e-6, 1 / np.maximum(scale, 1e-6), 0).astype(np.float32)
        self._blocks = [np.array_split(past * scale, _FOLDS) for past in pasts]
        self._tests = [
            sum(blocks[fold].T @ blocks[fold] for blocks in self._blocks) for fold in range(_FOLDS)
        ]
        whole = np.sum(self._tests, axis=0, dtype=np.float64)
        ridge = _RIDGE * sum(len(past) for past in pasts) * np.eye(len(whole))
        self._inverses = [np.linalg.inv(whole - test + ridge).astype(np.float32) for test in self._tests]

    def told(self, news: Sequence[Array], shifts: Sequence[NDArray[np.int64]]) -> NDArray[np.float64]:
        """The share of the listeners' news [S, D] that is told of unseen stretches, by shift, mean over D."""
        count, size = len(shifts[0]), news[0].shape[1]
        inputs, outputs = len(self._inverses[0]), count * size
        products = [np.zeros((inputs, outputs), np.float32) for _ in range(_FOLDS)]
        total = np.zeros(size)
        # Clip by clip, for the shifted news of all of them would fill the memory.
        for blocks, own, places in zip(self._blocks, news, shifts, strict=True):
            parts = np.array_split(_shifted(own, places).reshape(len(own), outputs), _FOLDS)
            for product, block, part in zip(products, blocks, parts, strict=True):
                product += block.T @ part
            total += np.square(own, dtype=np.float64).sum(axis=0)
        whole = sum(products)
        # The squared error from products alone: |y − Xw|² = |y|² − 2 w·Xᵀy + w·XᵀX w.
        less = np.zeros(outputs)
        for product, test, inverse in zip(products, self._tests, self._inverses, strict=True):
            weights = inverse @ (whole - product)
            less += np.einsum("ps,ps->s", weights, 2 * product - test @ weights, dtype=np.float64)
        less = less.reshape(count, size)
        share = np.divide(less, total, out=np.zeros_like(less), where=np.broadcast_to(total > 0, less.shape))
        return np.asarray(share.mean(axis=1))
