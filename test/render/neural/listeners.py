"""Coefficients of a moving bfm2009 listener."""

import numpy as np

from listener_head.coefficients import Coefficients


def listener(count, seed=0):
    """A random walk of ``count`` frames."""
    rng = np.random.default_rng(seed)

    def walk(size, step, start):
        return (np.cumsum(rng.normal(0, step, (count, size)), axis=0) + start).astype(np.float32)

    rotation, expression = walk(3, 0.03, 0.0), walk(64, 0.1, 0.0)
    translation, crop = walk(3, 0.002, (0.0, 0.0, 1.0)), walk(3, 0.01, (0.9, 128.0, 128.0))
    return [
        Coefficients("bfm2009", rotation[i], expression[i], translation[i], crop[i]) for i in range(count)
    ]
