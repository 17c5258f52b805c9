"""Spike-count correlation: who rises and falls together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import xarray as xr

from methods.wiring._pairs import abstention, edges
from simlab.contracts import Finding, Needs
from simlab.data import is_spiking, signals
from simlab.rules import check_fields
from simlab.rules.quantities import Level, Width

MIN_SAMPLES = 10
"""Samples, after one mean per trial is taken out, below which a correlation is not worth a test."""


@dataclass(frozen=True)
class SpikeCountCorrelation:
    """Pearson correlation of binned counts (or of a continuous signal), tested with Fisher's z.

    Each trial's mean is taken out, so that drifts from trial to trial do not count. Autocorrelated signals hold fewer
    independent samples than they have: N_eff = N / sum_k rho_a(k) rho_b(k) over lags k (Bartlett 1946, J R Stat
    Soc Suppl 8:27; Afyouni et al. 2019, NeuroImage 199:609), and so do trials of unlike variance, by a further
    mean(v_a v_b) / (mean(v_a) mean(v_b)) over trials; z = atanh(r) sqrt(N_eff - 3). Symmetric: it says nothing of
    direction (review: Cohen & Kohn 2011, Nat Neurosci 14:811).
    """

    name: ClassVar[str] = "spike_count_correlation"
    question: ClassVar[str] = "connectivity"
    family: ClassVar[str] = "correlation"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = Needs(units=2)

    alpha: Level = 0.05
    """False discovery rate of decided edges (Benjamini & Hochberg 1995)."""
    bin_width: Width = 0.02
    """Bins of the counts [s]; ignored for continuous signals, which keep their sampling."""

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """Symmetric edges (pre, post) with the sign of the correlation; works on any signal."""
        from scipy.special import ndtr

        if reason := abstention(recording, self.needs):
            return Finding.abstain(reason)
        if is_spiking(recording) and recording.attrs["duration"] < 2 * self.bin_width:
            return Finding.abstain(f"trials of {recording.attrs['duration']} s hold fewer than 2 bins")
        trace = signals(recording, self.bin_width).values.astype(float)
        trace -= trace.mean(axis=1, keepdims=True)
        samples = trace.shape[0] * (trace.shape[1] - 1)
        if samples < MIN_SAMPLES:
            return Finding.abstain(f"needs at least {MIN_SAMPLES} samples beyond one mean per trial, got {samples}")
        correlation = _correlation(trace)
        independent = np.maximum(samples / _inflation(trace), 4.0)
        z = np.arctanh(np.clip(correlation, -1 + 1e-12, 1 - 1e-12)) * np.sqrt(independent - 3)
        return edges(np.abs(z), 2 * ndtr(-np.abs(z)), z, self.alpha, test="Fisher z, Bartlett's effective samples")


def _correlation(trace: np.ndarray) -> np.ndarray:
    """Correlation (unit, unit) of centred traces (trial, time, unit); 0 where a unit never changes."""
    flat = trace.reshape(-1, trace.shape[2])
    covariance = flat.T @ flat
    scale = np.sqrt(np.diag(covariance))
    live = scale > 1e-12 * max(scale.max(), 1e-300)
    scale = np.where(live, scale, 1.0)
    result = np.where(np.outer(live, live), covariance / np.outer(scale, scale), 0.0)
    return (result + result.T) / 2


def _inflation(trace: np.ndarray) -> np.ndarray:
    """Samples per independent sample (unit, unit), at least 1: from the autocorrelations within trials, and from the
    trials' variances, since the variance of a sum of products is the sum of products of variances."""
    from scipy.fft import irfft, next_fast_len, rfft

    _, n_samples, n_units = trace.shape
    length = next_fast_len(2 * n_samples)
    lags = max(1, n_samples // 4)
    power = np.zeros((length // 2 + 1, n_units))
    for trial in trace:
        power += np.abs(rfft(trial, length, axis=0)) ** 2
    covariance = irfft(power, length, axis=0)[: lags + 1]
    rho = covariance[1:] / np.maximum(covariance[0], 1e-300)
    fading = 1 - np.arange(1, lags + 1) / n_samples
    variance = (trace**2).mean(axis=1)  # (trial, unit)
    share = variance / np.maximum(variance.mean(axis=0), 1e-300)
    uneven = np.maximum(share.T @ share / len(trace), 1.0)
    return np.maximum(1 + 2 * (rho * fading[:, None]).T @ rho, 1.0) * uneven
