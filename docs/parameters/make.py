"""``python docs/parameters/make.py``: docs/parameters.md, from what the nodes declare."""

from __future__ import annotations

import sys
from pathlib import Path

import rclpy

import listener_head.nodes
from listener_head.ros.compose import node_class
from listener_head.ros.node import GraphNode
from listener_head.ros.parameters import Declaration

PAGE = Path(__file__).parents[1] / "parameters.md"
NODES = sorted(path.stem for path in Path(listener_head.nodes.__file__).parent.glob("[!_]*.py"))
_INTRODUCTION = """# Parameters

Made by `docs/parameters/make.py` from what the nodes declare. Set them in a file like
`config/listener_head.yaml`, on the command line (`--ros-args -p NAME:=VALUE`), or at run time:

```bash
ros2 param describe /listener head_gain
ros2 param set /listener head_gain 0.5
```

A change takes effect *at once*, or *at the next configure*: then it is refused while the node is active, and
a node that is deactivated and cleaned up takes it over when it is configured again. A value that is not
allowed is refused with what is; given at the start, it fails the configuration. A parameter that a node does
not have is named in its log, with the nearest that it has, and ignored.
"""


def main() -> None:
    """Write the page."""
    rclpy.init()
    PAGE.write_text(page())
    rclpy.shutdown()
    print(PAGE, file=sys.stderr)


def page() -> str:
    """The page's text; rclpy must be initialised."""
    declared = {executable: _declarations(executable) for executable in NODES}
    common = [
        declaration
        for name, declaration in declared[NODES[0]].items()
        if all(others.get(name) == declaration for others in declared.values())
    ]
    parts = [_INTRODUCTION, "## Every node\n\n" + _table(common)]
    for executable, declarations in declared.items():
        own = [declaration for declaration in declarations.values() if declaration not in common]
        parts.append(f"## {executable}\n\n" + _table(own))
    return "\n".join(parts)


def _declarations(executable: str) -> dict[str, Declaration]:
    node: GraphNode = node_class(executable)()
    node.destroy_node()
    return node.declarations


def _table(declarations: list[Declaration]) -> str:
    rows = ["| parameter | type | default | allowed | a change takes effect | |", "|---|---|---|---|---|---|"]
    for declaration in declarations:
        default = _text(declaration.default)
        rows.append(
            f"| `{declaration.name}` | {declaration.type} | {default} | {declaration.allowed} "
            f"| {declaration.takes_effect} | {declaration.description} |"
        )
    return "\n".join(rows) + "\n"


def _text(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return ", ".join(f"`{item}`" for item in value if item) or "none"
    return f"`{value}`" if value != "" else ""


if __name__ == "__main__":
    main()
