"""Tables 4 and 5 of the paper from a study's answers."""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean, variance

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from listener_head.dyads.clips import ATTITUDES
from listener_head.files import replacing
from listener_head.study.answers import Answers, read_answers
from listener_head.study.model import EQUAL, GROUND_TRUTH, Answer, Key, Test, read_key

RESULTS = "study"  # .json and .csv
PREFERENCES = ("Equal", "GT Better", "PD Better")  # the rows of Table 4
_ROWS: dict[Test, tuple[str, ...]] = {"preference": PREFERENCES, "matching": ATTITUDES}
_TITLES = {"preference": "Preference test (Table 4)", "matching": "Attitude matching test (Table 5)"}


@dataclass(frozen=True)
class Score:
    """One cell of a table, over ``raters`` who gave ``answers`` together.

    ``mean_percent``: the mean of the raters' percentages. ``variance``: of the percentages, with n - 1, in
    percentage points squared; None for one rater.
    """

    test: Test
    method: str
    set: str
    what: str
    mean_percent: float
    variance: float | None
    raters: int
    answers: int


def score(answers: Answers, key: Key) -> list[Score]:
    """The cells of Table 4 and 5 for each method and set.

    Preference: of a rater's answers, the share of each outcome. Matching: of the listeners that were given an
    attitude, the share in which the rater saw that attitude. Raters weigh alike, whatever they answered.
    """
    tally: dict[tuple[Test, str, str, str], dict[str, _Share]] = defaultdict(lambda: defaultdict(_Share))
    for (rater, question), answer in answers.answers.items():
        test = key.manifest.by_id[question].test
        for method, of, what, right in _outcomes(answer, key):
            share = tally[test, method, of, what][rater]
            share.count += 1
            share.right += right
    scores = []
    for (test, method, of, what), shares in sorted(tally.items(), key=lambda item: _rank(item[0])):
        percents = [100 * share.right / share.count for share in shares.values()]
        scores.append(
            Score(
                test=test,
                method=method,
                set=of,
                what=what,
                mean_percent=fmean(percents),
                variance=variance(percents) if len(percents) > 1 else None,
                raters=len(percents),
                answers=sum(share.count for share in shares.values()),
            )
        )
    return scores


@dataclass
class _Share:
    right: int = 0
    count: int = 0


def _outcomes(answer: Answer, key: Key) -> Iterator[tuple[str, str, str, bool]]:
    """Method, set, row of the table, and whether the answer counts for the row."""
    sources = {name: key.videos[name] for name in answer.shown}
    if isinstance(answer.choice, dict):
        for name, source in sources.items():
            yield source.method, source.set, source.attitude, answer.choice[name] == source.attitude
        return
    generated = next(source for source in sources.values() if source.method != GROUND_TRUTH)
    if answer.choice == EQUAL:
        outcome = "Equal"
    else:
        outcome = "GT Better" if sources[answer.choice].method == GROUND_TRUTH else "PD Better"
    for row in PREFERENCES:
        yield generated.method, generated.set, row, row == outcome


def _rank(cell: tuple[Test, str, str, str]) -> tuple[bool, str, tuple[bool, str], int]:
    test, method, of, what = cell
    return test == "matching", method, _set_rank(of), _ROWS[test].index(what)


def _set_rank(name: str) -> tuple[bool, str]:
    return name != "test", name  # the paper's order: D_test, then D_ood


def analyse(paths: list[Path], key_path: Path, output: Path, console: Console) -> None:
    """Score, write ``study.json`` and ``study.csv`` into ``output`` and print the tables.

    What had to be left out is counted and named, a line each. UserError where no answer is left.
    """
    key = read_key(key_path)
    answers = read_answers(paths, key.manifest)
    scores = score(answers, key)
    rows = [asdict(each) for each in scores]
    facts = {
        "study": key.manifest.study,
        "title": key.manifest.title,
        "raters": len(answers.raters),
        "answers": len(answers.answers),
        "replaced": answers.duplicates,
        "skipped": answers.skipped,
    }
    with replacing(output / f"{RESULTS}.json") as partial:
        partial.write_text(json.dumps({**facts, "scores": rows}, indent=2) + "\n", "utf-8")
    with replacing(output / f"{RESULTS}.csv") as partial, partial.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    for test in _ROWS:
        for method in dict.fromkeys(each.method for each in scores if each.test == test):
            console.print(_table([each for each in scores if (each.test, each.method) == (test, method)]))
    raters = len(answers.raters)
    console.print(
        f"{raters} {'rater' if raters == 1 else 'raters'}, {len(answers.answers)} questions answered"
    )
    if answers.duplicates:
        console.print(f"{answers.duplicates} answers that the rater changed later do not count")
    if answers.skipped:
        console.print(f"{len(answers.skipped)} skipped:")
    for line in answers.skipped:
        console.print(f"  {escape(line)}", soft_wrap=True, highlight=False)
    console.print(f"{output / RESULTS}.json  {output / RESULTS}.csv", soft_wrap=True, highlight=False)


def _table(scores: list[Score]) -> Table:
    """Mean / variance: a column per set, as the paper prints it."""
    test = scores[0].test
    table = Table(
        title=f"{_TITLES[test]}: {escape(scores[0].method)}", title_justify="left", box=box.SIMPLE_HEAD
    )
    table.add_column("mean % / variance")
    sets = list(dict.fromkeys(each.set for each in scores))
    for name in sets:
        raters = max(each.raters for each in scores if each.set == name)
        table.add_column(f"{escape(name)} ({raters} raters)" if raters > 1 else escape(name), justify="right")
    for what in _ROWS[test]:
        cells = (
            next((each for each in scores if (each.set, each.what) == (name, what)), None) for name in sets
        )
        table.add_row(what.capitalize() if test == "matching" else what, *map(_cell, cells))
    return table


def _cell(cell: Score | None) -> str:
    if cell is None:
        return "–"
    return f"{cell.mean_percent:.1f} / {'–' if cell.variance is None else f'{cell.variance:.1f}'}"
