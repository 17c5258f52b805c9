"""Neurons tuned like those of a ring attractor, at rates that somebody else sets: their subject, and how they fire."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from circuits.attractors.ring_attractor import RingAttractor
from circuits.attractors.ring_network import RATE_DT, RATE_INTERVAL, SPONTANEOUS, RingNetwork, cue_session
from circuits.attractors.ring_subject import TISSUE
from circuits.attractors.shape import betti_numbers
from simlab import truths
from simlab.data import activity, anatomy
from simlab.session import Session, sampled

if TYPE_CHECKING:
    from simlab.simulators.rates import RateNetwork

WIDTH = 0.01
"""Bins [s] in which rates are constant: a tenth of the ring's slow synapses' time constant."""


@dataclass(frozen=True, eq=False)
class TunedSubject:
    """One individual.

    like: the ring whose neurons it copies, in `order`, and whose `model`. goals: from the angle shown (trial, bin)
    [rad], NaN in the dark, and a generator, to the rates (trial, bin, neuron) [Hz], of neurons in the ring's own
    order, that they approach with a `time_constant` [s].
    """

    circuit: Any
    like: RingAttractor
    order: np.ndarray
    goals: Callable[[np.ndarray, np.random.Generator], np.ndarray]
    time_constant: float
    anatomy: xr.Dataset

    @classmethod
    def placed(
        cls,
        circuit: Any,
        goals: Callable[[np.ndarray, np.random.Generator], np.ndarray],
        time_constant: float,
        rng: np.random.Generator,
    ) -> TunedSubject:
        """Numbered at random and lying anywhere in the tissue, as the ring's are."""
        like = circuit.like
        order = rng.permutation(like.n_neurons)
        kinds = np.where(order < like.n_excitatory, "E", "I").tolist()
        place = rng.uniform(0, TISSUE, (like.n_neurons, 3))
        return cls(circuit, like, order, goals, time_constant, anatomy(place, kinds, "head-direction nucleus"))

    @property
    def preferred_angle(self) -> np.ndarray:
        """Of each neuron (neuron,) [rad]; NaN for inhibitory ones."""
        return quiet_network(self.like).angle[self.order]

    def session(self, *, trials: int, duration: float, rng: np.random.Generator) -> Session:
        """The ring's: trials that begin under a cue at a random angle and go on in darkness."""
        return cue_session(self.like, trials, duration, rng)

    def run(self, session: Session, rng: np.random.Generator) -> xr.Dataset:
        """An Activity of independent spikes, or with `rate` [Hz] every 10 ms if the ring is one of rates."""
        goals = self.goals(shown(session), rng)[..., self.order]
        return (self._spikes if self.like.model == "spiking" else self._rates)(session, goals, rng)

    def _spikes(self, session: Session, goals: np.ndarray, rng: np.random.Generator) -> xr.Dataset:
        from simlab.simulators.given_rates import spikes

        kind = self.order < self.like.n_excitatory
        cv = np.where(kind, self.circuit.interval_cv, self.circuit.interval_cv_inhibitory)
        columns = spikes(session, relaxed(goals, self.time_constant), WIDTH, rng, interval_cv=cv)
        return activity(session, len(self.order), spikes=columns).assign_attrs(engine=f"numpy {np.__version__}")

    def _rates(self, session: Session, goals: np.ndarray, rng: np.random.Generator) -> xr.Dataset:
        from jax import __version__ as jax_version

        from simlab.simulators.rates import simulate

        time, rate = simulate(
            self.unwired(), session, rng, dt=RATE_DT, sample_interval=RATE_INTERVAL, inputs=goals, input_interval=WIDTH,
            initial=goals[:, 0],
        )  # fmt: skip
        return activity(session, len(self.order), rate=rate, time=time).assign_attrs(engine=f"jax {jax_version}")

    def unwired(self) -> RateNetwork:
        """Its neurons as rates: told where to go, joined by nothing, each as noisy as its spikes make a ring's neuron.

        A ring's rate has the variance F r / (2 tau) from its own spikes, with tau its synapses'; so has this one's,
        whatever its time constant.
        """
        from simlab.simulators.given_rates import DRIVE_RATE
        from simlab.simulators.rates import RateNetwork
        from simlab.simulators.transfers import threshold_linear

        ring, n = quiet_network(self.like), len(self.order)
        fano = ring.fano(tuning(self.like)[1]) * self.time_constant / ring.synaptic_time_constant
        return RateNetwork(
            np.zeros((n, n)), self.time_constant, threshold_linear, shot_noise=fano[self.order], rheobase=DRIVE_RATE
        )

    def truth(self, question: str, activity: xr.Dataset | None, rng: np.random.Generator) -> xr.Dataset:
        """`connectivity`: none; `dynamics`: none of its own; `topology`: of the rates that all angles leave it at."""
        answers = {
            "connectivity": lambda: truths.no_wiring(len(self.order)),
            "dynamics": lambda: truths.one(label="driven"),
            "topology": lambda: truths.shape(self._shape()),
        }
        return truths.among(self.circuit.name, question, answers)

    def _shape(self) -> tuple[int, int, int]:
        return betti_numbers(self.circuit.remembered(np.arange(40) * 2 * np.pi / 40))


def shown(session: Session) -> np.ndarray:
    """The angle shown (trial, bin) [rad] in bins of `WIDTH`; NaN in the dark."""
    return sampled(session, "angle", WIDTH, "a ring is shown one feature, 'angle' [rad]")


@lru_cache(maxsize=64)
def quiet_network(like: RingAttractor) -> RingNetwork:
    """The ring, its neurons in its own order."""
    return like.network()


@lru_cache(maxsize=64)
def tuning(like: RingAttractor) -> tuple[np.ndarray, np.ndarray]:
    """Rates (neuron,) [Hz] of the ring's bump at angle 0 by mean-field theory: under a cue there, and in the dark."""
    from simlab.simulators.rates import settle

    network = quiet_network(like)
    start, cue = np.zeros((1, network.size)), network.cue(np.zeros(1))
    lit = settle(network.rates(), start, duration=SPONTANEOUS, dt=RATE_DT, current=cue)[0]
    return lit, network.states(np.zeros(1))[0]


def at_angles(like: RingAttractor, angle: np.ndarray, lit: bool = False) -> np.ndarray:
    """Rates (..., neuron) [Hz] with the bump at these angles (...) [rad]: the ring's, turned; linear in between."""
    n, rates = like.n_excitatory, tuning(like)[0 if lit else 1]
    place = (np.arange(n) - np.asarray(angle)[..., None] * n / (2 * np.pi)) % n
    low = place.astype(int) % n
    share = place - np.floor(place)
    excitatory = (1 - share) * rates[low] + share * rates[(low + 1) % n]
    return np.concatenate([excitatory, np.broadcast_to(rates[n:], (*excitatory.shape[:-1], len(rates) - n))], axis=-1)


def relaxed(goal: np.ndarray, time_constant: float) -> np.ndarray:
    """Rates that follow a goal (trial, bin, neuron) with a time constant [s]; trials begin settled."""
    kept, rates = np.exp(-WIDTH / time_constant), goal.copy()
    for k in range(1, goal.shape[1]):
        rates[:, k] = kept * rates[:, k - 1] + (1 - kept) * goal[:, k]
    return rates
