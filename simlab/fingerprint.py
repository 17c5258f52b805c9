"""Descriptions of frozen values as plain JSON, and hashes of them: the names of cells and of stored activity."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from simlab.contracts import SimlabError
from simlab.naming import name_of
from simlab.sources import code_hash


def describe(value: Any) -> Any:
    """A value as JSON-ready data; dataclasses become `{"name": ..., "parameters": {...}}`, wherever defined."""
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int | np.integer):
        return int(value)
    if isinstance(value, float | np.floating):
        return float(value) if math.isfinite(value) else repr(float(value))
    if isinstance(value, np.ndarray):
        return {"array": hashlib.sha256(np.ascontiguousarray(value).tobytes()).hexdigest(), "shape": list(value.shape),
                "dtype": str(value.dtype)}  # fmt: skip
    if isinstance(value, Mapping):
        return {str(k): describe(v) for k, v in value.items()}
    if isinstance(value, tuple | list | set | frozenset):
        items = [describe(v) for v in value]
        return sorted(items, key=repr) if isinstance(value, set | frozenset) else items
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {"name": name_of(value), "parameters": parameters(value)}
    if isinstance(value, Path):
        return str(value)
    if callable(value):
        return {"function": getattr(value, "__qualname__", repr(value))}
    if hasattr(value, "__dict__"):
        return {"name": name_of(value), "parameters": describe(vars(value))}
    raise SimlabError(f"parameters must be numbers, strings, arrays, tuples or frozen dataclasses, got {value!r}")


def parameters(plugin: Any) -> dict[str, Any]:
    """The fields of a dataclass instance as JSON-ready data; of any other object, its attributes."""
    if dataclasses.is_dataclass(plugin):
        return {f.name: describe(getattr(plugin, f.name)) for f in dataclasses.fields(plugin)}
    return {k: describe(v) for k, v in getattr(plugin, "__dict__", {}).items()}


def fingerprint(value: Any) -> str:
    """SHA-256 of `describe(value)`, as 64 hex digits."""
    return hashlib.sha256(json.dumps(describe(value), sort_keys=True).encode()).hexdigest()


_value_hashes: dict[int, tuple[Any, str]] = {}


def value_hash(part: Any) -> str:
    """Hash of a circuit, instrument, method or stimulator by name and parameters; remembered by object."""
    kept = _value_hashes.get(id(part))
    if kept is None or kept[0] is not part:
        kept = (part, fingerprint(part)[:32])
        _value_hashes[id(part)] = kept  # holds on to the part, so that its id stays its own
    return kept[1]


def part_hash(part: Any) -> str:
    """The same and the code that it runs: stored activity and finished cells are named by it."""
    return value_hash(part) + code_hash(type(part))


def label(plugin: Any) -> str:
    """A plug-in's name with the parameters that differ from their defaults: `subsample(n_units=20)`."""
    changed = []
    for field in dataclasses.fields(plugin) if dataclasses.is_dataclass(plugin) else ():
        value = getattr(plugin, field.name)
        default = field.default_factory() if callable(field.default_factory) else field.default
        if describe(value) != (None if default is dataclasses.MISSING else describe(default)):
            changed.append(f"{field.name}={_short(value)}")
    return f"{name_of(plugin)}({', '.join(changed)})" if changed else name_of(plugin)


def _short(value: Any) -> str:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return label(value)
    return f"{value:g}" if isinstance(value, float) else str(value)
