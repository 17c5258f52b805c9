"""Rules of parameters: the type and range of a field, stated in its annotation and checked when the value is made.

    membrane_time_constant: Annotated[float, Within(1e-3, 0.2, "s")] = 20e-3

    def __post_init__(self) -> None:
        check_fields(self)

A range is what is possible and plausible; a value outside of it that lies inside in another unit is told so ("if 20 ms
was meant, write 0.02"). `simlab.rules.quantities` names those of common quantities. What spans several fields stays in
the class, which calls `require`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

from simlab.errors import SimlabError
from simlab.rules.annotations import fits, plain, resolved
from simlab.rules.messages import broken
from simlab.rules.ranges import Spelled, Within

__all__ = ["Spelled", "Within", "check_arguments", "check_fields", "require"]


def require(rule: bool, message: str) -> None:
    """Raises SimlabError with this message, which names rule, value and fix, unless the rule holds."""
    if not rule:
        raise SimlabError(message)


def check_fields(plugin: Any, *, defaults: bool = False) -> None:
    """Raises SimlabError for the first field of a dataclass instance that is not what its annotation says.

    numpy's numbers become Python's, and lists become tuples where a tuple is declared. A default is taken as it is,
    unless `defaults` are to be checked as well. Anything but a dataclass has no fields.
    """
    owner: Any = type(plugin)
    name = getattr(owner, "name", None)
    named = name if isinstance(name, str) else owner.__name__
    hints = resolved(owner)
    for field in dataclasses.fields(plugin) if dataclasses.is_dataclass(plugin) else ():
        value, hint = getattr(plugin, field.name), hints.get(field.name, Any)
        if hint is not Any and (defaults or value is not field.default):
            _check(value, hint, f"{named}: {field.name}", field.default)
            object.__setattr__(plugin, field.name, plain(value, hint))


def check_arguments(function: Callable[..., Any], arguments: Mapping[str, Any]) -> None:
    """Raises SimlabError for the first argument that is not what the function's annotation says."""
    for name, hint in resolved(function).items():
        if name in arguments:
            _check(arguments[name], hint, name, dataclasses.MISSING)


def _check(value: Any, hint: Any, what: str, default: Any) -> None:
    if not fits(value, hint):
        raise SimlabError(broken(what, value, hint, default))
