"""Mean-field and linear-response theory of leaky integrate-and-fire neurons with white-noise input.

    tau dV/dt = -V + mu + sigma sqrt(2 tau) xi(t),   V -> reset at threshold, held for `refractory`

(V from rest, so that mu and sigma are mean and standard deviation of the free membrane potential.) Given wiring,
it predicts without simulation what rivals are matched on: rates (Brunel 2000, J Comput Neurosci 8:183, eqs. 21 and
A.13), irregularity, and the long-window count correlations of a network (Lindner, Doiron & Longtin 2005,
Phys Rev E 72:061919; Trousdale et al. 2012, PLoS Comput Biol 8:e1002408, eq. 9).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import erfcx

from simlab.simulators import siegert

NODES = 200
"""Of the quadrature of Siegert's integral: exact for any input (`transfers` makes do with fewer, for speed)."""


@dataclass(frozen=True)
class LIF:
    """A neuron's constants, potentials [V] from rest, times [s]; dt is the simulation's step (0: continuous)."""

    membrane_time_constant: float
    threshold: float
    reset: float
    refractory: float
    dt: float = 0.0

    def rate(self, mean: np.ndarray, sd: np.ndarray) -> np.ndarray:
        """Firing rate [Hz] at these means and standard deviations of the free potential [V] (Siegert's formula)."""
        low, high = self._bounds(mean, sd)
        tau, held = self.membrane_time_constant, self.refractory
        return siegert.rate(low, high, tau, held, self.dt, lambda x: erfcx(-x), NODES)

    def gain(self, mean: np.ndarray, sd: np.ndarray) -> np.ndarray:
        """d rate / d mean [Hz/V]: the response to a slow change of input."""
        step = 1e-3 * np.asarray(sd)
        return (self.rate(mean + step, sd) - self.rate(mean - step, sd)) / (2 * step)

    def interval_cv(self, mean: np.ndarray, sd: np.ndarray) -> np.ndarray:
        """Coefficient of variation of the intervals between spikes (Brunel 2000, eq. A.13)."""
        low, high = self._bounds(mean, sd)
        x = np.linspace(min(low.min(), 0.0) - 6, high.max(), 20001)
        step = x[1] - x[0]
        # exp(z^2) (1 + erf z)^2 = erfcx(-z)^2 exp(-z^2); far left, exp(x^2) times its integral tends to 1/(2 pi |x|^3).
        inner = np.cumsum(erfcx(-x) ** 2 * np.exp(-(x**2))) * step
        far = x < -5
        product = np.exp(np.where(far, 0.0, x) ** 2) * inner
        outer = np.cumsum(np.where(far, 1 / (2 * np.pi * np.abs(np.where(far, x, 1.0)) ** 3), product)) * step
        between = np.interp(high, x, outer) - np.interp(low, x, outer)
        rate = self.rate(mean, sd)
        return np.sqrt(2 * np.pi * between) * rate * self.membrane_time_constant

    def _bounds(self, mean: np.ndarray, sd: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return siegert.bounds(mean, sd, self.threshold, self.reset, self.membrane_time_constant, self.dt)


@dataclass(frozen=True, eq=False)
class WorkingPoint:
    """Where a network settles: rate [Hz], mean and sd of the free potential [V], each (neuron,)."""

    rate: np.ndarray
    mean: np.ndarray
    sd: np.ndarray


def working_point(
    neuron: LIF, weights: np.ndarray, mean: np.ndarray, sd: np.ndarray | float, steps: int = 200
) -> WorkingPoint:
    """The self-consistent rates of a network: weights (pre, post) are the jumps of the potential [V], mean and sd
    [V] those of the external input (Brunel 2000, eqs. 4, 5 and 21, with each neuron's own inputs)."""
    tau = neuron.membrane_time_constant
    rate = np.zeros(len(weights))
    for _ in range(steps):
        total_mean = mean + tau * rate @ weights
        total_sd = np.sqrt(np.square(sd) + tau / 2 * rate @ weights**2)
        target = neuron.rate(total_mean, total_sd)
        if np.allclose(target, rate, rtol=1e-6, atol=1e-9):
            break
        rate = rate + 0.3 * (target - rate)
    return WorkingPoint(target, total_mean, total_sd)


def count_correlations(neuron: LIF, weights: np.ndarray, point: WorkingPoint) -> np.ndarray:
    """Correlations (neuron, neuron) of spike counts in long windows, to first order in each synapse's effect."""
    cv = neuron.interval_cv(point.mean, point.sd)
    response = weights * neuron.membrane_time_constant * neuron.gain(point.mean, point.sd)
    spread = np.linalg.inv(np.eye(len(weights)) - response)
    covariance = spread.T @ np.diag(point.rate * cv**2) @ spread
    sd = np.sqrt(np.diag(covariance))
    return covariance / np.outer(sd, sd)
