"""Where code lies: the Python installation, and the packages and modules outside it that a method needs."""

from __future__ import annotations

import os
import sys
from functools import lru_cache
from types import FunctionType, ModuleType


def python_folders() -> list[str]:
    """Where this Python and its packages lie; not the whole of its prefix, which may be a project's folder."""
    prefixes = sys.prefix, sys.exec_prefix, sys.base_prefix, sys.base_exec_prefix
    return list(_folders(prefixes, tuple(sys.path)))


@lru_cache(maxsize=16)
def _folders(prefixes: tuple[str, ...], path: tuple[str, ...]) -> tuple[str, ...]:
    """Asked of every module that a method names."""
    folders = [os.path.join(prefix, part) for prefix in prefixes for part in ("lib", "lib64", "bin", "share", "etc")]
    folders += [place for place in path if os.path.basename(place) in ("site-packages", "dist-packages")]
    return tuple(folder for folder in dict.fromkeys(folders) if os.path.isdir(folder))


def installed_path() -> list[str]:
    """The part of Python's path that belongs to the installation, and its zipped library."""
    places = python_folders()
    path = [p for p in sys.path if any(p == place or p.startswith(place + os.sep) for place in places)]
    return path + [p for p in sys.path if p.endswith(".zip") and os.path.dirname(p) in places]


def in_python(path: str) -> bool:
    """Whether a file belongs to the Python installation or an installed package."""
    return any(path == folder or path.startswith(folder + os.sep) for folder in python_folders())


def root_of(module: str) -> tuple[str, str]:
    """The outermost package or module with a file of its own that a module belongs to, and that file ("" if none)."""
    parts = module.split(".")
    for length in range(1, len(parts) + 1):
        name = ".".join(parts[:length])
        if place := getattr(sys.modules.get(name), "__file__", None):
            return name, place
    return module, ""


def neighbours(place: str, package: str) -> dict[str, str]:
    """The modules and packages beside a single-file module, which it may import; no data."""
    prefix = f"{package}." if package else ""
    found = {}
    for entry in sorted(os.scandir(os.path.dirname(place)), key=lambda e: e.name):
        if entry.name.endswith(".py") and entry.is_file():
            found[prefix + entry.name[:-3]] = entry.path
        elif os.path.isfile(os.path.join(entry.path, "__init__.py")):
            found[prefix + entry.name] = entry.path
    return found


def imported_by(root: str) -> set[str]:
    """Modules that the loaded modules of a package name, or name something of."""
    loaded = [module for name, module in list(sys.modules.items()) if name == root or name.startswith(root + ".")]
    values = [value for module in loaded for value in list(vars(module).values())]
    modules = {value.__name__ for value in values if isinstance(value, ModuleType)}
    return modules | {str(value.__module__) for value in values if isinstance(value, type | FunctionType)}
