"""``python -m listener_head.render.contact_sheet OUT.png``: the head in twelve poses on one sheet."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from listener_head.coefficients import LAYOUTS, Coefficients
from listener_head.errors import UserError
from listener_head.render import HeadRenderer

COLUMNS, LABEL_HEIGHT = 4, 20

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


def contact_sheet(size: int = 384) -> Image.Image:
    """All of ``POSES`` in pictures of ``size`` pixels with their names."""
    renderer = HeadRenderer(size)
    rows = -(-len(POSES) // COLUMNS)
    sheet = Image.new("RGB", (COLUMNS * size, rows * (size + LABEL_HEIGHT)), (28, 28, 30))
    draw = ImageDraw.Draw(sheet)
    for i, (name, (weights, rotation)) in enumerate(POSES.items()):
        x, y = i % COLUMNS * size, i // COLUMNS * (size + LABEL_HEIGHT)
        sheet.paste(Image.fromarray(renderer.render(pose(weights, rotation))), (x, y))
        draw.text((x + 6, y + size + 4), name, fill=(255, 255, 255))
    renderer.close()
    return sheet


def main() -> None:
    """Write the sheet to the file named on the command line."""
    if len(sys.argv) != 2:
        sys.exit("usage: python -m listener_head.render.contact_sheet OUT.png")
    try:
        contact_sheet().save(Path(sys.argv[1]))
    except (UserError, OSError, ValueError) as error:
        print(f"contact sheet: {error}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
