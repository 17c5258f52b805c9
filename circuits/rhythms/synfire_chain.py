"""A synfire chain: pools of spiking neurons that hand a volley on from one to the next, until the last."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, ClassVar

import numpy as np
import xarray as xr

from circuits.networks import cortex
from simlab import truths
from simlab.contracts import SimlabError
from simlab.data import anatomy
from simlab.rules import Within, check_fields, require
from simlab.rules.quantities import (
    Delay,
    Drive,
    MembraneTimeConstant,
    Noise,
    Pause,
    Potential,
    Refractory,
    Step,
    SynapticTimeConstant,
)
from simlab.session import Session, Stimulus

if TYPE_CHECKING:
    from simlab.simulators.spiking import SpikingNetwork

EQUATIONS = """
    dv/dt = (rest - v + external + go + current + rheobase*perturbation)/tau + sigma*sqrt(2/(tau*dt))*eta : volt (unless refractory)
    dcurrent/dt = -current/tau_s : volt
    tau : second (shared, constant)
    tau_s : second (shared, constant)
    external : volt (shared, constant)
    rest : volt (shared, constant)
    v_threshold : volt (shared, constant)
    v_reset : volt (shared, constant)
    rheobase : volt (shared, constant)
    sigma : volt (shared, constant)
"""  # noqa: E501 (one equation, one line)


@dataclass(frozen=True)
class SynfireChain:
    """Pools of integrate-and-fire neurons, each of which excites all of the next pool (Abeles 1991, Corticonics).

        tau dV/dt = rest - V + external + go(t) + I + sigma sqrt(2 tau) xi(t),   spike at threshold, then reset
        tau_s dI/dt = -I,   I_post += w tau / tau_s a delay after each spike of the pool before

    A volley of enough spikes, close enough in time, makes the next pool fire one that is no weaker, and so runs down
    the chain (Diesmann, Gewaltig & Aertsen 1999, Nature 402:529: 100 neurons a pool; here fewer, with larger synapses,
    so that a pool's volley is as strong: `volley` is the potential that would be reached by all of it at once). The
    noise also lets neurons fire between volleys. A trial's go is a current into the first pool. The axons' delay sets
    the pace (songbird HVC: Long, Jin & Fee 2010; Egger et al. 2020, Cell 183:537: 1 to 7.5 ms).
    """

    name: ClassVar[str] = "synfire_chain"
    mechanism: ClassVar[str] = "feedforward chain"
    questions: ClassVar[tuple[str, ...]] = ("dynamics", "connectivity")
    modalities: ClassVar[tuple[str, ...]] = ("spikes",)

    n_pools: Annotated[int, Within(2, 1000)] = 20
    neurons_per_pool: Annotated[int, Within(2, 1000)] = 8
    volley: Annotated[float, Within(0, 0.2, "V")] = 40e-3
    """V, sum of the jumps that a pool's spikes would make with delta synapses; half of them are enough to fire the
    next pool."""
    rest: Potential = -70e-3  # V (Diesmann et al. 1999)
    threshold: Potential = -55e-3  # V (Diesmann et al. 1999)
    reset: Potential = -70e-3  # V (Diesmann et al. 1999)
    membrane_time_constant: MembraneTimeConstant = 10e-3  # s (Diesmann et al. 1999)
    synaptic_time_constant: SynapticTimeConstant = 2e-3  # s
    refractory: Refractory = (
        5e-3  # s: one spike in a volley (Diesmann et al. 1999 have 15 ms of relative refractoriness)
    )
    delay: Delay = 5e-3  # s
    external: Drive = 4e-3  # V: threshold is 11 mV above, near four sds of the noise
    noise: Noise = 3e-3  # V, sd of the free membrane (Diesmann et al. 1999: 2.8 mV)
    go_strength: Drive = 60e-3  # V, into the first pool
    go_onset: Annotated[float, Within(1e-3, 10, "s")] = 0.05  # s of the trial
    go_duration: Annotated[float, Within(1e-3, 1, "s")] = 5e-3  # s
    burn_in: Pause = 0.1  # s before each trial
    dt: Step = 1e-4  # s

    def __post_init__(self) -> None:
        check_fields(self)
        cortex.check_potentials(self.rest, self.reset, self.threshold)
        require(
            self.synaptic_time_constant >= 4 * self.dt and self.membrane_time_constant >= 20 * self.dt,
            f"dt must be at most a quarter of synaptic_time_constant and a twentieth of membrane_time_constant, got "
            f"{self.dt} s: use 1e-4",
        )

    @property
    def n_neurons(self) -> int:
        """Of all pools."""
        return self.n_pools * self.neurons_per_pool

    def subject(self, rng: np.random.Generator) -> SynfireChainSubject:
        """One chain, whose neurons are numbered and placed at random."""
        pool = rng.permutation(np.repeat(np.arange(self.n_pools), self.neurons_per_pool))
        place = rng.uniform(0, cortex.edge_of(self.n_neurons, cortex.DENSITY), (self.n_neurons, 3))
        return SynfireChainSubject(self, pool, anatomy(place, ["E"] * self.n_neurons))


@dataclass(frozen=True, eq=False)
class SynfireChainSubject:
    """One chain: the pool (neuron,) of each neuron, and anatomy."""

    circuit: SynfireChain
    pool: np.ndarray
    anatomy: xr.Dataset

    @property
    def weights(self) -> np.ndarray:
        """(pre, post) [V]: jumps with the same integral as what a spike makes."""
        follows = self.pool[None, :] == self.pool[:, None] + 1
        return np.where(follows, self.circuit.volley / self.circuit.neurons_per_pool, 0.0)

    @cached_property
    def network(self) -> SpikingNetwork:
        """What runs."""
        from simlab.simulators.spiking import Population, SpikingNetwork, SynapseSet

        c = self.circuit
        neurons = Population(
            n_neurons=c.n_neurons, equations=EQUATIONS, threshold="v > v_threshold", reset="v = v_reset",
            refractory=c.refractory,
            parameters={
                "tau": c.membrane_time_constant, "tau_s": c.synaptic_time_constant, "external": c.external,
                "rest": c.rest, "v_threshold": c.threshold, "v_reset": c.reset, "rheobase": c.threshold - c.rest,
                "sigma": c.noise,
            },
            initial={"v": (c.reset, c.threshold)},
        )  # fmt: skip
        pre, post = np.nonzero(self.weights)
        size = self.weights[pre, post] * c.membrane_time_constant / c.synaptic_time_constant
        return SpikingNetwork((neurons,), (SynapseSet(pre, post, size, c.delay, target="current"),), name=c.name)

    def session(self, *, trials: int, duration: float, rng: np.random.Generator) -> Session:
        """Each trial has one go (1), `go_duration` long, at `go_onset`; before and after nothing is shown (NaN)."""
        c = self.circuit
        steps = max(1, int(np.ceil(duration / c.go_duration - 1e-9)))
        values = np.full((trials, steps, 1), np.nan)
        values[:, min(round(c.go_onset / c.go_duration), steps - 1)] = 1.0
        return Session(trials, duration, Stimulus(("go",), values, c.go_duration))

    def run(self, session: Session, rng: np.random.Generator) -> xr.Dataset:
        """An Activity with the spikes of all neurons."""
        from simlab.simulators.spiking import Drive, simulate

        c = self.circuit
        go, interval = self._shown(session)
        drive = Drive("go", go, interval, loading=(self.pool == 0).astype(float)[None], unit="volt")
        spikes = simulate(self.network, session, rng, drives=(drive,), burn_in=c.burn_in, dt=c.dt)
        return spikes.activity(session, c.n_neurons)

    def _shown(self, session: Session) -> tuple[np.ndarray, float]:
        """The go (trial, step, 1) [V] and how long its steps last [s]."""
        if session.stimulus is None:
            return np.zeros((session.trials, 1, 1)), session.duration
        if session.stimulus.features != ("go",):
            raise SimlabError(f"a chain is shown one feature, 'go', got {session.stimulus.features}: name it so")
        go = np.nan_to_num(session.stimulus.values) * self.circuit.go_strength
        return np.concatenate([go, np.zeros_like(go[:, :1])], axis=1), session.stimulus.interval

    def truth(self, question: str, activity: xr.Dataset | None, rng: np.random.Generator) -> xr.Dataset:
        """`dynamics`: activity is handed on and ends; `connectivity`: the weights that ran [V]."""
        answers = {
            "dynamics": lambda: truths.one(label="feedforward sequence"),
            "connectivity": lambda: truths.wiring(self.weights, "V"),
        }
        return truths.among(self.circuit.name, question, answers)
