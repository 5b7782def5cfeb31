"""The tables of an evaluation, from its metrics: the paper's and those of later work."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from listener_head.evaluation.dyads.judge import TRUTH
from listener_head.evaluation.dyads.responsiveness import CONTROLS, LEAST_SHIFT_S
from listener_head.evaluation.dyads.table import LABELS, MEASURES
from listener_head.evaluation.page.html import Cell, Row, Table, cells, fixed, number
from listener_head.evaluation.page.timing import percentile_table

Json = Mapping[str, Any]

PARTS = ("rotation", "expression", "translation")
# Of these the lowest is best; diversity and variance should be those of the true listener.
LOWEST_IS_BEST = ("frechet_distance", "paired_frechet_distance", "mean_squared_error", "residual_correlation")
_OF_TRUTH = ("shannon_index", "variance")
_IMAGE_MEASURES = (("fid", "FID ↓", ".3f"), ("ssim", "SSIM ↑", ".3f"), ("psnr_db", "PSNR, dB ↑", ".3f"))
_SCORES = {"responsiveness": "responsive", "granger": "Granger"}


def distance_table(truth: Json, recordings: int = 1) -> Table:
    """The paper's Table 2: policies as columns, parts of the motion as rows, the best of each in bold."""
    distances = truth["distances"]
    rows = []
    for part in PARTS:
        values = [distances[policy][part] for policy in distances]
        rows.append(Row(part, _with_best(values, "{:.2f}")))
    frames = truth["frames"]["compared"]
    what = "one recording" if recordings == 1 else f"{recordings} recordings"
    return Table(
        "Feature distance × 100, lower is better",
        ("", *(LABELS.get(policy, policy) for policy in distances)),
        rows,
        f"Mean absolute difference to the true listener over {frames:,} frames of {what}, in raw units (rad, "
        "weights, m), as in Table 2 of Zhou et al., ECCV 2022.",
    )


def _with_best(values: Sequence[float | None], form: str) -> list[Cell]:
    least = min((value for value in values if value is not None), default=None)
    return [
        Cell("–") if value is None else Cell(form.format(value), "best" if value == least else "")
        for value in values
    ]


def measure_tables(truth: Json) -> list[Table]:
    """What later work measures, of expression and of pose: a table each."""
    tables = []
    for part in ("expression", "pose"):
        measures = truth["measures"]
        policies = [policy for policy in measures if policy != TRUTH]
        best = {key: min(measures[policy][part][key] for policy in policies) for key in LOWEST_IS_BEST}
        rows = []
        for policy, parts in measures.items():
            own = [
                Cell("")
                if policy == TRUTH and key not in _OF_TRUTH
                else Cell(f"{parts[part][key]:#.2g}", "best" if parts[part][key] == best.get(key) else "")
                for key in MEASURES
            ]
            rows.append(Row(LABELS.get(policy, policy), own))
        tables.append(Table(part.capitalize(), ("", *MEASURES.values()), rows))
    return tables


_MEASURES_NOTE = (
    "FD, P-FD: Fréchet distance, paired with the speaker. MSE: squared error. rPCC: residual correlation "
    "with the speaker. Of these the lowest is best. SID (diversity) and Var (variance) should be those of "
    "the true listener. A head that ignores its speaker can do well by all of them: look at the "
    "responsiveness too."
)


def responsiveness_table(scores: Mapping[str, Json | None], caption: str = "") -> Table:
    """Gains over shifted speakers by policy; ``scores`` has "responsiveness", "granger" or both for each."""
    kinds = [kind for kind in _SCORES if any(kind in (each or {}) for each in scores.values())]
    rows = []
    for policy, each in scores.items():
        own: list[Cell] = []
        for kind in kinds:
            gain = (each or {}).get(kind)
            own += _gain(gain) if gain else cells(None, None, None)
        rows.append(Row(LABELS.get(policy, policy), own))
    columns = [column for kind in kinds for column in (f"{_SCORES[kind]}, %", "99 %", "place")]
    note = (
        f"Gain over {CONTROLS} speakers shifted in time by {LEAST_SHIFT_S:g} s or more. Responsive: nearer "
        "the true listener; Granger: told by the speaker's past. 99 %: what so many of the controls stay "
        "below; place: percentile among them. Green is beyond 99 %: a listener that ignores its speaker "
        "gains only by chance."
    )
    return Table(caption, ("", *columns), rows, note)


def _gain(gain: Json) -> list[Cell]:
    beyond = gain["gain"] > gain["controls_99"]
    return [
        Cell(fixed(100 * gain["gain"], 2), "kept" if beyond else ""),
        Cell(fixed(100 * gain["controls_99"], 2)),
        Cell(fixed(gain["percentile"], 1)),
    ]


def image_table(images: Json) -> Table:
    """The paper's Table 3 for one recording."""
    own = [
        Cell("–" if images[key] is None else format(images[key], form)) for key, _, form in _IMAGE_MEASURES
    ]
    own.append(Cell("–" if images["cpbd"] is None else f"{images['cpbd']:.3f}"))
    columns = ("", *(label for _, label, _ in _IMAGE_MEASURES), "CPBD ↑")
    note = (
        f"{images['frames']:,} rendered pictures beside the true listener's, as in Table 3 of Zhou et al., "
        "ECCV 2022."
    )
    return Table("", columns, [Row("Rendered listener", own)], note)


def beside_truth(truth: Json | None, recordings: int = 1) -> dict[str, Any] | None:
    """All that is said of policies beside a true listener; None without one."""
    if truth is None:
        return None
    scores = truth["responsiveness"]
    return {
        "distances": distance_table(truth, recordings),
        "measures": measure_tables(truth),
        "measures_note": _MEASURES_NOTE,
        "responsiveness": responsiveness_table(scores) if scores else None,
    }


def sensitivity_table(sensitivity: Mapping[str, Json]) -> Table:
    """d' of each pair of attitudes."""
    measured = list(dict.fromkeys(key for pair in sensitivity.values() for key in pair))
    rows = [
        Row(pair.replace(", ", " against "), cells(*(values.get(key) for key in measured)))
        for pair, values in sensitivity.items()
    ]
    note = "Difference of the means over their common deviation; positive where the first has more."
    return Table("Sensitivity d′", ("", *(key.replace("_", " ") for key in measured)), rows, note)


def budget_table(latency: Json) -> Table:
    """What the stamps tell of latency."""
    rows = [("Age of the picture at the instant of the step", latency["age_ms"])]
    if latency["waiting_ms"] is not None:
        rows.append(("Waiting for the 30 Hz grid", latency["waiting_ms"]))
    note = "From the stamps and the schedule alone: no faster computer shortens it."
    return percentile_table("From the stamps, ms", rows, note)


def times_table(times: Json) -> Table:
    """What the evaluation took."""
    rows = [
        ("Perception of a picture", times["perception_ms"]),
        ("Sound features of a step", times["features_ms"]),
        ("Listener: computing a step", times["step_ms"]),
    ]
    note = (
        f"{number(times['wall_s'])} s in all, {number(times['real_time_factor'])} times as fast as the "
        f"recording, {number(times['memory_mb'])} MB of memory. These change from run to run."
    )
    return percentile_table("Taken on this machine, ms", rows, note)


def threshold_table(thresholds: Sequence[Json]) -> Table:
    """What a live run was held to."""
    rows = []
    for each in thresholds:
        verdict = Cell("✗ exceeded", "missed") if each["exceeded"] else Cell("✓ kept", "kept")
        measured, limit = (f"{_small(each[key])} {each['unit']}".strip() for key in ("measured", "limit"))
        rows.append(Row(each["label"], [Cell(measured), Cell(limit), verdict]))
    return Table("", ("Thresholds", "measured", "limit", ""), rows)


def agreement_table(agreement: Json) -> Table:
    """How far the live coefficients are from the offline ones."""
    rows = [
        Row("Largest difference (rad, weights, m)", [Cell(_small(agreement["largest"]))]),
        Row("Mean difference", [Cell(_small(agreement["mean"]))]),
        Row("Frames compared", cells(agreement["compared"])),
        Row("Offline only", cells(agreement["missing"])),
        Row("Live only", cells(agreement["extra"])),
    ]
    return Table("", ("Live against offline", ""), rows)


def _small(value: float | None) -> str:
    """Numbers that may be tiny."""
    return (
        number(value)
        if value is None or value == 0 or abs(value) >= 0.01
        else f"{value:.1e}".replace("-", "−")
    )
