"""The Brian2 objects of many replicates of a network."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import numpy as np

from simlab.contracts import SimlabError
from simlab.simulators.brian.checks import check, check_variables
from simlab.simulators.brian.module import brian, interpreting
from simlab.simulators.brian.words import in_brians_words
from simlab.simulators.spiking_network import Coupling, Link, Population, SynapseSet
from simlab.simulators.spiking_plan import Plan

WEIGHT = "weight_"
"""The name of a synapse's weight among Brian2's variables."""


class Objects:
    """Brian2's objects of `n_trials` replicates: groups, one for each population, and connections, one for each link.

    Their names are fixed, as they enter generated code. Raises SimlabError for equations that cannot run.
    """

    def __init__(self, plan: Plan, n_trials: int, sizes: list[int] | None = None):
        """sizes: of the populations, if not the network's own: objects that are only read need but one neuron."""
        b = brian()
        self.plan, self.n_trials = plan, n_trials
        self.clock = b.Clock(dt=plan.dt * b.second, name="simlab_clock")
        populations = plan.network.populations
        self.sizes = sizes or [p.n_neurons for p in populations]
        self.links = plan.network.links
        self.groups = [self._group(i, p) for i, p in enumerate(populations)]
        self.connections = [self._connection(i, link) for i, link in enumerate(self.links)]
        check(self)

    @property
    def all(self) -> list[Any]:
        """What a Brian2 network runs."""
        return [*self.groups, *self.connections]

    def where(self, index: int) -> str:
        """A link, in words: the synapse set that it is of."""
        of = self.links[index].of
        kind = "coupling" if isinstance(of, Coupling) else "synapse set"
        return f"{kind} {self.plan.network.synapses.index(of)} (onto {of.target!r})"

    def heard(self, index: int) -> str:
        """The variable that a coupling writes: its target, or its own part of one that has several couplings."""
        link = self.links[index]
        target = link.of.target
        return f"{target}_part{index}_" if index in self._parts(link.target, target) else target

    def _parts(self, population: int, target: str) -> list[int]:
        """The couplings (links) that add up to a variable of a population, if there are several."""
        of = [(link.target, link.of.target) if isinstance(link.of, Coupling) else None for link in self.links]
        found = [i for i, each in enumerate(of) if each == (population, target)]
        return found if len(found) > 1 else []

    def equations(self, index: int) -> str:
        """A population's equations; in them a variable of several couplings is their sum: Brian2 knows but one."""
        text = self.plan.equations(self.plan.network.populations[index])
        targets = Counter(link.of.target for link in self.links if link.target == index)
        for target in targets:
            parts = [self.heard(i) for i in self._parts(index, target)]
            if parts:
                declared = r"(?m)^([ \t]*)" + target + r"[ \t]*:([^#\n(]+?)[ \t]*(#.*)?$"
                lines = [f"{target} = {' + '.join(parts)}", *parts]
                text, found = re.subn(declared, "\n".join(rf"\1{line} :\2" for line in lines), text)
                if not found:
                    raise SimlabError(
                        f"couplings act on {target!r}: declare it on a line of its own, `{target} : unit`"
                    )
        return text

    def _group(self, index: int, population: Population) -> Any:
        b, plan = brian(), self.plan
        with in_brians_words(f"the equations of population {index}", population.equations):
            return b.NeuronGroup(
                self.n_trials * self.sizes[index],
                self.equations(index),
                threshold=plan.threshold(population) or None,
                reset=population.reset or None,
                refractory=plan.refractory(population) or False,
                method=population.method,
                clock=self.clock,
                namespace={},
                name=f"simlab_neurons_{index}",
            )

    def _connection(self, index: int, link: Link) -> Any:
        b, of = brian(), link.of
        source, target = self.groups[link.source], self.groups[link.target]
        if of.target not in target.variables and not getattr(of, "on_pre", ""):
            raise SimlabError(f"{self.where(index)}: no {of.target!r} is declared: declare it with its unit")
        gained = self.plan.has("gain")
        with in_brians_words(self.where(index), getattr(of, "equations", "")):
            connection = b.Synapses(
                source,
                target,
                model=model(of, target, gained, self.heard(index)),
                on_pre=on_pre(of, gained) if isinstance(of, SynapseSet) else None,
                clock=self.clock,
                namespace={},
                name=f"simlab_synapses_{index:03d}",
            )
        if isinstance(of, SynapseSet):
            check_variables(self.where(index), connection, of.variables)
        return connection

    def connect(self) -> None:
        """Makes the synapses of all replicates and gives them their values."""
        for link, connection in zip(self.links, self.connections, strict=True):
            pre, post = (self._every(ends, p) for ends, p in ((link.pre, link.source), (link.post, link.target)))
            with interpreting():
                connection.connect(i=pre, j=post)
            getattr(connection, f"{WEIGHT}_")[:] = np.tile(link.values("weight"), self.n_trials)
            if self.plan.has("gain"):
                connection.gain__[:] = 1.0  # Brian2 appends a further underscore for plain numbers
            if isinstance(link.of, SynapseSet):
                connection.pre.delay_[:] = np.tile(link.values("delay"), self.n_trials)
                for name in link.of.variables:
                    values = link.values(name)
                    if connection.variables[name].scalar:
                        setattr(connection, f"{name}_", values[0])
                    else:
                        getattr(connection, f"{name}_")[:] = np.tile(values, self.n_trials)

    def _every(self, ends: np.ndarray, population: int) -> np.ndarray:
        """Indices within a population (synapse,), in each of the replicates (trial * synapse,)."""
        return ((np.arange(self.n_trials) * self.sizes[population])[:, None] + ends).ravel()


def model(of: SynapseSet | Coupling, target: Any, gained: bool, heard: str) -> str:
    """The variables that synapses have, in Brian2's words. heard: what a coupling writes."""
    own = unit_of(target, of.target)
    lines = [f"{WEIGHT} : {of.unit or own}", *(["gain_ : 1"] if gained else [])]
    if isinstance(of, SynapseSet):
        return "\n".join([*lines, weighed(of.equations, gained)])
    return "\n".join([*lines, f"{heard}_post = {weighed('w', gained)}*({of.expression}) : {own} (summed)"])


def on_pre(of: SynapseSet, gained: bool) -> str:
    """What an arriving spike does; a gain is a factor on the weight."""
    if gained and re.search(r"(^|[;\n])\s*w\s*[-+*/%]?=(?!=)", of.code):
        raise SimlabError(
            f"a gain acts on the weight w, which {of.code!r} changes: let what is learned be a variable of its own"
        )
    return weighed(of.code, gained)


def weighed(code: str, gained: bool) -> str:
    """Code in which `w` is the weight, by a name that no neuron's variable has: `w` often is one's adaptation."""
    return re.sub(r"\bw\b", f"({WEIGHT}*gain_)" if gained else WEIGHT, code)


def unit_of(group: Any, name: str) -> str:
    """The unit of a variable, as equations write it."""
    if name not in group.variables:
        return "1"
    return repr(brian().get_unit(group.variables[name].dim)).replace("Unit(1)", "1")
