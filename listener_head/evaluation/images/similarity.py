"""How alike two pictures are: SSIM and PSNR, by scikit-image."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from listener_head.errors import UserError

# What identical pictures count as, whose PSNR has no bound; one grey level in one of 256 x 256 x 3 numbers is
# 101 dB.
LARGEST_PSNR = 100.0

Pixels = NDArray[np.uint8]


def require_scikit_image() -> None:
    """UserError when scikit-image is not installed."""
    try:
        import skimage  # noqa: F401
    except ImportError:
        raise UserError(
            "SSIM and PSNR need the package 'scikit-image'; install listener_head with its evaluation extra: "
            "pip install 'listener_head[evaluation]'"
        ) from None


def structural_similarity(picture: Pixels, truth: Pixels) -> float:
    """SSIM of two pictures [H, W, 3], -1 to 1, mean of the colours, window of Wang et al. (2004)."""
    from skimage.metrics import structural_similarity as ssim

    return float(
        ssim(
            picture,
            truth,
            channel_axis=2,
            data_range=255,
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
        )
    )


def peak_signal_to_noise(picture: Pixels, truth: Pixels) -> float:
    """PSNR of two pictures [H, W, 3] in dB, at most LARGEST_PSNR."""
    from skimage.metrics import peak_signal_noise_ratio

    if np.array_equal(picture, truth):
        return LARGEST_PSNR
    return min(float(peak_signal_noise_ratio(truth, picture, data_range=255)), LARGEST_PSNR)
