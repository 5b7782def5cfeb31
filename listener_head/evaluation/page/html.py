"""How a page is made: its template, its tables, its figures, its video."""

from __future__ import annotations

import base64
import json
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

from listener_head.evaluation.figures import Json, Panel
from listener_head.files import replacing

# A larger video stays a file beside the page.
EMBEDDED_VIDEO_BYTES = 30_000_000
_ONE_FUNCTION = re.compile(r"\A(.{,1000}: this, )(\(\) => \{.*\})(\)\);\s*)\Z", re.DOTALL)
_TEMPLATES = Path(__file__).parent.parent / "templates"


@dataclass(frozen=True)
class Cell:
    """What stands in a table; ``mark`` is a class of page.css: "best", "kept", "missed", "unit" or "soft"."""

    text: str
    mark: str = ""


@dataclass(frozen=True)
class Row:
    """A line of a table, and the number of the source that it has."""

    label: str
    cells: Sequence[Cell]
    note: int | None = None


@dataclass(frozen=True)
class Table:
    """A table; the first of ``columns`` heads the labels."""

    caption: str
    columns: Sequence[str]
    rows: Sequence[Row]
    note: str = ""


@dataclass(frozen=True)
class Card:
    """A headline number, and whether it is as it should be (``kept``; None where nobody can say)."""

    label: str
    value: str
    unit: str = ""
    note: str = ""
    verdict: str = ""
    kept: bool | None = None


@dataclass(frozen=True)
class Video:
    """A page's video: the way to it, or itself (MP4 in base64)."""

    href: str = ""
    data: str = ""


@dataclass(frozen=True)
class Plots:
    """The panels of a page and their data, as `listener_head.evaluation.figures.as_json` has them."""

    panels: Sequence[Panel]
    data: Json = field(repr=False)

    @property
    def end_s(self) -> float:
        """Where the time axis ends."""
        return self.data["end"]

    @property
    def speech(self) -> bool:
        """Whether the speaker speaks at times."""
        return bool(self.data["speech"])

    @property
    def absent(self) -> bool:
        """Whether the speaker is out of view at times."""
        return bool(self.data["absent"])

    @property
    def json(self) -> str:
        """The data, ready to stand in a script element."""
        from markupsafe import Markup

        # "<" could end the script element.
        return Markup(json.dumps(self.data, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c"))

    @property
    def library(self) -> str:
        """plotly.js."""
        from markupsafe import Markup

        text = resources.files("plotly").joinpath("package_data/plotly.min.js").read_text("utf-8")
        # It is one function, which Chromium reads twice unless it stands in parentheses: a fifth of the time
        # that the page takes to open.
        return Markup(re.sub(_ONE_FUNCTION, r"\1(\2)\3", text, count=1))


def write_html(
    template: str, path: Path, title: str, subtitle: str, plots: Plots | None, **values: Any
) -> Path:
    """Fill a template that extends base.html, write it to ``path`` and return that.

    All text is escaped. UserError when the file cannot be written.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    page = environment.get_template(template).render(title=title, subtitle=subtitle, plots=plots, **values)
    with replacing(path) as partial:
        partial.write_text(page, "utf-8")
    return path


def video_of(path: Path | None, output_dir: Path) -> Video | None:
    """The video for a page in ``output_dir``."""
    if path is None:
        return None
    if path.stat().st_size >= EMBEDDED_VIDEO_BYTES:
        return Video(href=Path(os.path.relpath(path, output_dir)).as_posix())
    return Video(data=base64.b64encode(path.read_bytes()).decode("ascii"))


def number(value: float | None) -> str:
    """A number for people: about three significant digits, a dash where there is none."""
    if value is None:
        return "–"
    if value == 0 or abs(value) >= 100:
        text = f"{value:,.0f}"
    elif abs(value) >= 1:
        text = f"{value:.1f}"
    else:
        text = f"{value:.2f}" if abs(value) >= 0.1 else f"{value:.2g}"
    return text.replace("-", "−")


def fixed(value: float, digits: int) -> str:
    """A number with so many digits after the point."""
    return f"{value:.{digits}f}".replace("-", "−")


def cells(*values: float | int | str | None) -> list[Cell]:
    """Cells without a mark; numbers as `number` writes them, whole ones in full."""
    return [Cell(value if isinstance(value, str) else _written(value)) for value in values]


def _written(value: float | None) -> str:
    return f"{value:,}" if isinstance(value, int) else number(value)
