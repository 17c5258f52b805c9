"""Annotations of fields and arguments: evaluated, and whether a value is what they say."""

from __future__ import annotations

import inspect
import sys
from functools import cache
from numbers import Integral, Real
from types import SimpleNamespace, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints


@cache
def resolved(owner: Any) -> dict[str, Any]:
    """The annotations of a class or function, evaluated one by one.

    What cannot be (a name that only the type checker imports, or that is local to a function) is left out.
    """
    found: dict[str, Any] = {}
    for part in reversed(owner.__mro__) if isinstance(owner, type) else (owner,):
        names = dict(vars(sys.modules.get(part.__module__, object)))
        for name, annotation in inspect.get_annotations(part).items():
            alone = SimpleNamespace(__annotations__={name: annotation})
            try:
                found |= get_type_hints(alone, names, include_extras=True)
            except Exception:  # whatever a stranger's annotation raises
                found.pop(name, None)
    return found


def stated(hint: Any, rule: Any = None) -> tuple[Any, Any]:
    """An annotation without its `Annotated`, and the rule that this states; `rule` where it states none."""
    if get_origin(hint) is not Annotated:
        return hint, rule
    rules = (extra for extra in hint.__metadata__ if hasattr(extra, "__contains__"))
    return get_args(hint)[0], next(rules, rule)


def fits(value: Any, hint: Any, rule: Any = None) -> bool:
    """Whether a value is what an annotation says, and keeps the rule of it or of one around it."""
    hint, rule = stated(hint, rule)
    origin, parts = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return any(fits(value, part, rule) for part in parts)
    if origin is Literal:
        return any(type(value) is type(choice) and value == choice for choice in parts)
    if origin is tuple:
        return type(value) in (tuple, list) and _members_fit(value, parts, rule)
    if hint in (int, float, bool, str):
        return is_plain(value, hint) and (rule is None or value in rule)
    return _is_a(value, origin or hint)


def _members_fit(values: Any, parts: tuple[Any, ...], rule: Any) -> bool:
    if parts[1:] == (...,):
        return all(fits(value, parts[0], rule) for value in values)
    return len(values) == len(parts) and all(fits(*pair, rule) for pair in zip(values, parts, strict=True))


def is_plain(value: Any, kind: type) -> bool:
    """A number, flag or text of Python's or numpy's; a flag is no number, a whole number is one of either kind."""
    if kind is bool:
        return type(value) is bool or (type(value).__module__, type(value).__name__[:4]) == ("numpy", "bool")
    if kind is str:
        return isinstance(value, str)
    if isinstance(value, bool) or not isinstance(value, Integral if kind is int else Real):
        return False
    try:
        float(value)
    except OverflowError:
        return False
    return True


def _is_a(value: Any, kind: Any) -> bool:
    """An instance of a class; a class is none of a protocol, though it has the attributes."""
    if kind is None:
        return value is None
    if not isinstance(kind, type):
        return True  # Any, a type variable: nothing is said
    if getattr(kind, "_is_protocol", False) and isinstance(value, type):
        return False
    try:
        return isinstance(value, kind)
    except TypeError:  # a protocol that cannot be checked while a program runs
        return True


def plain(value: Any, hint: Any = tuple) -> Any:
    """numpy's numbers, flags and texts as Python's, lists as tuples where the hint has one; anything else as it is."""
    if type(value) is tuple or (type(value) is list and _has_tuple(hint)):
        return tuple(map(plain, value))
    for kind in (bool, int, float, str):
        if is_plain(value, kind):
            return kind(value)
    return value


def _has_tuple(hint: Any) -> bool:
    return tuple in (hint, get_origin(hint)) or any(map(_has_tuple, get_args(hint)))
