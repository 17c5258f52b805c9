"""What a unit's rate does on its own, bin by bin, before anybody's influence: the offset of a coupling model.

Coded in a byte per bin and unit, so that an hour of 20 units in bins of 1 ms takes 72 MB.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from methods.wiring._pairs import Ticks

STEP, LOWEST = 0.05, -10.0
"""Between log gains, 5%, finer than a hazard or a latent factor is ever known; and the least: the largest is 2.75."""
LOG_GAINS = LOWEST + STEP * np.arange(256)
"""Log gain of each code."""
SLICE = 200_000
"""Bins that are counted at once: bounds memory."""
PRIOR_SPIKES = 1.0
"""Spikes at the unit's mean rate that are added to each class of intervals: keeps a hazard that was never seen above
zero, and hardly touches the others."""
LATENT_BIN, LATENT_DEVIATION = 0.02, 0.05
"""Bins, and deviation of the Gaussian that smooths counts for latent factors [s]: slower than synapses."""
MAX_SHARED = 2.0
"""Largest log gain that latent factors may give, either way."""


@dataclass(frozen=True, eq=False)
class Baseline:
    """`codes` (time, unit): an index into LOG_GAINS for each bin, trials laid end to end."""

    codes: np.ndarray

    def exposure(self, group: np.ndarray, n_groups: int) -> np.ndarray:
        """Gains summed (group, unit) over the bins of each group; group: (time,), negative where a bin counts not."""
        chosen, place = group >= 0, group[group >= 0]
        gains = np.exp(LOG_GAINS)
        columns = [np.bincount(place, gains[column[chosen]], n_groups) for column in self.codes.T]
        return np.stack(columns, axis=1)


def total_gains(codes: np.ndarray) -> np.ndarray:
    """Sum of gains (unit,) of codes (row, unit)."""
    counts = np.zeros((codes.shape[1], 256))
    for start in range(0, len(codes), SLICE):
        counts += np.stack([np.bincount(column, minlength=256) for column in codes[start : start + SLICE].T])
    return np.asarray(counts @ np.exp(LOG_GAINS))


def baseline(ticks: Ticks, width: float, *, n_intervals: int, reach: float, n_latents: int) -> Baseline | None:
    """Each unit's hazard after its last spike, and latent factors of the others' counts; None if neither is asked for.

    The intensity is a product of a function of the time since the unit's last spike and of what it shares with others
    (the multiplicative inhomogeneous Markov interval model: Kass & Ventura 2001, Neural Comput 13:1713). n_intervals:
    classes of that time, of equal ratio from one bin up to `reach` [s], beyond which there is one more, and one before
    a trial's first spike; 0 for none. width: of a bin [s].
    """
    if not n_intervals and not n_latents:
        return None
    shared = latent_gains(ticks, width, n_latents) if n_latents else None
    edges = np.unique(np.ceil(np.geomspace(1, max(reach / width, 1) + 1, n_intervals + 1))).astype(int)
    codes = np.empty((ticks.n_units, ticks.n_trials * ticks.n_ticks), dtype=np.uint8)
    for unit in range(ticks.n_units):
        gain = None if shared is None else shared(unit)
        codes[unit] = _coded(gain) if not n_intervals and gain is not None else _interval(ticks, unit, edges, gain)
    return Baseline(codes.T)


def _coded(gain: np.ndarray) -> np.ndarray:
    return np.clip(np.rint((gain - LOWEST) / STEP), 0, 255).astype(np.uint8)


def _interval(ticks: Ticks, unit: int, edges: np.ndarray, gain: np.ndarray | None) -> np.ndarray:
    """Codes (time,) of the unit's hazard after its last spike, on top of a log gain (time,)."""
    mine = ticks.unit == unit
    when = np.unique(ticks.trial[mine] * ticks.n_ticks + ticks.tick[mine])
    length = interval_runs(when, ticks, edges)
    kind = np.tile(np.arange(length.shape[1], dtype=np.int16), len(length))
    within = np.repeat(kind, length.ravel()) if gain is not None or not (ticks.ends == ticks.n_ticks).all() else None
    if within is None:
        exposure = length.sum(axis=0)
    else:
        valid = (np.arange(ticks.n_ticks) < ticks.ends[:, None]).ravel()
        weights = np.ones(valid.sum()) if gain is None else np.exp(gain[valid])
        exposure = np.bincount(within[valid], weights, length.shape[1])
    before = np.cumsum(length.ravel())
    spikes = np.bincount(kind[np.searchsorted(before, when, side="right")], minlength=length.shape[1])
    rate = max(len(when), 1) / max(exposure.sum(), 1)
    hazard = np.log((spikes + PRIOR_SPIKES) / (exposure * rate + PRIOR_SPIKES))
    if within is not None:
        return _coded(hazard[within] + (0.0 if gain is None else gain))
    return np.repeat(_coded(hazard)[kind], length.ravel())


def interval_runs(when: np.ndarray, ticks: Ticks, edges: np.ndarray) -> np.ndarray:
    """How many bins each class lasts after each event (event, class): spikes in the bins `when`, and trials' starts.

    Class 0 lasts from a trial's start to its first spike, class c from `edges[c - 1]` bins after a spike on. The bin of
    a spike still belongs to the one before: it does not explain itself.
    """
    starts = np.arange(ticks.n_trials) * ticks.n_ticks - 1
    order = np.argsort(np.concatenate([when, starts]), kind="stable")
    event, is_spike = np.concatenate([when, starts])[order], order < len(when)
    end = np.append(event[1:], ticks.n_trials * ticks.n_ticks - 1) + 1
    bounds = np.minimum(event[:, None] + np.append(edges, ticks.n_ticks * ticks.n_trials + 1), end[:, None])
    length = np.zeros((len(event), len(edges) + 1), dtype=np.int64)
    length[:, 1:] = np.where(is_spike[:, None], np.diff(bounds, axis=1), 0)
    length[:, 0] = np.where(is_spike, 0, end - event - 1)
    return length


def latent_gains(ticks: Ticks, width: float, n_latents: int) -> Callable[[int], np.ndarray]:
    """A function from a unit to its log gain (time,) by the leading components of all other units' smoothed counts."""
    from scipy.ndimage import gaussian_filter1d

    per_bin = max(1, round(LATENT_BIN / width))
    n_bins = -(-ticks.n_ticks // per_bin)
    counts = np.zeros((ticks.n_trials, n_bins, ticks.n_units))
    np.add.at(counts, (ticks.trial, ticks.tick // per_bin, ticks.unit), 1.0)
    smooth = gaussian_filter1d(counts, LATENT_DEVIATION / (per_bin * width), axis=1, mode="nearest")
    flat = smooth.reshape(-1, ticks.n_units)
    scaled = (flat - flat.mean(axis=0)) / np.maximum(flat.std(axis=0), 1e-12)
    seen = counts.reshape(-1, ticks.n_units)

    def of(unit: int) -> np.ndarray:
        others = np.delete(scaled, unit, axis=1)
        _, directions = np.linalg.eigh(others.T @ others)
        factors = others @ directions[:, -min(n_latents, others.shape[1]) :]
        factors /= np.maximum(factors.std(axis=0), 1e-12)
        gain = np.clip(factors @ poisson_weights(factors, seen[:, unit]), -MAX_SHARED, MAX_SHARED)
        within = np.repeat(gain.reshape(ticks.n_trials, n_bins), per_bin, axis=1)[:, : ticks.n_ticks]
        return within.ravel().astype(np.float32)

    return of


def poisson_weights(factors: np.ndarray, counts: np.ndarray, ridge: float = 1.0) -> np.ndarray:
    """Weights (factor,) of a Poisson regression of counts (bin,) on factors (bin, factor), its intercept left out."""
    design = np.column_stack([np.ones(len(factors)), factors])
    prior = ridge * np.diag([0.0] + [1.0] * factors.shape[1])
    weights = np.zeros(design.shape[1])
    weights[0] = np.log(max(counts.mean(), 1e-12))
    for _ in range(8):
        rate = np.exp(np.clip(design @ weights, -30, 5))
        step = np.linalg.solve((design * rate[:, None]).T @ design + prior + 1e-9 * np.eye(len(prior)),
                               design.T @ (counts - rate) - prior @ weights)  # fmt: skip
        weights += np.clip(step, -1, 1)
    return np.asarray(weights[1:])
