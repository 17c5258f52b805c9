"""Packing a method for its sealed process: by reference what can be imported there, by value (cloudpickle) the rest.

Pickles go one way, from the lab into the jail; what comes back is JSON.
"""

from __future__ import annotations

import io
import os
import pickle
import sys
from collections.abc import Iterator
from types import FunctionType, ModuleType
from typing import Any

import cloudpickle

from simlab.contracts import SimlabError
from simlab.execution.strict.places import imported_by, in_python, neighbours, root_of


def pack(method: Any) -> tuple[bytes, dict[str, str]]:
    """A method for `rebuild`, and where its code lies (module -> folder or file), beside the Python installation.

    A class of a notebook, a script or a function travels by value, with what it names. Raises SimlabError where
    something of it cannot travel.
    """
    try:
        data, modules = _dumped(method)
    except Exception as error:  # whatever the parts of the method raise
        raise SimlabError(
            f"strict execution cannot ship {_culprit(method)} ({type(error).__name__}: {error}): make it inside "
            "`analyse`, or write the method in a module of its own and import it"
        ) from error
    roots: dict[str, str] = {}
    for module in sorted({"simlab", *modules} - {"__main__"}):
        _add_root(module, roots)
    return data, roots


def rebuild(packed: bytes) -> Any:
    """The method that was packed."""
    return pickle.loads(packed)


class _Pickler(cloudpickle.Pickler):
    """Notes the modules of all classes and functions that it meets."""

    def __init__(self, file: io.BytesIO) -> None:
        super().__init__(file)
        self.modules: set[str] = set()

    def reducer_override(self, obj: Any) -> Any:
        """As pickle asks for every object that is no plain value."""
        if isinstance(obj, type | FunctionType | ModuleType):
            self.modules.add(str(obj.__name__ if isinstance(obj, ModuleType) else obj.__module__))
        return super().reducer_override(obj)


def _dumped(value: Any) -> tuple[bytes, set[str]]:
    file = io.BytesIO()
    pickler = _Pickler(file)
    pickler.dump(value)
    return file.getvalue(), pickler.modules


def _culprit(method: Any) -> str:
    """The parameter, or the name in the method's code, that cannot be pickled, in words."""
    for kind, name, value in (*_parameters(method), *_named(type(method))):
        try:
            _dumped(value)
        except Exception:
            return f"{kind} {name!r} of {type(method).__qualname__}"
    return type(method).__qualname__


def _parameters(method: Any) -> Iterator[tuple[str, str, Any]]:
    yield from (("the parameter", name, value) for name, value in getattr(method, "__dict__", {}).items())


def _named(cls: type) -> Iterator[tuple[str, str, Any]]:
    """Globals and enclosing variables that the functions of a class name."""
    for member in vars(cls).values():
        function = getattr(member, "fget", None) or getattr(member, "__func__", member)
        if isinstance(function, FunctionType):
            space = function.__globals__
            named = {name: space[name] for name in function.__code__.co_names if name in space}
            cells = zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
            named |= {name: cell.cell_contents for name, cell in cells if name != "__class__"}
            yield from (("the variable", name, value) for name, value in named.items())


def _add_root(module: str, roots: dict[str, str]) -> None:
    """Notes where a package or module lies, and those outside the Python installation that it has imported."""
    root, place = root_of(module)
    if not place.endswith(".py") or root in roots or in_python(place) or root == "__main__":
        return
    if os.path.basename(place) == "__init__.py":
        roots[root] = os.path.dirname(place)
    else:
        roots[root] = place
        for name, beside in neighbours(place, root.rpartition(".")[0]).items():
            roots.setdefault(name, beside)
    for imported in imported_by(root):
        if imported in sys.modules:
            _add_root(imported, roots)
