"""What a node says about each of its parameters, and what it takes for one."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor

from listener_head.errors import UserError

_TYPES = {bool: "bool", int: "int", float: "double", str: "string", list: "string[]"}
_ASKED_FOR = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "text",
    list: "a list of texts",
}


@dataclass(frozen=True)
class Declaration:
    """A parameter of a node.

    ``low`` and ``high`` bound a number, in ``unit``; ``choices`` are all that a text may be. A parameter that
    is ``read_only`` is read when the node is made; one that is ``fixed`` when it is configured; any other
    changes at run time. ``check`` raises UserError for values that the rest lets through, and ``changed``
    takes over a new one of a node that is configured.
    """

    name: str
    default: Any
    description: str
    low: float | None = None
    high: float | None = None
    unit: str = ""
    choices: tuple[str, ...] = ()
    fixed: bool = False
    read_only: bool = False
    check: Callable[[Any], None] | None = field(default=None, compare=False)
    changed: Callable[[Any], None] | None = field(default=None, compare=False)

    @property
    def type(self) -> str:
        """The type by its name in ROS."""
        return _TYPES[type(self.default)]

    @property
    def allowed(self) -> str:
        """Range with unit, or the choices; empty when anything of the type may be given."""
        if self.low is not None and self.high is not None:
            return f"{self.low:.10g} to {self.high:.10g} {self.unit}".rstrip()
        return _one_of(self.choices)

    @property
    def takes_effect(self) -> str:
        """When a new value does."""
        if self.read_only:
            return "never: read when the node starts"
        return "at the next configure" if self.fixed else "at once"

    def accepted(self, value: Any) -> Any:
        """The value in the parameter's type.

        Whole numbers do for numbers and, since the command line makes them of it, for texts.

        Raises:
            UserError: another type, outside the range, not among the choices, or refused by ``check``.
        """
        wanted = type(self.default)
        if type(value) is int and wanted in (float, str):
            value = wanted(value)
        if type(value) is not wanted:
            raise UserError(f"parameter {self.name} is {value!r}; give {self.allowed or _ASKED_FOR[wanted]}")
        if self.low is not None and self.high is not None and not self.low <= value <= self.high:
            raise UserError(f"parameter {self.name} is {value}; give {self.allowed}")
        if self.choices and value not in self.choices:
            raise UserError(f"parameter {self.name} is '{value}'; choose {self.allowed}")
        if self.check is not None:
            self.check(value)
        return value

    def descriptor(self) -> ParameterDescriptor:
        """What `ros2 param describe` shows."""
        descriptor = ParameterDescriptor(
            description=f"{self.description} [{self.unit}]" if self.unit else self.description,
            additional_constraints=f"{_one_of(self.choices)}; ".lstrip("; ")
            + f"a change takes effect {self.takes_effect}",
            read_only=self.read_only,
        )
        if self.low is not None and self.high is not None:
            if isinstance(self.default, float):
                descriptor.floating_point_range = [
                    FloatingPointRange(from_value=self.low, to_value=self.high)
                ]
            else:
                bounds = IntegerRange(from_value=int(self.low), to_value=int(self.high), step=1)
                descriptor.integer_range = [bounds]
        return descriptor


def unknown_parameter(name: str, known: Iterable[str]) -> str:
    """One line on a parameter that a node does not have, with the nearest that it has."""
    nearest = get_close_matches(name, list(known), 1, 0.0)
    return f"there is no parameter '{name}'" + (f"; did you mean '{nearest[0]}'?" if nearest else "")


def _one_of(choices: tuple[str, ...]) -> str:
    return " or ".join(filter(None, (", ".join(choices[:-1]), *choices[-1:])))
