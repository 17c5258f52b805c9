"""Steady states of two competing pools and their common inhibition, by the rates that one neuron of each would have.

    mu_1 = external + slow_own r_1 + slow_other r_2 - inhibition r_I,   mu_2 likewise,   mu_I = external_I + excitation
    (r_1 + r_2) sigma^2 = noise^2 + sum over inputs of w^2 r / (2 n (tau_m + tau_s)),   r = Siegert(mu, sigma)

A pool's input is n independent trains of weight w / n each (Poisson), filtered by a synapse of tau_s and the membrane:
a first approximation, in which only the private noise counts as white, and the pools' own fluctuations as noise of
neurons and not of the pools. `stable` states are those in which small differences of rate die out, each rate following
with the time constant of the synapses that it leaves by (Wong & Wang 2006, J Neurosci 26:1314, for this reduction).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from circuits.causal.decision_network import DECAY, MEMBRANE, REFRACTORY, RESET, REST, THRESHOLD
from simlab.simulators.lif_theory import LIF

STARTS = (0.5, 15.0, 60.0)
"""Hz of either pool: from each pair of these, and from either in both, the rates are let go."""

RELAXATION = 1000
"""Steps; the slowest mode of a decision takes some tens."""

STRIDE = np.array([0.06, 0.06, 0.3])
"""Share of the way to the target that a step goes, for the pools and the inhibition, which is faster."""

SETTLED = 1e-5
"""Hz, to the target: the rest of the way is no more than some hundred times that."""

APART = 0.5
"""Hz; states nearer to one another are the same."""


@dataclass(frozen=True)
class Competition:
    """Parameters, SI; strengths [V s] are drives per rate of the whole source, n_...: inputs per neuron."""

    external: float  # V from rest, of either pool, the stimulus's common drive included
    external_inhibitory: float
    noise: float
    own: float
    other: float
    excitation: float
    inhibition: float
    n_excitatory: int
    n_inhibitory: int
    dt: float

    def rates(self, r: np.ndarray) -> np.ndarray:
        """(3,) [Hz] what the two pools and the inhibition would fire at, given what they fire at."""
        couplings = np.array(
            [[self.own, self.other, -self.inhibition], [self.other, self.own, -self.inhibition], [self.excitation] * 2 +
            [0]]
        )  # fmt: skip
        decay = np.array([[DECAY["slow"]] * 2 + [DECAY["inhibition"]]] * 2 + [[DECAY["fast"]] * 3])
        inputs = np.array([self.n_excitatory, self.n_excitatory, self.n_inhibitory])
        mean = np.array([self.external, self.external, self.external_inhibitory]) + couplings @ r
        variance = self.noise**2 + (couplings**2 / inputs / (2 * (MEMBRANE + decay))) @ r
        neuron = LIF(MEMBRANE, THRESHOLD - REST, RESET - REST, REFRACTORY, self.dt)
        return neuron.rate(mean, np.sqrt(variance))

    def settled(self, start: np.ndarray, *, symmetric: bool = False) -> np.ndarray:
        """(3,) [Hz] where the rates come to rest; symmetric: with both pools held alike, which finds saddles too."""
        r = np.array(start, dtype=float)
        for _ in range(RELAXATION):
            target = self.rates(r)
            if symmetric:
                target[:2] = target[:2].mean()
            if np.abs(target - r).max() < SETTLED:
                break
            r = r + STRIDE * (target - r)
        return r

    def growth(self, r: np.ndarray, step: float = 1e-3) -> np.ndarray:
        """(3,) [1/s] real parts of the rates of growth of small changes: stable where all are negative."""
        slopes = np.array([(self.rates(r + step * e) - self.rates(r - step * e)) / (2 * step) for e in np.eye(3)]).T
        constants = np.array([DECAY["slow"], DECAY["slow"], DECAY["inhibition"]])
        return np.sort(np.linalg.eigvals((slopes - np.eye(3)) / constants[:, None]).real)

    def states(self) -> list[tuple[np.ndarray, bool]]:
        """Rates (3,) [Hz] of every steady state that is reached, and whether it is stable; the symmetric one first."""
        reached = [self.settled(np.full(3, start), symmetric=True) for start in STARTS]
        for one, two in combinations(STARTS, 2):
            r = self.settled(np.array([one, two, 10.0]))
            reached += [r, r[[1, 0, 2]]]  # the pools are alike
        found: list[np.ndarray] = []
        for r in reached:
            if np.abs(self.rates(r) - r).max() < APART and all(np.abs(r - other).max() > APART for other in found):
                found.append(r)
        return [(r, bool(self.growth(r).max() < 0)) for r in found]

    def regime(self) -> str:
        """`bistable` where two states or more are stable, else `fixed point`."""
        return "bistable" if sum(stable for _, stable in self.states()) > 1 else "fixed point"
