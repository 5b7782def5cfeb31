"""Messages that nobody should send: real ones with fields that are wrong in every way their type allows."""

from __future__ import annotations

from array import array
from copy import deepcopy
from importlib import import_module
from typing import Any

import numpy as np
from hypothesis import strategies as st

# Words that mean something to some node, so that the numbers beside them are looked at.
WORDS = (
    *(
        "",
        "bgr8",
        "rgb8",
        "mono8",
        "rgba8",
        "yuv422",
        "16UC1",
        "32FC1",
        "garbage",
        "ä\u202e",
        "x" * 5000,
    ),
    *(
        "arkit52",
        "bfm2009",
        "paper45",
        "vico45",
        "plumb_bob",
        "equidistant",
        "torso_link",
        "../../etc/passwd",
    ),
    *("head_pan_joint", "head_tilt_joint", "head_roll_joint"),
)
HUGE = 30_000  # numbers
PARTS = 6  # messages within a message, at most
SIZES = (0, 1, 2, 3, 4, 9, 44, 45, 46, 51, 52, 53, 257, HUGE)
FLOATS = (0.0, -0.0, 1.0, -1e3, 1e6, 3e38, -3e38, 1e-40, float("nan"), float("inf"), -float("inf"))
BOUNDS = {
    **{f"int{bits}": (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) for bits in (8, 16, 32, 64)},
    **{f"uint{bits}": (0, 2**bits - 1) for bits in (8, 16, 32, 64)},
    "octet": (0, 255),
}
CODES = {"float": "f", "double": "d", "int16": "h", "uint8": "B", "uint16": "H", "uint32": "I"}


def malformed(real: Any) -> st.SearchStrategy[Any]:
    """``real`` with some of its fields, at any depth, replaced."""
    paths = list(_paths(type(real)))
    chosen = st.lists(st.sampled_from(paths), min_size=1, max_size=3, unique=True)
    return chosen.flatmap(
        lambda fields: st.tuples(*(_values(kind, _at(real, path)) for path, kind in fields)).map(
            lambda values: _replaced(real, [path for path, _ in fields], values)
        )
    )


def largest(real: Any) -> Any:
    """``real`` with every list of numbers as long as it can come from ``malformed``."""
    message = deepcopy(real)
    for path, field in _paths(type(real)):
        element = field.removeprefix("sequence<").removesuffix(">")
        if element in CODES and element != field:
            setattr(_at(message, path[:-1]), path[-1], _filled(CODES[element], HUGE, 0, 0))
        elif "/" in element:
            parts = _at(message, path)
            part = parts[0] if len(parts) else _class(element)()
            setattr(_at(message, path[:-1]), path[-1], [largest(part)] * PARTS)
    return message


def _replaced(real: Any, paths: list[tuple[str, ...]], values: tuple[Any, ...]) -> Any:
    message = deepcopy(real)
    for path, value in zip(paths, values, strict=True):
        setattr(_at(message, path[:-1]), path[-1], value)
    return message


def _at(message: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        message = getattr(message, name)
    return message


def _paths(kind: type, before: tuple[str, ...] = ()) -> Any:
    """The path and the type of every field that is no message."""
    for name, field in kind.get_fields_and_field_types().items():
        if "/" in field and "sequence" not in field and "[" not in field:
            yield from _paths(_class(field), (*before, name))
        else:
            yield (*before, name), field


def _class(field: str) -> type:
    package, kind = field.split("/")
    return getattr(import_module(f"{package}.msg"), kind)


def _values(field: str, real: Any) -> st.SearchStrategy[Any]:
    if field.startswith("sequence<"):
        return _sequences(field.removeprefix("sequence<").removesuffix(">"), real)
    if field.endswith("]"):
        element, _, size = field.removesuffix("]").partition("[")
        numbers = st.lists(_numbers(element), min_size=int(size), max_size=int(size))
        return numbers.map(lambda values: np.array(values, np.float32 if element == "float" else float))
    if field == "boolean":
        return st.booleans()
    if field == "string":
        return st.sampled_from(WORDS) | st.text(max_size=20)
    return _numbers(field)


def _numbers(field: str) -> st.SearchStrategy[Any]:
    if field in BOUNDS:
        low, high = BOUNDS[field]
        return st.sampled_from([low, high, *(n for n in (0, 1, 2, 480, 44100) if low <= n <= high)]) | (
            st.integers(low, high)
        )
    return st.sampled_from(FLOATS) | st.floats(width=32 if field == "float" else 64)


def _sequences(element: str, real: Any) -> st.SearchStrategy[Any]:
    if element == "string":
        return st.lists(st.sampled_from(WORDS[:-1]), max_size=5) | st.permutations(list(real))
    if "/" in element:
        part = real[0] if len(real) else _class(element)()
        return st.lists(st.just(part) | malformed(part), max_size=PARTS)
    # One value through and through, and another one somewhere: it is made fast, whatever the size.
    size = st.just(len(real)) | st.sampled_from(SIZES) | st.integers(0, 70)
    return st.builds(_filled, st.just(CODES[element]), size, _numbers(element), _numbers(element))


def _filled(code: str, size: int, value: Any, other: Any) -> array:
    values = array(code, [value]) * size
    if size:
        values[size // 2] = other
    return values
