"""docs/troubleshooting.md quotes messages that the source has, and links to headings that are there."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENT = (ROOT / "docs" / "troubleshooting.md").read_text()
VARIES = "…"
QUOTES = [
    line for box in re.findall(r"```text\n(.*?)```", DOCUMENT, re.DOTALL) for line in box.splitlines() if line
]


def texts_of(path: Path) -> str:
    """All strings of a module, one a line, with … for what f-strings put in."""
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.append(node.value)
        elif isinstance(node, ast.JoinedStr):
            found.append(
                "".join(part.value if isinstance(part, ast.Constant) else VARIES for part in node.values)
            )
    return "\n".join(found)


@pytest.fixture(scope="module")
def modules() -> list[str]:
    return [texts_of(path) for path in (ROOT / "listener_head").rglob("*.py")]


@pytest.mark.parametrize("quote", QUOTES)
def test_every_message_is_of_one_module(quote, modules):
    """Messages are put together from pieces: what is wrong, and after a semicolon the fix."""
    pieces = [piece.strip() for piece in re.split(f"{VARIES}|; ", quote)]
    words = [piece for piece in pieces if re.search(r"\w", piece)]
    assert words
    assert any(all(word in module for word in words) for module in modules)


def test_there_are_ten_things_each_with_a_message_a_reason_and_a_fix():
    sections = re.split(r"^## \d+\. ", DOCUMENT, flags=re.MULTILINE)[1:]
    assert len(sections) >= 10
    for section in sections:
        assert "```text" in section and "**Why.**" in section and "**Fix.**" in section
        assert re.search(r"^    \S", section.partition("**Fix.**")[2], re.MULTILINE), section


def test_links_lead_to_headings():
    headings = re.findall(r"^## (.*)$", DOCUMENT, re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
    links = re.findall(r"\]\(#(.*?)\)", DOCUMENT)
    assert links and set(links) <= anchors
    assert len(anchors) == len(set(links))
