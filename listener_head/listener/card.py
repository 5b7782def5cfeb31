"""The card of a network as a page for people."""

from __future__ import annotations

from typing import Any

_PARTS = ("rotation", "expression", "translation")
_SPLITS = {"test": "D_test, people who are in D_train too", "ood": "D_ood, people who are not in D_train"}


def card_markdown(card: dict[str, Any]) -> str:
    """Markdown of the card that `listener_head train` puts into a network."""
    facts = [
        ("face model, audio", f"{card['face_model']}, {card['audio_layout']}"),
        ("attitudes", ", ".join(card["attitudes"]) or "none"),
        ("trained on", card["data"]),
        ("scored on", card["held_out"]),
        ("date, seed", f"{card['date']}, {card['seed']}"),
        ("command", f"`{card['command']}`"),
    ]
    if "skipped" in card:
        facts.append(("skipped", card["skipped"]))
    lines = [f"# {card['name']}", "", "| | |", "|---|---|"]
    lines += [f"| {name} | {value} |" for name, value in facts]
    lines += ["", f"Clips that were not trained on, {card['scores']['unit']} (lower is better)."]
    for split, title in _SPLITS.items():
        if split in card["scores"]:
            lines += _split_lines(title, card["scores"][split])
    if not card["configuration"]["data"]["folder"]:
        lines += ["", "Speakers and listeners are synthetic: nothing here is a claim about real people."]
    return "\n".join([*lines, ""])


def _split_lines(title: str, scores: dict[str, Any]) -> list[str]:
    lines = ["", f"{title}:", "", "| | rotation | expression | translation |", "|---|---|---|---|"]
    lines += [_row(attitude, own) for attitude, own in scores["feature_distance"].items()]
    lines.append(_row("mean of the training listeners, average", scores["mean_baseline"]["average"]))
    lines.append(_row("speaker shifted by half the clip, average", scores["shifted_speaker"]["average"]))
    grown = ", ".join(f"{part} {scores['response_percent'][part]:+.1f} %" for part in _PARTS)
    return [*lines, "", f"With the speaker shifted the error grows: {grown}."]


def _row(name: str, distance: dict[str, float]) -> str:
    return f"| {name} | " + " | ".join(f"{distance[part]:.2f}" for part in _PARTS) + " |"
