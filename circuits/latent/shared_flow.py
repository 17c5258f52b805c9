"""Two populations whose states follow the same flow, each seen in neurons of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np

from circuits.latent.latent_factors import BinStep, Depth, Spread, TimeConstant
from circuits.latent.population import (
    Course,
    Model,
    Population,
    halves,
    log_normal_rates,
    n_bins,
    side_by_side,
)
from simlab.rules import Within, check_fields, require
from simlab.rules.quantities import Rate
from simlab.session import Session

Hertz = Annotated[float, Within(0.01, 50, "Hz")]


@dataclass(frozen=True)
class SharedFlow:
    """Two populations with a linear flow each, which turns and decays, and neurons that read where the state is.

        dx = A x dt + noise,   A: -1 / T + 2 pi f_j J in the j-th of `planes` planes,   J: a quarter turn
        r_i = b_i [ 1 + depth w_i.x ]+

    The noise is isotropic and keeps x at variance 1 whatever f is: shape, size and time constant of the cloud of states
    are those of any other flow with the same T. f_j: log-uniform in `frequencies`, the same in both populations; w_i:
    evenly from the unit sphere. A trial begins where its stimulus puts the state of either population: at `kick` times
    its features, each independent N(0, 1), plus a state at random. So both represent
    the same features, whatever they make of them later. After Ostrow et al. 2023 (arXiv 2306.10168), who compare flows
    that look different and are the same, and the reverse.

    Truths: `shared_mechanism`, the eigenvalues of A; `similarity`, from the mean of a trial, by the flow's integral.
    """

    name: ClassVar[str] = "shared_flow"
    mechanism: ClassVar[str] = "the same flow"
    questions: ClassVar[tuple[str, ...]] = ("shared_mechanism", "similarity", "connectivity")

    n_neurons: Annotated[int, Within(4, 10_000)] = 120  # half of them, rounded up, in the first population
    planes: Annotated[int, Within(1, 20)] = 2
    frequencies: tuple[Hertz, Hertz] = (
        0.5,
        3.0,
    )  # Hz, of turning: those of reaching (Churchland et al. 2012) and below
    time_constant: TimeConstant = 0.5  # s, T
    n_stimuli: Annotated[int, Within(4, 1000)] = 12
    kick: Annotated[float, Within(0, 100)] = 1.0
    rate: Rate = 15.0  # Hz, median over neurons of b
    rate_spread: Spread = 0.5  # standard deviation of log b over neurons (Buzsaki & Mizuseki 2014: about log-normal)
    depth: Depth = 0.5
    step: BinStep = 0.02  # s in which rates are constant
    model: Model = "spiking"  # or "rate"

    def __post_init__(self) -> None:
        check_fields(self)
        low, high = self.frequencies
        require(low < high, f"frequencies must be (lowest, highest), got {self.frequencies}: swap them")

    @property
    def modalities(self) -> tuple[str, ...]:
        """What its activity holds."""
        return ("spikes",) if self.model == "spiking" else ("rate",)

    def subject(self, rng: np.random.Generator) -> Population:
        """One pair of populations."""
        turning = self.drawn_frequencies(rng)
        return self.individual(self, np.stack([turning, turning]), rng)

    def drawn_frequencies(self, rng: np.random.Generator) -> np.ndarray:
        """(plane,) [Hz], sorted, each from its own stretch of the range, so that planes differ."""
        low, high = np.log(self.frequencies)
        return np.exp(low + (high - low) * (np.arange(self.planes) + rng.random(self.planes)) / self.planes)

    def individual(self, circuit: object, turning: np.ndarray, rng: np.random.Generator) -> Population:
        """The same for a circuit like this one, whose populations turn at these frequencies (population, plane)."""
        population = halves(self.n_neurons)
        weights = rng.standard_normal((self.n_neurons, 2 * self.planes))
        weights /= np.linalg.norm(weights, axis=1, keepdims=True)
        base = log_normal_rates(self.n_neurons, self.rate, self.rate_spread, rng)
        poles = -1 / self.time_constant + 2j * np.pi * turning
        parts = {
            "population": population,
            "scaled": self.depth * base[:, None] * weights,
            "base": base,
            "poles": poles,
            "stimuli": rng.standard_normal((self.n_stimuli, 2 * self.planes)),
        }
        return Population(circuit, parts, side_by_side(population, rng))

    def task(self, trials: int, duration: float, rng: np.random.Generator) -> Session:
        """A stimulus in each trial, in blocks that hold each of them once."""
        orders = [rng.permutation(self.n_stimuli) for _ in range(-(-trials // self.n_stimuli))]
        return Session(trials, duration, conditions=tuple(np.concatenate(orders)[:trials].tolist()))

    def course(self, individual: Mapping[str, np.ndarray], session: Session, rng: np.random.Generator) -> Course:
        """States of both populations, as latents, and rates of a session."""
        bins, stimuli, trials = n_bins(session.duration, self.step), individual["stimuli"], session.trials
        nothing = np.zeros((trials, stimuli.shape[1]))
        shown = nothing if session.conditions is None else stimuli[np.array(session.conditions) % len(stimuli)]
        states = [flowing(poles, self.kick * shown, bins, self.step, rng) for poles in individual["poles"]]
        rate = np.empty((trials, bins, self.n_neurons))
        for p, state in enumerate(states):
            mine = individual["population"] == p
            rate[:, :, mine] = individual["base"][mine] + state @ individual["scaled"][mine].T
        return Course(np.concatenate(states, axis=2), np.maximum(rate, 0.0))

    def readout(self, individual: Mapping[str, np.ndarray], duration: float) -> np.ndarray:
        """(neuron, feature): what each one's mean rate in a trial [Hz] gains by each feature, but for cut-off rates."""
        found = np.empty_like(individual["scaled"])
        for p, poles in enumerate(individual["poles"]):
            mine = individual["population"] == p
            mean = (np.exp(poles * duration) - 1) / (poles * duration)
            found[mine] = self.kick * individual["scaled"][mine] @ turning_matrix(mean)
        return found

    def dimensions(self) -> dict[str, int]:
        """Not asked."""
        return {}


def flowing(poles: np.ndarray, kick: np.ndarray, bins: int, step: float, rng: np.random.Generator) -> np.ndarray:
    """(trial, bin, factor): states under a linear flow of these poles (plane,) [1/s], exact at the bins' starts.

    A plane's two factors are the real and the imaginary part of z(t + dt) = exp(pole dt) z(t) + noise. kick (trial,
    factor) is added to a first state at random of variance 1.
    """
    trials, planes = len(kick), len(poles)
    new = rng.standard_normal((bins, trials, planes, 2)) @ np.array([1, 1j])
    z = np.empty((bins, trials, planes), dtype=complex)
    z[0] = new[0] + kick.reshape(trials, planes, 2) @ np.array([1, 1j])
    keep = np.exp(poles * step)
    for t in range(1, bins):
        z[t] = keep * z[t - 1] + np.sqrt(1 - np.abs(keep) ** 2) * new[t]
    seen = np.moveaxis(z, 0, 1)
    return np.stack([seen.real, seen.imag], axis=3).reshape(trials, bins, 2 * planes)


def turning_matrix(factors: np.ndarray) -> np.ndarray:
    """(factor, factor): multiplication of each plane by its complex factor (plane,), for column vectors."""
    table = np.zeros((2 * len(factors), 2 * len(factors)))
    for j, c in enumerate(factors):
        table[2 * j : 2 * j + 2, 2 * j : 2 * j + 2] = [[c.real, -c.imag], [c.imag, c.real]]
    return table
