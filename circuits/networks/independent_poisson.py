"""Poisson neurons that know nothing of one another: rates and refractoriness without correlations."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import xarray as xr

from circuits.networks.balanced_ei import BalancedEI
from simlab import truths
from simlab.data import activity
from simlab.rules import check_fields
from simlab.session import Effect, Session

if TYPE_CHECKING:
    from simlab.simulators.lif_theory import WorkingPoint


@dataclass(frozen=True)
class IndependentPoisson:
    """Each neuron fires as a Poisson process of its own, at the rate that it would have in a network of `like`.

        P(spike of i in [t, t + dt]) = h_i(t) dt unless i fired within `like.refractory`, else 0,
        h_i = rate_i / (1 - rate_i refractory),   rate_i = Siegert(mean_i + 20 mV x perturbation_i, sd_i)

    mean_i, sd_i: the input that mean-field theory gives neuron i of a twin drawn from `like` (Brunel 2000; see
    simlab.simulators.lif_theory); so rates match the network's, and so does the response to a current, in rheobases
    of the network's neurons (20 mV by default). Nor does a neuron fire sooner after a spike than theirs may: with their
    absolute refractory period, and the hazard h_i that makes up for it, rates are exact and intervals that no network
    of `like` has are absent (the hazard: simlab.simulators.renewal). A held neuron is made to fire at regular times, as
    theirs are. There is no synapse whose gain could change.
    """

    name: ClassVar[str] = "independent_poisson"
    mechanism: ClassVar[str] = "independent neurons"
    twin_of: ClassVar[tuple[str, ...]] = ("balanced_ei",)
    questions: ClassVar[tuple[str, ...]] = ("connectivity",)
    modalities: ClassVar[tuple[str, ...]] = ("spikes",)

    like: BalancedEI = field(default_factory=BalancedEI)  # the network whose rates it copies

    def __post_init__(self) -> None:
        check_fields(self)

    def imitating(self, circuit: BalancedEI) -> IndependentPoisson:
        """A copy that is matched to this network."""
        return replace(self, like=circuit)

    def subject(self, rng: np.random.Generator) -> IndependentPoissonSubject:
        """The rates of one twin."""
        twin = self.like.subject(rng)
        return IndependentPoissonSubject(self, twin.working_point, twin.anatomy)


@dataclass(frozen=True, eq=False)
class IndependentPoissonSubject:
    """One population: inputs and rates matched to its twin's."""

    circuit: IndependentPoisson
    matched: WorkingPoint
    anatomy: xr.Dataset

    def session(self, *, trials: int, duration: float, rng: np.random.Generator) -> Session:
        """Spontaneous activity: nothing is shown."""
        return Session(trials, duration)

    def run(self, session: Session, rng: np.random.Generator) -> xr.Dataset:
        """An Activity with the spikes of all neurons."""
        from simlab.simulators.effects import changes, check_holds, engine_effects
        from simlab.simulators.renewal import apart, refractory_poisson

        like = self.circuit.like
        effects = engine_effects(session, like.n_neurons, like.dt)
        check_holds(effects, like.refractory)
        edges = np.unique([0.0, session.duration, *changes(effects, session.duration)])
        rates = (self._free_rates(effects, session.trials, start) for start in edges[:-1])
        spikes = refractory_poisson(rates, edges, like.refractory, rng)
        if any(effect.kind == "hold" for effect in effects):
            spikes = apart(spikes, self._held_spikes(effects, session, rng), like.refractory)
        return activity(session, like.n_neurons, spikes=spikes).assign_attrs(engine=f"numpy {np.__version__}")

    def _free_rates(self, effects: tuple[Effect, ...], trials: int, time: float) -> np.ndarray:
        """(trial, neuron) [Hz] from `time` [s] to the next change of an effect; 0 for neurons that are held."""
        from simlab.simulators.effects import drive_at, hold_at

        like, every = self.circuit.like, np.arange(trials)
        current = drive_at(effects, time, every, like.n_neurons)
        rates = np.broadcast_to(self.matched.rate, current.shape).copy()
        trial, neuron = np.nonzero(current)
        mean = self.matched.mean[neuron] + (like.threshold - like.rest) * current[trial, neuron]
        rates[trial, neuron] = like.neuron.rate(mean, self.matched.sd[neuron])
        return np.where(np.isnan(hold_at(effects, time, every, like.n_neurons)), rates, 0.0)

    def _held_spikes(
        self, effects: tuple[Effect, ...], session: Session, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Spike columns (trial, time [s], neuron) of neurons that are held, at the steps at which a network's fire."""
        from simlab.simulators.effects import of_kind
        from simlab.simulators.spiking_inputs import Commands, Schedule

        n_neurons, dt = self.circuit.like.n_neurons, self.circuit.like.dt
        steps = range(round(session.duration / dt))
        commands = Commands(of_kind(effects, "hold"), np.arange(session.trials), n_neurons, steps, dt)
        made = Schedule.of(commands, rng.random(session.trials * n_neurons))
        trial, neuron = np.divmod(made.cell, n_neurons)
        return trial, made.step * dt, neuron

    def truth(self, question: str, activity: xr.Dataset | None, rng: np.random.Generator) -> xr.Dataset:
        """`connectivity`: no synapse at all."""
        return truths.among(self.circuit.name, question, {"connectivity": self._no_wiring})

    def _no_wiring(self) -> xr.Dataset:
        return truths.no_wiring(self.circuit.like.n_neurons)
