"""From Brian2's objects to lines of compiled code: its parser, state updaters and optimiser do the work."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from simlab.simulators.brian.objects import WEIGHT
from simlab.simulators.kernel.arguments import Arguments
from simlab.simulators.kernel.render import FUNCTIONS, Hoister, Renderer
from simlab.simulators.spiking_network import words
from simlab.simulators.spiking_plan import InexpressibleError

ONE = {"randn": "one_normal", "rand": "one_uniform"}
"""How a number is drawn where a spike resets or arrives."""


@dataclass
class Lines:
    """Compiled code of one piece of abstract code. once: what is the same for all elements; each: per element."""

    once: list[str]
    each: list[str]


@dataclass
class Scope:
    """What names mean in the code of one of Brian2's objects.

    groups: Brian2's groups, by which variables know their population. label: of local names. link: number of a synapse
    set, or -1. draw: how a function that draws numbers does so. hoist: code -> name of what is computed once per run.
    given: name -> code of what the engine has in its own way. Of a translation: reads: which ends of a synapse it saw;
    locals: names that are the code's own; fixed: name -> code of those that never change; written: variables it sets.
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
    locals: set[str] = field(default_factory=set)
    fixed: dict[str, str] = field(default_factory=dict)
    written: set[str] = field(default_factory=set)

    def translate(self, code: str, guarded: bool = False) -> Lines:
        """The code, ready to be compiled. guarded: whether refractory neurons keep what they must not change."""
        from brian2.codegen.translation import analyse_identifiers, make_statements

        _, known, unknown = analyse_identifiers(code, self.obj.variables, recursive=True)
        self.variables = dict(self.obj.variables)
        self.variables |= self.obj.resolve_all(known | unknown, run_namespace={}, user_identifiers=set())
        scalar, vector = make_statements(code, self.variables, np.float64, optimise=True)
        self.locals = {s.var for s in (*scalar, *vector) if s.op == ":="}
        self._check_written(scalar, vector)
        once = [self._line(s) for s in scalar]
        self.fixed = {}
        for s in scalar:
            if self.hoist is not None and all(map(self._constant, words(s.expr) - set(FUNCTIONS))):
                self.fixed[s.var] = f"({Renderer(self._once, self._draw).code(s.expr)})"
        return Lines(once, [self._line(s, guarded=guarded, vector=True) for s in vector])

    def _check_written(self, scalar: list[Any], vector: list[Any]) -> None:
        if changed := [s.var for s in scalar if s.var not in self.locals]:
            raise InexpressibleError(f"the shared variable {changed[0]!r}, which changes")
        self.written = {s.var for s in vector} - self.locals
        for name in sorted(self.written):
            if self.variables[name].constant:
                raise InexpressibleError(f"{name!r}, which is declared (constant) and changes at a spike")

    def _local(self, name: str) -> str:
        return f"{self.label}{name}" if name in self.locals else self._variable(name)

    def _once(self, name: str) -> str:
        """A name in what is computed once per network, outside of all steps."""
        return self.fixed[name] if name in self.fixed else self._local(name)

    def _line(self, statement: Any, guarded: bool = False, vector: bool = False) -> str:
        resolve, expression = self._local, statement.expr
        if vector and self.hoist is not None:
            expression = Hoister(self._constant, self._kept).code(expression)
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
        if self.draw is not None:
            return self.draw(name)
        return f"{ONE[name]}({self.arguments('stream')}, {self.arguments('drawn', 0, 'one')})"

    def _constant(self, name: str) -> bool:
        """Whether a name stands for what never changes, per neuron or for all."""
        if name in self.locals:
            return name in self.fixed
        variable = self.variables.get(name)
        return name == "dt" or (
            bool(getattr(variable, "constant", False)) and name not in ("t", "lastspike", "not_refractory")
        )

    def _kept(self, expression: str) -> str:
        assert self.hoist is not None
        code = Renderer(self._once, self._draw).code(expression)
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
        if name == "t_in_timesteps":
            return "step"
        if name in self.given:
            return self.given[name]
        variable = self.variables[name]
        kind = type(variable).__name__
        if kind in ("Constant", "SymbolicConstant"):
            return _number(variable.value)
        if kind not in ("ArrayVariable", "DynamicArrayVariable"):
            raise InexpressibleError(f"{name!r}, which is a {kind}")
        return self._array(name, variable)

    def _array(self, name: str, variable: Any) -> str:
        use = self.arguments
        if self.link >= 0 and variable.owner.name == self.obj.name:
            if variable.name in ("i", "j", "N", "delay"):
                raise InexpressibleError(f"{name!r} in a synapse's code")
            own = variable.name
            if own == WEIGHT:  # what spikes change is a trial's own
                own = "weight" if own in self.written else "w"
            return f"{use('synapse', self.link, own)}[{'0' if variable.scalar else '_k'}]"
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


def _number(value: Any) -> str:
    """A constant in compiled code."""
    if isinstance(value, bool | np.bool_):
        return repr(bool(value))
    return repr(float(value)).replace("inf", "math.inf").replace("nan", "math.nan")
