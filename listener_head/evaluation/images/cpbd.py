"""CPBD: how sharp a picture looks, without another to compare with.

N. D. Narvekar and L. J. Karam, "A No-Reference Image Blur Metric Based on the Cumulative Probability of Blur
Detection (CPBD)", IEEE Transactions on Image Processing 20(9), 2011. Where the paper leaves a choice (the
edge detectors' thresholds, which edges are measured), it is that of the authors' release 1.0.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

BLOCK = 64  # px
EDGE_SHARE = 0.002  # of a block's pixels on edges, above which it counts
# The width of an edge [px] that is just noticeably blurred, in a block of low and of higher contrast.
LOW_CONTRAST = 50  # grey levels
JUST_NOTICEABLE_LOW, JUST_NOTICEABLE = 5, 3
SOBEL_THRESHOLD = 2.0  # grey levels per pixel
LONGEST_SIDE = 101  # px of an edge on one side of its middle

_CANNY_SIGMA = 2**0.5  # px
_CANNY_FLAT_SHARE, _CANNY_LOW_TO_HIGH = 0.7, 0.4
_CANNY_BINS = 64
_FIXED_POINT = 16  # cv2.Canny takes integers

Grey = NDArray[np.float32]


def cpbd(picture: NDArray[np.uint8]) -> float:
    """The share of edges of a picture [H, W, 3] RGB on which no blur is noticed, 0 to 1; 0 without edges.

    Blur is noticed on an edge of width w with the probability 1 - exp(-(w / w_JNB)^3.6), and the metric is
    the share of edges where that is at most 63 %, its value at w = w_JNB: those of w <= w_JNB. Only whole
    blocks of 64 x 64 count.
    """
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32)
    widths = edge_widths(grey)
    rows, columns = (side // BLOCK for side in grey.shape)
    if not rows or not columns:
        return 0.0
    blocks = _blocks(grey, rows, columns)
    contrast = blocks.max(axis=2) - blocks.min(axis=2)
    limit = np.where(contrast <= LOW_CONTRAST, JUST_NOTICEABLE_LOW, JUST_NOTICEABLE)[..., None]
    counts = _blocks(_canny(grey), rows, columns).mean(axis=2) > EDGE_SHARE
    measured = _blocks(widths, rows, columns)
    edges = (measured > 0) & counts[..., None]
    total = int(edges.sum())
    return float((edges & (measured <= limit)).sum() / total) if total else 0.0


def edge_widths(grey: Grey) -> NDArray[np.int32]:
    """Width [px] of the upright edge at each pixel of a picture [H, W], 0 where there is none.

    Marziliano et al. (2002): from an edge's middle, the pixel of the steepest step, along the row as far as
    the grey level keeps rising on one side and falling on the other.
    """
    step = np.diff(grey, axis=1)
    rising, falling = _run_lengths(step > 0), _run_lengths(step < 0)
    middle, gradient = _upright_edges(grey)
    widths = np.where(gradient > 0, rising, falling)
    return np.where(middle, widths, 0).astype(np.int32)


def _upright_edges(grey: Grey) -> tuple[NDArray[np.bool_], Grey]:
    """Where a row is steepest, and the gradient there, of edges within 22.5° of upright."""
    strength = np.abs(cv2.Sobel(grey, cv2.CV_32F, 1, 0, scale=1 / 8, borderType=cv2.BORDER_REPLICATE))
    across, down = np.gradient(grey, axis=1), np.gradient(grey, axis=0)
    upright = np.abs(down) <= np.tan(np.pi / 8) * np.abs(across)
    edges = np.zeros(grey.shape, bool)
    inner = strength[1:-1, 1:-1]
    steepest = (inner > strength[1:-1, :-2]) & (inner >= strength[1:-1, 2:])
    edges[1:-1, 1:-1] = (inner > SOBEL_THRESHOLD) & steepest
    return edges & upright & (across != 0), across


def _run_lengths(step: NDArray[np.bool_]) -> NDArray[np.int64]:
    """For each pixel [H, W] of rows with steps [H, W - 1]: how far steps go on, on both sides together.

    The steps next to the pixel itself always count, as the edge is there.
    """
    width = step.shape[1] + 1
    place = np.arange(width)
    # The last pixel before each one whose step to the right is not of the kind; a row starts with one.
    breaks = np.where(step, 0, place[1:])
    start = np.maximum.accumulate(np.pad(breaks, ((0, 0), (1, 0))), axis=1)
    breaks = np.where(step, width - 1, place[:-1])
    end = np.minimum.accumulate(np.pad(breaks, ((0, 0), (0, 1)), constant_values=width - 1)[:, ::-1], axis=1)
    left = np.pad(place[:-1] - start[:, :-1], ((0, 0), (1, 0))) + 1
    right = np.pad(end[:, ::-1][:, 1:] - place[1:], ((0, 0), (0, 1))) + 1
    return np.minimum(left, LONGEST_SIDE) + np.minimum(right, LONGEST_SIDE)


def _canny(grey: Grey) -> NDArray[np.bool_]:
    """Canny's edges, thresholds by the share of the picture that has none."""
    smooth = cv2.GaussianBlur(grey, (0, 0), _CANNY_SIGMA, borderType=cv2.BORDER_REPLICATE)
    gradients = (cv2.Sobel(smooth, cv2.CV_32F, *axis) * _FIXED_POINT for axis in ((1, 0), (0, 1)))
    across, down = (np.clip(np.rint(each), -32767, 32767).astype(np.int16) for each in gradients)
    magnitude = np.hypot(across.astype(np.float32), down.astype(np.float32))
    largest = float(magnitude.max())
    if largest == 0:
        return np.zeros(grey.shape, bool)
    high = max(float(np.quantile(magnitude, _CANNY_FLAT_SHARE)), largest / _CANNY_BINS)
    return cv2.Canny(across, down, _CANNY_LOW_TO_HIGH * high, high, L2gradient=True) > 0


def _blocks(picture: NDArray, rows: int, columns: int) -> NDArray:
    """Whole blocks [rows, columns, pixels] of a picture [H, W]."""
    whole = picture[: rows * BLOCK, : columns * BLOCK].reshape(rows, BLOCK, columns, BLOCK)
    return whole.swapaxes(1, 2).reshape(rows, columns, BLOCK * BLOCK)
