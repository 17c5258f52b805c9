"""Parameters in words: what `--set part.field=value` says, and the values that it gives to the parts that it means."""

from __future__ import annotations

import ast
import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from simlab.contracts import SimlabError
from simlab.naming import kind_of, name_of, near
from simlab.registry import create, made

Changes = dict[tuple[str, ...], Any]
"""Values by the path of a field: ("n_units",), or ("method", "alpha") for that of a part within the part."""

ODDITIES = {"inf": float("inf"), "-inf": float("-inf"), "nan": float("nan")}


@dataclass(frozen=True)
class Setting:
    """One `--set`: as it was written, the names before its `=`, and the value after it."""

    text: str
    path: tuple[str, ...]
    value: Any


def parsed(text: str) -> Setting:
    """What `part.field=value` or `field=value` says: a Python literal where the value is one, else a string."""
    names, equals, value = (piece.strip() for piece in text.partition("="))
    path = tuple(names.split("."))
    if not equals or not value or not all(name.isidentifier() for name in path):
        raise SimlabError(
            f"a setting must read field=value or part.field=value, got {text!r}: n_units=30, or subsample.n_units=30"
        )
    return Setting(text, path, literal(value))


def literal(text: str) -> Any:
    """A number, flag, None, string or tuple of them, as Python writes it; what is none of these is a string."""
    try:
        return _frozen(ast.literal_eval(text))
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return {"true": True, "false": False, "none": None}.get(text.lower(), text)


def _frozen(value: Any) -> Any:
    return tuple(_frozen(item) for item in value) if isinstance(value, list | tuple) else value


def placed(
    texts: Iterable[str],
    parts: Mapping[str, Sequence[Any]],
    aliases: Mapping[str, str] | None = None,
    only_named: Sequence[str] = (),
) -> dict[str, Changes]:
    """The part that each setting means, and what it changes there.

    parts: objects or classes by the name that they go by. aliases: other words for these names. only_named: parts that
    a setting must name; a bare `field=value` means the one other part that has such a field. Raises SimlabError for
    a part or field that there is not, for a field that several parts have, and for one that is set twice.
    """
    found: dict[str, Changes] = {}
    for setting in map(parsed, texts):
        name, path = _meant(setting, parts, aliases or {}, only_named)
        changes = found.setdefault(name, {})
        if path in changes:
            raise SimlabError(
                f"{'.'.join((name, *path))} is set twice, the second time by {setting.text!r}: set it once"
            )
        changes[path] = setting.value
    return found


def _meant(
    setting: Setting, parts: Mapping[str, Sequence[Any]], aliases: Mapping[str, str], only_named: Sequence[str]
) -> tuple[str, tuple[str, ...]]:
    first, *rest = setting.path
    name = aliases.get(first, first)
    if rest and name in parts:
        if not any(rest[0] in fields_of(part) for part in parts[name]):
            raise _no_field(name, rest[0], parts[name])
        return name, tuple(rest)
    having = [
        part for part, them in parts.items() if part not in only_named and any(first in fields_of(p) for p in them)
    ]
    if len(having) == 1:
        return having[0], setting.path
    if having:
        choice = " or ".join(f"{part}.{first}" for part in having)
        raise SimlabError(f"{first} is a parameter of {' and of '.join(having)}, got {setting.text!r}: set {choice}")
    raise _nobody(setting, parts)


def _no_field(name: str, field: str, plugins: Sequence[Any]) -> SimlabError:
    known = sorted({known for plugin in plugins for known in fields_of(plugin)})
    return SimlabError(f"{name} has no parameter {field}{near(field, known)}; it takes: {', '.join(known) or 'none'}")


MOST_LISTED = 3
"""Of so many parts a message lists the parameters: those of an experiment's would fill a terminal."""


def _nobody(setting: Setting, parts: Mapping[str, Sequence[Any]]) -> SimlabError:
    word, got = setting.path[0], f"got {setting.text!r}"
    if len(setting.path) > 1:
        return SimlabError(f"no part is named {word!r}{near(word, parts)}, {got}; there are: {', '.join(parts)}")
    fields = {name: sorted({field for part in them for field in fields_of(part)}) for name, them in parts.items()}
    listed = "; ".join(f"{name}: {', '.join(known) or 'none'}" for name, known in fields.items())
    there_are = listed if len(fields) <= MOST_LISTED else f"{', '.join(fields)}: `simlab show NAME` lists them"
    hint = near(word, {field for own in fields.values() for field in own})
    return SimlabError(f"no part has a parameter {word}{hint}, {got}; the parameters are, of {there_are}")


def fields_of(plugin: Any) -> list[str]:
    """The names of the parameters of a plug-in, object or class."""
    return [field.name for field in dataclasses.fields(plugin) if field.init] if _has_fields(plugin) else []


def _has_fields(plugin: Any) -> bool:
    return dataclasses.is_dataclass(plugin)


def with_changes(plugin: Any, changes: Changes) -> Any:
    """An instance of a class, or a copy of an object, with these values; 30 is 30.0 where a field holds a float."""
    values: dict[str, Any] = {}
    for path, value in changes.items():
        field, *inner = path
        if field not in fields_of(plugin):
            raise _no_field(name_of(plugin), field, [plugin])
        present = values[field] if field in values else present_value(plugin, field)
        if inner:
            values[field] = _within(plugin, field, present, tuple(inner), value)
        else:
            values[field] = _fitting(f"{name_of(plugin)}: {field}", value, present)
    return made(plugin, values)


def _within(plugin: Any, field: str, present: Any, inner: tuple[str, ...], value: Any) -> Any:
    if not _has_fields(present):
        raise SimlabError(
            f"{name_of(plugin)}.{field} has no parameters of its own, got {'.'.join(inner)}: set {field} as a whole"
        )
    return with_changes(present, {inner: value})


def present_value(plugin: Any, field: str) -> Any:
    """The value that a field has, or has by default in a class; MISSING where there is none."""
    if not isinstance(plugin, type):
        return getattr(plugin, field)
    declared = next(f for f in dataclasses.fields(plugin) if f.name == field)
    return declared.default_factory() if callable(declared.default_factory) else declared.default


def _fitting(what: str, value: Any, present: Any) -> Any:
    """The value as a field that holds `present` would: 30 as 30.0 where that is a float, a plug-in by its name."""
    if isinstance(present, bool | int | float) and isinstance(value, str):
        number = ODDITIES.get(value.lower()) if isinstance(present, float) else None
        if number is None:
            raise SimlabError(f"{what} must be a {'flag' if isinstance(present, bool) else 'number'}, got {value!r}")
        return number
    if isinstance(present, float):
        return float(value) if type(value) is int and abs(value) < 2**53 else value
    if isinstance(present, tuple) and present and isinstance(value, tuple):
        return tuple(_fitting(what, item, present[0]) for item in value)
    if isinstance(value, str) and _has_fields(present) and not isinstance(present, type):
        return create(kind_of(present), value)
    return value
