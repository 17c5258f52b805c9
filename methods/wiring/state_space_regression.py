"""Regression of dynamics: whose signal explains how fast another one changes, by Bayesian evidence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
import xarray as xr

from methods.wiring._correlations import centred_signals, changing, embedded
from simlab.contracts import Finding, Needs
from simlab.rules import Within, check_fields
from simlab.rules.quantities import Level, Width

SHAPE, SCALE = 1.0, 1.0
"""Of the inverse gamma prior of the noise's variance, that of the standardised change (a prior worth two samples)."""

SMOOTHING = 0.05
"""Half width of the window that residual spectra are smoothed over, as a share of the frequencies."""

LEAST_WINDOW = 10
"""Frequencies on either side that a spectrum is smoothed over at least."""

STEPS_PER_UNIT = 30
"""Steps for each unit, below which dynamics are not fitted: slow signals then find one another by chance."""


@dataclass(frozen=True)
class StateSpaceRegression:
    """Linear dynamics dx/dt = A x + noise of all units, fitted in the frequency domain; Bayesian, unit by unit.

        (exp(2 pi i f T) - 1) / T  X_i(f) = sum_j A_ij X_j(f) + E_i(f)

    X are Fourier coefficients of the recorded signals, T the time between samples. This is regression dynamic causal
    modelling without known inputs (Frassle et al. 2017, NeuroImage 155:406; at rest: 2021, Hum Brain Mapp 42:2159). The
    haemodynamic response needs no model where all regions have the same one: a linear filter of all signals leaves A as
    it is, and colours E. Coloured noise biases a regression on one's own past, so frequencies are weighed by the
    inverse of the residuals' own smoothed spectrum, again and again (generalised least squares; the original takes
    noise as white). A_ij has a normal prior of variance `prior_variance` per noise variance and step, in units of the
    signals' standard deviations; the noise's variance an inverse gamma one. The log Bayes factor of a connection is
    the Savage-Dickey ratio at A_ij = 0 of two Student t densities, hence the posterior probability that it exists, at
    the prior odds of `density`; decided from `probability` on, graded by the log Bayes factor, signed by A_ij.

    Of 60 recordings of independent slow signals (3, 8 or 20 units, 5 trials of 300 samples) none had an edge; at 25
    samples for each of 20 units it was 8 of 20, hence the least number of steps that it asks for.
    What it sees is a lag: connections that act much faster than T leave signals correlated at once, and nothing of that
    enters; neither does a delay of the blood that differs among regions leave A alone. Works on any signal, and on
    counts. Cost: O(iterations x units^2 x samples + units^4): 1 s for 50 units x 1000 volumes.
    """

    name: ClassVar[str] = "state_space_regression"
    question: ClassVar[str] = "connectivity"
    family: ClassVar[str] = "dynamic causal model"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = Needs(units=2)

    probability: Level = 0.95
    """Of a connection, from which on it is decided (usual for Bayesian model selection)."""
    density: Level = 0.1
    """Prior probability of a connection (assumed: networks are sparse)."""
    prior_variance: Annotated[float, Within(1e-6, 1e6)] = 1.0
    """Of A_ij T, over the variance of the noise in one step: as large as the noise (weak; assumed)."""
    iterations: Annotated[int, Within(1, 1000)] = 3
    """Rounds of weighing frequencies by the residuals' spectrum; 1: white noise, as in the original."""
    bin_width: Width = 0.005
    """Bins of the spike counts [s]; ignored for continuous signals, which keep their sampling."""

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """Graded, decided and signed edges (pre, post)."""
        trace, reason = centred_signals(recording, self.needs, self.bin_width)
        if reason:
            return Finding.abstain(reason)
        live, n_units = changing(trace), trace.shape[2]
        samples = trace.shape[0] * (trace.shape[1] - 2)
        if live.size < 2 or samples < STEPS_PER_UNIT * live.size:
            return Finding.abstain(f"{samples} steps of {live.size} changing units are too few for their dynamics")
        trace = trace[:, :, live]
        change, state = spectra(trace / np.sqrt((trace**2).mean(axis=(0, 1))))
        found = [self._unit(change[:, :, i], state) for i in range(live.size)]
        weight, evidence = (np.stack(columns, axis=1) for columns in zip(*found, strict=True))
        np.fill_diagonal(evidence, 0.0)
        np.fill_diagonal(weight, 0.0)
        odds = evidence + np.log(self.density / (1 - self.density))
        probability = 1 / (1 + np.exp(-np.clip(odds, -500, 500)))
        decided = (probability >= self.probability) & ~np.eye(live.size, dtype=bool)
        estimate = {
            "score": embedded(evidence, live, n_units, min(0.0, float(evidence.min()))),
            "decided": embedded(decided, live, n_units, False),
            "sign": embedded(np.sign(weight).astype(int), live, n_units),
        }
        return Finding(estimate)

    def _unit(self, change: np.ndarray, state: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Of one unit: A_ij T (pre,) and the log Bayes factors (pre,) of these connections.

        change (trial, frequency), state (trial, frequency, unit): real and imaginary parts are samples each.
        """
        spectrum = np.full(change.shape[1], (np.abs(change) ** 2).mean())
        for _ in range(self.iterations):
            posterior = Posterior.of(change, state, spectrum, self.prior_variance)
            residual = change - state @ posterior.mean
            spectrum = smoothed((np.abs(residual) ** 2).mean(axis=0))
        return posterior.mean, posterior.evidence(self.prior_variance)


@dataclass(frozen=True, eq=False)
class Posterior:
    """Normal-inverse-gamma posterior of a weighted regression: `mean` (pre,), `spread` (pre,) the diagonal of the
    coefficients' covariance over the noise's variance, `freedom` and `variance` of the Student t densities."""

    mean: np.ndarray
    spread: np.ndarray
    freedom: float
    variance: float

    @classmethod
    def of(cls, change: np.ndarray, state: np.ndarray, spectrum: np.ndarray, prior_variance: float) -> Posterior:
        """Of change (trial, frequency) on state (trial, frequency, unit), noise of this spectrum (frequency,)."""
        level = spectrum.mean()
        root = np.sqrt(level / spectrum)
        x = (state * root[:, None]).reshape(-1, state.shape[2])
        y = (change * root).ravel()
        x, y = np.concatenate([x.real, x.imag]), np.concatenate([y.real, y.imag])
        scale = y.var() + 1e-300
        covariance = np.linalg.inv(x.T @ x + np.eye(x.shape[1]) / prior_variance)
        mean = covariance @ (x.T @ y)
        rest = y @ y - mean @ (x.T @ y)
        shape = SHAPE + len(y) / 2
        return cls(mean, np.diag(covariance), 2 * shape, (SCALE * scale + rest / 2) / shape)

    def evidence(self, prior_variance: float) -> np.ndarray:
        """Log Bayes factor (pre,) of each coefficient being there: prior over posterior density at zero."""
        from scipy.stats import t

        after = t.logpdf(0.0, self.freedom, self.mean, np.sqrt(self.variance * self.spread))
        before = t.logpdf(0.0, 2 * SHAPE, 0.0, np.sqrt(self.variance * prior_variance))
        return before - after


def spectra(trace: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Fourier coefficients (trial, frequency, unit) of each unit's change in a step, and of its state before it.

    Half of the frequencies, without zero: white noise then has independent real and imaginary parts of one variance.
    The change is taken from sample to sample, so that no trial is bent into a ring.
    """
    change, state = np.diff(trace, axis=1), trace[:, :-1]
    n = state.shape[1]
    taken = slice(1, (n + 1) // 2)
    both = [np.fft.fft(part - part.mean(axis=1, keepdims=True), axis=1)[:, taken] for part in (change, state)]
    factor = np.sqrt(2 / n)
    return both[0] * factor, both[1] * factor


def smoothed(power: np.ndarray) -> np.ndarray:
    """A spectrum (frequency,) averaged over its neighbours; ends are mirrored."""
    half = min(max(LEAST_WINDOW, round(SMOOTHING * len(power))), len(power) - 1)
    if half < 1:
        return np.full_like(power, power.mean())
    mirrored = np.concatenate([power[half:0:-1], power, power[-2 : -half - 2 : -1]])
    sums = np.concatenate([[0.0], mirrored.cumsum()])
    width = 2 * half + 1
    found = (sums[width:] - sums[:-width]) / width
    return np.maximum(found, 1e-9 * max(found.max(), 1e-300))
