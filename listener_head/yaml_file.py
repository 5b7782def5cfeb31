"""YAML files that people write: their content and the line of every key, for complaints that say where."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from listener_head.errors import UserError

# Keys and list positions from the top of the file down to one value.
Location = tuple[str | int, ...]

_MOST_BYTES = 2**20
# Aliases of aliases can make a few lines into billions of values.
_MOST_VALUES = 20_000


def read_yaml(path: Path, kind: str, keys: Iterable[str]) -> tuple[dict[str, Any], dict[Location, int]]:
    """The mapping in a file as plain data, and the line of every key and list item.

    ``kind`` ("robot file") and the ``keys`` it may have are for messages. UserError, one line with file
    and line, for a file that is missing, not YAML or no mapping, and for a key that is there twice.
    """
    try:
        with path.open(encoding="utf-8") as file:
            text = file.read(_MOST_BYTES)
            if file.read(1):
                raise UserError(f"{kind} {path} is larger than {_MOST_BYTES} bytes; give the right file")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise UserError(f"{kind} {path} cannot be read: {reason}; give the path of a YAML file") from None
    lines: dict[Location, int] = {(): 1}
    try:
        loader = yaml.SafeLoader(text)
        root = loader.get_single_node()
        if not isinstance(root, yaml.MappingNode):
            raise UserError(f"{path}:1: not a {kind}; it needs the keys {', '.join(keys)}")
        return _plain(loader, root, (), path, lines), lines
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise UserError(
            f"{path}:{line}: not valid YAML: {error.problem or error.context}; correct it"
        ) from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        if isinstance(error, UserError):
            raise
        raise UserError(f"{path}:1: not valid YAML: {' '.join(str(error).split())}; correct it") from None


def line_of(lines: dict[Location, int], location: Location) -> int:
    """Line of the innermost part of the location that the file has."""
    while location not in lines:
        location = location[:-1]
    return lines[location]


def _plain(
    loader: yaml.SafeLoader, node: yaml.Node, at: Location, path: Path, lines: dict[Location, int]
) -> Any:
    if isinstance(node, yaml.SequenceNode):
        items = []
        for i, item in enumerate(node.value):
            _note(lines, (*at, i), item.start_mark.line + 1, path)
            items.append(_plain(loader, item, (*at, i), path, lines))
        return items
    if isinstance(node, yaml.MappingNode):
        mapping: dict[str, Any] = {}
        for key_node, value in node.value:
            key, line = str(key_node.value), key_node.start_mark.line + 1
            if key in mapping:
                raise UserError(f"{path}:{line}: key '{key}' is there twice; remove one")
            _note(lines, (*at, key), line, path)
            mapping[key] = _plain(loader, value, (*at, key), path, lines)
        return mapping
    return loader.construct_object(node)


def _note(lines: dict[Location, int], at: Location, line: int, path: Path) -> None:
    if len(lines) > _MOST_VALUES:
        raise UserError(f"{path}:{line}: the file has more than {_MOST_VALUES} values; use fewer aliases")
    lines[at] = line
