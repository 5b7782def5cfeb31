"""Streaming change of sample rate by an exact polyphase filter with a fixed delay.

Output sample n stands at ``n / output_rate`` seconds after the first input sample and depends on
input samples up to that instant only. What is heard in it is ``delay`` seconds older: the filter, a
Kaiser-windowed sinc, is symmetric about its middle and reaches ``2 * delay`` into the past. Before
the first sample there is silence. Positions are integers, so nothing drifts, however long the stream.
"""

from __future__ import annotations

from math import gcd

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float64]

# Half the length of the filter [s]; with the width below it fixes the stop band at -77 dB.
DELAY = 0.003
# The response falls from one to zero within this width around the lower of the two Nyquist frequencies [Hz].
_TRANSITION_WIDTH = 800.0
_STOPBAND_DB = (
    7.95 + 14.36 * _TRANSITION_WIDTH * 2.0 * DELAY
)  # Kaiser's length formula, solved for the attenuation
_KAISER_BETA = 0.1102 * (_STOPBAND_DB - 8.7)

# Output samples made by one matrix product: few enough that the band of zeros in the matrix is narrow. Where
# the filter's phases repeat only after many such blocks, whose matrices would not fit the processor's cache,
# a block is one period of the phases if that is short.
_BLOCK = 32
_MOST_MATRICES = 20
_LONGEST_BLOCK = 512


class Resampler:
    """One channel from ``input_rate`` to ``output_rate`` (both whole Hz).

    Equal rates pass through unchanged with ``delay`` 0; otherwise ``delay`` is 3 ms, whatever the rates.

    The filter's phases repeat every ``output_rate / gcd`` samples. A block of outputs is one product of
    a stretch of input with the matrix of its phases; the matrices are made when first needed and kept
    (one to twenty of 30 to 200 KB or one of 1 MB at the rates in use, up to 500 at rates such as 44 099 Hz).
    """

    def __init__(self, input_rate: int, output_rate: int) -> None:
        divisor = gcd(input_rate, output_rate)
        self._input_rate = input_rate
        self._up, self._down = output_rate // divisor, input_rate // divisor
        self.delay = 0.0 if input_rate == output_rate else DELAY
        self._cutoff = min(input_rate, output_rate) / 2.0
        self._taps = int(2.0 * self.delay * input_rate) + 1
        many = self._up // gcd(self._up, _BLOCK) > _MOST_MATRICES
        self._block = self._up if many and self._up <= _LONGEST_BLOCK else _BLOCK
        self._width = self._taps + (self._block - 1) * self._down // self._up + 1
        self._period = self._up // gcd(self._up, self._block)  # blocks after which the phases repeat
        self._matrices: dict[int, Samples] = {}
        self._produced = 0  # output samples so far
        self._first = self._block_start(0)  # position of the first sample in the history
        self._history: Samples = np.zeros(-self._first)

    def advance(self, samples: Samples, until: int) -> Samples:
        """Take the next input samples [N]; return the outputs from the last one made to index ``until``.

        The caller must have given all input samples up to the instant of output ``until``.
        """
        if self.delay == 0.0:
            return self._pass(samples, until)
        first_block, last_block = self._produced // self._block, until // self._block
        # Outputs of the last block beyond `until` see the padding; they are made anew by the next call.
        known = np.concatenate((self._history, samples, np.zeros(self._width)))
        blocks = np.empty((last_block - first_block + 1, self._block))
        for offset in range(min(self._period, len(blocks))):
            stretches = self._stretches(known, first_block + offset, len(blocks[offset :: self._period]))
            blocks[offset :: self._period] = stretches @ self._matrix((first_block + offset) % self._period)
        start = self._produced - first_block * self._block
        produced = blocks.ravel()[start : until + 1 - first_block * self._block]
        self._produced = until + 1
        self._forget(known[: len(known) - self._width])
        return produced

    def _pass(self, samples: Samples, until: int) -> Samples:
        """`advance` at equal rates."""
        known = np.concatenate((self._history, samples))
        count = until + 1 - self._produced
        self._history, self._produced = known[count:], until + 1
        return known[:count]

    def _block_start(self, block: int) -> int:
        """Position of the oldest input sample that a block depends on."""
        return block * self._block * self._down // self._up - self._taps + 1

    def _stretches(self, known: Samples, block: int, count: int) -> Samples:
        """Input of every ``period``-th block from ``block`` on [count, width]."""
        step = self._period * self._block * self._down // self._up
        start = self._block_start(block) - self._first
        size = known.itemsize
        overlapping: Samples = np.ndarray(
            (count, self._width), known.dtype, known, start * size, (step * size, size)
        )
        return np.ascontiguousarray(overlapping)

    def _matrix(self, phase: int) -> Samples:
        """Filter of the blocks of one phase [width, block]; each column sums to one."""
        if phase not in self._matrices:
            outputs = phase * self._block + np.arange(self._block, dtype=np.int64)
            inputs = self._block_start(phase) + np.arange(self._width, dtype=np.int64)
            age = (outputs * self._down - inputs[:, None] * self._up) / (self._up * self._input_rate)
            weights = self._impulse_response(age)
            self._matrices[phase] = weights / weights.sum(axis=0)
        return self._matrices[phase]

    def _impulse_response(self, age: Samples) -> Samples:
        """Weight of a sample that is ``age`` seconds old, up to a common factor."""
        place = age / self.delay - 1.0
        inside = np.abs(place) <= 1.0
        window = np.i0(_KAISER_BETA * np.sqrt(np.where(inside, 1.0 - place**2, 0.0)))
        sinc = np.sinc(2.0 * self._cutoff * (age - self.delay))
        return np.asarray(np.where(inside, window * sinc, 0.0))

    def _forget(self, known: Samples) -> None:
        """Keep what the next block needs."""
        keep_from = self._block_start(self._produced // self._block)
        self._history = known[keep_from - self._first :].copy()
        self._first = keep_from
