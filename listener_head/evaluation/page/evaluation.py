"""The report of a recording's evaluation: one HTML page that needs nothing else, not even a network."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from listener_head.evaluation.offline.data import Listened, Perceived
from listener_head.evaluation.page.curves import Motion, evaluation_plots
from listener_head.evaluation.page.html import Card, number, video_of, write_html
from listener_head.evaluation.page.people import beside_people, unit_of
from listener_head.evaluation.page.tables import (
    PARTS,
    agreement_table,
    beside_truth,
    budget_table,
    image_table,
    responsiveness_table,
    sensitivity_table,
    threshold_table,
    times_table,
)
from listener_head.evaluation.page.timing import latency_tables, paths, target_cards
from listener_head.evaluation.recording import Recording
from listener_head.timing import NS_PER_S

PAGE = "report.html"
# The statistics that stand at the top.
_HEADLINES = ("nods_per_minute", "nod_frequency", "blinks_per_minute", "head_speed_ratio")


def write_page(
    metrics: Mapping[str, Any],
    perceived: Perceived,
    listened: Listened,
    output_dir: Path,
    video: Path | None = None,
    recording: Recording | None = None,
    truth: Motion | None = None,
) -> Path:
    """Write ``report.html`` into ``output_dir`` and return its path.

    ``metrics`` are those of metrics.json; what they do not have is left out of the page. ``video`` begins
    with the speaker's picture or sound and is put into the page, or linked when it is large. ``recording`` is
    that of a live run. ``truth`` is the true listener's motion [T, M] and where it is valid [T], at the
    instants of ``listened``. Raises UserError when the page cannot be written.
    """
    bag, who = metrics["bag"], metrics["listener"]
    when = _when(perceived, listened)
    separability = metrics["separability"]
    return write_html(
        "evaluation.html",
        output_dir / PAGE,
        bag["name"],
        f"{when}{bag['duration_s']:.1f} s · {who['policy']} ({who['name']}), {who['attitude']} attitude",
        evaluation_plots(perceived, listened, truth, recording),
        problems=metrics["problems"],
        cards=[*_cards(metrics), *_live_cards(metrics)],
        video=video_of(video, output_dir),
        people=beside_people(metrics["statistics"]),
        truth=beside_truth(metrics["truth"]),
        responsiveness=_answers(metrics),
        images=image_table(metrics["images"]) if metrics["images"] else None,
        separability=separability,
        sensitivity=sensitivity_table(separability["sensitivity"]) if separability else None,
        live=_live(metrics["live"]),
        times=_times(metrics),
        facts=_facts(metrics),
    )


def _when(perceived: Perceived, listened: Listened) -> str:
    stamps = perceived.speaker.stamp_ns if len(perceived.speaker.stamp_ns) else listened.stamp_ns
    # Simulated clocks begin at zero and tell no date.
    if not len(stamps) or stamps[0] < 10**9 * NS_PER_S:
        return ""
    return datetime.fromtimestamp(int(stamps[0]) // NS_PER_S, UTC).strftime("%Y-%m-%d %H:%M UTC · ")


def _cards(metrics: Mapping[str, Any]) -> list[Card]:
    """The numbers to look at first."""
    found = []
    for key in _HEADLINES:
        row = metrics["statistics"].get(key)
        if row and row["value"] is not None:
            note = f"people {row['human'][0]:g} to {row['human'][1]:g}" if row["human"] else ""
            verdict = {None: "", True: "within", False: "outside"}[row["within"]]
            found.append(Card(row["label"], number(row["value"]), unit_of(row), note, verdict, row["within"]))
    found += _distance_cards(metrics["truth"], metrics["listener"]["policy"])
    separability = metrics["separability"]
    if separability and separability["accuracy"] is not None:
        share, chance = (f"{100 * separability[key]:.0f}" for key in ("accuracy", "chance"))
        found.append(Card("Attitudes told apart", share, "%", f"a guess gets {chance} %"))
    if metrics["latency"]["age_ms"]["p50"] is not None:
        age = metrics["latency"]["age_ms"]
        note = f"99 % below {number(age['p99'])} ms"
        found.append(Card("Age of the picture at a step, median", number(age["p50"]), "ms", note))
    return found


def _distance_cards(truth: Mapping[str, Any] | None, policy: str) -> list[Card]:
    """The distances of the listener, beside those of chance."""
    own = truth["distances"].get(policy) if truth else None
    if truth is None or own is None:
        return []
    random = truth["distances"].get("random")
    return [
        Card(
            f"Distance to the true listener × 100, {part}",
            f"{own[part]:.2f}",
            note=f"random {random[part]:.2f}" if random and policy != "random" else "",
        )
        for part in PARTS
    ]


def _live_cards(metrics: Mapping[str, Any]) -> list[Card]:
    if metrics["thresholds"]:
        kept = sum(not each["exceeded"] for each in metrics["thresholds"])
        every = len(metrics["thresholds"])
        verdict = "all kept" if kept == every else "exceeded"
        return [Card("Thresholds of the live run kept", str(kept), f"of {every}", "", verdict, kept == every)]
    return target_cards(metrics["live"]) if metrics["live"] else []


def _answers(metrics: Mapping[str, Any]) -> Any:
    """Responsiveness without a true listener; beside one there is more to say."""
    truth, own = metrics["truth"], metrics["responsiveness"]
    if own is None or (truth and truth["responsiveness"]):
        return None
    return responsiveness_table({metrics["listener"]["policy"]: own})


def _live(live: Mapping[str, Any] | None) -> dict[str, Any] | None:
    return {"paths": paths(live), "tables": latency_tables(live)} if live else None


def _times(metrics: Mapping[str, Any]) -> list[Any]:
    tables = [budget_table(metrics["latency"]), times_table(metrics["times"])]
    if metrics["agreement"]:
        tables.insert(0, agreement_table(metrics["agreement"]))
    if metrics["thresholds"]:
        tables.insert(0, threshold_table(metrics["thresholds"]))
    return tables


def _facts(metrics: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """What was evaluated, by whom and how, and with which software."""
    bag, who, schedule = metrics["bag"], metrics["listener"], metrics["schedule"]
    topics = {f"Topic, {key.replace('_', ' ')}": name for key, name in bag["topics"].items() if name}
    rule = "as recorded live"
    if schedule["rule"] == "fixed":
        rule = f"fixed: perception takes {schedule['perception_delay_ms']:g} ms"
    frames = {key.replace("_", " ").capitalize(): f"{count:,}" for key, count in metrics["frames"].items()}
    return {
        "Recording": {
            "Name": bag["name"],
            "Hash": bag["hash"],
            "Storage": bag["storage"],
            "Duration": f"{bag['duration_s']:.2f} s",
            "Clock": bag["clock"],
            **topics,
        },
        "Listener": {
            "Policy": who["policy"],
            "Network": f"{who['name']} ({who['hash']})" if who["hash"] else who["name"],
            "Attitude": who["attitude"],
            "Face model": who["face_model"],
            "Sound": who["audio_layout"],
            "Liveliness": "on" if who["liveliness"] else "off",
            "Seed": str(who["seed"]),
            "Schedule": f"{rule}; a step runs {schedule['step_delay_ms']:g} ms after its instant",
        },
        "Frames": frames,
        "Versions and hashes": {name: str(version) for name, version in metrics["versions"].items()},
    }
