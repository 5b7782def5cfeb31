"""Themes: how a head looks and is lit, as small YAML files that people write (``config/themes``).

Every complaint about a file is one line with file, line and key.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from listener_head.errors import UserError
from listener_head.face.arkit52.colours import Tones
from listener_head.face.arkit52.palette import Palette
from listener_head.paths import config_dir
from listener_head.render.background import TRANSPARENT, parse_background
from listener_head.yaml_file import line_of, read_yaml

DEFAULT = "default"

Share = Annotated[float, Field(ge=0.0, le=1.0)]
Colour = tuple[Share, Share, Share]  # sRGB
Power = Annotated[float, Field(ge=0.0, le=4.0)]
Light = tuple[Power, Power, Power]  # red, green, blue; 1 shows a surface's own colour


def _unit(direction: tuple[float, float, float]) -> tuple[float, float, float]:
    length = float(np.linalg.norm(direction))
    if not np.isfinite(length) or length < 1e-6:
        raise ValueError("a direction needs three numbers that are not all zero")
    x, y, z = (value / length for value in direction)
    return x, y, z


Direction = Annotated[tuple[float, float, float], AfterValidator(_unit)]  # x right, y up, z to the viewer


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Skin(_Section):
    """``flush`` is how red the blood makes it, ``seams`` draws the joints of a robot's face plates."""

    colour: Colour = (0.885, 0.695, 0.600)
    flush: Share = 1.0
    finish: Literal["skin", "plastic"] = "skin"
    seams: bool = False


class Eyes(_Section):
    """``glow`` is the light that the eyes give themselves."""

    iris: Colour = (0.44, 0.29, 0.17)
    sclera: Colour = (0.93, 0.92, 0.91)
    glow: Share = 0.0


class Hair(_Section):
    """``light`` is its colour where it catches the light; ``shell`` is a smooth cap."""

    style: Literal["locks", "shell", "none"] = "locks"
    colour: Colour = (0.235, 0.150, 0.105)
    light: Colour = (0.40, 0.27, 0.18)


class Lamp(_Section):
    """Light from one direction."""

    towards: Direction = Field(validation_alias="from")
    colour: Light


class Key(Lamp):
    """The main light; ``shadow`` is the share of it that shadows take away."""

    shadow: Share = 0.65


class Lights(_Section):
    """The key light, one that fills its shadows, light from above and below, and a rim from behind."""

    key: Key = Key(towards=(-0.438, 0.526, 0.729), colour=(1.06, 0.99, 0.92))
    fill: Lamp = Lamp(towards=(0.811, 0.127, 0.571), colour=(0.20, 0.23, 0.28))
    sky: Light = (0.36, 0.38, 0.42)
    ground: Light = (0.20, 0.165, 0.15)
    rim: Light = (0.165, 0.18, 0.21)


class Theme(_Section):
    """One look; what a file leaves out is as in the default theme.

    ``background`` is an sRGB colour (numbers or ``#rrggbb``), ``transparent`` or the path of a picture, in a
    file from the file's own folder.
    """

    skin: Skin = Skin()
    lips: Colour = (0.775, 0.435, 0.405)
    brows: Colour = (0.247, 0.158, 0.110)
    eyes: Eyes = Eyes()
    hair: Hair = Hair()
    clothes: Colour = (0.27, 0.40, 0.47)
    light: Lights = Lights()
    background: Colour | str = (0.80, 0.81, 0.82)

    def palette(self) -> Palette:
        """The colours that the built-in head is painted with."""
        tones = Tones(self.skin.colour, self.skin.flush, self.lips, self.brows, self.skin.seams)
        hair, eyes = self.hair, self.eyes
        return Palette(tones, eyes.iris, eyes.sclera, hair.colour, hair.light, hair.style, self.clothes)


def theme_names() -> list[str]:
    """The themes that ship, the default first."""
    names = sorted(path.stem for path in (config_dir() / "themes").glob("*.yaml"))
    return sorted(names, key=lambda name: name != DEFAULT)


def load_theme(name_or_path: str | Path = DEFAULT) -> Theme:
    """A shipped theme by its name, or one of a YAML file by its path.

    UserError, one line with file, line and key, for an unknown name or a file that is not right.
    """
    text = str(name_or_path)
    if isinstance(name_or_path, Path) or text.endswith((".yaml", ".yml")) or "/" in text:
        return _read(Path(name_or_path).expanduser())
    if text not in theme_names():
        known = ", ".join(theme_names())
        raise UserError(f"theme '{text}' is unknown; choose one of {known}, or give the path of a theme file")
    return _read(config_dir() / "themes" / f"{text}.yaml")


def _read(path: Path) -> Theme:
    data, lines = read_yaml(path, "theme file", Theme.model_fields)
    try:
        theme = Theme.model_validate(data)
        background = parse_background(theme.background)
        if isinstance(background, str) and background != TRANSPARENT:
            background = str(path.parent / Path(background).expanduser())
        return theme.model_copy(update={"background": background})
    except ValidationError as error:
        found = [(line_of(lines, problem["loc"]), _explain(problem)) for problem in error.errors()]
    line, message = min(found)
    raise UserError(f"{path}:{line}: {message}")


def _explain(problem: Any) -> str:
    """One line, without the file and line, for a problem that pydantic found."""
    place = [part for part in problem["loc"] if not str(part).startswith(("tuple[", "function-", "str"))]
    key = ".".join(str(part) for part in place)
    if problem["type"] == "missing":
        return f"'{key}' is missing; add it"
    if problem["type"] == "extra_forbidden":
        return f"unknown key '{key}'; remove it or correct its name"
    value = " ".join(repr(problem["input"]).split())[:60]
    fix = str(problem.get("ctx", {}).get("error", problem["msg"])).replace("Input should", "it should")
    return f"'{key}' is {value}; {fix}"
