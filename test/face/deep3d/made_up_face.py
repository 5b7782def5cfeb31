"""Standard landmarks made up for the tests: the real ones come from a file that may not be passed on."""

import numpy as np

# Right eye, left eye, nose tip, right and left corner of the mouth, in decimetres.
STANDARD = np.array(
    [[-0.32, 0.3, 0.12], [0.32, 0.3, 0.12], [0.0, -0.05, 0.5], [-0.25, -0.4, 0.2], [0.25, -0.4, 0.2]]
)


def landmarks68():
    """The 68 landmarks [68, 3] of a face with those five among them, and noise for the others."""
    points = np.random.default_rng(68).normal(0.0, 0.3, (68, 3))
    half = np.array([0.15, 0.0, 0.0])
    for corners, eye in (((36, 39), STANDARD[0]), ((42, 45), STANDARD[1])):
        points[list(corners)] = eye - half, eye + half
    points[[30, 48, 54]] = STANDARD[2:]
    return points
