"""Shared by questions whose answer is one number with an interval, optional: its form, and how the interval fares."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from simlab.contracts import SimlabError, Variable

NAN = float("nan")


def form_of(name: str, low: float = float("-inf")) -> dict[str, Variable]:
    """The number `name`, at least `low`, and the ends of its 95% interval."""
    return {
        name: Variable((), low=low),
        "low": Variable((), optional=True, low=low),
        "high": Variable((), optional=True, low=low),
    }


def interval(given: Mapping[str, Any]) -> tuple[float, float]:
    """The stated ends, NaN where there are none; SimlabError where there is but one, or low is above high."""
    if "low" not in given and "high" not in given:
        return NAN, NAN
    if "low" not in given or "high" not in given:
        raise SimlabError(f"an interval has two ends, got {sorted(set(given) & {'low', 'high'})}: state both or none")
    low, high = float(given["low"]), float(given["high"])
    if low > high:
        raise SimlabError(f"an interval needs low <= high, got {low:g} and {high:g}: write the lower first")
    return low, high


def covered(given: Mapping[str, Any], true: float) -> float:
    """Whether the interval holds the truth: 0 or 1; NaN where none was stated."""
    low, high = interval(given)
    return NAN if np.isnan(low) else float(low <= true <= high)


def width(given: Mapping[str, Any]) -> float:
    """Of the interval; NaN where none was stated."""
    low, high = interval(given)
    return high - low
