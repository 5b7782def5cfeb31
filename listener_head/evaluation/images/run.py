"""Image metrics from files to tables."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

from listener_head.errors import UserError
from listener_head.evaluation.images.clips import find_pairs
from listener_head.evaluation.images.fid import WEIGHTS_FILE, WEIGHTS_URL, FrechetInception
from listener_head.evaluation.images.labels import Label, read_labels
from listener_head.evaluation.images.score import AVERAGE, Group, Scores, score
from listener_head.evaluation.images.similarity import require_scikit_image
from listener_head.files import replacing
from listener_head.progress import progress_bar

RESULTS = "image_metrics"  # .json and .csv
_SPLITS = {"": "", "train": "D_train: ", "test": "D_test: ", "ood": "D_ood: "}
# The paper's columns.
_MEASURES = {"fid": "FID↓", "ssim": "SSIM↑", "psnr_db": "PSNR↑", "cpbd": "CPBD↑"}
_NO_FID = f"FID is left out: it needs --inception {WEIGHTS_FILE}, which is at {WEIGHTS_URL}"


def run(
    generated: Path,
    truth: Path,
    attitudes: Path | None,
    weights: Path | None,
    output: Path,
    console: Console,
) -> None:
    """Score, write both files into ``output`` and print the table; UserError for wrong input."""
    require_scikit_image()
    pairs = find_pairs(generated, truth)
    labels: Mapping[str, Label] = read_labels(attitudes) if attitudes else {}
    unlabelled = [pair.name for pair in pairs if not labels.get(pair.name, Label()).attitude]
    if attitudes and len(unlabelled) == len(pairs):
        name = pairs[0].name
        raise UserError(f"'{attitudes}' has no attitude for clip '{name}' or any other; check the names")
    inception = FrechetInception(weights) if weights else None
    with progress_bar("comparing", transient=True) as report:
        scores = score(pairs, labels, inception, lambda done, total: report("comparing clips", done, total))
    rows = _rows(scores)
    with replacing(output / f"{RESULTS}.json") as partial:
        facts = {"generated": str(generated), "truth": str(truth), "inception": str(weights or "")}
        partial.write_text(json.dumps({**facts, "scores": rows}, indent=2) + "\n")
    with replacing(output / f"{RESULTS}.csv") as partial, partial.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    for split in dict.fromkeys(split for split, _ in scores):
        console.print(_table(split, scores))
    if attitudes and unlabelled:
        console.print(f"{len(unlabelled)} clips without an attitude count in the average alone.")
    if inception is None:
        console.print(_NO_FID, soft_wrap=True, highlight=False)
    console.print(f"{output / RESULTS}.json  {output / RESULTS}.csv", soft_wrap=True)


def _rows(scores: Mapping[Group, Scores]) -> list[dict[str, str | float | None]]:
    return [{"split": split, "attitude": name, **row.as_json()} for (split, name), row in scores.items()]


def _table(split: str, scores: Mapping[Group, Scores]) -> Table:
    """The paper's Table 3 of a split."""
    count = scores[split, AVERAGE].clips
    title = f"{_SPLITS[split]}{count} {'clips' if count > 1 else 'clip'}"
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD)
    table.add_column("attitude")
    for heading in _MEASURES.values():
        table.add_column(heading, justify="right")
    for (of, attitude), row in scores.items():
        if of == split:
            values = row.as_json()
            cells = ("-" if values[name] is None else f"{values[name]:.3f}" for name in _MEASURES)
            table.add_row(attitude.capitalize(), *cells)
    return table
