"""Recordings to folders of results: metrics.json, the page, the video; several with an overview of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from listener_head.errors import UserError
from listener_head.evaluation.latency import Metrics, write_metrics
from listener_head.evaluation.offline.evaluate import Evaluated, Job, check_job, evaluate_bag
from listener_head.evaluation.offline.pictures import Pictures, check_look, compare_pictures, draw_video
from listener_head.evaluation.page.evaluation import write_page
from listener_head.evaluation.page.overview import write_overview
from listener_head.evaluation.truth import pool, truth_on_grid
from listener_head.files import RESULTS, whole_folder
from listener_head.progress import Report

VIDEO = "listener.mp4"


@dataclass(frozen=True)
class Outcome:
    """The metrics of each recording by its name, and why others have none."""

    metrics: dict[str, Metrics]
    failures: dict[str, str]

    @property
    def complete(self) -> bool:
        """Whether everything could be read."""
        return not self.failures and not any(metrics["problems"] for metrics in self.metrics.values())


def evaluate_bags(
    paths: Sequence[Path], job: Job, pictures: Pictures, output: Path, report: Report
) -> Outcome:
    """Evaluate recordings into ``output``, which appears when all of it is there.

    Of several, each has a folder of its own in it, and one that cannot be evaluated is a failure. UserError
    when none can, and for options that fit none.
    """
    check_job(job)
    check_look(pictures)
    names = _names(paths)
    outcome = Outcome({}, {})
    with whole_folder(output) as work:
        if len(paths) == 1:
            outcome.metrics[names[0]] = _evaluate(paths[0], job, pictures, work, report)
            return outcome
        for name, path in zip(names, paths, strict=True):
            folder = work / name
            folder.mkdir()
            try:
                outcome.metrics[name] = _evaluate(path, job, pictures, folder, report)
            except UserError as problem:
                outcome.failures[name] = str(problem)
                folder.rmdir()
        if not outcome.metrics:
            raise UserError(next(iter(outcome.failures.values())))
        _write_overview(outcome, work)
    return outcome


def _evaluate(path: Path, job: Job, pictures: Pictures, folder: Path, report: Report) -> Metrics:
    """One recording into its folder."""
    evaluated = evaluate_bag(path, job, report)
    metrics = {**evaluated.metrics, "images": compare_pictures(evaluated, pictures, report)}
    video = draw_video(evaluated, pictures, folder / VIDEO, report)
    write_metrics(metrics, folder / RESULTS)
    write_page(metrics, evaluated.perceived, evaluated.listened, folder, video, truth=_truth(evaluated))
    return metrics


def _truth(evaluated: Evaluated) -> Any:
    """The true listener's motion beside the listener's, and where it was seen."""
    truth = evaluated.perceived.truth
    return truth_on_grid(truth, evaluated.listened.indices) if truth else None


def _write_overview(outcome: Outcome, work: Path) -> None:
    """What several recordings give together."""
    judged = [metrics["truth"] for metrics in outcome.metrics.values() if metrics["truth"]]
    together = {"truth": pool(judged) if judged else None, "failures": outcome.failures}
    write_metrics({"bags": outcome.metrics, "together": together}, work / RESULTS)
    write_overview(list(outcome.metrics.items()), together, work)


def _names(paths: Sequence[Path]) -> list[str]:
    """A folder's name for each recording: its own, and a number where that is taken."""
    names: list[str] = []
    for path in paths:
        name, number = path.resolve().stem, 2
        while name in names:
            name, number = f"{path.resolve().stem}-{number}", number + 1
        names.append(name)
    return names
