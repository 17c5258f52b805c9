"""`check(plugin)`: does a plug-in keep its contract, and does it solve a tiny real problem?

simlab.check(MyMethod())     # in the plug-in's own tests: raises, listing what fails
"""

from __future__ import annotations

import dataclasses
import json
from typing import Any

from simlab.checks.examiner import Entry, Examiner, Report, require
from simlab.contracts import SimlabError
from simlab.fingerprint import describe
from simlab.naming import kind_of, name_of
from simlab.registry import find
from simlab.rules import check_fields

__all__ = ["Entry", "Report", "check"]


def check(plugin: Any, *, raises: bool = True, strict: bool = False) -> Report:
    """Checks a circuit, instrument, stimulator, method, question or experiment: an object, a class or a name.

    strict: also run a method in a process of its own, and compare. Returns the report; where something fails, raises
    SimlabError with it unless `raises` is False.
    """
    plugin = find(plugin)[1] if isinstance(plugin, str) else plugin
    kind = kind_of(plugin)
    examine = Examiner()
    if isinstance(plugin, type):
        plugin = examine.holds("can be made with its default parameters", plugin)
    if plugin is not None:
        _check_common(examine, plugin)
        _check_kind(examine, kind, plugin, strict)
    report = Report(name_of(plugin), kind, tuple(examine.entries))
    if raises and not report.ok:
        raise SimlabError(str(report))
    return report


def _check_common(examine: Examiner, plugin: Any) -> None:
    examine.holds("has a name", lambda: _name(plugin))
    examine.holds("is a frozen dataclass", lambda: _frozen(plugin))
    examine.holds("its parameters are what their annotations say", lambda: check_fields(plugin, defaults=True))
    examine.holds("its parameters can be written down", lambda: require(bool(json.dumps(describe(plugin))), ""))


def _check_kind(examine: Examiner, kind: str, plugin: Any, strict: bool) -> None:
    if kind == "methods":
        from simlab.checks.method import check_method

        check_method(examine, plugin, strict)
    elif kind == "circuits":
        from simlab.checks.circuit import check_circuit

        check_circuit(examine, plugin)
    elif kind == "instruments":
        from simlab.checks.instrument import check_instrument, check_stimulator

        for attribute, test in (("implant", check_instrument), ("install", check_stimulator)):
            if callable(getattr(plugin, attribute, None)):
                test(examine, plugin)
    elif kind == "questions":
        from simlab.checks.question import check_question

        check_question(examine, plugin)
    else:
        from simlab.checks.experiment import check_experiment

        check_experiment(examine, plugin)


def _name(plugin: Any) -> None:
    name = getattr(plugin, "name", None)
    require(
        isinstance(name, str) and name != "" and not set(name) & set(" /\\\n\t"),
        f"a plug-in needs `name: ClassVar[str]` without spaces or slashes, got {name!r}",
    )


def _frozen(plugin: Any) -> None:
    parameters = getattr(type(plugin), "__dataclass_params__", None)
    require(
        dataclasses.is_dataclass(plugin) and getattr(parameters, "frozen", False),
        "write @dataclasses.dataclass(frozen=True) above the class: its fields are its parameters",
    )
