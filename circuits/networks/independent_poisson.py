"""Poisson neurons that know nothing of one another: rates and refractoriness without correlations."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import xarray as xr

from circuits.networks import unconnected
from circuits.networks.balanced_ei import BalancedEI
from simlab.rules import check_fields
from simlab.session import Session

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
    questions: ClassVar[tuple[str, ...]] = ("connectivity", "effect")
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
        return IndependentPoissonSubject(self, twin.working_point, unconnected.places(twin))


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
        from simlab.simulators.renewal import refractory_poisson

        like = self.circuit.like
        return unconnected.run(
            like,
            self.matched,
            session,
            rng,
            lambda rates, edges: refractory_poisson(rates, edges, like.refractory, rng),
        )

    def truth(self, question: str, activity: xr.Dataset | None, rng: np.random.Generator) -> xr.Dataset:
        """`connectivity` and `effect`: no synapse at all, and so no response."""
        return unconnected.truth(self.circuit.name, question, self.circuit.like.n_neurons)
