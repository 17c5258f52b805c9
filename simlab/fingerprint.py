"""Descriptions of frozen values as plain JSON, and hashes of them: the names of cells and of stored activity."""

from __future__ import annotations

import dataclasses
import hashlib
import inspect
import json
import math
import sys
from collections.abc import Hashable, Mapping
from functools import cache
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

import numpy as np

from simlab.contracts import SimlabError


def describe(value: Any) -> Any:
    """A value as JSON-ready data: dataclasses become `{"type": "module:Class", "parameters": {...}}`."""
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
        return {"type": type_path(type(value)), "parameters": parameters(value)}
    if isinstance(value, Path):
        return str(value)
    if callable(value):
        return {"type": type_path(value)}
    if hasattr(value, "__dict__"):
        return {"type": type_path(type(value)), "parameters": describe(vars(value))}
    raise SimlabError(f"parameters must be numbers, strings, arrays, tuples or frozen dataclasses, got {value!r}")


def parameters(plugin: Any) -> dict[str, Any]:
    """The fields of a dataclass instance as JSON-ready data; of any other object, its attributes."""
    if dataclasses.is_dataclass(plugin):
        return {f.name: describe(getattr(plugin, f.name)) for f in dataclasses.fields(plugin)}
    return {k: describe(v) for k, v in getattr(plugin, "__dict__", {}).items()}


def type_path(cls: Any) -> str:
    """`module:QualifiedName` of a class or function."""
    return f"{getattr(cls, '__module__', '?')}:{getattr(cls, '__qualname__', repr(cls))}"


def fingerprint(value: Any) -> str:
    """SHA-256 of `describe(value)`, as 64 hex digits."""
    return hashlib.sha256(json.dumps(describe(value), sort_keys=True).encode()).hexdigest()


def source_hash(cls: type) -> str:
    """Hash of the source that a plug-in class runs: its module's and those of its package that this one uses.

    A class of a notebook or script is hashed by itself, by its compiled code: its text may be gone or out of date.
    """
    return _source_hash(cls)


@cache
def _source_hash(cls: Hashable) -> str:
    try:
        module = inspect.getmodule(cls)
        if module is None or module.__name__ == "__main__":
            source = _compiled(cls)
        else:
            source = "".join(inspect.getsource(used) for used in _family(module))
    except (OSError, TypeError):
        source = _compiled(cls)
    return hashlib.sha256(source.encode()).hexdigest()[:16]


def _compiled(cls: Any) -> str:
    """Code and constants of a class's functions, its parents' included; stable between processes."""
    functions = {}
    for parent in cls.__mro__[:-1]:
        for name, value in vars(parent).items():
            inner = getattr(value, "__func__", value)
            if hasattr(inner, "__code__"):
                functions[f"{parent.__qualname__}.{name}"] = _code_text(inner.__code__)
            elif isinstance(value, bool | int | float | str):
                functions[f"{parent.__qualname__}.{name}"] = repr(value)
    return json.dumps(functions, sort_keys=True)


def _code_text(code: CodeType) -> str:
    constants = [_code_text(c) if isinstance(c, CodeType) else repr(c) for c in code.co_consts]
    return f"{code.co_code.hex()} {code.co_names} {constants}"


def _family(module: ModuleType) -> list[ModuleType]:
    """A module and the modules of its own top-level package whose functions and classes it names, by name."""
    package, found, todo = module.__name__.partition(".")[0], {}, [module]
    while todo:
        current = todo.pop()
        found[current.__name__] = current
        homes = {getattr(value, "__module__", None) or "" for value in vars(current).values()}
        new = {home for home in homes if home.partition(".")[0] == package} - found.keys()
        todo += [sys.modules[home] for home in new if home in sys.modules]
    return [found[name] for name in sorted(found)]


_value_hashes: dict[int, tuple[Any, str]] = {}


def value_hash(part: Any) -> str:
    """Hash of a circuit, instrument, method or stimulator by type and parameters; remembered by object.

    Random streams are named by it: a comment that is edited must not draw another subject.
    """
    kept = _value_hashes.get(id(part))
    if kept is None or kept[0] is not part:
        kept = (part, fingerprint(part)[:32])
        _value_hashes[id(part)] = kept  # holds on to the part, so that its id stays its own
    return kept[1]


def part_hash(part: Any) -> str:
    """The same and the source that it runs: stored activity and finished cells are named by it."""
    return value_hash(part) + source_hash(type(part))


@cache
def engine_hash() -> str:
    """Hash of the simulators' source: activity simulated by other code is other activity."""
    from simlab import __version__

    files = sorted((Path(__file__).parent / "simulators").glob("*.py"))
    text = __version__.encode() + b"".join(f.read_bytes() for f in files)
    return hashlib.sha256(text).hexdigest()[:16]


def label(plugin: Any) -> str:
    """A plug-in's name with the parameters that differ from their defaults: `subsample(n_units=20)`."""
    from simlab.registry import name_of

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
