"""The square of a picture that a renderer makes of a portrait, to cut the true listener's pictures alike."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from listener_head.errors import UserError
from listener_head.face.portrait import read_portrait
from listener_head.render.factory import NEURAL, PORTRAIT
from listener_head.rendering.encoder import Pixels

Framing = Callable[[Pixels, int], Pixels]
"""Takes a picture of the camera that took the portrait, and gives its square [S, S, 3] of a side [px]."""


def framing_of(renderer: str, portrait: Pixels) -> Framing:
    """How a renderer that shows a person cuts this portrait [H, W, 3] RGB.

    UserError for a renderer that draws nobody, and for a portrait without just one face that is large enough;
    the framing refuses pictures of another size than the portrait's.
    """
    if renderer == PORTRAIT:
        cut = _of_photograph(portrait)
    elif renderer == NEURAL:
        cut = _of_network(portrait)
    else:
        raise UserError(
            f"renderer '{renderer}' draws no person, and its pictures are not compared with a person's; "
            f"choose {PORTRAIT} or {NEURAL}"
        )

    def framed(picture: Pixels, side: int) -> Pixels:
        if picture.shape != portrait.shape:
            before, now = (f"{each.shape[1]}x{each.shape[0]}" for each in (portrait, picture))
            raise UserError(f"the true listener's pictures change from {before} to {now}; record one size")
        return cut(picture, side)

    return framed


def _of_photograph(portrait: Pixels) -> Framing:
    from listener_head.render.portrait.photograph import SMALLEST_FACE, crop, square_about

    points = read_portrait(portrait, SMALLEST_FACE).landmarks.points.astype(np.float64)
    left, top, length = square_about(points, portrait.shape[1], portrait.shape[0])
    return lambda picture, side: crop(picture, left, top, length, side)


def _of_network(portrait: Pixels) -> Framing:
    from PIL import Image

    from listener_head.render.neural.portrait import SMALLEST_FACE, cut_square

    landmarks = read_portrait(portrait, SMALLEST_FACE).landmarks

    def cut(picture: Pixels, side: int) -> Pixels:
        square = Image.fromarray(cut_square(picture, landmarks))
        return np.asarray(square.resize((side, side), Image.Resampling.BICUBIC))

    return cut
