"""What was received from outside, made plain: numbers, lists and objects that came in whatever class."""

from __future__ import annotations

import operator
import reprlib
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from simlab.errors import SimlabError
from simlab.rules import require

LARGEST = 2**31 - 1
"""No whole number of a session is larger: a count of trials or an index."""


def shown(value: object) -> str:
    """A received value for an error message: short, on one line, whatever it is."""
    try:
        return " ".join(reprlib.repr(value).split())
    except Exception:  # a number of 5,000 digits, an object whose own repr fails
        return f"something of type {type(value).__name__}"


def whole(name: str, value: Any, least: int = -LARGEST) -> int:
    """A whole number of a session as a plain int; raises SimlabError for a bool, a fraction, or what is out of range.

    Plain, so that what is counted against a budget and what then runs are one number, whatever class it came in.
    """
    if type(value) is int and least <= value <= LARGEST:
        return value
    rule = f"{name} must be a whole number" + (f" >= {least}" if least >= 0 else "")
    try:
        require(not isinstance(value, bool | np.bool_), f"{rule}, got {shown(value)}")
        number = operator.index(value)
    except TypeError:
        raise SimlabError(f"{rule}, got {shown(value)}") from None
    require(least <= number <= LARGEST, f"{rule} and <= {LARGEST}, got {shown(number)}")
    return number


def finite(name: str, value: Any) -> float:
    """A quantity of a session as a plain float; raises SimlabError for what is no number or not finite."""
    value = value[()] if isinstance(value, np.ndarray) and value.ndim == 0 else value
    good = isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
    try:
        number = float(value) if good else np.nan
    except (OverflowError, TypeError, ValueError):  # an int of 400 digits, a subclass that lies
        number = np.nan
    if not np.isfinite(number):
        raise SimlabError(f"{name} must be a finite number, got {shown(value)}")
    return number


def several(name: str, values: Any) -> tuple[Any, ...]:
    """A list, tuple, array or other iterable as a tuple; raises SimlabError for text, a mapping or a single value."""
    listed = isinstance(values, Iterable) and not isinstance(values, str | bytes | Mapping)
    if not listed:  # the text of an error is made where there is one: a stimulus is long
        raise SimlabError(f"{name} must be a list, got {shown(values)}")
    try:
        return tuple(values)
    except TypeError:  # an array without a dimension
        raise SimlabError(f"{name} must be a list, got {shown(values)}") from None


def fields(name: str, plain: Any, needed: set[str], optional: set[str]) -> None:
    """Raises SimlabError unless `plain` is a mapping that has all `needed` fields and no unknown one."""
    require(isinstance(plain, Mapping), f"{name} must be an object with fields, got {shown(plain)}")
    unknown, lacking = set(plain) - needed - optional, needed - set(plain)
    require(not unknown, f"{name} has no field {shown(sorted(map(str, unknown)))}")
    require(not lacking, f"{name} needs {', '.join(sorted(lacking))}, got {shown(dict(plain))}")


def numbers(name: str, values: Any) -> np.ndarray:
    """Nested lists of numbers as an array of its own, None as NaN; raises SimlabError for what is none."""
    try:
        return np.array(values, dtype=float)
    except (TypeError, ValueError, OverflowError) as error:
        raise SimlabError(f"{name} must be numbers in lists of equal lengths, got {shown(values)}") from error
