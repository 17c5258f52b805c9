"""Poisson neurons that know nothing of one another: rates without correlations."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import xarray as xr

from circuits.networks.balanced_ei import BalancedEI
from simlab import truths
from simlab.data import activity
from simlab.session import SILENCE_CURRENT, Session, neuron_perturbations, pulsed_trials

if TYPE_CHECKING:
    from simlab.simulators.lif_theory import WorkingPoint


@dataclass(frozen=True)
class IndependentPoisson:
    """Each neuron fires as a Poisson process of its own, at the rate that it would have in a network of `like`.

        P(spike of i in [t, t + dt]) = rate_i(t) dt,   rate_i = Siegert(mean_i + 20 mV x perturbation_i, sd_i)

    mean_i, sd_i: the input that mean-field theory gives neuron i of a twin drawn from `like` (Brunel 2000; see
    simlab.simulators.lif_theory); so rates match the network's, and so does the response to a current, in rheobases
    of the network's neurons (20 mV by default). A clamped neuron fires as a Poisson process of the clamp's rate.
    """

    name: ClassVar[str] = "independent_poisson"
    mechanism: ClassVar[str] = "independent neurons"
    twin_of: ClassVar[tuple[str, ...]] = ("balanced_ei",)
    questions: ClassVar[tuple[str, ...]] = ("connectivity",)

    like: BalancedEI = field(default_factory=BalancedEI)  # the network whose rates it copies

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
        n_neurons = self.circuit.like.n_neurons
        pulses = neuron_perturbations(session, n_neurons)
        edges = np.unique([0.0, session.duration, *(t for p in pulses for t in (p.start, p.stop))])
        columns = []
        for start, stop in pairwise(edges):
            counts = rng.poisson(self._rates(session, start) * (stop - start))
            trial, neuron = np.nonzero(counts)
            repeats = counts[trial, neuron]
            times = start + (stop - start) * rng.random(repeats.sum())
            columns.append((np.repeat(trial, repeats), times, np.repeat(neuron, repeats)))
        trial, times, neuron = (np.concatenate(column) for column in zip(*columns, strict=True))
        spikes = (trial, np.minimum(times, session.duration), neuron)
        return activity(session, n_neurons, spikes=spikes).assign_attrs(engine=f"numpy {np.__version__}")

    def _rates(self, session: Session, time: float) -> np.ndarray:
        """(trial, neuron) [Hz] from `time` [s] to the next edge of a pulse."""
        like = self.circuit.like
        current = np.zeros((session.trials, like.n_neurons))
        clamp = np.zeros_like(current)
        for pulse in neuron_perturbations(session, like.n_neurons):
            if pulse.start <= time < pulse.stop:
                trials = pulsed_trials(pulse, session.trials)
                if pulse.kind == "clamp":
                    clamp[trials] = np.maximum(clamp[trials], pulse.strength)
                else:
                    current[trials] += pulse.strength * (1.0 if pulse.kind == "stimulate" else -SILENCE_CURRENT)
        rates = np.broadcast_to(self.matched.rate, current.shape)
        if current.any():
            mean = self.matched.mean + (like.threshold - like.rest) * current
            rates = like.neuron.rate(mean, np.broadcast_to(self.matched.sd, current.shape))
        return np.where(clamp > 0, clamp, rates)

    def truth(self, question: str, activity: xr.Dataset | None, rng: np.random.Generator) -> xr.Dataset:
        """`connectivity`: no synapse at all."""
        return truths.among(self.circuit.name, question, {"connectivity": self._no_wiring})

    def _no_wiring(self) -> xr.Dataset:
        return truths.no_wiring(self.circuit.like.n_neurons)
