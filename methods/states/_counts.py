"""Shared by methods of time constants and branching: population counts, autocovariances, and whether there is memory.

Everything takes plain arrays; counts (trial, time) or (trial, time, unit) in bins of one width.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import xarray as xr

from methods.population._population import unusable
from simlab.contracts import Finding, Needs
from simlab.data import bin_spikes, durations

FEWEST_BINS = 20
"""In a trial: shorter ones hold no autocorrelation to speak of."""

LEAST_PIECES = 20
"""Trials, or pieces of them, that are drawn anew for an interval."""


def unusable_at(recording: xr.Dataset, needs: Needs, width: float) -> Finding | None:
    """An abstention where bins of `width` [s] leave nothing to correlate; else None."""
    refusal = unusable(recording, needs)
    if refusal is not None:
        return refusal
    bins = int(float(durations(recording).min()) / width + 1e-6)
    if bins < FEWEST_BINS:
        return Finding.abstain(f"trials of {bins} bins of {width:g} s are too short, this needs {FEWEST_BINS}")
    return None


def population_counts(recording: xr.Dataset, width: float) -> np.ndarray:
    """(trial, time): spikes of all units together."""
    return bin_spikes(recording, width).values.sum(axis=2).astype(float)


def autocovariance(counts: np.ndarray, most: int, *, own_mean: bool) -> np.ndarray:
    """(trial, lag) of counts (trial, time) or (trial, time, unit), lags 0 to `most`, averaged over units.

    own_mean: each trial's own mean is taken away, as in a recording of which nothing else is known; without it, that
    over trials and time. Only the latter is unbiased where trials are short.
    """
    x = counts - counts.mean(axis=1 if own_mean else (0, 1), keepdims=True)
    length = x.shape[1]
    size = 1 << (length + most).bit_length()
    power = np.abs(np.fft.rfft(x, size, axis=1)) ** 2
    power = power.reshape(*power.shape[:2], -1).mean(axis=2)
    return np.fft.irfft(power, size, axis=1)[:, : most + 1] / (length - np.arange(most + 1))


def stepped_counts(recording: xr.Dataset, needs: Needs, step: float) -> tuple[np.ndarray, float] | Finding:
    """Population counts (piece, time) in steps of the brief's length, or of `step` [s] without one, and that length.

    An abstention where they leave nothing to correlate.
    """
    step = float(recording.attrs.get("brief", {}).get("step", step))
    refusal = unusable_at(recording, needs, step)
    if refusal is not None:
        return refusal
    return in_pieces(population_counts(recording, step), LEAST_PIECES), step


def in_pieces(counts: np.ndarray, least: int) -> np.ndarray:
    """Counts (trial, time) cut into pieces where there are fewer trials than `least`: what is drawn anew."""
    if len(counts) >= least:
        return counts
    parts = -(-least // len(counts))
    length = counts.shape[1] // parts
    return counts[:, : parts * length].reshape(len(counts) * parts, length)


def no_memory(covariance: np.ndarray, level: float) -> Finding | None:
    """An abstention unless the mean autocovariance (trial, lag) beyond lag 0 is positive.

    By Wilcoxon's test of ranks over trials, as few of these hold most of the covariance of avalanches.
    """
    from scipy.stats import wilcoxon

    beyond = covariance[:, 1:].mean(axis=1)
    p_value = float(wilcoxon(beyond, alternative="greater").pvalue) if np.any(beyond != 0) else 1.0
    if p_value <= level:
        return None
    return Finding.abstain(f"no autocorrelation beyond that of independent counts, p = {p_value:.2g}")


def resampled(
    estimate: Callable[[np.ndarray], float], rows: int, repeats: int, rng: np.random.Generator
) -> tuple[float, float]:
    """The 95% interval of estimate(indices of rows) over bootstrap samples of the rows; NaN without any."""
    drawn = np.array([estimate(rng.integers(rows, size=rows)) for _ in range(repeats)])
    drawn = drawn[np.isfinite(drawn)]
    return tuple(np.quantile(drawn, [0.025, 0.975]).tolist()) if len(drawn) > 1 else (np.nan, np.nan)  # type: ignore[return-value]


def with_interval(name: str, value: float, ends: tuple[float, float]) -> dict[str, float]:
    """An estimate of that name, with its interval where there is one."""
    return {name: value} | (dict(zip(("low", "high"), ends, strict=True)) if np.isfinite(ends).all() else {})
