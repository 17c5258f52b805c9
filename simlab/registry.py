"""Names for plug-ins: entry points of installed packages, and `register` for a notebook.

Nothing is imported before it is used: listing reads only the packages' metadata.
"""

from __future__ import annotations

import dataclasses
import importlib
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from simlab.contracts import SimlabError
from simlab.naming import kind_of, name_of, near
from simlab.rules import check_fields

KINDS = ("circuits", "instruments", "methods", "questions", "experiments")
BUILT_IN_PACKAGES = ("circuits", "methods", "experiments")

_registered: dict[str, dict[str, Any]] = {kind: {} for kind in KINDS}


class RegistryError(SimlabError):
    """An unknown, duplicate or shadowed name."""


@cache
def _installed() -> Any:
    """Every installed package's entry points: read once, since that is most of what listing costs."""
    return entry_points()


@cache
def _entry_points(kind: str) -> dict[str, EntryPoint]:
    found: dict[str, EntryPoint] = {}
    for point in _installed().select(group=f"simlab.{kind}"):
        other = found.setdefault(point.name, point)
        if other.value != point.value:
            raise RegistryError(
                f"two packages offer {kind} named {point.name!r}: {other.value} and {point.value}; rename one of them"
            )
    return found


def names(kind: str) -> list[str]:
    """Registered names of `circuits`, `instruments`, `methods`, `questions` or `experiments`, sorted."""
    if kind not in KINDS:
        raise RegistryError(f"no kind {kind!r}{near(kind, KINDS)}; the kinds are {', '.join(KINDS)}")
    return sorted({*_entry_points(kind), *_registered[kind]})


def get(kind: str, name: str) -> Any:
    """The class (for experiments: the value) registered under this name."""
    if name not in (known := names(kind)):
        hint = near(name, known)
        own = "" if hint else "; to use one of your own by name, `simlab.register` it"
        raise RegistryError(f"no {kind[:-1]} named {name!r}{hint}; there are: {', '.join(known)}{own}")
    if name in _registered[kind]:
        return _registered[kind][name]
    return _load(_entry_points(kind)[name].value, f"{kind[:-1]} {name}")


def create(kind: str, name: str, **parameters: Any) -> Any:
    """An instance with these parameters; registered instances are copied with them changed."""
    found = get(kind, name)
    fields = {f.name for f in dataclasses.fields(found)} if dataclasses.is_dataclass(found) else set()
    if unknown := sorted(set(parameters) - fields):
        raise RegistryError(
            f"{name} has no parameter {', '.join(unknown)}{near(unknown[0], fields)}; "
            f"it takes: {', '.join(sorted(fields)) or 'none'}"
        )
    instance = made(found, parameters)
    check_fields(instance)
    return instance


def made(found: Any, parameters: Mapping[str, Any]) -> Any:
    """An instance of a class, or a copy of an instance, with these parameters; whatever it raises is a SimlabError."""
    try:
        if isinstance(found, type):
            return found(**parameters)
        return dataclasses.replace(found, **parameters) if parameters else found
    except SimlabError:
        raise
    except Exception as error:  # a plug-in of which nobody checked the parameters
        given = ", ".join(f"{field}={value!r}" for field, value in parameters.items()) or "its default parameters"
        raise RegistryError(
            f"{name_of(found)} cannot be made with {given}: {type(error).__name__}: {error}; "
            f"`simlab show {name_of(found)}` says what it takes"
        ) from error


def find(name: str) -> tuple[str, Any]:
    """The kind and object of a name of any kind."""
    for kind in KINDS:
        if name in names(kind):
            return kind, get(kind, name)
    everything = "; ".join(f"{kind}: {', '.join(names(kind))}" for kind in KINDS)
    hint = near(name, [known for kind in KINDS for known in names(kind)])
    raise RegistryError(f"nothing is named {name!r}{hint}; there are: {everything}")


def rivals_of(circuit: str) -> list[Any]:
    """The registered circuits that imitate the one of this name, as classes or instances."""
    found = (get("circuits", name) for name in names("circuits"))
    return [rival for rival in found if circuit in getattr(rival, "twin_of", ())]


def question(name: str, chosen: Iterable[Any] = ()) -> Any:
    """An instance of a question: one of those `chosen`, if it is of this name, else with its default criteria."""
    return next((q for q in chosen if q.name == name), None) or create("questions", name)


def register(plugin: Any, *, replace: bool = False) -> Any:
    """Makes a circuit, instrument, method, question or experiment known by name in this process; returns it.

    A class or an instance will do, so this also serves as a decorator. `replace` lets a notebook cell run twice.
    """
    kind, name = kind_of(plugin), name_of(plugin)
    if name in names(kind) and not replace:
        raise RegistryError(
            f"there is already a {kind[:-1]} named {name!r}; give yours another name, or pass replace=True"
        )
    _registered[kind][name] = plugin
    return plugin


def _load(value: str, what: str) -> Any:
    module_name, _, attribute = value.partition(":")
    package = module_name.partition(".")[0]
    if package in BUILT_IN_PACKAGES:
        _check_not_shadowed(package)
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        raise RegistryError(f"{what} needs the module {error.name!r}: install simlab[all]") from error
    loader: Callable[[Any, str], Any] = getattr
    return loader(module, attribute)


def _check_not_shadowed(package: str) -> None:
    module = importlib.import_module(package)
    if not getattr(module, "SIMLAB_BUILT_IN", False):
        where = getattr(module, "__file__", None) or next(iter(getattr(module, "__path__", ["an unknown place"])))
        raise RegistryError(
            f"simlab's package {package!r} is shadowed by a foreign one at {where}: "
            f"uninstall or rename that, or take its folder off the Python path"
        )
