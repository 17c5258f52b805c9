"""From Brian2's objects to lines of compiled code: its parser, state updaters and optimiser do the work."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from simlab.simulators.kernel.arguments import Arguments
from simlab.simulators.kernel.render import Hoister, Renderer
from simlab.simulators.spiking_plan import InexpressibleError


@dataclass
class Lines:
    """Compiled code of one piece of abstract code. once: what is the same for all elements; each: per element."""

    once: list[str]
    each: list[str]


@dataclass
class Scope:
    """What names mean in the code of one of Brian2's objects.

    groups: Brian2's groups, by which variables know their population. label: of local names. link: number of a synapse
    set, or -1. draw: how a function that draws numbers does so. hoist: code -> name of what is computed once per network.
    given: name -> code of what the engine has in its own way. reads: after a translation, which ends of a synapse it saw.
    """

    obj: Any
    groups: list[Any]
    arguments: Arguments
    label: str
    link: int = -1
    draw: Callable[[str], str] | None = None
    hoist: dict[str, str] | None = None
    given: dict[str, str] = field(default_factory=dict)
    variables: dict[str, Any] = field(default_factory=dict)
    reads: set[str] = field(default_factory=set)

    def translate(self, code: str, guarded: bool = False) -> Lines:
        """The code, ready to be compiled. guarded: whether refractory neurons keep what they must not change."""
        from brian2.codegen.translation import analyse_identifiers, make_statements

        _, known, unknown = analyse_identifiers(code, self.obj.variables, recursive=True)
        self.variables = dict(self.obj.variables)
        self.variables |= self.obj.resolve_all(known | unknown, run_namespace={}, user_identifiers=set())
        scalar, vector = make_statements(code, self.variables, np.float64, optimise=True)
        locals_ = {s.var for s in (*scalar, *vector) if s.op == ":="}
        if changed := [s.var for s in scalar if s.var not in locals_]:
            raise InexpressibleError(f"the shared variable {changed[0]!r}, which changes")
        shared = {s.var for s in scalar}
        once = [self._line(s, locals_, shared) for s in scalar]
        return Lines(once, [self._line(s, locals_, shared, guarded=guarded, vector=True) for s in vector])

    def _line(
        self, statement: Any, locals_: set[str], shared: set[str], guarded: bool = False, vector: bool = False
    ) -> str:
        def resolve(name: str) -> str:
            return f"{self.label}{name}" if name in locals_ else self._variable(name)

        expression = statement.expr
        if vector and self.hoist is not None:
            expression = Hoister(lambda n: self._constant(n, shared), lambda e: self._kept(e, resolve)).code(expression)
        value = Renderer(resolve, self._draw).code(expression)
        if statement.op == ":=":
            return f"{resolve(statement.var)} = {value}"
        line = f"{resolve(statement.var)} {statement.op} {value}"
        condition = getattr(self.variables[statement.var], "conditional_write", None)
        if guarded and condition is not None and condition.name != statement.var:
            line = f"if {self._guard(statement.var)}: {line}"
        return line

    def _guard(self, name: str) -> str:
        suffix = "_post" if name.endswith("_post") else ("_pre" if name.endswith("_pre") else "")
        population, index = self._owner(name, self.variables[name])
        self.reads.add(suffix)
        return f"{self.arguments('ready', population)}[{index}]"

    def _draw(self, name: str) -> str:
        if self.draw is None:
            raise InexpressibleError(f"{name}() where a spike resets or arrives")
        return self.draw(name)

    def _constant(self, name: str, shared: set[str]) -> bool:
        """Whether a name stands for what never changes, per neuron or for all."""
        if name in shared or name == "dt":
            return True
        variable = self.variables.get(name)
        return bool(getattr(variable, "constant", False)) and name not in ("t", "lastspike", "not_refractory")

    def _kept(self, expression: str, resolve: Callable[[str], str]) -> str:
        assert self.hoist is not None
        code = Renderer(resolve, self._draw).code(expression)
        if code not in self.hoist:
            self.hoist[code] = self.arguments("invariant", self._population(), str(len(self.hoist)))
        return f"kept__{self.hoist[code]}"

    def _population(self) -> int:
        return self._number(self.obj)

    def _number(self, group: Any) -> int:
        return [each.name for each in self.groups].index(group.name)

    def _variable(self, name: str) -> str:
        if name.startswith("kept__"):
            return f"{name.removeprefix('kept__')}[_i]"
        if name == "lastspike step":
            return f"{self.arguments('last', self._population())}[_i]"
        if name in ("t", "dt"):
            return name
        if name in self.given:
            return self.given[name]
        variable = self.variables[name]
        kind = type(variable).__name__
        if kind == "Constant":
            return (
                repr(float(variable.value))
                if not isinstance(variable.value, bool | np.bool_)
                else repr(bool(variable.value))
            )
        if kind not in ("ArrayVariable", "DynamicArrayVariable"):
            raise InexpressibleError(f"{name!r}, which is a {kind}")
        return self._array(name, variable)

    def _array(self, name: str, variable: Any) -> str:
        use = self.arguments
        if self.link >= 0 and variable.owner.name == self.obj.name:
            if variable.name in ("i", "j", "N", "delay"):
                raise InexpressibleError(f"{name!r} in a synapse's code")
            return f"{use('synapse', self.link, variable.name)}[_k]"
        population, index = self._owner(name, variable)
        own = variable.name
        if own in ("i", "N", "_spikespace"):
            raise InexpressibleError(f"{own!r}, which counts replicates")
        if own == "lastspike":
            return f"({use('last', population)}[{index}] * dt)"
        if own == "not_refractory":
            return f"{use('ready', population)}[{index}]"
        if variable.scalar:
            return use("scalar", population, own)
        if variable.dtype not in (np.float64, np.dtype(float)):
            raise InexpressibleError(f"{own!r}, which is no floating-point number")
        return f"{use('neuron', population, own)}[{index}]"

    def _owner(self, name: str, variable: Any) -> tuple[int, str]:
        population = self._number(variable.owner)
        if self.link < 0:
            return population, "_i"
        ends = "_n" if name.endswith("_pre") else "_j"
        self.reads.add("_pre" if ends == "_n" else "_post")
        return population, ends
