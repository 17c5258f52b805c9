"""The Brian2 objects of many replicates of a network."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from simlab.contracts import SimlabError
from simlab.simulators.brian.module import brian, interpreting
from simlab.simulators.spiking_network import Coupling, Link, Population, SynapseSet
from simlab.simulators.spiking_plan import InexpressibleError, Plan

REMEDY = "write the equations as Brian2 takes them, each variable with its unit, parameters declared (shared, constant)"


@contextmanager
def in_brians_words(where: str) -> Iterator[None]:
    """Turns what Brian2 says of equations that cannot run into a SimlabError that says where."""
    try:
        yield
    except (SimlabError, InexpressibleError):
        raise
    except Exception as error:  # Brian2 raises anything from its own classes to a bare KeyError
        said, cause = _says(error), error.__cause__
        while cause is not None:
            said, cause = (f"{said}: {_says(cause)}" if _says(cause) not in said else said), cause.__cause__
        raise SimlabError(f"{where} cannot run: {said}; {REMEDY}") from error


def _says(error: BaseException) -> str:
    text = str(error.args[0]) if error.args and isinstance(error.args[0], str) else str(error)
    lines = [line.strip() for line in text.strip().splitlines() if line.strip()]
    return " ".join(line for line in lines if not line.startswith(("The object was created", "File "))).rstrip(".")


class Objects:
    """Brian2's objects of `n_trials` replicates: groups, one for each population, and connections, one for each link.

    Their names are fixed, as they enter generated code.
    """

    def __init__(self, plan: Plan, n_trials: int, sizes: list[int] | None = None):
        """sizes: of the populations, if not the network's own: objects that are only read need but one neuron."""
        b = brian()
        self.plan, self.n_trials = plan, n_trials
        self.clock = b.Clock(dt=plan.dt * b.second, name="simlab_clock")
        populations = plan.network.populations
        self.sizes = sizes or [p.n_neurons for p in populations]
        self.groups = [self._group(i, p) for i, p in enumerate(populations)]
        self.links = plan.network.links
        self.connections = [self._connection(i, link) for i, link in enumerate(self.links)]

    @property
    def all(self) -> list[Any]:
        """What a Brian2 network runs."""
        return [*self.groups, *self.connections]

    def _group(self, index: int, population: Population) -> Any:
        b, plan = brian(), self.plan
        with in_brians_words(f"the equations of population {index}"):
            return b.NeuronGroup(
                self.n_trials * self.sizes[index],
                plan.equations(population),
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
            raise SimlabError(f"synapses act on {of.target!r}, which the equations do not declare")
        gained = self.plan.has("gain")
        with in_brians_words(f"synapse set {index} (onto {of.target!r})"):
            return b.Synapses(
                source,
                target,
                model=model(of, target, gained),
                on_pre=on_pre(of, gained) if isinstance(of, SynapseSet) else None,
                clock=self.clock,
                namespace={},
                name=f"simlab_synapses_{index:03d}",
            )

    def connect(self) -> None:
        """Makes the synapses of all replicates and gives them their values."""
        for link, connection in zip(self.links, self.connections, strict=True):
            pre, post = (self._every(ends, p) for ends, p in ((link.pre, link.source), (link.post, link.target)))
            with interpreting():
                connection.connect(i=pre, j=post)
            connection.w_[:] = np.tile(link.values("weight"), self.n_trials)
            if self.plan.has("gain"):
                connection.gain__[:] = 1.0  # Brian2 appends a further underscore for plain numbers
            if isinstance(link.of, SynapseSet):
                connection.pre.delay_[:] = np.tile(link.values("delay"), self.n_trials)
                for name in link.of.variables:
                    getattr(connection, f"{name}_")[:] = np.tile(link.values(name), self.n_trials)

    def _every(self, ends: np.ndarray, population: int) -> np.ndarray:
        """Indices within a population (synapse,), in each of the replicates (trial * synapse,)."""
        return ((np.arange(self.n_trials) * self.sizes[population])[:, None] + ends).ravel()


def model(of: SynapseSet | Coupling, target: Any, gained: bool) -> str:
    """The variables that synapses have, in Brian2's words."""
    own = unit_of(target, of.target)
    lines = [f"w : {of.unit or own}", *(["gain_ : 1"] if gained else [])]
    if isinstance(of, SynapseSet):
        return "\n".join([*lines, of.equations])
    weight = "w*gain_" if gained else "w"
    return "\n".join([*lines, f"{of.target}_post = {weight}*({of.expression}) : {own} (summed)"])


def on_pre(of: SynapseSet, gained: bool) -> str:
    """What an arriving spike does; a gain is a factor on the weight."""
    return re.sub(r"\bw\b", "(w*gain_)", of.code) if gained else of.code


def unit_of(group: Any, name: str) -> str:
    """The unit of a variable, as equations write it."""
    if name not in group.variables:
        return "1"
    return repr(brian().get_unit(group.variables[name].dim)).replace("Unit(1)", "1")
