"""A ring attractor: a bump of activity that remembers a direction because the neurons hold each other up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import numpy as np

from circuits.attractors.ring_network import RingNetwork, footprint, wrap
from circuits.attractors.ring_subject import RingSubject
from simlab.rules import Within, check_fields, require
from simlab.rules.quantities import (
    Angle,
    Delay,
    Drive,
    MembraneTimeConstant,
    Noise,
    Pause,
    Potential,
    Refractory,
    Share,
    Step,
    SynapticTimeConstant,
    Weight,
)


@dataclass(frozen=True)
class RingAttractor:
    """Head-direction cells on a ring with local slow excitation and broad fast inhibition.

        tau dv/dt = (rest - v) + drive + cue + e + i + rheobase u + noise sqrt(2 tau) xi,    spike at threshold, reset
        tau_e de/dt = -e,  e_post += W_pre,post / tau_e at a spike of an excitatory neuron; likewise i

    An excitatory neuron contacts those within `reach` of its own direction, with weight falling as a raised cosine, and
    all inhibitory neurons, which contact everyone alike. Without a cue the symmetric state is unstable and a bump
    forms (Amari 1977; Zhang 1996; Compte et al. 2000; Song & Wang 2005); symmetry makes its position neutral, so that
    it stays where a cue or a push leaves it and diffuses with the neurons' noise (Burak & Fiete 2012).

    The rate version (`model="rate"`) has the same weights: rates are low-passed by the synapses, the transfer
    function is that of these very neurons, and noise is their spikes' (see `simlab.simulators.rates`).

    Task: from before trial onset until `cue_duration` a cue is shown at a random angle [rad]; then it is dark (NaN).
    Time constants and potentials follow Compte et al. 2000 (Cereb Cortex 10:910), with synapses that add currents and
    do not saturate. Drives and weights set a bump like that of mammalian head-direction cells (peaks of 5 to 120 Hz,
    firing over 60 to 150 degrees: Taube 2007, Annu Rev Neurosci 30:181); no claim of an experiment was looked at.
    """

    name: ClassVar[str] = "ring_attractor"
    mechanism: ClassVar[str] = "ring attractor"
    questions: ClassVar[tuple[str, ...]] = ("connectivity", "topology", "dynamics")

    n_excitatory: Annotated[int, Within(8, 10_000)] = 80  # four to one (Compte et al. 2000: 2048 and 512)
    n_inhibitory: Annotated[int, Within(2, 10_000)] = 20
    rest: Potential = -0.070  # V (Compte et al. 2000)
    threshold: Potential = -0.050  # V (Compte et al. 2000)
    reset: Potential = -0.060  # V (Compte et al. 2000)
    membrane_time_constant_e: MembraneTimeConstant = 0.020  # s (Compte et al. 2000: 0.5 nF / 25 nS)
    membrane_time_constant_i: MembraneTimeConstant = 0.010  # s (Compte et al. 2000: 0.2 nF / 20 nS)
    refractory_e: Refractory = 0.002  # s (Compte et al. 2000)
    refractory_i: Refractory = 0.001  # s (Compte et al. 2000)
    excitatory_time_constant: SynapticTimeConstant = 0.1  # s, NMDA receptors (Compte et al. 2000)
    inhibitory_time_constant: SynapticTimeConstant = 0.01  # s, GABA_A receptors (Compte et al. 2000)
    delay: Delay = 0.001  # s, a local axon and one synapse (Markram et al. 1997, J Physiol 500:409: 1 to 2 ms)
    noise: Noise = 0.003
    """V, free membrane's standard deviation (in vivo 2 to 6 mV: Destexhe et al. 2003). Excitatory neurons' intervals
    have a CV of .50 at 3 mV and .66 at 4 mV (measured), where that of head-direction cells is .68 (Taube 2010)."""
    drive_e: Drive = 0.024  # V, mean background drive: above threshold, inhibition keeps the unselected silent
    drive_i: Drive = 0.014  # V
    reach: Angle = np.pi / 2  # rad, of excitation
    tuned_share: Share = 1.0
    """Of the weight among excitatory neurons: what is local. The rest reaches all others alike, so that the state
    without a bump is the same at every share; from 0 (tuning by the cue alone) to 1 a bump comes to sustain itself."""
    weight_ee: Weight = 0.5e-3  # V/Hz: an excitatory neuron's drive per rate of all that contact it
    weight_ei: Weight = 1.0e-3  # V/Hz, excitatory to inhibitory
    weight_ie: Weight = 0.6e-3  # V/Hz, inhibitory to excitatory, taken as negative
    weight_ii: Weight = 0.3e-3  # V/Hz, inhibitory to inhibitory, taken as negative
    cue_strength: Annotated[float, Within(0, 0.1, "V")] = 0.008  # V, at the cue's angle
    cue_reach: Angle = np.pi / 2  # rad, a landmark's drive falls as the recurrent one does
    cue_duration: Pause = 0.25  # s of the trial in which the cue is shown (Compte et al. 2000: 0.25 s)
    dt: Step = 5e-4  # s; at a fifth of it the mean rates differ by 1% and the peak by 3% (measured)
    model: Literal["spiking", "rate"] = "spiking"  # or "rate"

    def __post_init__(self) -> None:
        check_fields(self)
        require(
            self.rest <= self.reset < self.threshold,
            f"need rest <= reset < threshold, got {self.rest}, {self.reset} and {self.threshold} V",
        )
        require(
            self.reach > 2 * np.pi / self.n_excitatory,
            f"reach must span at least one neighbour, {2 * np.pi / self.n_excitatory:.3g} rad, got {self.reach}",
        )

    @property
    def modalities(self) -> tuple[str, ...]:
        """What its activity holds."""
        return ("spikes",) if self.model == "spiking" else ("rate",)

    @property
    def n_neurons(self) -> int:
        """Excitatory and inhibitory together."""
        return self.n_excitatory + self.n_inhibitory

    @property
    def rheobase(self) -> float:
        """The constant drive [V] that takes a neuron from rest just to threshold."""
        return self.threshold - self.rest

    def network(self, order: np.ndarray | None = None) -> RingNetwork:
        """The ring, its neurons numbered in `order`; by default excitatory ones around the ring, then inhibitory."""
        excitatory = np.arange(self.n_neurons) < self.n_excitatory
        angle = np.where(excitatory, np.arange(self.n_neurons) * 2 * np.pi / self.n_excitatory, np.nan)
        order = np.arange(self.n_neurons) if order is None else order
        weights = self._weights(angle[: self.n_excitatory])[np.ix_(order, order)]
        return RingNetwork(self, weights, excitatory[order], angle[order], excitatory[order], np.arange(self.n_neurons))

    def _weights(self, angle: np.ndarray) -> np.ndarray:
        """(pre, post) [V s]; each row of a kind is a rotation of the others, so that the ring is symmetric."""
        n_e, n_i = self.n_excitatory, self.n_inhibitory
        local = footprint(wrap(angle[:, None] - angle), self.reach)
        np.fill_diagonal(local, 0.0)
        shape = self.tuned_share * local / local.sum(axis=0) + (1 - self.tuned_share) * (1 - np.eye(n_e)) / (n_e - 1)
        weights = np.zeros((n_e + n_i, n_e + n_i))
        weights[:n_e, :n_e] = self.weight_ee * shape
        weights[:n_e, n_e:] = self.weight_ei / n_e
        weights[n_e:, :n_e] = -self.weight_ie / n_i
        weights[n_e:, n_e:] = -self.weight_ii / (n_i - 1) * (1 - np.eye(n_i))
        return weights

    def subject(self, rng: np.random.Generator) -> RingSubject:
        """One individual: its neurons lie anywhere in the tissue and are numbered at random, not around the ring."""
        network = self.network(rng.permutation(self.n_neurons))
        return RingSubject.placed(self, network, rng)
