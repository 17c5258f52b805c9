"""A spiking integrator: neurons whose tuned synapses give back what their rates say, so that a value stays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np

from circuits.memory.integrator_network import VALUES, IntegratorNetwork, columns
from circuits.memory.integrator_subject import IntegratorSubject
from simlab.contracts import Regime
from simlab.rules import Within, check_fields, require
from simlab.rules.quantities import (
    Delay,
    MembraneTimeConstant,
    Noise,
    Potential,
    Refractory,
    Share,
    Step,
    SynapticTimeConstant,
)

Size = Annotated[int, Within(2, 2000)]
Range = tuple[Annotated[float, Within(0, 0.1, "V")], Annotated[float, Within(0, 0.1, "V")]]


@dataclass(frozen=True)
class SpikingIntegrator:
    """Two sides of integrate-and-fire neurons, whose difference is held by slow excitation and fast inhibition.

        tau dv/dt = (rest - v) + b_i + a_i (I(t) + sum_j d_j s_j) + noise sqrt(2 tau) xi,    spike at threshold, reset
        tau_j ds_j/dt = -s_j,   s_j += 1 / tau_j at a spike;   W_ji = a_i d_j from the same side (j excitatory),
        -a_i d_j from the other (j inhibitory);   I(t) = value (integration) / CUE while it is shown

    The neurons of one side fire more with the value, those of the other less: a_i is their slope. The d_j >= 0 are
    fitted so that, at the rates that theory gives these very neurons, sum d_j r_j(value) = feedback x value: what one
    side's excitatory cells give back is (1 - inhibitory_share) of it, what the other's inhibitory cells take away the
    rest. At feedback 1 each value is given back whole and stays (Seung, Lee, Reis & Tank 2000, Neuron 26:259, for
    conductances and 100 ms synapses that saturate; decoders as in Eliasmith & Anderson 2003, chapter 8); below, it
    decays with integration / (1 - feedback), integration being the synapses' time constants weighted by their shares.
    What the fit leaves over makes values creep, with time constants of 3 s and more; the spikes' own noise makes them
    diffuse, by some .25 in the first second, and less the more neurons there are.

    All synapses keep to Dale's law. Potentials as in `ring_attractor` (Compte et al. 2000, Cereb Cortex 10:910).
    """

    name: ClassVar[str] = "spiking_integrator"
    mechanism: ClassVar[str] = "line attractor"
    questions: ClassVar[tuple[str, ...]] = ("dynamics", "connectivity", "topology", "cell_type")
    modalities: ClassVar[tuple[str, ...]] = ("spikes",)
    regime: ClassVar[Regime] = Regime(
        "integrators and parametric memories: 5 to 60 Hz (Aksay et al. 2001; Romo et al. 1999), irregular as in cortex",
        rate=(5, 60), silent=(0, 0.1), interval_cv=(0.3, 1.2), fano=(0.1, 3.0), correlation=(-0.3, 0.3),
    )  # fmt: skip

    n_excitatory: Size = 80  # on either side
    n_inhibitory: Size = 20  # on either side; four to one
    feedback: Annotated[float, Within(0, 1)] = 1.0  # of the value that is given back
    inhibitory_share: Share = 0.2  # of the feedback, from the other side's inhibitory neurons
    drive: Range = (0.015, 0.024)  # V from rest at value 0, drawn evenly: 12 to 43 Hz there
    slope: Range = (0.004, 0.008)  # V per unit of the value, drawn evenly
    rest: Potential = -0.070  # V
    threshold: Potential = -0.050  # V
    reset: Potential = -0.060  # V
    membrane_time_constant: MembraneTimeConstant = 0.020  # s
    refractory: Refractory = 0.002  # s
    excitatory_time_constant: SynapticTimeConstant = 0.1  # s, NMDA receptors
    inhibitory_time_constant: SynapticTimeConstant = 0.01  # s, GABA_A receptors
    delay: Delay = 0.001  # s
    noise: Noise = 0.005  # V, free membrane's standard deviation (in vivo 2 to 6 mV: Destexhe et al. 2003)
    dt: Step = 5e-4  # s

    def __post_init__(self) -> None:
        check_fields(self)
        require(
            self.rest <= self.reset < self.threshold,
            f"need rest <= reset < threshold, got {self.rest}, {self.reset} and {self.threshold} V",
        )
        for what in ("drive", "slope"):
            low, high = getattr(self, what)
            require(low <= high, f"{what} must be (low, high) with low <= high, got {(low, high)}: swap them")

    @property
    def n_neurons(self) -> int:
        """Of both sides and kinds."""
        return 2 * (self.n_excitatory + self.n_inhibitory)

    @property
    def rheobase(self) -> float:
        """The constant drive [V] that takes a neuron from rest just to threshold."""
        return self.threshold - self.rest

    @property
    def integration(self) -> float:
        """The time constant [s] with which input is integrated: of the synapses, by their shares in the feedback."""
        shares = np.array([1 - self.inhibitory_share, self.inhibitory_share])
        return float(shares @ [self.excitatory_time_constant, self.inhibitory_time_constant])

    def subject(self, rng: np.random.Generator) -> IntegratorSubject:
        """One individual: its neurons' drives and slopes, and the synapses that follow from them."""
        return IntegratorSubject.placed(self, self.network(rng), rng)

    def network(self, rng: np.random.Generator) -> IntegratorNetwork:
        """Neurons drawn and numbered at random, wired by what they say of the value."""
        from simlab.simulators.lif_theory import LIF

        n = self.n_neurons
        order = rng.permutation(n)
        side = np.where(order % 2 == 0, 1.0, -1.0)
        excitatory = order < 2 * self.n_excitatory
        slope, bias = side * rng.uniform(*self.slope, n), rng.uniform(*self.drive, n)
        neuron = LIF(
            self.membrane_time_constant, self.threshold - self.rest, self.reset - self.rest, self.refractory, self.dt
        )
        rates = neuron.rate(bias + VALUES[:, None] * slope, np.full((len(VALUES), n), self.noise))
        weights, total = np.zeros((n, n)), bias.copy()
        shares = ((excitatory, 1.0, 1 - self.inhibitory_share), (~excitatory, -1.0, self.inhibitory_share))
        for to in (1.0, -1.0):
            heard = np.flatnonzero(side == to)
            for kind, sign, share in shares:
                told = np.flatnonzero(kind & (side == sign * to))
                own = np.where(np.isin(heard, told), np.searchsorted(told, heard), -1)
                each, beside = columns(rates[:, told], self.feedback * share * sign * to, own)
                weights[np.ix_(told, heard)] = sign * each * np.abs(slope[heard])
                total[heard] -= sign * beside * np.abs(slope[heard])
        return IntegratorNetwork(self, weights, excitatory, slope, total, np.arange(n))
