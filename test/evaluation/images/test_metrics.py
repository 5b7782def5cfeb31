"""The measures against values that are known by hand."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from listener_head.evaluation.images.cpbd import cpbd, edge_widths
from listener_head.evaluation.images.similarity import LARGEST_PSNR

RNG = np.random.default_rng(0)
NOISE = RNG.integers(0, 256, (128, 192, 3)).astype(np.uint8)


def stripes(ramp: int, low: int = 40, high: int = 200) -> np.ndarray:
    """Grey stripes [256, 256, 3] whose edges are straight ramps of ``ramp`` steps, 32 pixels apart."""
    wave = np.abs((np.arange(256) % 64) - 32.0)
    level = np.clip((wave - 16) / ramp + 0.5, 0, 1)
    return np.tile(np.rint(low + (high - low) * level).astype(np.uint8)[None, :, None], (256, 1, 3))


def test_known_psnr() -> None:
    pytest.importorskip("skimage")
    from listener_head.evaluation.images.similarity import peak_signal_to_noise

    grey = np.full((64, 64, 3), 100, np.uint8)
    assert peak_signal_to_noise(grey + np.uint8(5), grey) == pytest.approx(20 * np.log10(255 / 5))
    off = grey.copy()
    off[:32] += 10  # half of the pixels: half the squared error
    assert peak_signal_to_noise(off, grey) == pytest.approx(20 * np.log10(255 / 10) + 10 * np.log10(2))
    assert peak_signal_to_noise(grey, grey) == LARGEST_PSNR


def test_ssim_of_the_same_of_a_constant_shift_and_of_noise() -> None:
    pytest.importorskip("skimage")
    from listener_head.evaluation.images.similarity import structural_similarity

    assert structural_similarity(NOISE, NOISE) == pytest.approx(1.0)
    # Without structure only the luminance term is left: (2ab + c1) / (a² + b² + c1), c1 = (0.01 · 255)².
    a, b, c1 = 100.0, 140.0, 2.55**2
    flat = [np.full((64, 64, 3), value, np.uint8) for value in (a, b)]
    assert structural_similarity(*flat) == pytest.approx((2 * a * b + c1) / (a * a + b * b + c1), abs=1e-4)
    assert abs(structural_similarity(NOISE, NOISE[::-1, ::-1])) < 0.05


@pytest.mark.parametrize("ramp", [2, 4, 6, 10])
def test_the_width_of_an_edge_is_that_of_its_ramp(ramp: int) -> None:
    widths = edge_widths(stripes(ramp)[..., 0].astype(np.float32))

    found = widths[10:-10, 40:-40]
    assert set(np.unique(found[found > 0])) == {ramp}


def test_an_edge_that_falls_is_measured_as_one_that_rises() -> None:
    grey = stripes(6)[..., 0].astype(np.float32)
    assert np.array_equal(np.sort(edge_widths(grey)[5]), np.sort(edge_widths(255 - grey)[5]))


@pytest.mark.parametrize(
    ("picture", "expected"),
    [
        (stripes(2), 1.0),  # up to 3 pixels are not seen as blurred
        (stripes(6), 0.0),
        (stripes(4), 0.0),
        (stripes(4, 100, 140), 1.0),  # up to 5 at low contrast
        (stripes(6, 100, 140), 0.0),
        (np.full((128, 128, 3), 77, np.uint8), 0.0),  # no edge at all
        (stripes(2)[:63], 0.0),  # no whole block
    ],
)
def test_cpbd_of_edges_of_known_width(picture: np.ndarray, expected: float) -> None:
    assert cpbd(picture) == expected


def test_cpbd_falls_with_blur() -> None:
    picture = cv2.GaussianBlur(np.kron(NOISE[:8, :8, :1], np.ones((32, 32, 3), np.uint8)), (0, 0), 0.5)
    scores = [cpbd(cv2.GaussianBlur(picture, (0, 0), sigma)) for sigma in (0.3, 1.0, 2.0, 5.0)]
    assert scores == sorted(scores, reverse=True) and scores[0] > 0.9 and scores[-1] < 0.05


@given(
    picture=arrays(
        np.uint8,
        st.tuples(st.integers(2, 130), st.integers(2, 130), st.just(3)),
        elements=st.integers(0, 255),
    )
)
@settings(deadline=None, max_examples=40)
def test_cpbd_of_anything_is_a_share(picture: np.ndarray) -> None:
    assert 0.0 <= cpbd(picture) <= 1.0
