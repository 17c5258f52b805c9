"""One individual of a ring circuit: its task, its activity and its truth, all from one network."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import xarray as xr

from circuits.attractors.ring_network import RingNetwork, cue_session
from circuits.attractors.ring_regime import ring_regime
from circuits.attractors.shape import betti_numbers
from simlab import truths
from simlab.data import anatomy
from simlab.session import Session

TISSUE = 300e-6
"""Edge [m] of the cube in which recorded neurons lie: no larger than the rodent nuclei with head-direction cells."""

STATES = 40
"""Cue angles whose remembered states trace the manifold; a bump is ten of their steps wide."""


@dataclass(frozen=True, eq=False)
class RingSubject:
    """`network` is all that runs; `recorded` are the indices of the neurons that an instrument may see."""

    circuit: Any  # a RingAttractor or a FeedforwardRing
    network: RingNetwork
    recorded: np.ndarray
    anatomy: xr.Dataset

    @classmethod
    def placed(cls, circuit: Any, network: RingNetwork, rng: np.random.Generator) -> RingSubject:
        """All but an upstream ring is recorded; random places tell nothing of directions."""
        recorded = np.arange(network.size - circuit.n_neurons, network.size)
        kinds = np.where(network.excitatory[recorded], "E", "I").tolist()
        place = rng.uniform(0, TISSUE, (len(recorded), 3))
        return cls(circuit, network, recorded, anatomy(place, kinds, "head-direction nucleus"))

    @property
    def preferred_angle(self) -> np.ndarray:
        """Place of each recorded neuron on the ring (neuron,) [rad]; NaN for inhibitory ones."""
        return self.network.angle[self.recorded]

    def session(self, *, trials: int, duration: float, rng: np.random.Generator) -> Session:
        """Trials that begin under a cue at a random angle and go on in darkness."""
        return cue_session(self.network.circuit, trials, duration, rng)

    def run(self, session: Session, rng: np.random.Generator) -> xr.Dataset:
        """An Activity of the recorded neurons: spikes, or `rate` [Hz] every 10 ms of the rate version."""
        return self.network.simulate(session, rng, self.recorded)

    def truth(self, question: str, activity: xr.Dataset | None, rng: np.random.Generator) -> xr.Dataset:
        """`connectivity`: the weights among recorded neurons; `topology`, `dynamics`: of noise-free states."""
        answers = {"connectivity": self._wiring, "topology": self._shape, "dynamics": self._regime}
        return truths.among(self.circuit.name, question, answers)

    def _wiring(self) -> xr.Dataset:
        return truths.wiring(self.network.weights[np.ix_(self.recorded, self.recorded)], "V/Hz")

    def _shape(self) -> xr.Dataset:
        """Betti numbers of the states in which cues all around the ring leave the recorded neurons, without noise."""
        return truths.shape(_noise_free_shape(self.circuit))

    def _regime(self) -> xr.Dataset:
        """`driven` where no recorded neuron contacts another; else by the fixed points of the ring (`ring_regime`)."""
        joined = self.network.weights[np.ix_(self.recorded, self.recorded)].any()
        return truths.one(label=_ring_regime(self.circuit) if joined else "driven")


@lru_cache(maxsize=64)
def _noise_free_shape(circuit: Any) -> tuple[int, int, int]:
    """All subjects of a circuit have one network but for the numbering of neurons, on which no shape depends."""
    network = circuit.network()
    states = network.states(np.arange(STATES) * 2 * np.pi / STATES)
    return betti_numbers(states[:, network.size - circuit.n_neurons :])


@lru_cache(maxsize=64)
def _ring_regime(circuit: Any) -> str:
    return ring_regime(circuit.network())
