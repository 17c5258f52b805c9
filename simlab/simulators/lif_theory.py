"""Mean-field and linear-response theory of leaky integrate-and-fire neurons with white-noise input.

    tau dV/dt = -V + mu + sigma sqrt(2 tau) xi(t),   V -> reset at threshold, held for `refractory`

(V from rest, so that mu and sigma are mean and standard deviation of the free membrane potential.) Given wiring,
it predicts without simulation what rivals are matched on: rates (Brunel 2000, J Comput Neurosci 8:183, eqs. 21 and
A.13), irregularity, and the long-window count correlations of a network (Lindner, Doiron & Longtin 2005,
Phys Rev E 72:061919; Trousdale et al. 2012, PLoS Comput Biol 8:e1002408, eq. 9).

Synapses whose currents decay with tau_s make noise that is not white. To first order in `filtering` = sqrt(tau_s/tau)
the neuron fires as with white noise of the same power at low frequencies, but with threshold and reset moved up by
`COLOUR` x filtering x sqrt(2) sd (Brunel & Sergi 1998, J Theor Biol 195:87; Fourcaud & Brunel 2002, Neural Comput
14:2057). Where sources of several tau_s add up, white noise among them, their filterings are averaged by power.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import erfcx

from simlab.simulators import siegert

COLOUR = 1.0326
"""-zeta(1/2)/sqrt(2): half of the alpha of Fourcaud & Brunel (2002)."""

ALL_FILTERED = 0.4
"""Of noise that has no white part: the filtering of synapses of 3 ms on a membrane of 20 ms."""

STRIDE = 0.7
"""Share of Newton's step that is taken on the way to a network's rates."""

NODES = 200
"""Of the quadrature of Siegert's integral: exact for any input (`transfers` makes do with fewer, for speed)."""


@dataclass(frozen=True)
class LIF:
    """A neuron's constants, potentials [V] from rest, times [s]; dt is the simulation's step (0: continuous).

    Its input: mean and sd [V] of the free potential (neuron,), and the noise's filtering, 0 where it is white. With
    filtering, sd is that of white noise with the same power at low frequencies, and steps of dt resolve the crossings.
    """

    membrane_time_constant: float
    threshold: float
    reset: float
    refractory: float
    dt: float = 0.0

    def rate(self, mean: np.ndarray, sd: np.ndarray, filtering: np.ndarray | float = 0.0) -> np.ndarray:
        """Firing rate [Hz] at these means and standard deviations of the free potential [V] (Siegert's formula)."""
        low, high = self._bounds(mean, sd, filtering)
        tau, held = self.membrane_time_constant, self.refractory
        return siegert.rate(low, high, tau, held, self.dt, lambda x: erfcx(-x), NODES)

    def gain(self, mean: np.ndarray, sd: np.ndarray, filtering: np.ndarray | float = 0.0) -> np.ndarray:
        """d rate / d mean [Hz/V]: the response to a slow change of input."""
        step = 1e-3 * np.asarray(sd)
        return (self.rate(mean + step, sd, filtering) - self.rate(mean - step, sd, filtering)) / (2 * step)

    def noise_gain(self, mean: np.ndarray, sd: np.ndarray, filtering: np.ndarray | float = 0.0) -> np.ndarray:
        """d rate / d sd^2 [Hz/V2]: the response to a slow change of the noise."""
        up, down = (np.asarray(sd) * factor for factor in (1.001, 0.999))
        return (self.rate(mean, up, filtering) - self.rate(mean, down, filtering)) / (up**2 - down**2)

    def interval_cv(self, mean: np.ndarray, sd: np.ndarray, filtering: np.ndarray | float = 0.0) -> np.ndarray:
        """Coefficient of variation of the intervals between spikes (Brunel 2000, eq. A.13)."""
        low, high = self._bounds(mean, sd, filtering)
        x = np.linspace(min(low.min(), 0.0) - 6, high.max(), 20001)
        step = x[1] - x[0]
        # exp(z^2) (1 + erf z)^2 = erfcx(-z)^2 exp(-z^2); far left, exp(x^2) times its integral tends to 1/(2 pi |x|^3).
        inner = np.cumsum(erfcx(-x) ** 2 * np.exp(-(x**2))) * step
        far = x < -5
        product = np.exp(np.where(far, 0.0, x) ** 2) * inner
        outer = np.cumsum(np.where(far, 1 / (2 * np.pi * np.abs(np.where(far, x, 1.0)) ** 3), product)) * step
        between = np.interp(high, x, outer) - np.interp(low, x, outer)
        rate = self.rate(mean, sd, filtering)
        return np.sqrt(2 * np.pi * between) * rate * self.membrane_time_constant

    def _bounds(self, mean: np.ndarray, sd: np.ndarray, filtering: np.ndarray | float) -> tuple[np.ndarray, np.ndarray]:
        # Filtered noise has a slope and is seen to cross where it does: dt moves the threshold of white noise alone.
        dt = self.dt * np.clip(1 - np.asarray(filtering) / ALL_FILTERED, 0.0, 1.0)
        low, high = siegert.bounds(mean, sd, self.threshold, self.reset, self.membrane_time_constant, dt)
        high = np.minimum(high + COLOUR * filtering, siegert.HIGHEST)
        return np.minimum(low + COLOUR * filtering, high - 1e-9), high


@dataclass(frozen=True, eq=False)
class WorkingPoint:
    """Where a network settles: rate [Hz], mean and sd of the free potential [V], filtering, each (neuron,)."""

    rate: np.ndarray
    mean: np.ndarray
    sd: np.ndarray
    filtering: np.ndarray | float = 0.0

    @property
    def input(self) -> tuple[np.ndarray, np.ndarray, np.ndarray | float]:
        """Mean, sd and filtering: what a neuron's rate, gain and interval_cv are functions of."""
        return self.mean, self.sd, self.filtering


def working_point(
    neuron: LIF,
    weights: np.ndarray,
    mean: np.ndarray,
    sd: np.ndarray | float,
    *,
    synaptic: np.ndarray | float = 0.0,
    outside: float = 0.0,
    steps: int = 60,
) -> WorkingPoint:
    """The self-consistent rates of a network (Brunel 2000, eqs. 4, 5 and 21, with each neuron's own inputs).

    weights (pre, post): jumps of the potential [V], or the integral of a slower potential over the membrane time
    constant. mean, sd [V]: of the free potential under the external input alone. synaptic (pre,), outside [s]: decay
    times of the currents that each neuron's synapses and the external noise make; 0: none.
    """
    tau, n = neuron.membrane_time_constant, len(weights)
    power, filters = tau / 2 * weights**2, np.sqrt(np.broadcast_to(synaptic, n) / tau)
    external = np.broadcast_to(np.square(sd) * (1 + outside / tau), n)  # of white noise with the same power
    rate = np.zeros(n)
    for _ in range(steps):
        variance = external + rate @ power
        filtering = ((filters * rate) @ power + np.sqrt(outside / tau) * external) / variance
        now = mean + tau * rate @ weights, np.sqrt(variance), filtering
        target = neuron.rate(*now)
        if np.allclose(target, rate, rtol=1e-6, atol=1e-9):
            break
        # Newton's step, but for what rates do to the noise; a part of it is stable where inhibition is strong.
        response = tau * weights * neuron.gain(*now)
        rate = np.maximum(rate + STRIDE * np.linalg.solve(np.eye(n) - response.T, target - rate), 0.0)
    return WorkingPoint(target, *now)


def count_correlations(neuron: LIF, weights: np.ndarray, point: WorkingPoint) -> np.ndarray:
    """Correlations (neuron, neuron) of spike counts in long windows, to first order in each synapse's effect."""
    covariance = count_covariances(neuron, weights, point)
    sd = np.sqrt(np.diag(covariance))
    return covariance / np.outer(sd, sd)


def count_covariances(neuron: LIF, weights: np.ndarray, point: WorkingPoint) -> np.ndarray:
    """Covariances (neuron, neuron) of the same [1/s], for each second of the window."""
    cv = neuron.interval_cv(*point.input)
    response = weights * neuron.membrane_time_constant * neuron.gain(*point.input)
    spread = np.linalg.inv(np.eye(len(weights)) - response)
    return spread.T @ np.diag(point.rate * cv**2) @ spread
