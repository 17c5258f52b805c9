"""Chains whose first neurons lie so close to one another that light on one reaches the other."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, ClassVar

import numpy as np
import xarray as xr

from circuits.networks.balanced_ei import BalancedEI, lif
from simlab import truths
from simlab.data import anatomy
from simlab.rules import Within, check_fields
from simlab.rules.quantities import Delay, Distance, Drive, Noise
from simlab.session import Session

if TYPE_CHECKING:
    from simlab.simulators.spiking import SpikingNetwork

FAR = 400e-6
"""Between the pairs, and from one link of a chain to the next [m]: eight scattering lengths of blue light in cortex."""


@dataclass(frozen=True)
class StimulatedChain:
    """Pairs of chains A -> B, C -> D of leaky integrate-and-fire neurons, A and C `apart` from another, all else far.

        tau dV_i/dt = rest - V_i + external + sd sqrt(2 tau) xi_i(t);   a spike of A adds `weight` to B after `delay`

    Whoever pulses A with light that spreads pulses C as well, and sees D fire: a contrast of trials with and without
    light says A -> D, where C -> D. A's own effect on B is estimated rightly from the trials in which A answered and C
    did not, and the other way round, which comes about by chance, or because one of them had just fired (Lepperod et
    al. 2023, PLoS Comput Biol 19:e1011574: widefield stimulation of a chain whose first neuron is not hit alone). The
    fault is the stimulator's: with `ideal` all pulses hit one neuron, and there is nothing to be fooled by.

    `links` is the number of synapses of a chain. Neurons have no other input in common, so that without light nothing
    confounds A and C. The membrane is that of `balanced_ei` (Brunel 2000).
    """

    name: ClassVar[str] = "stimulated_chain"
    mechanism: ClassVar[str] = "chains side by side"
    questions: ClassVar[tuple[str, ...]] = ("effect", "connectivity")
    modalities: ClassVar[tuple[str, ...]] = ("spikes",)

    pairs: Annotated[int, Within(1, 50)] = 2
    links: Annotated[int, Within(1, 5)] = 1
    apart: Distance = 15e-6
    """m, from A to C: neighbouring cortical somata at 9e4 per mm3 are 12 to 20 um apart."""
    weight: Annotated[float, Within(0, 0.02, "V")] = 6e-3
    """V: a strong one (Lefort et al. 2009: up to 8 mV), as a pulse must reach D through one synapse."""
    delay: Delay = 2e-3  # s
    external: Drive = 13e-3  # V, mean potential 7 mV below threshold
    external_sd: Noise = 5e-3  # V (Destexhe et al. 2003: 2 to 6 mV)

    def __post_init__(self) -> None:
        check_fields(self)

    @property
    def n_neurons(self) -> int:
        """Of all chains."""
        return 2 * self.pairs * (self.links + 1)

    def subject(self, rng: np.random.Generator) -> StimulatedChainSubject:
        """One animal: who stands where in the chains is drawn, and to which side each pair lies."""
        return StimulatedChainSubject(self, rng.permutation(self.n_neurons), rng.uniform(0, np.pi, self.pairs))


@dataclass(frozen=True, eq=False)
class StimulatedChainSubject:
    """One individual. order (place,): the neuron at each place, chain by chain, two of them a pair; angle (pair,).

    crossed: whether the first synapse of each chain leads to the other one's second neuron.
    """

    circuit: StimulatedChain
    order: np.ndarray
    angle: np.ndarray
    name: str = StimulatedChain.name
    crossed: bool = False

    @property
    def chains(self) -> np.ndarray:
        """(pair, 2, place) the neurons of each chain, the first of which is pulsed with its neighbour's."""
        return self.order.reshape(self.circuit.pairs, 2, -1)

    @cached_property
    def anatomy(self) -> xr.Dataset:
        """A and C `apart`, the rest of their chains to either side, pairs far from one another."""
        circuit, place = self.circuit, np.empty((self.circuit.n_neurons, 3))
        along = np.concatenate([[circuit.apart / 2], circuit.apart / 2 + FAR * np.arange(1, circuit.links + 1)])
        for pair, (first, second) in enumerate(self.chains):
            to = np.array([0.0, np.cos(self.angle[pair]), np.sin(self.angle[pair])])
            middle = np.array([FAR * pair, 0.0, 0.0])
            place[first], place[second] = middle + np.outer(along, to), middle - np.outer(along, to)
        return anatomy(place, ["E"] * circuit.n_neurons)

    @cached_property
    def weights(self) -> np.ndarray:
        """(pre, post) [V]."""
        found = np.zeros((self.circuit.n_neurons,) * 2)
        heads, rest = self.chains[:, :, 0], self.chains[:, :, 1:]
        found[heads, rest[:, ::-1, 0] if self.crossed else rest[:, :, 0]] = self.circuit.weight
        found[rest[:, :, :-1], rest[:, :, 1:]] = self.circuit.weight
        return found

    @property
    def network(self) -> SpikingNetwork:
        """What runs."""
        from simlab.simulators.spiking import SpikingNetwork, SynapseSet

        circuit = self.circuit
        pre, post = np.nonzero(self.weights)
        delays = np.full(len(pre), circuit.delay)
        synapses = SynapseSet(pre, post, self.weights[pre, post], delays, target="v")
        external = np.full(circuit.n_neurons, circuit.external)
        return SpikingNetwork((lif(self._membrane, external, circuit.external_sd),), (synapses,), name=self.name)

    @property
    def _membrane(self) -> BalancedEI:
        return BalancedEI(n_neurons=self.circuit.n_neurons, synaptic_time_constant=0.0)

    def session(self, *, trials: int, duration: float, rng: np.random.Generator) -> Session:
        """Spontaneous activity: nothing is shown."""
        return Session(trials, duration)

    def run(self, session: Session, rng: np.random.Generator) -> xr.Dataset:
        """An Activity with the spikes of all neurons."""
        from simlab.simulators.spiking import simulate

        like = self._membrane
        spikes = simulate(self.network, session, rng, burn_in=like.burn_in, dt=like.dt)
        return spikes.activity(session, self.circuit.n_neurons)

    def truth(self, question: str, activity: xr.Dataset | None, rng: np.random.Generator) -> xr.Dataset:
        """`effect`: what a pulse into one neuron does, by simulation; `connectivity`: the weights that ran [V]."""
        answers = {
            "effect": lambda: truths.pulse_responses(self, rng),
            "connectivity": lambda: truths.wiring(self.weights, "V"),
        }
        return truths.among(self.name, question, answers)
