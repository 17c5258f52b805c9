"""What is checked of a network's equations before anything runs, alike on every engine, mostly by Brian2 itself."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from simlab.contracts import SimlabError
from simlab.simulators.brian.words import in_brians_words
from simlab.simulators.spiking_network import Coupling, Link, words
from simlab.simulators.spiking_plan import Plan

NUMBERING = {"i", "j", "N", "N_pre", "N_post", "N_incoming", "N_outgoing", "i_pre", "i_post", "j_pre", "j_post"}
"""Brian2's names of what counts neurons and synapses: they count replicates too, so mean nothing in a network."""


class Objects(Protocol):
    """Brian2's objects of a network, as far as they are checked (`simlab.simulators.brian.objects`)."""

    plan: Plan
    groups: list[Any]
    connections: list[Any]
    links: tuple[Link, ...]

    def where(self, index: int) -> str: ...
    def heard(self, index: int) -> str: ...


def check(objects: Objects) -> None:
    """Raises SimlabError for equations that cannot run: which of them, why, and what to do."""
    for p, group in enumerate(objects.groups):
        _check_population(objects, p, group)
    for i, connection in enumerate(objects.connections):
        _check_link(objects, i, connection)
    record = objects.plan.record
    for name in record.variables if record else ():
        if not any(name in group.variables for group in objects.groups):
            raise SimlabError(f"cannot record {name!r}: no population's equations declare it; name one that they do")


def check_variables(where: str, connection: Any, given: Mapping[str, Any]) -> None:
    """Raises SimlabError unless the values given for a synapse set are those of the variables that it declares."""
    every = {**connection.equations, **(connection.event_driven or {})}
    needed = {name for name, equation in every.items() if equation.type != "subexpression"}
    needed -= {"weight_", "gain_", "lastupdate"}
    if missing := sorted(needed - set(given)):
        raise SimlabError(f"{where}: its equations declare {missing[0]!r}, which has no value: give it in `variables`")
    if extra := sorted(set(given) - needed):
        raise SimlabError(f"{where}: no {extra[0]!r} is declared: declare it with its unit, or drop its value")


def _check_population(objects: Objects, p: int, group: Any) -> None:
    given, plan = objects.plan.network.populations[p], objects.plan
    _check_numbering(f"population {p}", given.equations, given.threshold, given.reset)
    with in_brians_words(f"the equations of population {p}", given.equations):
        _check_equations(group, group.equations)
    refractory = plan.refractory(given)
    with in_brians_words(f"the refractory period {refractory!r} of population {p}"):
        if refractory:
            _resolved(group, f"silence_ = {refractory}")
    with in_brians_words(f"the equations of population {p}, by the method {given.method!r},"):
        group.state_updater.update_abstract_code({})
    with in_brians_words(f"the threshold {given.threshold!r} of population {p}"):
        if given.threshold:
            group.thresholder["spike"].update_abstract_code({})
            _check_statements(group, f"cond_ = {given.threshold}")
    with in_brians_words(f"the reset {given.reset!r} of population {p}"):
        if given.reset:
            _check_statements(group, given.reset)


def _check_link(objects: Objects, i: int, connection: Any) -> None:
    of, where = objects.links[i].of, objects.where(i)
    if isinstance(of, Coupling):
        _check_numbering(where, of.expression)
        with in_brians_words(f"the expression {of.expression!r} of {where}"):
            _check_equations(connection, connection.equations)
            _check_statements(connection, f"{objects.heard(i)}_post = weight_*({of.expression})")
        return
    _check_numbering(where, of.code, of.equations)
    with in_brians_words(f"the equations of {where}", of.equations):
        for equations in filter(None, (connection.equations, connection.event_driven)):
            _check_equations(connection, equations)
    with in_brians_words(f"{of.code!r} of {where}"):
        _check_statements(connection, re.sub(r"\bw\b", "weight_", of.code))
    with in_brians_words(f"the equations of {where}"):
        for runner in filter(None, (connection.pre, connection.state_updater)):
            runner.update_abstract_code({})


def _check_numbering(where: str, *code: str) -> None:
    if found := sorted(NUMBERING & words("\n".join(code))):
        raise SimlabError(
            f"{where} uses {found[0]!r}, which also counts replicates: declare a parameter for what differs by neuron"
        )


def _check_equations(group: Any, equations: Any) -> None:
    """Units, and subexpressions that draw numbers."""
    from brian2.equations.equations import check_subexpressions

    equations.check_units(group, run_namespace={})
    check_subexpressions(group, equations, {})


def _check_statements(group: Any, code: str) -> None:
    """Syntax, names and units of statements."""
    from brian2.equations.unitcheck import check_units_statements

    variables = _resolved(group, code)
    check_units_statements(code, variables)
    for name in re.findall(r"(?:^|[;\n])\s*(\w+)\s*[-+*/%]?=(?!=)", code):
        if name in variables and variables[name].scalar:
            raise SimlabError(f"{code!r} changes {name!r}, which all neurons of all trials share: drop (shared)")


def _resolved(group: Any, code: str) -> dict[str, Any]:
    """The variables in statements. Each is parsed on its own, so that an error is of one line."""
    from brian2.codegen.translation import analyse_identifiers
    from brian2.parsing.statements import parse_statement

    for line in filter(str.strip, re.split(r"[;\n]", code)):
        _, _, expression, _ = parse_statement(line.strip())
        _parse(expression)
    _, known, unknown = analyse_identifiers(code, group.variables, recursive=True)
    found: Iterable[str] = known | unknown
    return dict(group.variables) | group.resolve_all(found, run_namespace={}, user_identifiers=set())


def _parse(expression: str) -> None:
    try:
        compile(expression.strip(), "<expression>", "eval")
    except SyntaxError as error:
        raise SyntaxError(f"{error.msg} in {expression.strip()!r}") from None
