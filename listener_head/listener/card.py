"""The card of a network as a page for people."""

from __future__ import annotations

from typing import Any

_PARTS = ("rotation", "expression", "translation")


def card_markdown(card: dict[str, Any]) -> str:
    """Markdown of the card that `listener_head train` puts into a network."""
    scores = card["scores"]
    facts = [
        ("face model, audio", f"{card['face_model']}, {card['audio_layout']}"),
        ("attitudes", ", ".join(card["attitudes"])),
        ("trained on", card["data"]),
        ("scored on", card["held_out"]),
        ("date, seed", f"{card['date']}, {card['seed']}"),
        ("command", f"`{card['command']}`"),
    ]
    lines = [f"# {card['name']}", "", "| | |", "|---|---|"]
    lines += [f"| {name} | {value} |" for name, value in facts]
    lines += ["", f"Held-out dyads, {scores['unit']} (lower is better):", ""]
    lines += ["| | rotation | expression | translation |", "|---|---|---|---|"]
    for attitude, own in scores["feature_distance"].items():
        lines.append(_row(attitude, own))
    lines.append(_row("mean of the training listeners, average", scores["mean_baseline"]["average"]))
    lines.append(_row("speaker shifted by 10 s, average", scores["shifted_speaker"]["average"]))
    grown = ", ".join(f"{part} {scores['response_percent'][part]:+.1f} %" for part in _PARTS)
    lines += ["", f"With the speaker's sound and face shifted by 10 s the error grows: {grown}."]
    lines += ["", "Speakers and listeners are synthetic: nothing here is a claim about real people.", ""]
    return "\n".join(lines)


def _row(name: str, distance: dict[str, float]) -> str:
    return f"| {name} | " + " | ".join(f"{distance[part]:.2f}" for part in _PARTS) + " |"
