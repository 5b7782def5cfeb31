"""Is somebody speaking? A small network on the cues of `voice_cues`, held over short pauses.

It tells a voice from noise, hum, beeps, music, knocks and typing. Voices in the background count as a voice
when they are loud. Its weights are fitted by ``python -m listener_head.audio.fit_voice_activity``.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from listener_head.audio.voice_cues import SIZE, VoiceCues
from listener_head.errors import UserError
from listener_head.paths import assets_dir

Array = NDArray[np.float64]

WEIGHTS_PATH = assets_dir() / "voice_activity.json"
# Time in which activity fades from one to zero after the voice has stopped [s].
HANGOVER_TIME = 0.25
# Sound whose mean square is below this has no voice: -80 dB of full scale.
SILENCE = 1e-8


@dataclass(frozen=True)
class Weights:
    """likelihood = logistic(output · tanh(hidden · cues + hidden_bias) + output_bias), of raw cues."""

    hidden: Array  # [units, cues]
    hidden_bias: Array  # [units]
    output: Array  # [units]
    output_bias: float

    def likelihood(self, cues: Array) -> float:
        """Likelihood of a voice, 0 to 1, from the cues [36] of a frame."""
        score = float(self.output.dot(np.tanh(self.hidden.dot(cues) + self.hidden_bias))) + self.output_bias
        return 0.5 + 0.5 * math.tanh(0.5 * score)


@cache
def load_weights() -> Weights:
    """The shipped weights; UserError when they cannot be read."""
    try:
        table = json.loads(WEIGHTS_PATH.read_text())
        hidden, bias, output = (np.array(table[key]) for key in ("hidden", "hidden_bias", "output"))
        if hidden.shape != (len(output), SIZE) or bias.shape != output.shape:
            raise ValueError(f"weights of shape {hidden.shape} do not fit {SIZE} cues")
        return Weights(hidden, bias, output, float(table["output_bias"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"{WEIGHTS_PATH} cannot be read ({error}); "
            "make it again with: python -m listener_head.audio.fit_voice_activity"
        ) from error


class VoiceActivity:
    """Activity of one stream of sound at ``sample_rate`` Hz and ``fps`` frames a second, from the past only.

    It rises with the frame in which a voice is recognised and fades within 0.25 s after it.
    """

    def __init__(self, sample_rate: int, fps: int) -> None:
        self._cues = VoiceCues(sample_rate, fps)
        self._weights = load_weights()
        self._fade = 1.0 / (HANGOVER_TIME * fps)
        self._activity = 0.0

    def step(self, sound: Array, mean_square: float) -> float:
        """Activity 0 to 1 of a frame.

        ``sound`` [N] is what came since the frame before, full scale 1; ``mean_square`` that of the last
        ``1 / fps`` seconds.
        """
        likelihood = self._weights.likelihood(self._cues.step(sound))
        now = likelihood if mean_square >= SILENCE else 0.0
        self._activity = max(0.0, now, self._activity - self._fade)
        return self._activity
