"""What a unit's rate does on its own, bin by bin, before anybody's influence: the offset of a coupling model.

Coded in a byte per bin and unit, so that an hour of 20 units in bins of 1 ms takes 72 MB.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from methods.wiring._pairs import Ticks

LOG_GAINS = 0.05 * (np.arange(256) - 200.0)
"""Log gain of each code: -10 to 2.75 in steps of 5%, finer than a hazard or a latent factor is ever known."""
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
    valid = (np.arange(ticks.n_ticks) < ticks.ends[:, None]).ravel()
    codes = np.empty((len(valid), ticks.n_units), dtype=np.uint8)
    for unit in range(ticks.n_units):
        gain = np.zeros(len(valid), dtype=np.float32) if shared is None else shared(unit)
        if n_intervals:
            gain = gain + interval_gains(ticks, unit, valid, gain, n_intervals, reach / width)
        codes[:, unit] = np.clip(np.rint(gain / 0.05) + 200, 0, 255)
    return Baseline(codes)


def interval_gains(
    ticks: Ticks, unit: int, valid: np.ndarray, gain: np.ndarray, n_intervals: int, reach: float
) -> np.ndarray:
    """Log hazard (time,) after the unit's last spike, relative to its mean, on top of a log gain (time,)."""
    mine = ticks.unit == unit
    when = np.unique(ticks.trial[mine] * ticks.n_ticks + ticks.tick[mine])
    kind = interval_classes(when, ticks.n_trials, ticks.n_ticks, n_intervals, reach)
    n_kinds = n_intervals + 2
    exposure = np.bincount(kind[valid], np.exp(gain[valid]), n_kinds)
    spikes = np.bincount(kind[when], minlength=n_kinds)
    rate = max(spikes.sum(), 1) / max(exposure.sum(), 1e-300)
    hazard = (spikes + PRIOR_SPIKES) / (exposure * rate + PRIOR_SPIKES)
    return np.log(hazard).astype(np.float32)[kind]


def interval_classes(when: np.ndarray, n_trials: int, n_ticks: int, n_intervals: int, reach: float) -> np.ndarray:
    """Class (time,) of the bins since the last spike before: 0 if the trial had none yet; `when`: bins with a spike."""
    edges = np.unique(np.ceil(np.geomspace(1, max(reach, 1) + 1, n_intervals + 1)))
    of_age = 1 + np.minimum(np.searchsorted(edges, np.arange(n_ticks + 1), side="right") - 1, n_intervals)
    of_age[0] = 1
    last = np.zeros(n_trials * n_ticks, dtype=np.int64)
    last[when] = when + 1
    np.maximum.accumulate(last, out=last)
    last = np.concatenate([[0], last[:-1]])  # strictly before: a spike does not explain itself
    time = np.arange(len(last))
    age = time - last + 1
    return np.where(last > time // n_ticks * n_ticks, of_age[np.minimum(age, n_ticks)], 0).astype(np.int16)


def latent_gains(ticks: Ticks, width: float, n_latents: int):
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
