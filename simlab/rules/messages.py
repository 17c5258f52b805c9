"""What a message says of a value that breaks its rule: the rule in words, the value, and the fix."""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Iterator
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

from simlab.rules.annotations import is_plain, stated
from simlab.rules.ranges import Within

NAMES = {
    int: ("a whole number", "whole numbers"), float: ("a number", "numbers"), str: ("text", "texts"),
    bool: ("True or False", "flags"), NoneType: ("None", "None"), Any: ("anything", "values"),
}  # fmt: skip
"""What one and several of a kind are called."""


def broken(what: str, value: Any, hint: Any, default: Any) -> str:
    """The message for a value that does not fit its annotation: rule, value received and fix."""
    return f"{what} must be {words(hint)}, got {shown(value)}: {_fix(value, hint, default)}"


def words(hint: Any, rule: Any = None, many: bool = False) -> str:
    """An annotation in words: `a tuple of 2: a number in 0..1 s, a number in 0..1 s`."""
    hint, rule = stated(hint, rule)
    origin, parts = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return " or ".join(words(part, rule, many) for part in parts)
    if origin is Literal:
        return f"one of {', '.join(map(str, parts))}"
    if origin is tuple and parts[1:] == (...,):
        return f"a tuple of {words(parts[0], rule, True)}"
    if origin is tuple:
        return f"a tuple of {len(parts)}: {', '.join(words(part, rule) for part in parts)}"
    kind = origin or hint
    name = getattr(kind, "__name__", str(kind))
    one, several = NAMES.get(kind, (f"{'an' if name[0] in 'AEIOU' else 'a'} {name}", f"{name} values"))
    ruled = rule is not None and kind in (int, float, str)
    return f"{several if many else one}{f' {rule}' if ruled else ''}"


def shown(value: Any) -> str:
    """A value as a message shows it, cut to a line."""
    try:
        text = repr(value)
    except Exception:  # a whole number of more digits than Python writes, or a stranger's repr
        return f"a {type(value).__name__} that cannot be shown"
    return text if len(text) <= 80 else f"{text[:77]}..."


def _fix(value: Any, hint: Any, default: Any) -> str:
    kinds, members = list(_kinds(hint)), value if isinstance(value, tuple | list) else (value,)
    if bare := [member for member in members if isinstance(member, type)]:
        return f"write {bare[0].__name__}() with brackets: an instance, not the class"
    if isinstance(value, str) and _is_number(value) and any(kind in (int, float) for kind, _ in kinds):
        return f"write {value.strip()} without quotes"
    if not isinstance(value, tuple | list) and any(kind is tuple for kind, _ in kinds):
        return f"write ({shown(value)},) for a single one"
    choices = [str(choice) for kind, _ in kinds if get_origin(kind) is Literal for choice in get_args(kind)]
    if isinstance(value, str) and (near := difflib.get_close_matches(value, choices, 1)):
        return f"did you mean {near[0]!r}?"
    numbers = [member for member in members if is_plain(member, float)]
    slips = (rule.slip(n) for n in numbers for _, rule in kinds if isinstance(rule, Within) and n not in rule)
    usual = "give such a value" if default is dataclasses.MISSING else f"the default is {default!r}"
    return next(filter(None, slips), usual)


def _kinds(hint: Any, rule: Any = None) -> Iterator[tuple[Any, Any]]:
    """The kinds that an annotation is made of, each with its rule."""
    hint, rule = stated(hint, rule)
    if get_origin(hint) is tuple:
        yield tuple, None
    if get_origin(hint) in (Union, UnionType, tuple):
        for part in get_args(hint):
            yield from _kinds(part, rule)
    else:
        yield hint, rule


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
