"""Plain data (`simlab.data.plain`) as strict JSON and back, to the bit: arrays, tuples and infinities survive.

An array is `{"$array": nested lists, "dtype": "float64"}`; a number that JSON has not is `{"$number": "nan"}`, or one
of the strings "nan", "inf", "-inf" inside an array.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from simlab.data.blinding import plain


def to_json(value: Any) -> Any:
    """Plain data as what `json.dumps(..., allow_nan=False)` takes; raises SimlabError where `value` is not plain."""
    return _encoded(plain(value))


def _encoded(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return {"$array": _finite(value.tolist()), "dtype": value.dtype.name, "shape": list(value.shape)}
    if isinstance(value, float) and not math.isfinite(value):
        return {"$number": str(value)}
    if isinstance(value, dict):
        return {name: _encoded(item) for name, item in value.items()}
    return [_encoded(item) for item in value] if isinstance(value, tuple) else value


def _finite(value: Any) -> Any:
    if isinstance(value, list):
        return [_finite(item) for item in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def from_json(value: Any) -> Any:
    """What `to_json` was given; lists become tuples."""
    if isinstance(value, Mapping):
        if "$array" in value:
            return np.array(value["$array"], dtype=value["dtype"]).reshape(value["shape"])
        if "$number" in value:
            return float(value["$number"])
        return {str(name): from_json(item) for name, item in value.items()}
    return tuple(from_json(item) for item in value) if isinstance(value, list) else value
