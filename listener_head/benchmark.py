"""`listener_head bench`: runs the files of `benchmarks/`. No ROS in here."""

from __future__ import annotations

import json
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import track
from rich.table import Table

from listener_head.errors import UserError
from listener_head.paths import share_dir

Figures = dict[str, dict[str, Any]]


def run_benchmarks(output: Path | None, only: str, console: Console) -> Figures:
    """Runs every benchmark, or those of the folder or with the figure ``only``; prints a table.

    Each file in the folders of `benchmarks/` has a function ``run`` that returns the figures ``NAMES``:
    ``ours_ms``, ``reference_ms``, ``ratio`` (reference over ours), ``reference`` and ``n``.

    Raises:
        UserError: no benchmark of that name, or ``output`` cannot be written.
    """
    files = sorted((share_dir() / "benchmarks").glob("*/*.py"))
    modules = [(path.parent.name, _module(path)) for path in files]
    folders = dict.fromkeys(folder for folder, _ in modules)
    known = [*folders, *(name for _, module in modules for name in module.NAMES)]
    if only and only not in known:
        raise UserError(f"benchmark '{only}' is unknown; choose one of {', '.join(known)}")
    chosen = [module for folder, module in modules if only in ("", folder, *module.NAMES)]
    figures: Figures = {}
    for module in track(chosen, "measuring", console=console, transient=True):
        figures.update(module.run())
    console.print(_table(figures))
    if output is not None:
        try:
            output.parent.mkdir(parents=True, exist_ok=True)
            output.write_text(json.dumps(figures, indent=2) + "\n")
        except OSError as problem:
            text = f"{output} cannot be written ({problem.strerror}); choose another file"
            raise UserError(text) from problem
    return figures


def _module(path: Path) -> Any:
    spec = spec_from_file_location(f"benchmarks.{path.stem}", path)
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except ImportError as problem:
        text = f"benchmark {path.stem} needs the package '{problem.name}'; install the extras train and test"
        raise UserError(text) from problem
    return module


def _table(figures: Figures) -> Table:
    table = Table("benchmark", r"ours \[ms]", r"reference \[ms]", "ratio", "reference", "n")
    for name, row in figures.items():
        measured = (row[key] for key in ("ours_ms", "reference_ms", "ratio"))
        numbers = ("" if number is None else f"{number:.4g}" for number in measured)
        table.add_row(name, *numbers, row["reference"] or "", str(row["n"]))
    return table
