"""``python docs/graph.py``: docs/graph.svg, the demo's nodes and topics as DDS knows them while it runs."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from xml.etree import ElementTree as xml

from listener_head.demo import NAMESPACE, shipped_clip
from listener_head.graph import TOPICS, DemoOptions, demo_nodes
from listener_head.runner import GraphRunner, environment, own_domain

PATH = Path(__file__).with_suffix(".svg")
# They listen to everything, which would hide the rest; a line below the picture says so.
LISTEN_TO_ALL = ("recorder", "viewer")
PATIENCE_S = 60.0

ROW, MARGIN, GAP = 62, 26, 26  # px
HEIGHT, LETTER = 34, 7.6  # of a box, and of its text
STYLE = """
  .node rect { fill: #e3edfb; stroke: #3b7dd8; stroke-width: 1.4 }
  .topic rect { fill: #ffffff; stroke: #9aa4b1 }
  text { font: 13px system-ui, 'Segoe UI', Roboto, sans-serif; fill: #1d2229; text-anchor: middle }
  .node text { font-weight: 600 }
  .note { fill: #5d6672; font-size: 12px }
  path { fill: none; stroke: #7b8694; stroke-width: 1.4; marker-end: url(#head) }
"""

Edges = dict[str, set[str]]  # a box, and those that it points to


def main() -> None:
    """Run the demo's graph, ask DDS who speaks and who listens, and draw that."""
    edges = running_graph()
    PATH.write_text(draw(edges))
    print(PATH, file=sys.stderr)


def running_graph() -> Edges:
    """Who speaks and who listens in the running demo; the name of a topic begins with `topic:`."""
    os.environ.update(environment(own_domain()))
    import rclpy

    specs = demo_nodes(DemoOptions(video=str(shipped_clip()), view=True))
    names = {spec.executable for spec in specs}
    rclpy.init()
    observer = rclpy.create_node("observer")
    try:
        with (
            tempfile.TemporaryDirectory() as work,
            GraphRunner(specs, NAMESPACE, True, Path(work), int(os.environ["ROS_DOMAIN_ID"])) as runner,
        ):
            deadline = time.monotonic() + PATIENCE_S
            while not runner.source_started() and time.monotonic() < deadline:
                runner.poll()
                time.sleep(0.2)
            return _edges_of(observer, names)
    finally:
        observer.destroy_node()
        rclpy.shutdown()


def _edges_of(observer, names: Iterable[str]) -> Edges:
    edges: Edges = {}
    for name in names:
        spoken = observer.get_publisher_names_and_types_by_node(name, f"/{NAMESPACE}")
        heard = observer.get_subscriber_names_and_types_by_node(name, f"/{NAMESPACE}")
        edges.setdefault(name, set()).update(f"topic:{topic}" for topic in _ours(spoken))
        for topic in _ours(heard):
            edges.setdefault(f"topic:{topic}", set()).add(name)
    return edges


def _ours(names_and_types: Iterable[tuple[str, list[str]]]) -> set[str]:
    names = {name.removeprefix(f"/{NAMESPACE}/") for name, _ in names_and_types}
    return names & set(TOPICS)


def draw(edges: Edges) -> str:
    """The picture as SVG text: rows of boxes, each below those that it hears from."""
    back = {(a, b) for a in edges for b in edges[a] if a in _reached(edges, b) and _is_answer(edges, a, b)}
    forward = {a: {b for b in edges[a] if (a, b) not in back} for a in edges}
    places, width, height = _places(_rows(forward), forward)
    size = {"viewBox": f"0 0 {width:.0f} {height + 34:.0f}", "width": f"{width:.0f}"}
    root = xml.Element("svg", xmlns="http://www.w3.org/2000/svg", role="img", **size)
    xml.SubElement(root, "title").text = "Nodes and topics of the demo"
    xml.SubElement(root, "style").text = STYLE
    marker = xml.SubElement(root, "marker", id="head", viewBox="0 0 8 8", refX="7", refY="4")
    marker.attrib |= {"markerWidth": "7", "markerHeight": "7", "orient": "auto"}
    xml.SubElement(marker, "path", d="M0 0 L8 4 L0 8 z", style="fill:#7b8694;stroke:none")
    xml.SubElement(root, "rect", width="100%", height="100%", rx="12", fill="#f6f7f9")
    for a, heads in forward.items():
        for b in sorted(heads):
            _arrow(root, places[a], places[b])
    for a, b in sorted(back):
        (x0, y0), (x1, y1) = places[a], places[b]
        _arrow_back(root, (x0 - _width(a) / 2, y0), (x1 - _width(b) / 2, y1))
    for name, (x, y) in places.items():
        _box(root, name, x, y)
    note = xml.SubElement(root, "text", x=f"{width / 2:.0f}", y=f"{height + 14:.0f}")
    note.set("class", "note")
    note.text = f"{' and '.join(LISTEN_TO_ALL)}, where they run, listen to nearly everything; not drawn"
    xml.indent(root)
    return xml.tostring(root, encoding="unicode") + "\n"


def _reached(edges: Edges, start: str) -> set[str]:
    found, left = set(), [start]
    while left:
        for name in edges.get(left.pop(), ()):
            if name not in found:
                found.add(name)
                left.append(name)
    return found


def _is_answer(edges: Edges, topic: str, node: str) -> bool:
    """Of a circle, the arrow by which the last one answers: its topic stands farther from the source."""
    far = _distances(edges)
    return far[topic] > far[node]


def _distances(edges: Edges) -> dict[str, int]:
    heard = set().union(*edges.values())
    distance = {name: 0 for name in edges if name not in heard}
    left = list(distance)
    for name in left:
        for following in edges.get(name, ()):
            if following not in distance:
                distance[following] = distance[name] + 1
                left.append(following)
    return distance


def _rows(edges: Edges) -> dict[str, int]:
    """The row of each box: one below the lowest that points to it."""
    rows = dict.fromkeys([*edges, *set().union(*edges.values())], 0)
    for _ in rows:
        for a, heads in edges.items():
            for b in heads:
                rows[b] = max(rows[b], rows[a] + 1)
    # What is heard from nobody stands just above those who hear it.
    for a, heads in edges.items():
        if a in LISTEN_TO_ALL and heads:
            for topic in heads:
                rows[topic] = min(rows[b] for b in edges[topic]) - 1
            rows[a] = min(rows[topic] for topic in heads) - 1
    return rows


def _places(rows: dict[str, int], edges: Edges) -> tuple[dict[str, tuple[float, float]], float, float]:
    """The middle of each box, and the size of the picture; boxes stand below those that point to them."""
    by_row: dict[int, list[str]] = {}
    for name in sorted(rows):
        by_row.setdefault(rows[name], []).append(name)
    widths = {row: sum(_width(name) + GAP for name in names) for row, names in by_row.items()}
    width = max(widths.values()) + 2 * MARGIN + 90
    places: dict[str, tuple[float, float]] = {}
    for row in sorted(by_row):
        above = {
            name: [places[a][0] for a in edges if name in edges[a] and a in places] for name in by_row[row]
        }
        names = sorted(
            by_row[row], key=lambda name: sum(above[name]) / len(above[name]) if above[name] else width
        )
        x = (width - widths[row] + GAP) / 2
        for name in names:
            places[name] = (x + _width(name) / 2, MARGIN + HEIGHT / 2 + row * ROW)
            x += _width(name) + GAP
    return places, width, MARGIN * 2 + HEIGHT + ROW * max(by_row)


def _width(name: str) -> float:
    return len(name.removeprefix("topic:")) * LETTER + 30


def _box(root: xml.Element, name: str, x: float, y: float) -> None:
    width, is_topic = _width(name), name.startswith("topic:")
    group = xml.SubElement(root, "g")
    group.set("class", "topic" if is_topic else "node")
    box = {"x": f"{x - width / 2:.1f}", "y": f"{y - HEIGHT / 2:.1f}", "width": f"{width:.1f}"}
    xml.SubElement(group, "rect", **box, height=f"{HEIGHT}", rx="4" if is_topic else "17")
    xml.SubElement(group, "text", x=f"{x:.1f}", y=f"{y + 4.5:.1f}").text = name.removeprefix("topic:")


def _arrow(root: xml.Element, start: tuple[float, float], end: tuple[float, float]) -> None:
    (x0, y0), (x1, y1) = start, end
    top, bottom = y0 + HEIGHT / 2, y1 - HEIGHT / 2
    bend = min(30.0, (bottom - top) / 2)
    curve = (
        f"M{x0:.1f} {top:.1f} C{x0:.1f} {top + bend:.1f} {x1:.1f} {bottom - bend:.1f} {x1:.1f} {bottom:.1f}"
    )
    xml.SubElement(root, "path", d=curve)


def _arrow_back(root: xml.Element, start: tuple[float, float], end: tuple[float, float]) -> None:
    """From the left of a box to the left of one above, round those between."""
    (x0, y0), (x1, y1) = start, end
    side, turn = MARGIN + 10, 40
    curve = (
        f"M{x0:.1f} {y0:.1f} L{side + turn:.1f} {y0:.1f} Q{side:.1f} {y0:.1f} {side:.1f} {y0 - turn:.1f} "
        f"L{side:.1f} {y1 + turn:.1f} Q{side:.1f} {y1:.1f} {side + turn:.1f} {y1:.1f} L{x1:.1f} {y1:.1f}"
    )
    xml.SubElement(root, "path", d=curve)


if __name__ == "__main__":
    main()
