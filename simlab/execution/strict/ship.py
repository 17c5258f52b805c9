"""Packing a Python method for another process without pickle: import paths, plain parameters, or its source text.

A class that can be imported travels as `module:name`. One that was written in a notebook, a script or a function
travels as source, together with the imports, functions, classes and plain values that it names.
"""

from __future__ import annotations

import ast
import builtins
import dataclasses
import dis
import importlib
import inspect
import linecache
import math
import os
import sys
import textwrap
from collections.abc import Mapping
from types import CodeType, FunctionType, ModuleType
from typing import Any

import numpy as np

from simlab.contracts import SimlabError
from simlab.execution.strict.places import imported_by, in_python, neighbours, root_of

SHIPPED = "simlab_shipped"
"""The module that shipped source is rebuilt in."""


def pack(method: Any) -> dict[str, Any]:
    """A method as JSON-ready data for `rebuild`; its `roots` are where its code lies (module -> folder or file).

    Raises SimlabError where a parameter or something that its source names cannot travel.
    """
    packer = _Packer()
    plugin = packer.value(method)
    return {"plugin": plugin, "source": packer.text(), "values": packer.values, "roots": packer.roots}


def rebuild(packed: Mapping[str, Any]) -> Any:
    """The method that was packed."""
    if packed["source"]:
        module = ModuleType(SHIPPED)
        sys.modules[SHIPPED] = module
        vars(module).update({name: _unpacked(value) for name, value in packed["values"].items()})
        name = f"<{SHIPPED}>"
        linecache.cache[name] = (len(packed["source"]), None, packed["source"].splitlines(True), name)
        exec(compile(packed["source"], name, "exec"), vars(module))
    return _unpacked(packed["plugin"])


def importable(thing: Any) -> bool:
    """Whether a class or function is found again under its module and name."""
    module = sys.modules.get(getattr(thing, "__module__", None) or "")
    if module is None or module.__name__ in ("__main__", SHIPPED) or not getattr(module, "__spec__", None):
        return False
    found: Any = module
    for part in thing.__qualname__.split("."):
        found = getattr(found, part, None)
    return found is thing


class _Packer:
    def __init__(self) -> None:
        self.roots: dict[str, str] = {}
        self._add_root("simlab")
        self.values: dict[str, Any] = {}  # plain globals that the source names
        self._imports: dict[str, str] = {}
        self._sources: dict[str, str] = {}
        self._things: dict[str, Any] = {}
        self._begun: set[str] = set()

    def text(self) -> str:
        """The shipped module's source; "" if everything can be imported."""
        if not self._sources:
            return ""
        parts = ["from __future__ import annotations", *self._imports.values(), *self._sources.values()]
        return "\n\n".join(parts) + "\n"

    def value(self, value: Any) -> Any:
        """A parameter as JSON; `_unpacked` reads it."""
        if value is None or isinstance(value, bool | str) or type(value) in (int, float):
            return {"float": repr(value)} if isinstance(value, float) and not math.isfinite(value) else value
        if isinstance(value, np.ndarray | np.generic):
            if value.dtype.kind in "biufU":
                return {"array": np.asarray(value).tolist(), "dtype": value.dtype.str, "shape": list(value.shape)}
        elif isinstance(value, list):
            return [self.value(item) for item in value]
        elif isinstance(value, tuple | set | frozenset) and type(value) in (tuple, set, frozenset):
            return {type(value).__name__: [self.value(item) for item in value]}
        elif isinstance(value, Mapping):
            return {"dict": [[self.value(key), self.value(item)] for key, item in value.items()]}
        elif isinstance(value, type | FunctionType):
            return {"object": self.thing(value)}
        elif dataclasses.is_dataclass(value) or hasattr(value, "analyse") or hasattr(value, "investigate"):
            return {"type": self.thing(type(value)), "fields": [[k, self.value(v)] for k, v in _fields(value)]}
        raise SimlabError(
            "strict execution ships parameters that are numbers, strings, arrays, lists, tuples, dicts, functions or "
            f"dataclasses of these, got {value!r}: build it inside the method from such parameters"
        )

    def thing(self, thing: Any) -> str:
        """`module:name` of a class or function, whose source is shipped if need be."""
        if importable(thing):
            self._add_root(thing.__module__)
            return f"{thing.__module__}:{thing.__qualname__}"
        self._ship(thing)
        return f"{SHIPPED}:{thing.__name__}"

    def _ship(self, thing: Any) -> None:
        known_already = self._things.setdefault(thing.__name__, thing)
        if known_already is not thing:
            raise SimlabError(f"two different things named {thing.__name__!r} cannot be shipped: rename one of them")
        if thing.__name__ in self._begun:
            return
        self._begun.add(thing.__name__)
        source = _source(thing)
        known = _namespace(thing)
        for name in _names(source):
            if name in known and name != thing.__name__:
                self._bind(name, known[name])
        for name in _annotations(source):
            if isinstance(known.get(name), ModuleType) or _home(name, known.get(name)):
                self._bind(name, known[name])
        self._sources[thing.__name__] = source

    def _bind(self, name: str, value: Any) -> None:
        """Makes a global name of the source stand for the same in the shipped module."""
        if isinstance(value, ModuleType):
            self._add_root(value.__name__)
            self._imports[name] = f"import {value.__name__} as {name}"
        elif isinstance(value, type | FunctionType) and not importable(value):
            self._ship(value)
            if value.__name__ != name:
                self._sources[f"{value.__name__} as {name}"] = f"{name} = {value.__name__}"
        elif home := _home(name, value):
            self._add_root(home[0])
            self._imports[name] = f"from {home[0]} import {home[1]} as {name}"
        elif name not in self.values:
            self.values[name] = self._constant(name, value)

    def _constant(self, name: str, value: Any) -> Any:
        try:
            return self.value(value)
        except SimlabError as error:
            raise SimlabError(
                f"strict execution cannot ship {name!r}, which the method's source names ({error}); write the method "
                "in a module of its own and import it"
            ) from error

    def _add_root(self, module: str) -> None:
        """Notes where a package or module lies, and those outside the Python installation that it has imported."""
        root, place = root_of(module)
        if not place.endswith(".py") or root in self.roots or in_python(place):
            return
        if os.path.basename(place) == "__init__.py":
            self.roots[root] = os.path.dirname(place)
        else:
            self.roots[root] = place
            self.roots = neighbours(place, root.rpartition(".")[0]) | self.roots
        for imported in imported_by(root):
            self._add_root(imported)


def _fields(value: Any) -> list[tuple[str, Any]]:
    if dataclasses.is_dataclass(value):
        return [(f.name, getattr(value, f.name)) for f in dataclasses.fields(value)]
    return list(vars(value).items())


def _home(name: str, value: Any) -> tuple[str, str] | None:
    """The module and name to import a value from: where it says it was defined."""
    module = getattr(value, "__module__", None)
    if not isinstance(module, str) or module == "__main__":
        return None
    for attribute in (name, getattr(value, "__name__", None)):
        if isinstance(attribute, str) and getattr(sys.modules.get(module), attribute, None) is value:
            return module, attribute
    return None


def _names(source: str) -> list[str]:
    """Global names that the source looks up when it runs; a function's own variables are none."""
    found: dict[str, None] = {}
    todo = [compile("from __future__ import annotations\n" + source, SHIPPED, "exec")]
    while todo:
        code = todo.pop(0)
        loads = (i for i in dis.get_instructions(code) if i.opname in ("LOAD_GLOBAL", "LOAD_NAME"))
        found |= dict.fromkeys(str(i.argval) for i in loads)
        todo += [constant for constant in code.co_consts if isinstance(constant, CodeType)]
    return list(found)


def _annotations(source: str) -> list[str]:
    """Names in the annotations of fields, by which a dataclass tells its class variables."""
    fields = [n.annotation for n in ast.walk(ast.parse(source)) if isinstance(n, ast.AnnAssign)]
    return [n.id for annotation in fields for n in ast.walk(annotation) if isinstance(n, ast.Name)]


def _functions(thing: Any) -> list[FunctionType]:
    """The functions written in a class's body (dataclasses add generated ones), or the function itself."""
    if isinstance(thing, FunctionType):
        return [thing]
    members = [getattr(m, "fget", None) or getattr(m, "__func__", m) for m in vars(thing).values()]
    written = [m for m in members if isinstance(m, FunctionType) and not m.__code__.co_filename.startswith("<string")]
    return [m for m in written if m.__qualname__.startswith(thing.__qualname__ + ".")]


def _namespace(thing: Any) -> dict[str, Any]:
    """What the names in a class's or function's source stand for: globals, then enclosing functions' variables."""
    module = sys.modules.get(thing.__module__)
    known = dict(vars(module)) if module is not None else {}
    for function in _functions(thing):
        known |= function.__globals__
        cells = zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
        known |= {name: cell.cell_contents for name, cell in cells if name != "__class__" and _filled(cell)}
    return {name: value for name, value in known.items() if not hasattr(builtins, name)}


def _filled(cell: Any) -> bool:
    try:
        return cell.cell_contents is not cell
    except ValueError:
        return False


def _source(thing: Any) -> str:
    """Source text of a class or function, also of one in a notebook cell, which `inspect` does not find."""
    try:
        if isinstance(thing, FunctionType):
            return textwrap.dedent(inspect.getsource(thing))
        code = _functions(thing)[0].__code__
        lines = linecache.getlines(code.co_filename)
        return _class_text(thing.__name__, code, lines)
    except (OSError, TypeError, IndexError, SyntaxError, LookupError) as error:
        raise SimlabError(
            f"strict execution ships the source of {thing.__qualname__}, which is in no importable module, but finds "
            f"none ({type(error).__name__}: {error}): write it in a file or a notebook cell"
        ) from error


def _class_text(name: str, code: CodeType, lines: list[str]) -> str:
    classes = [n for n in ast.walk(ast.parse("".join(lines))) if isinstance(n, ast.ClassDef) and n.name == name]
    for node in classes:
        first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
        if first <= code.co_firstlineno <= (node.end_lineno or node.lineno):
            return textwrap.dedent("".join(lines[first - 1 : node.end_lineno]))
    raise LookupError(f"no class {name} around line {code.co_firstlineno} of {code.co_filename}")


def _unpacked(value: Any) -> Any:
    if isinstance(value, list):
        return [_unpacked(item) for item in value]
    if not isinstance(value, dict):
        return value
    if "array" in value:
        return np.array(value["array"], dtype=value["dtype"]).reshape(value["shape"])[()]
    if "float" in value:
        return float(value["float"])
    if "dict" in value:
        return {_unpacked(key): _unpacked(item) for key, item in value["dict"]}
    if "object" in value:
        return _found(value["object"])
    if "type" in value:
        made = object.__new__(_found(value["type"]))
        for name, item in value["fields"]:
            object.__setattr__(made, name, _unpacked(item))
        return made
    kind = next(iter(value))
    return {"tuple": tuple, "set": set, "frozenset": frozenset}[kind](_unpacked(item) for item in value[kind])


def _found(path: str) -> Any:
    module, _, name = path.partition(":")
    found: Any = importlib.import_module(module)
    for part in name.split("."):
        found = getattr(found, part)
    return found
