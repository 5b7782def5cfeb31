"""``python docs/rendering/make.py``: the pictures of docs/rendering.md. Needs scikit-image, for its portrait.

The portrait is skimage.data.astronaut: Eileen Collins, photographed by NASA, in the public domain.
"""

from __future__ import annotations

import sys
from contextlib import closing
from pathlib import Path

from PIL import Image, ImageDraw
from skimage.data import astronaut

from listener_head.render.contact_sheet import POSES, pose
from listener_head.render.factory import HEAD, Renderer, make_renderer
from listener_head.render.portrait import PortraitRenderer

HERE = Path(__file__).parent
SIZE, LABEL_HEIGHT = 192, 18  # px
NODS_AND_TILTS = {"nod": ({}, (12, 0, 0)), "turn": ({}, (0, 20, 0)), "tilt": ({}, (0, 0, 12))}
SHOWN = {name: POSES[name] for name in ("neutral", "smile", "open smile", "blink", "frown", "surprise")}
THEMES = ("default", "warm", "silver", "robot")


def main() -> None:
    """Write all pictures beside this file."""
    expressions = SHOWN | NODS_AND_TILTS
    with closing(make_renderer(HEAD, SIZE)) as head:
        _save("head", _row_of(head, expressions))
    themes = []
    for theme in THEMES:
        with closing(make_renderer(HEAD, SIZE, theme=theme)) as head:
            themes += _row_of(head, {theme: POSES["smile"]})
    _save("themes", themes)
    with closing(PortraitRenderer(astronaut(), SIZE)) as portrait:
        _save("portrait", _row_of(portrait, expressions))


def _row_of(renderer: Renderer, poses: dict) -> list[tuple[str, Image.Image]]:
    return [(name, Image.fromarray(renderer.render(pose(*what)))) for name, what in poses.items()]


def _save(name: str, pictures: list[tuple[str, Image.Image]], columns: int = 5) -> None:
    """A sheet of pictures with their names; 256 colours are enough, and a third of the bytes."""
    columns = min(columns, len(pictures))
    rows = -(-len(pictures) // columns)
    sheet = Image.new("RGB", (columns * SIZE, rows * (SIZE + LABEL_HEIGHT)), "white")
    draw = ImageDraw.Draw(sheet)
    for number, (label, picture) in enumerate(pictures):
        x, y = number % columns * SIZE, number // columns * (SIZE + LABEL_HEIGHT)
        sheet.paste(picture, (x, y))
        draw.text((x + 4, y + SIZE + 3), label, fill="black")
    path = HERE / f"{name}.png"
    sheet.quantize(256, dither=Image.Dither.FLOYDSTEINBERG).save(path, optimize=True)
    print(path, f"{path.stat().st_size / 1000:.0f} kB", file=sys.stderr)


if __name__ == "__main__":
    main()
