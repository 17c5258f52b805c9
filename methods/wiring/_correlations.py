"""What the methods of correlation share: centred signals, correlations, and how many samples are independent."""

from __future__ import annotations

import numpy as np
import xarray as xr

from methods.wiring._pairs import abstention
from simlab.contracts import Needs
from simlab.data import signals

MIN_SAMPLES = 10
"""Samples, after one mean per trial is taken out, below which a correlation is not worth a test."""


def centred_signals(recording: xr.Dataset, needs: Needs, bin_width: float) -> tuple[np.ndarray, str]:
    """Counts in bins of `bin_width` [s], or the signal at its own samples, (trial, time, unit), each trial's mean taken
    out so that drifts from trial to trial do not count; and the reason to abstain, "" if there is none."""
    nothing = np.zeros((0, 0, 0))
    if reason := abstention(recording, needs, bin_width):
        return nothing, reason
    trace = signals(recording, bin_width).values.astype(float)
    if not np.isfinite(trace).all():
        return nothing, "the signals hold samples that are not finite"
    samples = degrees_of_freedom(trace)
    if samples < MIN_SAMPLES:
        return nothing, f"needs at least {MIN_SAMPLES} samples beyond one mean per trial, got {samples}"
    # a mean is only as exact as its sum: a trace that stands still would be left with rounding errors
    return np.where(np.ptp(trace, axis=1, keepdims=True) > 0, trace - trace.mean(axis=1, keepdims=True), 0.0), ""


def degrees_of_freedom(trace: np.ndarray) -> int:
    """Samples of (trial, time, unit) beyond one mean per trial."""
    return trace.shape[0] * (trace.shape[1] - 1)


def changing(trace: np.ndarray) -> np.ndarray:
    """Indices of the units of a centred trace that ever change, beside rounding."""
    scale = np.sqrt((trace**2).sum(axis=(0, 1)))
    return np.flatnonzero(scale > 1e-12 * max(scale.max(initial=0.0), 1e-300))


def standardised(trace: np.ndarray) -> np.ndarray:
    """Samples (trial x time, unit) of variance 1 from a centred trace whose units all change."""
    flat = trace.reshape(trace.shape[0] * trace.shape[1], trace.shape[2])  # of no unit, too
    return flat / np.sqrt((flat**2).mean(axis=0))


def embedded(values: np.ndarray, live: np.ndarray, n_units: int, fill: float = 0.0) -> np.ndarray:
    """A matrix over the units `live` put into one over all units (pre, post), `fill` elsewhere."""
    result = np.full((n_units, n_units), fill, dtype=values.dtype)
    result[np.ix_(live, live)] = values
    return result


def correlation(trace: np.ndarray) -> np.ndarray:
    """Correlation (unit, unit) of centred traces (trial, time, unit); 0 where a unit never changes."""
    live = changing(trace)
    flat = standardised(trace[:, :, live])
    result = embedded(flat.T @ flat / len(flat), live, trace.shape[2])
    return (result + result.T) / 2


def partial(precision: np.ndarray) -> np.ndarray:
    """Partial correlations (unit, unit) given all other units, from an inverse covariance; 1 on the diagonal."""
    scale = np.sqrt(np.diag(precision))
    result = -precision / np.outer(scale, scale)
    np.fill_diagonal(result, 1.0)
    return (result + result.T) / 2


def fisher_z(correlation: np.ndarray, freedom: np.ndarray) -> np.ndarray:
    """Standard normal under no correlation; freedom: of each pair, negative ones count as none."""
    return np.arctanh(np.clip(correlation, -1 + 1e-12, 1 - 1e-12)) * np.sqrt(np.maximum(freedom, 0.0))


def inflation(trace: np.ndarray, other: np.ndarray | None = None) -> np.ndarray:
    """Samples per independent sample of products of two units (unit, unit of `other`), at least 1.

    From the autocorrelations within trials, sum_k rho_a(k) rho_b(k) up to a quarter of a trial, and from the trials'
    variances, since the variance of a sum of products is the sum of products of variances. trace, other: (trial,
    time, unit), centred; other: the same units if not given.
    """
    rho, share = _memory(trace)
    rho_other, share_other = (rho, share) if other is None else _memory(other)
    fading = 1 - np.arange(1, len(rho) + 1) / trace.shape[1]
    uneven = np.maximum(share.T @ share_other / len(trace), 1.0)
    return np.maximum(1 + 2 * (rho * fading[:, None]).T @ rho_other, 1.0) * uneven


def _memory(trace: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Autocorrelation (lag, unit) within trials, and each trial's variance over the mean one (trial, unit)."""
    from scipy.fft import irfft, next_fast_len, rfft

    _, n_samples, n_units = trace.shape
    length = next_fast_len(2 * n_samples)
    lags = max(1, n_samples // 4)
    power = np.zeros((length // 2 + 1, n_units))
    for trial in trace:
        power += np.abs(rfft(trial, length, axis=0)) ** 2
    covariance = irfft(power, length, axis=0)[: lags + 1]
    variance = (trace**2).mean(axis=1)
    rho = covariance[1:] / np.maximum(covariance[0], 1e-300)
    return rho, variance / np.maximum(variance.mean(axis=0), 1e-300)


def rotated(trace: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A surrogate of (trial, sample, unit): every unit in every trial rotated in time by an amount of its own, which
    keeps all but what units have to do with one another."""
    n_trials, n_samples, n_units = trace.shape
    return rolled(trace, rng.integers(1, n_samples, (n_trials, 1, n_units)))


def rolled(trace: np.ndarray, shift: np.ndarray) -> np.ndarray:
    """(trial, sample, unit) with sample `shift` (trial, 1, unit) first, and those before it behind the last."""
    n_samples = trace.shape[1]
    return np.take_along_axis(trace, (np.arange(n_samples)[:, None] + shift) % n_samples, axis=1)
