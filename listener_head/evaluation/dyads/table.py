"""An evaluation for people, in the paper's form, and as one long table for programs."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from rich import box
from rich.table import Table

from listener_head.evaluation.dyads.evaluate import TRUTH, Evaluation
from listener_head.evaluation.dyads.responsiveness import CONTROLS, LEAST_SHIFT_S
from listener_head.files import replacing

LABELS = {
    "random": "Random",
    "simulation": "Simulation",
    "simulation_attitude": "Simulation*",
    "mean": "Mean",
    "mirror": "Mirror",
    "network": "Network",
    TRUTH: "True listener",
}
_SPLITS = {"test": "D_test", "ood": "D_ood"}
# The paper's words for the parts, in its order.
PARTS = {"rotation": "angle", "expression": "exp", "translation": "trans"}
_SHORT = {"expression": "exp", "pose": "pose"}
MEASURES = {
    "frechet_distance": "FD",
    "paired_frechet_distance": "P-FD",
    "mean_squared_error": "MSE",
    "shannon_index": "SID",
    "variance": "Var",
    "residual_correlation": "rPCC",
}
# Those that the true listener has of itself.
_OF_TRUTH = ("shannon_index", "variance")


def tables(evaluation: Evaluation) -> list[Table]:
    """All tables in reading order; each fits 80 columns."""
    made = []
    for split in evaluation.clips:
        made += [distance_table(evaluation, split), measure_table(evaluation, split)]
        if split in evaluation.ablation:
            made.append(ablation_table(evaluation, split))
        if evaluation.responsiveness[split]:
            made.append(responsiveness_table(evaluation, split))
    return made


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for number, column in enumerate(columns):
        table.add_column(column, justify="left" if number == 0 else "right", no_wrap=True)
    return table


def distance_table(evaluation: Evaluation, split: str) -> Table:
    """The paper's Table 2 of a split."""
    rows, counts = evaluation.distances[split], evaluation.clips[split]
    policies = list(rows)
    title = f"{_SPLITS[split]}, {counts['all']} clips: feature distance x 100, lower is better"
    table = _table(title, "attitude", "motion", *(LABELS[policy] for policy in policies))
    for attitude in rows[policies[0]]:
        for number, (part, word) in enumerate(PARTS.items()):
            name = attitude.capitalize() if number == 0 else ""
            values = (f"{rows[policy][attitude][part]:.2f}" for policy in policies)
            table.add_row(name, word, *values, end_section=part == "translation")
    return table


def measure_table(evaluation: Evaluation, split: str) -> Table:
    """Fréchet distances, error, diversity, variance and residual correlation."""
    table = _table(f"{_SPLITS[split]}: measures of later work", "policy", "part", *MEASURES.values())
    for policy, parts in evaluation.measures[split].items():
        for number, (part, row) in enumerate(parts.items()):
            shown = _OF_TRUTH if policy == TRUTH else tuple(MEASURES)
            values = (f"{row[measure]:.2g}" if measure in shown else "" for measure in MEASURES)
            table.add_row(LABELS[policy] if number == 0 else "", _SHORT[part], *values)
    return table


def ablation_table(evaluation: Evaluation, split: str) -> Table:
    """The network's input reduced, as in the paper's Fig. 8."""
    title = f"{_SPLITS[split]}: parts of the input (distance x 100, variance)"
    table = _table(title, "input", *PARTS.values(), "exp var", "pose var")
    for name, row in evaluation.ablation[split].items():
        distances = (f"{row[part]:.2f}" for part in PARTS)
        table.add_row(name, *distances, f"{row['expression_variance']:.2g}", f"{row['pose_variance']:.2g}")
    return table


def responsiveness_table(evaluation: Evaluation, split: str) -> Table:
    """Gains over shifted speakers, beside what 99 % of the controls stay below, and the place among them."""
    title = (
        f"{_SPLITS[split]}: gain over {CONTROLS} speakers shifted by {LEAST_SHIFT_S:g} s or more, in %\n"
        "responsive: nearer the true listener; Granger: told by the speaker's past\n"
        "99 %: of the controls stay below; place: percentile among them"
    )
    table = _table(title, "policy", "responsive", "99 %", "place", "Granger", "99 %", "place")
    for policy, scores in evaluation.responsiveness[split].items():
        cells = []
        for score in ("responsiveness", "granger"):
            row = scores[score]
            shares = (f"{100 * row[share]:.2f}" for share in ("gain", "controls_99"))
            cells += [*shares, f"{row['percentile']:.1f}"]
        table.add_row(LABELS[policy], *cells)
    return table


def write_csv(evaluation: Evaluation, path: Path) -> None:
    """One line for every number, named by section, split, policy or input, attitude or part, and measure."""
    with replacing(path) as partial, partial.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("section", "split", "policy", "part", "measure", "value"))
        writer.writerows(_lines(evaluation))


def _lines(evaluation: Evaluation) -> Iterator[tuple[str, str, str, str, str, float]]:
    for section in ("distances", "measures", "responsiveness"):
        for split, policies in getattr(evaluation, section).items():
            for policy, parts in policies.items():
                for part, row in parts.items():
                    for measure, value in row.items():
                        yield section, split, policy, part, measure, value
    for split, inputs in evaluation.ablation.items():
        for name, row in inputs.items():
            for measure, value in row.items():
                yield "ablation", split, name, "", measure, value
