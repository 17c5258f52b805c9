"""Linear-response theory of coupled populations of integrate-and-fire neurons: rates, stability, spectra of activity.

    tau dV/dt = -V + mu + sigma sqrt(2 tau) xi(t),   V -> reset at threshold, held for `refractory`

A small modulation mu_1 exp(i w t) of the mean modulates the rate by chi(w) mu_1. With populations a that drive one
another through W_ab(w) = weight x exp(-i w delay) / ((1 + i w rise)(1 + i w decay)), and the shot noise of n_a neurons
that fire irregularly, the spectra of their mean rates are

    S(w) = (1 - L)^-1 diag(r_a / n_a) (1 - L)^-H,   L_ab = chi_a(w) W_ab(w)

(Brunel & Hakim 1999, Neural Comput 11:1621; Brunel & Wang 2003, J Neurophysiol 90:415; Lindner, Doiron & Longtin 2005).
chi by threshold integration (Richardson 2007, Phys Rev E 76:021919). Potentials [V] count from rest.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simlab.simulators.lif_theory import LIF
from simlab.simulators.siegert import BARRIER_SHIFT

VOLTAGES = 400
"""Steps of the integration over the potential, from the lowest to threshold."""

LOWEST = 5.0
"""The integration begins this many noises below the mean, or below the reset where that is lower."""


@dataclass(frozen=True)
class Cell:
    """Constants of a population's neurons: potentials [V] from rest, times [s], dt the simulation's step (0: none)."""

    membrane_time_constant: float
    threshold: float
    reset: float
    refractory: float
    dt: float = 0.0

    def response(self, mean: float, sd: float, omega: np.ndarray) -> tuple[float, np.ndarray]:
        """The rate [Hz] at this mean and sd [V] of the free potential, and chi (frequency,) [Hz/V] at omega [rad/s]."""
        tau, grid, at_reset = self.membrane_time_constant, *self._grid(mean, sd)
        step = grid[1] - grid[0]
        # Per spike that leaves: fluxes and densities at rest (0), those that r1 makes (r), those that mu_1 makes (e).
        j0, p0, total = 1.0, 0.0, 0.0
        jr, pr, je, pe = 0j * omega + 1.0, 0j * omega, 0j * omega, 0j * omega
        drift = (mean - grid) / sd**2 * step
        keep, gain = np.exp(-drift), -np.expm1(-drift) / np.where(drift == 0, 1.0, drift) * step / sd**2
        for k in range(len(grid) - 1, 0, -1):
            if k == at_reset:
                j0, jr = j0 - 1.0, jr - np.exp(-1j * omega * self.refractory)
            total += p0 * step
            je, jr = je + 1j * omega * pe * step, jr + 1j * omega * pr * step
            pe, pr = pe * keep[k] + gain[k] * (tau * je - p0), pr * keep[k] + gain[k] * tau * jr
            p0 = p0 * keep[k] + gain[k] * tau * j0
        rate = 1.0 / (total + self.refractory)
        return rate, -rate * je / jr

    def rate(self, mean: float, sd: float) -> float:
        """The rate alone [Hz], by Siegert's formula."""
        neuron = LIF(self.membrane_time_constant, self.threshold, self.reset, self.refractory, self.dt)
        return float(neuron.rate(np.array([mean]), np.array([sd]))[0])

    def _grid(self, mean: float, sd: float) -> tuple[np.ndarray, int]:
        """Potentials up to threshold, as a simulation in steps of dt has it, and which of them is the reset."""
        high = self.threshold + BARRIER_SHIFT * sd * np.sqrt(2 * self.dt / self.membrane_time_constant)
        low = min(mean, self.reset) - LOWEST * sd
        grid = np.linspace(low, high, VOLTAGES)
        return grid, int(np.argmin(np.abs(grid - self.reset)))


@dataclass(frozen=True, eq=False)
class Populations:
    """Coupled populations (a,). external, external_sd: (a,) [V]; weights (pre, post) [V/Hz], signed.

    neurons: (a,) how many of each. connections (pre, post): how many a neuron gets. synapses: per presynaptic
    population (delay, rise, decay) [s].
    """

    cells: tuple[Cell, ...]
    external: np.ndarray
    external_sd: np.ndarray
    weights: np.ndarray
    neurons: np.ndarray
    connections: np.ndarray
    synapses: tuple[tuple[float, float, float], ...]

    def working_point(self, steps: int = 60) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Rates [Hz], means and sds [V] of the free potential, each (a,), of the steady asynchronous state.

        A neuron's own sample of its presynaptic neurons adds to its noise: of K of n connections, the part 1 - K / n
        is not common to all. Synapses filter it, so that of white noise the share tau / (tau + decay) is left.
        """
        rate = np.full(len(self.cells), 5.0)
        for _ in range(steps):
            mean = self.external + rate @ self.weights
            sd = np.sqrt(self.external_sd**2 + self._own_variance(rate))
            target = np.array([c.rate(m, s) for c, m, s in zip(self.cells, mean, sd, strict=True)])
            if np.allclose(target, rate, rtol=1e-5):
                break
            rate = rate + 0.25 * (target - rate)
        return rate, mean, sd

    def _own_variance(self, rate: np.ndarray) -> np.ndarray:
        tau = np.array([c.membrane_time_constant for c in self.cells])
        decay = np.array([decay for _, _, decay in self.synapses])
        own = (1 - self.connections / self.neurons[:, None]) / np.maximum(self.connections, 1)
        return np.sum(rate[:, None] * self.weights**2 * own / (2 * (tau[None] + decay[:, None])), axis=0)

    def loop(self, frequency: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Rates (a,) [Hz] and L (frequency, post, pre): what a modulation of rates comes to after one round."""
        omega = 2 * np.pi * np.asarray(frequency, dtype=float)
        _, mean, sd = self.working_point()
        found = [c.response(m, s, omega) for c, m, s in zip(self.cells, mean, sd, strict=True)]
        filters = [np.exp(-1j * omega * d) / ((1 + 1j * omega * r) * (1 + 1j * omega * s)) for d, r, s in self.synapses]
        chi = np.stack([response for _, response in found], axis=-1)
        rate = np.array([r for r, _ in found])
        return rate, chi[:, :, None] * self.weights.T * np.stack(filters, axis=-1)[:, None, :]

    def spectra(self, frequency: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Rates (a,) [Hz] and S (frequency, a, b) [Hz^2/Hz], two-sided, of the populations' mean rates."""
        rate, loop = self.loop(frequency)
        spread = np.linalg.inv(np.eye(len(rate)) - loop)
        noise = np.diag(rate / self.neurons)
        return rate, spread @ noise @ np.conj(np.swapaxes(spread, 1, 2))
