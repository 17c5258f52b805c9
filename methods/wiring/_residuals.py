"""What a coupling model leaves over of the counts, and what units share of it: the same bin, and hidden input."""

from __future__ import annotations

import numpy as np

from methods.wiring._lagged_design import LaggedDesign, rates
from methods.wiring._poisson import Couplings
from methods.wiring._sandwich import exposure_in, spikes_in

ROTATIONS = 199
"""Surrogates of the test for hidden input: p-values down to .005."""


def residuals(design: LaggedDesign, basis: np.ndarray, found: Couplings, width: int) -> np.ndarray:
    """Counts less what the model expects (bin, unit) in bins of `width` ticks that hold rows only."""
    n, every = design.ticks.n_units, np.arange(design.ticks.n_units)
    per_trial = -(-design.ticks.n_ticks // width)
    label = np.repeat(np.arange(design.ticks.n_trials), design.ticks.n_ticks) * per_trial
    label += np.tile(np.arange(design.ticks.n_ticks) // width, design.ticks.n_trials)
    group = np.where(design.rows, label, -1)
    n_bins = design.ticks.n_trials * per_trial
    expected = exposure_in(design, group, n_bins) * np.exp(found.intercept)
    filters = np.einsum("lb,jbi->jli", basis, found.weights).reshape(-1, n)
    for chunk in design.chunks:
        if len(chunk.time):
            beyond = rates(chunk, found.intercept, filters, every) - rates(chunk, found.intercept, 0 * filters, every)
            first = np.flatnonzero(np.diff(label[chunk.time], prepend=-1))
            expected[label[chunk.time[first]]] += np.add.reduceat(beyond, first, axis=0)
    whole = np.bincount(group[group >= 0], minlength=n_bins) == width
    return np.asarray((spikes_in(design, group, n_bins) - expected)[whole])


def same_bin(residual: np.ndarray) -> np.ndarray:
    """z (unit, unit) of counts in one bin that vary together beyond the model: sum r_i r_j over sqrt(sum r_i^2 r_j^2).

    The score test of a coupling at lag zero, which has no direction. Given the past, it is independent of the filters'
    estimates, since residuals of different units are then uncorrelated with everything before them.
    """
    product, spread = residual.T @ residual, np.sqrt((residual**2).T @ residual**2)
    z = product / np.maximum(spread, 1e-300)
    np.fill_diagonal(z, 0.0)
    return np.asarray(z)


def hidden_input(residual: np.ndarray, rng: np.random.Generator) -> tuple[float, float]:
    """Share of the units' residual variance along its leading factor, and its p against units rotated in time.

    Input that many recorded units share, and none of them sends, makes one factor of what their couplings leave over
    (Vidne et al. 2012, J Comput Neurosci 33:97; Brinkman et al. 2018, PLoS Comput Biol 14:e1006490). Of which pairs are
    connected it says nothing.
    """
    live = residual[:, residual.std(axis=0) > 0]
    if live.shape[1] < 2 or len(live) < 10:
        return 0.0, 1.0
    scaled = (live - live.mean(axis=0)) / live.std(axis=0)
    seen = _leading(scaled)
    null = []
    for _ in range(ROTATIONS):
        shifts = rng.integers(1, len(scaled), scaled.shape[1])
        null.append(_leading(np.stack([np.roll(c, s) for c, s in zip(scaled.T, shifts, strict=True)], axis=1)))
    return seen, float((np.sum(np.array(null) >= seen) + 1) / (ROTATIONS + 1))


def _leading(scaled: np.ndarray) -> float:
    return float(np.linalg.eigvalsh(scaled.T @ scaled / len(scaled))[-1] / scaled.shape[1])
