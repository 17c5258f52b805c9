"""A balanced network whose excitatory synapses tire or warm up: what a method sees of a weight depends on the rate."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, ClassVar

import numpy as np
import xarray as xr

from circuits.networks.balanced_ei import BalancedEI, BalancedEISubject, lif, synapses
from circuits.networks.cortex import CORTEX
from simlab import truths
from simlab.contracts import Regime
from simlab.data import mean_rates
from simlab.rules import Within, check_fields
from simlab.rules.quantities import Pause, Share
from simlab.session import Session

if TYPE_CHECKING:
    from simlab.simulators.spiking import SpikingNetwork, SynapseSet

Time = Annotated[float, Within(1e-4, 60, "s")]

PLASTICITY = """
    du/dt = -u/facilitation : 1 (event-driven)
    dx/dt = (1 - x)/recovery : 1 (event-driven)
    U : 1 (constant)
    recovery : second (constant)
    facilitation : second (constant)
"""

ARRIVAL = "u += U*(1 - u); {target}_post += w*u*x/U; x -= u*x"


@dataclass(frozen=True)
class AdaptingSynapses:
    """The network of `like`, whose excitatory synapses depress or facilitate as Tsodyks and Markram's do.

        at each spike that arrives:  u -> u + U (1 - u),   I_post += w u x / U,   x -> x - u x
        in between:  du/dt = -u / facilitation,   dx/dt = (1 - x) / recovery

    w is the size of the first potential after rest, that of `like`. Of the excitatory neurons `facilitating_share` make
    facilitating synapses, the rest depressing ones: x is what is left to be released, u how much of it a spike
    releases. At a steady rate r, u = U (1 + r facilitation) / (1 + U r facilitation), x = 1 / (1 + u r recovery), and a
    synapse does its efficacy, u x / U, of what w says (Tsodyks, Pawelzik & Markram 1998, Neural Comput 10:821).
    Inhibitory synapses, and everything else, are as in `like`.
    """

    name: ClassVar[str] = "adapting_synapses"
    mechanism: ClassVar[str] = "recurrent network"
    questions: ClassVar[tuple[str, ...]] = ("connectivity", "cell_type", "effect")
    modalities: ClassVar[tuple[str, ...]] = ("spikes", "connectome")
    regime: ClassVar[Regime] = CORTEX

    like: BalancedEI = field(default_factory=BalancedEI)  # its neurons, wiring and noise
    facilitating_share: Share = 0.5  # of the excitatory neurons; prefrontal: about a half (Wang et al. 2006)
    depressing_use: Annotated[float, Within(0, 1, excluding=(0,))] = 0.5  # U (Tsodyks et al. 1998)
    depressing_recovery: Time = 0.8  # s (Tsodyks et al. 1998)
    depressing_facilitation: Time = 1e-3  # s, none to speak of (Tsodyks et al. 1998: 0)
    facilitating_use: Annotated[float, Within(0, 1, excluding=(0,))] = 0.28
    """U (Wang et al. 2006, Nat Neurosci 9:534, synapses of type E1)."""
    facilitating_recovery: Time = 0.194  # s (the same)
    facilitating_facilitation: Time = 0.507  # s (the same)
    burn_in: Pause = 2.0  # s before each trial: synapses come to what their rate leaves them

    def __post_init__(self) -> None:
        check_fields(self)

    def subject(self, rng: np.random.Generator) -> AdaptingSynapsesSubject:
        """One network of `like`, and which of its excitatory neurons make facilitating synapses."""
        network = self.like.subject(rng)
        return AdaptingSynapsesSubject(self, network, rng.random(self.like.n_neurons) < self.facilitating_share)


@dataclass(frozen=True, eq=False)
class AdaptingSynapsesSubject:
    """One network: wiring as in `static`; facilitating (neuron,), of those that are excitatory."""

    circuit: AdaptingSynapses
    static: BalancedEISubject
    facilitating: np.ndarray

    @property
    def anatomy(self) -> xr.Dataset:
        """Of the neurons."""
        return self.static.anatomy

    @property
    def weights(self) -> np.ndarray:
        """(pre, post) [V], of rested synapses."""
        return self.static.weights

    def kinetics(self, pre: np.ndarray) -> dict[str, np.ndarray]:
        """name -> (synapse,) of the constants of synapses that these neurons (synapse,) make."""
        names = {"U": "use", "recovery": "recovery", "facilitation": "facilitation"}
        return {
            name: np.where(
                self.facilitating[pre],
                getattr(self.circuit, f"facilitating_{word}"),
                getattr(self.circuit, f"depressing_{word}"),
            )
            for name, word in names.items()
        }

    def efficacy(self, rates: np.ndarray) -> np.ndarray:
        """(pre, post): what a synapse does of its weight at steady rates (neuron,) [Hz]; 0 where there is none."""
        k, excitatory = self.kinetics(np.arange(len(rates))), self.circuit.like.cell_types() == "E"
        u = k["U"] * (1 + rates * k["facilitation"]) / (1 + k["U"] * rates * k["facilitation"])
        each = np.where(excitatory, u / k["U"] / (1 + u * rates * k["recovery"]), 1.0)
        return np.where(self.weights != 0, each[:, None], 0.0)

    @property
    def network(self) -> SpikingNetwork:
        """What runs."""
        from simlab.simulators.spiking import SpikingNetwork

        like, static = self.circuit.like, self.static
        neurons = lif(like, static.external, like.external_sd, synapses=True)
        return SpikingNetwork((neurons,), (self._excitation(), synapses(static, of="I")), name=self.circuit.name)

    def _excitation(self) -> SynapseSet:
        pre = np.nonzero(self.static.weights > 0)[0]
        variables = {"u": 0.0, "x": 1.0, **self.kinetics(pre)}
        return synapses(self.static, of="E", equations=PLASTICITY, on_pre=ARRIVAL, variables=variables)

    def session(self, *, trials: int, duration: float, rng: np.random.Generator) -> Session:
        """Spontaneous activity: nothing is shown."""
        return Session(trials, duration)

    def run(self, session: Session, rng: np.random.Generator) -> xr.Dataset:
        """An Activity with the spikes of all neurons."""
        from simlab.simulators.spiking import simulate

        like = self.circuit.like
        spikes = simulate(self.network, session, rng, burn_in=self.circuit.burn_in, dt=like.dt)
        return spikes.activity(session, like.n_neurons)

    def truth(self, question: str, activity: xr.Dataset | None, rng: np.random.Generator) -> xr.Dataset:
        """`connectivity`: the weights of rested synapses [V], and their `efficacy` at the rates of the activity;
        `cell_type`: the signs of what neurons do;
        `effect`: what pulses did in simulation."""
        answers = {
            "connectivity": lambda: self._wiring(activity),
            "cell_type": lambda: truths.cell_types(self.anatomy),
            "effect": lambda: truths.pulse_responses(self, rng, trials=2, pulses=100),
        }
        return truths.among(self.circuit.name, question, answers)

    def _wiring(self, activity: xr.Dataset | None) -> xr.Dataset:
        wiring = truths.wiring(self.weights, "V")
        if activity is None:
            return wiring
        return wiring.assign(efficacy=(("pre", "post"), self.efficacy(mean_rates(activity)), {"units": "1"}))
