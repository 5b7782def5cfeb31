"""``python -m listener_head.render.contact_sheet OUT.png [--theme NAME]``: the head on a sheet.

In twelve poses, or (``--of``) with each of the 52 shapes at weight 1, or with each identity mode at -2 and
+2 standard deviations.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from listener_head.coefficients import LAYOUTS, Coefficients
from listener_head.errors import UserError
from listener_head.face.model import FaceModel
from listener_head.render import HeadRenderer
from listener_head.render.theme import DEFAULT

LABEL_HEIGHT = 20
COLUMNS = {"poses": 4, "shapes": 8, "identity": 8}
IDENTITY_WEIGHTS = (-2.0, 2.0)  # standard deviations

# Expression weights (a name without Left or Right means both) and rotation in degrees.
POSES: dict[str, tuple[dict[str, float], tuple[float, float, float]]] = {
    "neutral": ({}, (0, 0, 0)),
    "smile": ({"mouthSmile": 0.9, "cheekSquint": 0.5, "eyeSquint": 0.3}, (0, 0, 0)),
    "open smile": (
        {"mouthSmile": 0.9, "cheekSquint": 0.6, "eyeSquint": 0.3, "jawOpen": 0.3, "mouthUpperUp": 0.4},
        (0, 0, 0),
    ),
    "blink": ({"eyeBlink": 1.0}, (0, 0, 0)),
    "frown": ({"browDown": 1.0, "mouthFrown": 0.7, "eyeSquint": 0.3, "mouthPress": 0.3}, (0, 0, 0)),
    "surprise": ({"browInnerUp": 1.0, "browOuterUp": 1.0, "eyeWide": 0.9, "jawOpen": 0.6}, (0, 0, 0)),
    "sad": ({"browInnerUp": 1.0, "mouthFrown": 0.8, "eyeBlink": 0.2, "eyeLookDown": 0.4}, (6, 0, 0)),
    "pucker": ({"mouthPucker": 1.0}, (0, 0, 0)),
    "nod down": ({"eyeBlink": 0.1}, (18, 0, 0)),
    "nod up": ({}, (-14, 0, 0)),
    "turn 35": ({"mouthSmile": 0.4}, (0, 35, 0)),
    "tilt, gaze": (
        {"eyeLookOutLeft": 0.8, "eyeLookInRight": 0.8, "browInnerUp": 0.4, "mouthSmile": 0.3},
        (0, -10, 12),
    ),
}


def pose(weights: dict[str, float], rotation_degrees: tuple[float, float, float] = (0, 0, 0)) -> Coefficients:
    """Coefficients of the built-in head at its reference place; a name without side means both sides."""
    layout = LAYOUTS["arkit52"]
    motion = layout.neutral()
    motion[layout.rotation] = np.radians(rotation_degrees)
    for name, weight in weights.items():
        both = name not in layout.expression_names
        for full in (name + "Left", name + "Right") if both else (name,):
            motion[layout.index(full)] = weight
    return Coefficients.from_motion("arkit52", motion)


def pictures(of: str, model: FaceModel) -> dict[str, Coefficients]:
    """What one kind of sheet (a key of ``COLUMNS``) shows, by label."""
    if of == "shapes":
        # mouthClose shows over the open jaw alone.
        with_jaw = {"mouthClose": {"jawOpen": 1.0}}
        names = model.expression_names
        return {"neutral": pose({})} | {name: pose({name: 1.0} | with_jaw.get(name, {})) for name in names}
    if of == "identity":
        modes = dict(
            zip(model.identity_names, np.eye(len(model.identity_names), dtype=np.float32), strict=True)
        )
        neutral = LAYOUTS["arkit52"].neutral()
        return {
            f"{name} {weight:+.0f}": Coefficients.from_motion("arkit52", neutral, weight * mode)
            for name, mode in modes.items()
            for weight in IDENTITY_WEIGHTS
        }
    return {name: pose(*what) for name, what in POSES.items()}


def contact_sheet(
    size: int = 384, of: str = "poses", model: FaceModel | None = None, theme: str = DEFAULT
) -> Image.Image:
    """One kind of sheet (a key of ``COLUMNS``), in pictures of ``size`` pixels with their names."""
    renderer = HeadRenderer(size, model, theme=theme)
    shown, columns = pictures(of, renderer.model), COLUMNS[of]
    rows = -(-len(shown) // columns)
    sheet = Image.new("RGB", (columns * size, rows * (size + LABEL_HEIGHT)), (28, 28, 30))
    draw = ImageDraw.Draw(sheet)
    for i, (name, coefficients) in enumerate(shown.items()):
        x, y = i % columns * size, i // columns * (size + LABEL_HEIGHT)
        sheet.paste(Image.fromarray(renderer.render(coefficients)), (x, y))
        draw.text((x + 6, y + size + 4), name, fill=(255, 255, 255))
    renderer.close()
    return sheet


def main() -> None:
    """Write the sheet to the file named on the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m listener_head.render.contact_sheet",
        description="Draw the built-in head on one sheet.",
    )
    parser.add_argument("out", type=Path, metavar="OUT.png")
    parser.add_argument("--of", choices=COLUMNS, default="poses", help="what it shows (default: poses)")
    parser.add_argument("--theme", default=DEFAULT, help="name of a theme or path of a theme file")
    parser.add_argument("--size", type=int, default=384, help="of each picture [pixels]")
    arguments = parser.parse_args()
    try:
        contact_sheet(arguments.size, arguments.of, theme=arguments.theme).save(arguments.out)
    except (UserError, OSError, ValueError) as error:
        print(f"contact sheet: {error}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
