"""Input that neurons share with, or have from, what nobody records: stated by what it does to their firing.

Rates that are to change by r(t) take, to first order in r, the external input

    (r - noise_gain tau/2 (W^2)^T r) / gain - tau W^T r

where W are the network's synapses (jumps of the potential [V]), gain = d rate / d mean and noise_gain = d rate / d
variance of a neuron's input: recurrence answers with a mean, which inhibition makes negative (Renart et al. 2010,
Science 327:587; Tetzlaff et al. 2012, PLoS Comput Biol 8:e1002596), and with noise. Without synapses it is r / gain.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from simlab.rules import require
from simlab.session import Session

if TYPE_CHECKING:
    from simlab.simulators.lif_theory import LIF, WorkingPoint
    from simlab.simulators.spiking import Drive

WINDOW = 0.1
"""Of the counts whose correlation is meant [s]; 0.1 to 1 s are usual (Cohen & Kohn 2011)."""

STEP, SLOW_STEP = 1e-3, 0.1
"""How often shared and slow signals change [s]."""

LIKENESS = 0.99
"""Share of the variance of spatially smooth signals that their leading factors must make."""


@dataclass(frozen=True)
class Mixture:
    """A unit-variance signal: independent Ornstein-Uhlenbeck processes of these time constants [s] and shares."""

    time_constants: tuple[float, ...]
    shares: tuple[float, ...]

    def count_power(self, window: float = WINDOW) -> float:
        """Variance [s2] of its integral over a window [s]."""
        ratios = [(tau, tau / window) for tau in self.time_constants]
        each = [2 * tau * window * (1 - r * (1 - np.exp(-1 / r))) for tau, r in ratios]
        return float(np.dot(self.shares, each))

    def potential_share(self, membrane: float) -> float:
        """Variance of a membrane potential that follows it with this time constant [s]."""
        return float(sum(s * tau / (tau + membrane) for tau, s in zip(self.time_constants, self.shares, strict=True)))

    def paths(self, shape: tuple[int, int, int], step: float, rng: np.random.Generator) -> np.ndarray:
        """(trial, step, factor) of independent signals, stationary from the first step on."""
        return sum(np.sqrt(s) * _path(shape, step, tau, rng) for tau, s in zip(*self._parts, strict=True))

    @property
    def _parts(self) -> tuple[Sequence[float], Sequence[float]]:
        kept = [k for k, share in enumerate(self.shares) if share > 0]
        return [self.time_constants[k] for k in kept], [self.shares[k] for k in kept]


def _path(shape: tuple[int, int, int], step: float, tau: float, rng: np.random.Generator) -> np.ndarray:
    from scipy.signal import lfilter

    noise = rng.standard_normal(shape, dtype=np.float32)
    decay = np.exp(-step / tau)
    noise[:, 1:] *= np.sqrt(1 - decay**2)  # the first step is drawn from the stationary state
    return np.asarray(lfilter(np.ones(1, np.float32), np.array([1, -decay], np.float32), noise, axis=1))


def through_trials(session: Session, tau: float, n: int, rng: np.random.Generator) -> np.ndarray:
    """(trial, step of `SLOW_STEP`, n): unit-variance signals that go on from trial to trial without a pause."""
    steps = max(1, round(session.duration / SLOW_STEP))
    return _path((1, session.trials * steps, n), SLOW_STEP, tau, rng).reshape(session.trials, steps, n)


def external(change: np.ndarray, neuron: LIF, weights: np.ndarray, point: WorkingPoint) -> np.ndarray:
    """Input from outside (..., neuron) [V] by which rates change as if their input alone did by this (..., neuron)."""
    tau, gain = neuron.membrane_time_constant, neuron.gain(*point.input)
    rates = change * gain
    noise = neuron.noise_gain(*point.input) / np.maximum(gain, 1e-9) * (rates @ (tau / 2 * weights**2))
    return change - noise - tau * rates @ weights


def common_sd(
    correlation: float, neuron: LIF, point: WorkingPoint, likeness: np.ndarray, power: float, most: np.ndarray
) -> np.ndarray:
    """(neuron,) [V]: sd of a net input that adds this mean correlation of counts in `WINDOW`, over pairs.

    It is the same for all but where it would exceed `most` (neuron,) [V]. likeness (neuron, neuron): correlation of two
    neurons' inputs; power: of the signal, `Mixture.count_power`. Counts correlate the more, the higher the gain over
    the rate (de la Rocha et al. 2007, Nature 448:802). Raises SimlabError where it cannot be reached.
    """
    gain = neuron.gain(*point.input)
    private = point.rate * neuron.interval_cv(*point.input) ** 2 * WINDOW
    alive = point.rate > 0.01
    reachable = mean_correlation(most * gain, private, likeness, power, alive)
    require(
        correlation <= reachable,
        f"the mean count correlation that shared input can make here is {reachable:.3f} at most, got {correlation}: "
        "ask for less, or make the shared signal slower",
    )
    low, high = 0.0, float(most.max())
    for _ in range(40):
        middle = (low + high) / 2
        found = mean_correlation(np.minimum(middle, most) * gain, private, likeness, power, alive)
        low, high = (middle, high) if found < correlation else (low, middle)
    return np.minimum(high, most)


def mean_correlation(
    modulation: np.ndarray, private: np.ndarray, likeness: np.ndarray, power: float, alive: np.ndarray
) -> float:
    """Over pairs of the neurons that are `alive`: of counts whose rates are modulated by this sd [Hz], (neuron,)."""
    shared = modulation[alive] * np.sqrt(power)
    unit = shared / np.sqrt(private[alive] + shared**2)
    matrix = np.outer(unit, unit) * likeness[np.ix_(alive, alive)]
    n = len(matrix)
    return float((matrix.sum() - np.trace(matrix)) / max(n * (n - 1), 1))


def smooth_factors(place: np.ndarray, reach: float) -> tuple[np.ndarray, np.ndarray]:
    """Factors (factor, neuron) of unit-variance signals that are alike by exp(-d^2 / 2 reach^2), and that matrix.

    place: (neuron, 3) [m]; d: the distance of two neurons.
    """
    squared = np.square(place[:, None] - place).sum(axis=2)
    likeness = np.exp(-squared / (2 * reach**2))
    values, vectors = np.linalg.eigh(likeness)
    order = np.argsort(values)[::-1]
    n = int(np.searchsorted(np.cumsum(values[order]) / values.sum(), LIKENESS)) + 1
    factors = vectors[:, order[:n]].T * np.sqrt(values[order[:n], None])
    factors /= np.sqrt((factors**2).sum(axis=0))
    return factors, factors.T @ factors


def steadied(neuron: LIF, point: WorkingPoint, slow_sd: np.ndarray, rounds: int = 5) -> np.ndarray:
    """(neuron,) [V] to be added to the mean, so that slow input of this sd [V] leaves the mean rate as it was."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(7)
    n, weights = len(point.rate), weights / weights.sum()
    mean, sd, filtering = (np.broadcast_to(each, n)[:, None] for each in point.input)
    offset, log_gain = np.zeros(n), neuron.gain(*point.input) / np.maximum(point.rate, 1e-9)
    for _ in range(rounds):
        at = mean + offset[:, None] + slow_sd[:, None] * nodes
        shape = np.zeros_like(at)
        ratio = neuron.rate(at, sd + shape, filtering + shape) @ weights / np.maximum(point.rate, 1e-9)
        step = np.log(np.maximum(ratio, 1e-3)) / np.maximum(log_gain, 1.0)
        offset = offset - np.clip(step, -sd[:, 0], sd[:, 0])
    return offset


def late(drive: Drive, latency: np.ndarray) -> Drive:
    """The same drive, which reaches each neuron after a latency (neuron,) [s] of its own; in burn-in it is held."""
    from simlab.simulators.spiking import Drive

    shifts, level = np.unique(np.round(latency / drive.interval).astype(int), return_inverse=True)
    assert drive.loading is not None  # signals in common
    steps = np.arange(drive.signal.shape[1])
    signal = np.concatenate([drive.signal[:, np.maximum(steps - shift, 0)] for shift in shifts], axis=2)
    loading = np.concatenate([drive.loading * (level == k) for k in range(len(shifts))])
    return Drive(drive.name, signal, drive.interval, loading=loading, unit=drive.unit, start=drive.start)
