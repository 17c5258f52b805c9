"""Shared by the population methods: smoothing, shuffles, principal components, and reading out an angle.

Every function takes plain arrays; x (sample, unit) lays the trials end to end. Angles in radians.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from simlab.contracts import Finding, Needs
from simlab.data import durations, is_spiking, missing, signals

GRID = np.linspace(0.0, 2 * np.pi, 72, endpoint=False)
"""Angles at which tuning is tabulated and decoded: 5 degrees apart."""


def smoothed(recording: xr.Dataset, bin_width: float, sigma: float) -> tuple[np.ndarray, float]:
    """Activity (trial, time, unit) after a Gaussian kernel of `sigma` [s] within each trial, and its time step [s].

    Spike counts in bins of `bin_width` [s] become square roots of rates in Hz, which evens out Poisson variance
    (Chaudhuri et al. 2019); a continuous signal keeps its own sampling. sigma = 0 leaves them unsmoothed.
    """
    from scipy.ndimage import gaussian_filter1d

    trace = signals(recording, bin_width)
    values, step = np.asarray(trace.values, dtype=float), time_step(trace, recording.attrs["duration"])
    if is_spiking(recording):
        values = values / bin_width
    if sigma > 0 and values.shape[1] > 1:
        values = gaussian_filter1d(values, sigma / step, axis=1, mode="nearest")
    return (np.sqrt(values) if is_spiking(recording) else values), step


def time_step(trace: xr.DataArray, duration: float) -> float:
    """The sampling interval [s] of a (trial, time, unit) array."""
    times = trace["time"].values if "time" in trace.coords else np.zeros(0)
    return float(np.median(np.diff(times))) if len(times) > 1 else duration / max(1, trace.sizes["time"])


def unrecorded(recording: xr.Dataset, needs: Needs) -> Finding | None:
    """An abstention where needs are not met, or nothing was recorded that goes on in time; else None."""
    if reason := missing(recording, needs):
        return Finding.abstain(reason)
    if not is_spiking(recording) and "signal" not in recording:
        return Finding.abstain("needs spikes or a signal, and this recording holds neither")
    return None


def unusable(recording: xr.Dataset, needs: Needs) -> Finding | None:
    """An abstention where no population analysis with these needs can stand on these data; else None.

    Units that never change are no population: as many as are needed must be active.
    """
    if refused := unrecorded(recording, needs):
        return refused
    n_units = recording.sizes["unit"]
    width = min(0.05, float(durations(recording).max()))
    active = int(varying(signals(recording, width).transpose("trial", "time", "unit").values).sum())
    if active < needs.units:
        return Finding.abstain(f"{active} of {n_units} units are active; this needs at least {needs.units}")
    return None


def varying(values: np.ndarray) -> np.ndarray:
    """(unit,) bool: which of (..., unit) ever change, gaps (NaN) aside.

    By their range: the standard deviation of a constant may round to more than 0.
    """
    flat = np.asarray(values, dtype=float).reshape(-1, values.shape[-1])
    return np.asarray(np.fmax.reduce(flat, initial=-np.inf) > np.fmin.reduce(flat, initial=np.inf))


def lay_out(values: np.ndarray) -> np.ndarray:
    """(trial, time, unit) as z-scored (sample, unit), silent units dropped."""
    flat = values.reshape(-1, values.shape[2])
    flat = flat[:, varying(flat) & ~np.isnan(flat).any(0)]
    return (flat - flat.mean(0)) / flat.std(0)


def circular_shift(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Each unit of x (sample, unit) rolled by its own random lag: its own statistics stay, its company goes."""
    return np.stack([np.roll(column, int(rng.integers(len(x)))) for column in x.T], axis=1)


def spectrum(x: np.ndarray) -> np.ndarray:
    """Eigenvalues of the covariance of x (sample, unit), falling."""
    return np.linalg.eigvalsh(np.cov(x.T))[::-1]


def principal_components(x: np.ndarray, n_components: int) -> np.ndarray:
    """Scores (sample, component) on the first principal components of x (sample, unit)."""
    centred = x - x.mean(0)
    _, vectors = np.linalg.eigh(np.cov(centred.T))
    return centred @ vectors[:, ::-1][:, :n_components]


def significant_components(x: np.ndarray, n_shuffles: int, rng: np.random.Generator) -> int:
    """How many leading eigenvalues exceed the 95th percentile of shifted data's (parallel analysis, Horn 1965)."""
    null = np.array([spectrum(circular_shift(x, rng)) for _ in range(n_shuffles)])
    above = spectrum(x) > np.quantile(null, 0.95, axis=0)
    return int(above.argmin()) if not above.all() else len(above)


def participation_ratio(eigenvalues: np.ndarray) -> float:
    """(sum of eigenvalues)^2 / sum of their squares: how many dimensions share the variance."""
    return float(eigenvalues.sum() ** 2 / (eigenvalues**2).sum())


def wrap(angle: np.ndarray | float) -> np.ndarray:
    """Angles brought into [-pi, pi)."""
    return (np.asarray(angle) + np.pi) % (2 * np.pi) - np.pi


def odds_of_significance(p_value: float, level: float) -> float:
    """A probability from a test whose verdict flips at `level`: the odds are level : p."""
    return float(np.clip(level / (level + p_value), 0.01, 0.99))


def two_label_finding(
    brief: Mapping[str, Any], attractor: str, rival: str, probability: float, notes: dict[str, object]
) -> Finding:
    """The finding of a mechanism method that tells `attractor` (with this probability) from all else.

    brief: its `candidates` are the labels that may be given. What the attractor does not get goes to the rival; where
    that is no candidate, the others share it evenly, since nothing tells them apart. Abstains where the attractor is
    no candidate, and where the evidence is against it and leaves several others.
    """
    candidates = tuple(str(name) for name in brief.get("candidates", ()))
    others = [name for name in candidates if name != attractor]
    if attractor not in candidates or not others:
        return Finding.abstain(
            f"tells {attractor} from its rivals; the candidates are {', '.join(candidates) or 'none'}"
        )
    heirs = [rival] if rival in others else others
    if probability < 0.5 and len(heirs) > 1:
        return Finding.abstain(f"speaks against {attractor}, and cannot tell {', '.join(heirs)} from one another")
    given = dict.fromkeys(heirs, (1.0 - probability) / len(heirs)) | {attractor: probability}
    return Finding(
        {
            "label": attractor if probability >= 0.5 else heirs[0],
            "probability": np.array([given.get(name, 0.0) for name in candidates]),
        },
        confidence=max(probability, 1.0 - probability),
        notes=notes,
    )
