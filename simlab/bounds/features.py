"""Summary statistics of a recording that no numbering of its units changes: what a classifier is trained on.

As many kinds as the field's passive methods look at, and a few that they do not: rates, irregularity, variability and
correlations on several time scales, spectra, dimension, how long the population's state lasts, what of a trial's early
state is left late in it, and who fires before whom by class of unit.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import numpy as np
import xarray as xr

from simlab import activity_statistics as stats
from simlab.data import equal_trials, is_spiking, signals

WIDTHS = (0.01, 0.05, 0.25)
"""s, of the bins in which activity is looked at: a synapse, a membrane, a memory."""

BANDS = ((1, 4), (4, 8), (8, 12), (12, 30), (30, 80), (80, 200))
"""Hz, of the spectrum."""

LAGS = ((1, 2), (3, 5), (6, 12))
"""In bins of `STEP`: the lags over which correlograms are averaged."""

STEP = 2e-3
"""s, of the correlograms: a delay and a synapse lie within a few."""

QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9)

EPOCHS = 5
"""Parts of a trial that are looked at on their own."""

FEWEST_BINS = 8
"""Of an epoch's or a spectrum's bins: fewer say nothing."""


def features(recording: xr.Dataset) -> dict[str, float]:
    """Every statistic by name; NaN where the recording is too small for one. Trials are cut to the shortest."""
    recording = equal_trials(recording)
    found: dict[str, float] = {}
    if is_spiking(recording):
        found |= _of_intervals(recording) | _of_correlograms(recording)
    for width in WIDTHS:
        if width < recording.attrs["duration"]:
            found |= _of_counts(recording, width)
    return found | _of_spectrum(recording)


def _spread(name: str, values: np.ndarray) -> dict[str, float]:
    """Quantiles, mean and standard deviation of what is finite."""
    finite = values[np.isfinite(values)]
    if len(finite) == 0:
        return {f"{name} {what}": np.nan for what in (*QUANTILES, "mean", "sd")}
    found = dict(zip(QUANTILES, np.quantile(finite, QUANTILES), strict=True))
    return {f"{name} {what}": float(v) for what, v in (*found.items(), ("mean", finite.mean()), ("sd", finite.std()))}


def _of_intervals(recording: xr.Dataset) -> dict[str, float]:
    return _spread("interval cv", stats.interval_cv(recording))


def _of_counts(recording: xr.Dataset, width: float) -> dict[str, float]:
    """Of the signals (trial, bin, unit) in bins of width [s]."""
    x = signals(recording, width).values.astype(float)
    x = np.nan_to_num(x)
    name = f"{width * 1e3:g} ms"
    flat = x.reshape(-1, x.shape[2])
    mean, sd = flat.mean(axis=0), flat.std(axis=0)
    found = _spread(f"mean {name}", mean) | _spread(f"sd {name}", sd)
    found |= _spread(f"fano {name}", np.divide(sd**2, mean, out=np.full_like(sd, np.nan), where=np.abs(mean) > 0))
    return found | _of_pairs(x, name) | _of_states(x, name) | _of_epochs(x, name)


def _of_pairs(x: np.ndarray, name: str) -> dict[str, float]:
    """Correlations of pairs, in all and within trials, and the spectrum of their matrix."""
    found: dict[str, float] = {}
    within = x - x.mean(axis=1, keepdims=True)
    over_trials = x - x.mean(axis=0, keepdims=True)
    for what, table in (("all", x), ("within trials", within), ("over trials", over_trials)):
        flat = table.reshape(-1, x.shape[2])
        flat = flat[:, flat.std(axis=0) > 0]
        if flat.shape[1] < 3 or len(flat) < FEWEST_BINS:
            continue
        matrix = np.corrcoef(flat, rowvar=False)
        pairs = matrix[np.triu_indices(len(matrix), 1)]
        found |= _spread(f"correlation {what} {name}", pairs)
        values = np.sort(np.maximum(np.linalg.eigvalsh(matrix), 0))[::-1] / len(matrix)
        found |= {f"eigenvalue {k} {what} {name}": float(v) for k, v in enumerate(values[:6])}
        found[f"participation {what} {name}"] = float(values.sum() ** 2 / (values**2).sum() / len(matrix))
    return found


def _of_states(x: np.ndarray, name: str) -> dict[str, float]:
    """How long the leading components last, and how much of an early state is there late in the trial."""
    flat = (x - x.mean(axis=(0, 1))).reshape(-1, x.shape[2])
    if min(flat.shape) < 4 or flat.std() == 0:
        return {}
    _, vectors = np.linalg.eigh(flat.T @ flat)
    states = (flat @ vectors[:, ::-1][:, :3]).reshape(*x.shape[:2], -1)
    found = {}
    for k, lag in product(range(states.shape[2]), (1, 2, 4, 8, 16)):
        if lag < x.shape[1]:
            early, late = states[:, :-lag, k].ravel(), states[:, lag:, k].ravel()
            found[f"autocorrelation {k} lag {lag} {name}"] = _correlation(early, late)
    third = max(1, x.shape[1] // 3)
    early, middle, late = (part.mean(axis=1) for part in (x[:, :third], x[:, third : 2 * third], x[:, -third:]))
    for what, (a, b) in {"early late": (early, late), "middle late": (middle, late)}.items():
        found[f"kept {what} {name}"] = _kept(a, b)
    return found


def _kept(a: np.ndarray, b: np.ndarray) -> float:
    """Correlation of the trials' states (trial, unit) in two parts of the trial, once what all trials share is gone."""
    if len(a) < 3:
        return np.nan
    return _correlation((a - a.mean(axis=0)).ravel(), (b - b.mean(axis=0)).ravel())


def _of_epochs(x: np.ndarray, name: str) -> dict[str, float]:
    """Mean, variability over trials and correlation over trials in each part of the trial."""
    if x.shape[1] < EPOCHS or len(x) < FEWEST_BINS:
        return {}
    found: dict[str, float] = {}
    for k, part in enumerate(np.array_split(x, EPOCHS, axis=1)):
        total = part.sum(axis=1)
        mean, variance = total.mean(axis=0), total.var(axis=0, ddof=1)
        found[f"epoch {k} mean {name}"] = float(mean.mean() / part.shape[1])
        fano = np.divide(variance, np.abs(mean), out=np.full_like(mean, np.nan), where=np.abs(mean) > 0)
        found[f"epoch {k} fano {name}"] = float(np.nanmean(fano)) if np.isfinite(fano).any() else np.nan
        moving = total[:, variance > 0]
        if moving.shape[1] > 2:
            pairs = np.corrcoef(moving, rowvar=False)[np.triu_indices(moving.shape[1], 1)]
            found |= {
                f"epoch {k} correlation {name}": float(pairs.mean()),
                f"epoch {k} spread {name}": float(pairs.std()),
            }
    return found


def _of_spectrum(recording: xr.Dataset) -> dict[str, float]:
    """Log power of the population rate by band, relative to all of it."""
    width = STEP if is_spiking(recording) else 0.01
    if recording.attrs["duration"] < 2 * FEWEST_BINS * width:
        return {}
    frequency, power = stats.population_spectrum(recording, width)
    if len(power) < FEWEST_BINS or not power.sum() > 0:
        return {}
    found = {"log power": float(np.log(power.mean()))}
    for low, high in BANDS:
        inside = (frequency >= low) & (frequency < high)
        if inside.any():
            found[f"power {low}-{high} Hz"] = float(np.log(power[inside].mean() / power.mean() + 1e-12))
    return found


def _of_correlograms(recording: xr.Dataset) -> dict[str, float]:
    """Who fires after whom at short lags: excess of coincidences between classes of units, and its asymmetry.

    Classes: units that fire more, or less, than the median, and whose counts vary more, or less; as pyramidal cells and
    interneurons do. In units of the standard deviation that independent units would have.
    """
    if recording.attrs["duration"] < 4 * LAGS[-1][1] * STEP or recording.sizes["unit"] < 4:
        return {}
    x = signals(recording, STEP).values.astype(np.float32)
    rate = x.mean(axis=(0, 1))
    fano = np.nan_to_num(stats.fano_factors(recording))
    x = x - x.mean(axis=1, keepdims=True)
    scale = np.maximum(rate, 1e-9) * x.shape[0] * x.shape[1]
    found: dict[str, float] = {}
    for lags in LAGS:
        pairs = _lagged(x, *lags) / np.sqrt(np.outer(scale, rate) * (lags[1] - lags[0] + 1))
        np.fill_diagonal(pairs, np.nan)
        name = f"{lags[0] * STEP * 1e3:g}-{lags[1] * STEP * 1e3:g} ms"
        found |= _spread(f"lagged {name}", pairs[np.isfinite(pairs)]) | dict(_by_class(pairs, rate, fano, name))
    return found


def _lagged(x: np.ndarray, first: int, last: int) -> np.ndarray:
    """(pre, post): products of x (trial, bin, unit) and itself these many bins later, summed over the lags."""
    n = x.shape[2]
    return np.sum([x[:, :-lag].reshape(-1, n).T @ x[:, lag:].reshape(-1, n) for lag in range(first, last + 1)], axis=0)


def _by_class(pairs: np.ndarray, rate: np.ndarray, fano: np.ndarray, name: str) -> Iterator[tuple[str, float]]:
    for what, value in (("rate", rate), ("fano", fano)):
        high = value > np.median(value)
        blocks = {}
        for pre, post in product((False, True), repeat=2):
            block = pairs[np.ix_(high == pre, high == post)]
            blocks[pre, post] = float(np.nanmean(block)) if np.isfinite(block).any() else np.nan
            yield f"lagged {name} by {what} {pre:d} to {post:d}", blocks[pre, post]
        yield f"lagged {name} by {what}, asymmetry", blocks[True, False] - blocks[False, True]


def _correlation(a: np.ndarray, b: np.ndarray) -> float:
    if a.std() == 0 or b.std() == 0:
        return np.nan
    return float(np.corrcoef(a, b)[0, 1])
