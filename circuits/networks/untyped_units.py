"""Neurons without synapses, whose types say nothing of how they fire: nobody can know which would excite."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import xarray as xr

from circuits.networks.sign_and_type import SignAndType, SignAndTypeSubject, neurons, simulated
from simlab import truths
from simlab.data import anatomy
from simlab.rules import check_fields
from simlab.session import Session

if TYPE_CHECKING:
    from simlab.simulators.spiking import SpikingNetwork


@dataclass(frozen=True)
class UntypedUnits:
    """The neurons of a network of `like`, each with a noisy input of its own in place of synapses, and any type.

    Each fires in the way of a neuron of a twin drawn from `like` (regular- or fast-spiking, at its rate): its input has
    the mean and the variance that the twin's neuron gets from outside and over its synapses. Which of them are called
    E and I is drawn afresh, as many as there, whatever `like.overlap`. So rates, intervals and the numbers of the types
    are the network's, and no statistic of a recording tells the types apart.
    """

    name: ClassVar[str] = "untyped_units"
    mechanism: ClassVar[str] = "independent neurons"
    twin_of: ClassVar[tuple[str, ...]] = ("sign_and_type",)
    questions: ClassVar[tuple[str, ...]] = ("connectivity", "cell_type")
    modalities: ClassVar[tuple[str, ...]] = ("spikes",)

    like: SignAndType = field(default_factory=SignAndType)  # the network whose neurons it copies

    def __post_init__(self) -> None:
        check_fields(self)

    def imitating(self, circuit: SignAndType) -> UntypedUnits:
        """A copy that is matched to this network."""
        return replace(self, like=circuit)

    def subject(self, rng: np.random.Generator) -> UntypedUnitsSubject:
        """One twin, and the types that its neurons are given."""
        twin = self.like.subject(rng)
        place = np.column_stack([twin.anatomy[axis].values for axis in "xyz"])
        return UntypedUnitsSubject(self, twin, anatomy(place, rng.permutation(self.like.cell_types()).tolist()))


@dataclass(frozen=True, eq=False)
class UntypedUnitsSubject:
    """One population: ways of firing and inputs are its twin's, types its own."""

    circuit: UntypedUnits
    twin: SignAndTypeSubject
    anatomy: xr.Dataset

    @property
    def network(self) -> SpikingNetwork:
        """What runs: neurons, and no synapse."""
        from simlab.simulators.spiking import SpikingNetwork

        like, twin = self.circuit.like, self.twin
        cells = neurons(like, twin.ways, twin.mean + twin.mean_adaptation, twin.sd)
        return SpikingNetwork((cells,), name=self.circuit.name)

    def session(self, *, trials: int, duration: float, rng: np.random.Generator) -> Session:
        """Spontaneous activity: nothing is shown."""
        return Session(trials, duration)

    def run(self, session: Session, rng: np.random.Generator) -> xr.Dataset:
        """An Activity with the spikes of all neurons."""
        return simulated(self.circuit.like, self.network, session, rng)

    def truth(self, question: str, activity: xr.Dataset | None, rng: np.random.Generator) -> xr.Dataset:
        """`connectivity`: no synapse at all; `cell_type`: what they are called."""
        answers = {
            "connectivity": lambda: truths.no_wiring(self.circuit.like.n_neurons),
            "cell_type": lambda: truths.cell_types(self.anatomy),
        }
        return truths.among(self.circuit.name, question, answers)
