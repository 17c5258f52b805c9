"""Parts of an experiment: plug-ins made from their names, each of the right kind, each given once."""

from __future__ import annotations

import dataclasses
from typing import Any

from simlab.fingerprint import fingerprint
from simlab.naming import name_of
from simlab.registry import create, names
from simlab.rules import check_fields, require

PARTS = {
    "circuits": ("circuits", ("subject",)),
    "rivals": ("circuits", ("subject",)),
    "instruments": ("instruments", ("implant",)),
    "methods": ("methods", ("analyse", "investigate")),
    "stimulators": ("instruments", ("install",)),
}
"""Of a grid: the kind of each plug-in, and what it must have, one of these."""

MEMBERS = {"claims": ("a simlab.Claim", "check"), "questions": ("an instance of a question", "false_recovery")}
"""Of an experiment: what each is, and what it must have."""


def made(what: str, plugins: Any) -> tuple[Any, ...]:
    """The plug-ins of a part of a grid, those made that are given by name, with fields of the types that they declare.

    Raises SimlabError for what is none, or is of another kind.
    """
    kind = PARTS[what][0]
    given = tuple(create(kind, plugin) if isinstance(plugin, str) else plugin for plugin in _listed(what, plugins))
    for plugin in given:
        if plugin is not None or what != "stimulators":  # None is the ideal one
            _check_part(what, plugin)
    return given


def _listed(what: str, values: Any) -> tuple[Any, ...]:
    require(isinstance(values, tuple | list), f"{what} must be a tuple, got {values!r}: write ({values!r},) for one")
    return tuple(values)


def _check_part(what: str, plugin: Any) -> None:
    kind, attributes = PARTS[what]
    has = any(callable(getattr(plugin, attribute, None)) for attribute in attributes)
    fix = f"write {plugin.__name__}()" if isinstance(plugin, type) else f"choose from {', '.join(names(kind))}"
    require(
        has and not isinstance(plugin, type),
        f"{what} must be instances that have {' or '.join(attributes)}, or names, got {plugin!r}: {fix}",
    )
    require(
        dataclasses.is_dataclass(plugin) or not getattr(plugin, "__dict__", {}),
        f"{what} must be frozen dataclasses, got {name_of(plugin)}, whose parameters the lab cannot tell apart: write "
        f"@dataclass(frozen=True) above {type(plugin).__name__}, and its parameters as fields, without an __init__",
    )
    check_fields(plugin)


def check_distinct(what: str, values: tuple[Any, ...]) -> None:
    """Raises SimlabError where two are the same value."""
    found = [fingerprint(value) for value in values]
    twice = next((value for n, value in enumerate(values) if found[n] in found[:n]), None)
    require(len(set(found)) == len(found), f"{what} must differ from one another, got {twice!r} twice: name each once")


def members(what: str, values: Any) -> tuple[Any, ...]:
    """The claims or questions of an experiment; raises SimlabError for what is none, or where two have one name."""
    kind, attribute = MEMBERS[what]
    for value in _listed(what, values):
        is_one = callable(getattr(value, attribute, None)) and not isinstance(value, type)
        require(is_one, f"{what} must each be {kind}, got {value!r}: make one")
    found = [name_of(value) for value in values]
    twice = sorted({name for name in found if found.count(name) > 1})
    require(not twice, f"{what} must have names of their own, got {', '.join(twice)} twice: rename one")
    return tuple(values)
