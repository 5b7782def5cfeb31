"""The colours of the built-in head, and the head painted in other ones."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from listener_head.face.arkit52.clothes import COLOUR as CLOTHES
from listener_head.face.arkit52.colours import Tones, texture
from listener_head.face.arkit52.eyes import IRIS, SCLERA, eyeball_colours
from listener_head.face.arkit52.hair import COLOUR as HAIR
from listener_head.face.arkit52.hair import LIGHT as HAIR_LIGHT
from listener_head.face.arkit52.locks import PARTS_AND_LOCKS
from listener_head.face.model import FaceModel

Colour = tuple[float, float, float]


@dataclass(frozen=True)
class Palette:
    """Colours (sRGB, 0 to 1) of what can be chosen; the defaults are those of the shipped file.

    ``iris`` and ``sclera`` are the eyes'. ``hair_light`` is the hair where it catches the light.
    ``hair_style`` is ``locks``, ``shell`` (a smooth cap) or ``none``.
    """

    tones: Tones = field(default_factory=Tones)
    iris: Colour = IRIS
    sclera: Colour = SCLERA
    hair: Colour = HAIR
    hair_light: Colour = HAIR_LIGHT
    hair_style: str = "locks"
    clothes: Colour = CLOTHES


def painted(model: FaceModel, palette: Palette) -> FaceModel:
    """The built-in head in these colours; shape and movement stay as they are."""
    paint = model.colours.astype(np.float64)

    def of(*kinds: str) -> np.ndarray:
        return np.isin(model.part, [PARTS_AND_LOCKS.index(kind) for kind in kinds])

    skin_like, strands, cloth = of("ear", "lash"), of("hair", "lock"), of("cloth")
    paint[skin_like] = palette.tones.of_skin(paint[skin_like])
    paint[of("eye")] = np.tile(eyeball_colours(palette.iris, palette.sclera), (2, 1))
    own = np.subtract(HAIR_LIGHT, HAIR)
    share = (paint[strands] - HAIR) @ own / (own @ own)
    paint[strands] = palette.hair + share[:, None] * np.subtract(palette.hair_light, palette.hair)
    paint[cloth] *= np.divide(palette.clothes, CLOTHES)
    return replace(
        model,
        colours=np.clip(paint, 0.0, 1.0).astype(np.float32),
        texture=texture(palette.tones),
        triangles=model.triangles[~_hidden(model, palette.hair_style)],
    )


def _hidden(model: FaceModel, hair_style: str) -> np.ndarray:
    """Which triangles [M] a hair style leaves out."""
    kinds = {"locks": (), "shell": ("lock",), "none": ("lock", "hair")}[hair_style]
    part = model.part[model.triangles[:, 0]]
    return np.isin(part, [PARTS_AND_LOCKS.index(kind) for kind in kinds])
