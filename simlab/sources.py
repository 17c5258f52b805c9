"""Hashes of the code that decides a result, as the parser sees it: no comment, docstring or layout counts.

A plug-in's code is its module and all modules of its own package and of simlab that this one is built on, followed
through their import statements, lazy ones included; so the engines that a circuit runs on are part of its code.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import inspect
import json
import sys
from collections import Counter
from collections.abc import Hashable, Iterable, Iterator
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

HOUSE = "simlab"
PLAIN = (bool, int, float, str)
COMPUTING = ("numpy", "scipy", "brian2", "numba", "jax")
"""Libraries whose versions decide results wherever they are used; a method names its own beside them."""


def libraries(method: Any) -> dict[str, str]:
    """Versions of the computing libraries, and of those whose implementation a method wraps, where installed."""
    named = [name.strip() for name in getattr(method, "library", "own").split(",")]
    found = {package: _version(package) for package in dict.fromkeys((*COMPUTING, *named))}
    return {package: number for package, number in found.items() if number}


@cache
def _version(package: str) -> str:
    """Of an installed package; "" where there is none of this name."""
    try:
        return version(package)
    except (PackageNotFoundError, ValueError):
        return ""


def code_hash(cls: type) -> str:
    """Hash of all that a class runs.

    A class of a notebook or script is hashed by its compiled code, and that of its neighbours there that it calls: its
    text may be gone or out of date.
    """
    if cls in _told:
        return _told[cls]
    return _digest(_compiled(cls)) if cls.__module__ == "__main__" else _code_hash(cls)


_told: dict[type, str] = {}
"""Hashes of classes that came from another process."""


def tell_hash(cls: type, known: str) -> None:
    """Takes over the hash of a class from a process that knows its source, which need not be parsed here again."""
    _told[cls] = known


@cache
def _code_hash(cls: Hashable) -> str:
    module = sys.modules.get(cls.__module__)
    path = getattr(module, "__file__", None)
    if path is None or not Path(path).is_file():
        text = _compiled(cls)
    else:
        text = "\n".join(sorted(_text_and_imports(found)[0] for found in _built_on(cls.__module__, Path(path))))
    return _digest(text)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _built_on(name: str, path: Path) -> set[Path]:
    """The file of a module and those of its package and of the house that it imports, and so on."""
    packages = {name.partition(".")[0], HOUSE}
    found, todo = {path}, [(name, path)]
    while todo:
        module, file = todo.pop()
        for imported in _text_and_imports(file)[1]:
            wanted = _absolute(imported, module, file)
            place = _file_of(wanted) if wanted.partition(".")[0] in packages else None
            if place is not None and place not in found:
                found.add(place)
                todo.append((wanted, place))
    return found


def _absolute(imported: str, module: str, file: Path) -> str:
    """The full name of a module that a file imports, perhaps relatively (with leading dots)."""
    level = len(imported) - len(imported.lstrip("."))
    if not level:
        return imported
    parts = module.split(".") + ([""] if file.stem == "__init__" else [])
    return ".".join([*parts[: len(parts) - level], imported[level:]]).strip(".")


@cache
def _file_of(module: str) -> Path | None:
    """Where a module of a package lies; None where there is no such module (it may be a name within one)."""
    top, *rest = module.split(".")
    loaded = sys.modules.get(top)
    spec = getattr(loaded, "__spec__", None) or importlib.util.find_spec(top)
    if spec is None:
        return None
    if not rest:
        return Path(spec.origin) if spec.origin and Path(spec.origin).is_file() else None
    for root in spec.submodule_search_locations or ():
        place = Path(root, *rest)
        for file in (place.with_name(f"{place.name}.py"), place / "__init__.py"):
            if file.is_file():
                return file
    return None


_editions: Counter[Path] = Counter()
"""How often a file has been edited and imported again within this process."""


def read_anew(files: Iterable[Path]) -> None:
    """Tells that these files are imported again: their code is no longer what was parsed before."""
    _editions.update(files)
    _file_of.cache_clear()


def _text_and_imports(file: Path) -> tuple[str, tuple[str, ...]]:
    return _parsed(file, _editions[file.resolve()]) if _editions else _parsed(file)


@cache
def _parsed(file: Path, edition: int = 0) -> tuple[str, tuple[str, ...]]:
    """The code of a file without docstrings, and the names that it imports."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            node.body = [part for part in body if not _is_text(part)] or [ast.Pass()]  # type: ignore[attr-defined]
    return ast.dump(tree), tuple(dict.fromkeys(_imports(tree)))


def _is_text(part: ast.AST) -> bool:
    """Whether a statement is a bare string: a docstring, of a module, class, function or field."""
    return isinstance(part, ast.Expr) and isinstance(part.value, ast.Constant) and isinstance(part.value.value, str)


def _imports(node: ast.AST) -> Iterator[str]:
    """Names of modules, or of things in them, that some code imports; what is only for the type checker left out."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            yield from (alias.name for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            dots, base = "." * child.level, child.module or ""
            if base:
                yield dots + base
            yield from (dots + (f"{base}." if base else "") + alias.name for alias in child.names)
        elif not (isinstance(child, ast.If) and ast.unparse(child.test).endswith("TYPE_CHECKING")):
            yield from _imports(child)


def _compiled(cls: Any) -> str:
    """Code and constants of a class's functions, its parents' included; stable between processes."""
    functions: dict[str, str] = {}
    for parent in inspect.getmro(cls)[:-1]:
        for name, value in vars(parent).items():
            inner = getattr(value, "__func__", value)
            if hasattr(inner, "__code__"):
                _note(f"{parent.__qualname__}.{name}", inner, functions)
            elif isinstance(value, PLAIN) and name not in ("__module__", "__doc__"):
                functions[f"{parent.__qualname__}.{name}"] = repr(value)
    return json.dumps(functions, sort_keys=True)


def _note(called: str, function: Any, found: dict[str, str]) -> None:
    """A function's code, and the functions and plain values of its notebook or script that it names."""
    found[called] = _code_text(function.__code__)
    space = getattr(function, "__globals__", {})
    if space.get("__name__") != "__main__":
        return
    for name in _names(function.__code__):
        value = space.get(name)
        if isinstance(value, PLAIN):
            found[name] = repr(value)
        elif isinstance(value, FunctionType) and value.__globals__ is space and name not in found:
            _note(name, value, found)


def _names(code: CodeType) -> list[str]:
    """The names that code looks up, that of its inner functions and comprehensions included."""
    inner = [name for constant in code.co_consts if isinstance(constant, CodeType) for name in _names(constant)]
    return [*code.co_names, *inner]


def _code_text(code: CodeType) -> str:
    constants = [_constant_text(constant) for constant in code.co_consts]
    return f"{code.co_code.hex()} {code.co_names} {constants}"


def _constant_text(constant: Any) -> str:
    if isinstance(constant, CodeType):
        return _code_text(constant)
    return repr(sorted(map(repr, constant))) if isinstance(constant, frozenset) else repr(constant)
