"""One individual that holds a value in spikes: its task, its activity and its truths, all from one network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from circuits.memory.integrator_network import RATE_DT, IntegratorNetwork
from circuits.memory.regimes import PERSISTENT
from circuits.memory.remembered import CUE, TISSUE, value_session
from simlab import truths
from simlab.contracts import SimlabError
from simlab.data import anatomy
from simlab.session import Session

HELD = np.linspace(-0.8, 0.8, 5)
"""Values at which the regime is looked at: within those that are shown, by what an uneven fit moves their ends."""


@dataclass(frozen=True, eq=False)
class IntegratorSubject:
    """`network` is all that runs; `recorded` are the indices of the neurons that an instrument may see."""

    circuit: Any  # a SpikingIntegrator or an IntegratorFollower
    network: IntegratorNetwork
    recorded: np.ndarray
    anatomy: xr.Dataset

    @classmethod
    def placed(cls, circuit: Any, network: IntegratorNetwork, rng: np.random.Generator) -> IntegratorSubject:
        """All but an upstream network is recorded; random places tell nothing of sides."""
        recorded = np.arange(network.size - circuit.n_neurons, network.size)
        kinds = np.where(network.excitatory[recorded], "E", "I").tolist()
        place = rng.uniform(0, TISSUE, (len(recorded), 3))
        return cls(circuit, network, recorded, anatomy(place, kinds, "integrator"))

    def session(self, *, trials: int, duration: float, rng: np.random.Generator) -> Session:
        """Trials that begin under a value between -1 and 1 and go on in darkness."""
        return value_session(trials, duration, rng)

    def run(self, session: Session, rng: np.random.Generator) -> xr.Dataset:
        """An Activity with the spikes of the recorded neurons."""
        return self.network.simulate(session, rng, self.recorded)

    def truth(self, question: str, activity: xr.Dataset | None, rng: np.random.Generator) -> xr.Dataset:
        """Whatever its circuit's `questions` name."""
        weights = self.network.weights[np.ix_(self.recorded, self.recorded)]
        answers = {
            "dynamics": lambda: truths.one(label=regime(self.network) if weights.any() else "driven"),
            "connectivity": lambda: truths.wiring(weights * ~np.eye(len(weights), dtype=bool), "V/Hz"),
            "topology": lambda: truths.shape((1, 0, 0)),
            "cell_type": lambda: truths.cell_types(self.anatomy),
        }
        return truths.among(self.circuit.name, question, answers)


def kept(network: IntegratorNetwork, values: np.ndarray, duration: float) -> np.ndarray:
    """Noise-free rates (value, neuron) [Hz], `duration` [s] after these values (value,) have gone."""
    from simlab.simulators.rates import settle

    rates, rest = network.rates(), np.zeros((len(values), network.size))
    settled = settle(rates, rest, duration=1.0, dt=RATE_DT)
    moved = settle(rates, settled, duration=CUE, dt=RATE_DT, current=network.cue(values)[:, None] * network.slope)
    return settle(rates, moved, duration=duration, dt=RATE_DT)


def modes(network: IntegratorNetwork, values: np.ndarray = HELD) -> np.ndarray:
    """Real parts (value, mode) [1/s], largest first, of the Jacobian's eigenvalues at the states of these values."""
    rates = network.rates()
    found = [np.linalg.eigvals(rates.jacobian(state)).real for state in kept(network, values, 0.3)]
    return np.sort(np.array(found))[:, ::-1]


def regime(network: IntegratorNetwork) -> str:
    """`line attractor` where at each held value one mode lasts, and one only; `fixed point` where none does.

    To last is to change more slowly than `PERSISTENT` time constants of the slowest synapse, whether it decays or
    grows: no fit is perfect, and a line is a row of shallow dips and humps (Seung et al. 2000). Raises SimlabError
    where it is neither.
    """
    slow = modes(network)[:, :2]
    limit = 1 / (PERSISTENT * float(network.synaptic_time_constant.max()))
    if (np.abs(slow[:, 0]) < limit).all() and (slow[:, 1] < -limit).all():
        return "line attractor"
    if (slow[:, 0] < -limit).all():
        return "fixed point"
    raise SimlabError(
        f"spiking_integrator: at the values held the slowest modes are {slow[:, 0].min():.3g} to "
        f"{slow[:, 0].max():.3g} /s, neither all within {limit:g} /s nor all faster: change feedback, or add neurons"
    )
