"""What the writers of a kernel's parts share: plan, Brian2's objects, arguments, and how code is laid out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from textwrap import indent
from typing import Any

from simlab.simulators.brian.objects import Objects
from simlab.simulators.kernel.arguments import Arguments
from simlab.simulators.kernel.translate import Scope
from simlab.simulators.spiking_network import Population
from simlab.simulators.spiking_plan import Plan


def block(head: str, *lines: str) -> str:
    """A compound statement; nothing where it has no body."""
    body = "\n".join(line for line in lines if line.strip())
    return f"{head}\n{indent(body, '    ')}" if body else ""


def together(*parts: str) -> str:
    """Statements one after another."""
    return "\n".join(part for part in parts if part.strip())


def function(name: str, arguments: Arguments, *lines: str) -> str:
    """A compiled function of these arguments that lets go of the interpreter."""
    head = f'@njit("{arguments.signature()}", nogil=True, cache=True, error_model="numpy")\n'
    return head + block(f"def {name}({', '.join(arguments.codes())}):", *lines)


@dataclass
class Build:
    """A kernel being written. drawn: (noise, function) of the numbers that the equations draw by themselves."""

    plan: Plan
    objects: Objects
    use: Arguments = field(default_factory=Arguments)
    drawn: list[tuple[str, str]] = field(default_factory=list)
    hoisted: list[dict[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.hoisted = [{} for _ in self.objects.groups]

    @property
    def populations(self) -> tuple[Population, ...]:
        """The network's."""
        return self.plan.network.populations

    def scope(self, obj: Any, label: str, link: int = -1) -> Scope:
        """What names mean in the code of a group that changes at spikes, or of a synapse set."""
        return Scope(obj, self.objects.groups, self.use, label, link)

    def steady_scope(self, p: int, label: str) -> Scope:
        """What they mean where all neurons of a population are met at every step."""
        scope = self.scope(self.objects.groups[p], f"{label}{p}")
        scope.hoist, scope.draw = self.hoisted[p], self._drawing(p)
        scope.given = {name: self.noise(p, name) for name in self.populations[p].noises}
        return scope

    def noise(self, p: int, name: str) -> str:
        """A neuron's share of a row of fresh numbers."""
        return f"{self.use('noise', -1, name)}[{self.use('offset', p, name)} + _i]"

    def _drawing(self, p: int) -> Callable[[str], str]:
        def draw(function_name: str) -> str:
            name = f"{p}_{len(self.drawn)}"
            self.drawn.append((name, function_name))
            return f"{self.use('drawn', p, name)}[_i]"

        return draw

    def neurons(self, p: int, *lines: str) -> str:
        """A loop over a population."""
        return block(f"for _i in range({self.use('size', p)}):", *lines)
