"""GLMCC: each pair's correlogram as a slow background with a synaptic kernel on either side."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, ClassVar, Literal

import numpy as np
import xarray as xr

from methods.wiring._pairs import SPIKE_TRAINS, Ticks, abstention, edges, lag_counts, on_grid
from simlab.contracts import Finding, Needs
from simlab.rules import Within, check_fields, require
from simlab.rules.quantities import Delay, Level, SynapticTimeConstant, Width

FINE = 5
"""Steps of the grid that spikes are counted on in one bin of the correlogram."""
COUPLINGS = (-3.0, 5.0)
"""Bounds of a coupling (the code of Kobayashi et al. 2019): log rates beyond them differ by nothing that is seen."""
MAX_ITERATIONS, MAX_HALVINGS, TOLERANCE = 60, 12, 1e-6


@dataclass(frozen=True)
class GLMCC:
    """Generalised linear model of cross-correlograms (Kobayashi et al. 2019, Nat Commun 10:4468).

    The count c_k in the bin at lag t_k, |t_k| < `window`, is Poisson with mean

        exp(a_k + J_ij f(t_k) + J_ji f(-t_k)),   f(t) = exp(-(t - d) / tau) from t = d on, averaged over the bin,

    for spikes of j at t_k after those of i. The background a is slow: a Gaussian process of independent steps, whose
    log prior is -(stiffness / 2) sum_k (a_k+1 - a_k)^2 for bins of 1 ms. The mode of the posterior is found by Newton's
    method for all pairs side by side; the one delay d of both directions is that of the highest posterior.

    `likelihood_ratio`: twice the gain in log posterior over the same model without the coupling is chi-square with one
    degree of freedom (so decided from Endo et al. 2021, Sci Rep 11:12087, on). `posterior`: J in standard deviations of
    its posterior without coupling, which the first paper approximates by 1.57 / sqrt(tau x background) and which equals
    that at 5 to 20 counts per bin; being a logarithm, J then exaggerates troughs of few counts. Either p is multiplied
    by the number of delays tried (Bonferroni), and 1 where the background puts fewer than `least_count` spike pairs
    under a kernel. The published decision is a level of 0.001 pair by pair; here a false discovery rate decides.

    Every pair is seen alone, so common input faster than the background and chains of synapses are held for couplings.
    Nor are counts Poisson where units burst: of 45 recordings of 4 to 20 independent units that fire 1 to 5 spikes some
    4 ms apart, 37 had a false edge (and 1 of 45 each of Poisson and of slowly fluctuating units, 0 of 45 refractory; of
    Poisson ones 7 of 45 with `posterior`). Cost: the correlograms, and some 10 us x bins x iterations x delays, little
    more for 1000 pairs than for one.
    """

    name: ClassVar[str] = "glmcc"
    question: ClassVar[str] = "connectivity"
    family: ClassVar[str] = "regression"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = SPIKE_TRAINS

    alpha: Level = 0.05
    """False discovery rate of decided edges (Benjamini & Hochberg 1995)."""
    window: Width = 0.05
    """Lags on either side [s] (Kobayashi et al. 2019)."""
    bin_width: Width = 0.001
    """Bins of the correlogram [s] (Kobayashi et al. 2019)."""
    time_constant: SynapticTimeConstant = 0.004
    """Of the coupling's decay [s] (Kobayashi et al. 2019)."""
    delays: tuple[Delay, ...] = (0.001, 0.002, 0.003, 0.004)
    """Delays of the coupling that are tried [s] (Kobayashi et al. 2019: 1 to 4 ms)."""
    stiffness: Annotated[float, Within(0, 1e9, excluding=(0,))] = 4000.0
    """1 / variance of the background's change within 1 ms (the code of Kobayashi et al. 2019)."""
    significance: Literal["likelihood_ratio", "posterior"] = "likelihood_ratio"
    """Which of the two tests."""
    least_count: Annotated[float, Within(0, 1e6)] = 10.0
    """Spike pairs expected within a time constant below which nothing is decided (Kobayashi et al. 2019)."""

    def __post_init__(self) -> None:
        check_fields(self)
        require(bool(self.delays), f"delays must hold one at least [s], got {self.delays}: (0.003,) for a single one")
        reach = max(self.delays) + self.time_constant
        require(
            self.bin_width < self.window and reach <= self.window,
            f"window must exceed bin_width and hold delays and time_constant, got window={self.window}, "
            f"bin_width={self.bin_width}, delays={self.delays}, time_constant={self.time_constant}: widen it",
        )

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """Graded, decided and signed edges (pre, post); abstains without spikes."""
        if reason := abstention(recording, self.needs):
            return Finding.abstain(reason)
        ticks = on_grid(recording, self.bin_width / FINE)
        half = round(self.window / self.bin_width)
        if not ticks.outlast(2 * half * FINE):
            return Finding.abstain(f"trials of {recording.attrs['duration']} s are shorter than the correlogram")
        pairs = np.triu_indices(ticks.n_units, 1)
        z, coupling, delay = self._couplings(correlograms(ticks, half)[pairs].T)
        notes = {"coupling": _matrix(pairs, coupling, ticks.n_units), "delay": _matrix(pairs, delay, ticks.n_units)}
        grade = _matrix(pairs, z, ticks.n_units)
        return edges(np.abs(grade), self._p(np.abs(grade)), notes["coupling"], self.alpha, **notes)

    def at_resolution(self, interval: float) -> GLMCC:
        """The same model for spike times known only to `interval` [s]: all its times grow with the bin."""
        grown = max(1.0, interval / self.bin_width)
        return replace(
            self,
            bin_width=self.bin_width * grown,
            window=min(20.0, self.window * grown),
            time_constant=min(1.0, self.time_constant * grown),
            delays=tuple(min(0.1, delay * grown) for delay in self.delays),
        )

    def _couplings(self, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """z, couplings and delays (direction, pair) of correlograms (lag, pair); z is 0 where counts are too few."""
        prior = self.stiffness * 1e-3 / self.bin_width  # of steps between bins, whose variance grows with their width
        shapes = [kernels(len(counts) // 2, self.bin_width, delay, self.time_constant) for delay in self.delays]
        fits = [fit(counts, np.broadcast_to(shape[:, None], (*counts.shape, 2)), prior) for shape in shapes]
        best = np.argmax([found.log_posterior for found in fits], axis=0)
        every = np.arange(counts.shape[1])
        shape = np.stack(shapes)[best].transpose(1, 0, 2)  # (lag, pair, direction)
        background = np.stack([found.background for found in fits])[best, :, every].T
        coupling = np.stack([found.coupling for found in fits])[best, every].T
        if self.significance == "posterior":
            z = coupling / posterior_deviation(background, shape, prior)
        else:
            top = np.max([found.log_posterior for found in fits], axis=0)
            without = [fit(counts, shape, prior, free).log_posterior for free in ((False, True), (True, False))]
            z = np.sign(coupling) * np.sqrt(2 * np.maximum(top - np.stack(without), 0.0))
        expected = (np.exp(background)[:, :, None] * shape).sum(axis=0).T
        return np.where(expected >= self.least_count, z, 0.0), coupling, np.tile(np.array(self.delays)[best], (2, 1))

    def _p(self, deviations: np.ndarray) -> np.ndarray:
        from scipy.stats import norm

        return np.where(deviations > 0, np.minimum(1.0, 2 * len(self.delays) * norm.sf(deviations)), 1.0)


@dataclass(frozen=True, eq=False)
class Fit:
    """Modes of the posterior: `background` (lag, pair), `coupling` (pair, direction), `log_posterior` (pair,)."""

    background: np.ndarray
    coupling: np.ndarray
    log_posterior: np.ndarray


def correlograms(ticks: Ticks, half: int) -> np.ndarray:
    """Counts (pre, post, lag) in 2 half bins of FINE ticks around zero lag; pairs at zero count half to either side."""
    fine = lag_counts(ticks, half * FINE).astype(float)
    centre = half * FINE
    late, early = fine[:, :, centre + 1 :], fine[:, :, :centre]
    sides = [side.reshape(*side.shape[:2], half, FINE).sum(axis=3) for side in (early, late)]
    sides[0][:, :, -1] += fine[:, :, centre] / 2
    sides[1][:, :, 0] += fine[:, :, centre] / 2
    return np.concatenate(sides, axis=2)


def kernels(half: int, width: float, delay: float, time_constant: float) -> np.ndarray:
    """f(t) and f(-t), averaged over each bin: (lag, direction)."""
    start = np.arange(half) * width
    first, last = np.maximum(start, delay), np.maximum(start + width, delay)
    area = np.exp(-(first - delay) / time_constant) - np.exp(-(last - delay) / time_constant)
    side = np.concatenate([np.zeros(half), area * time_constant / width])
    return np.stack([side, side[::-1]], axis=1)


def fit(counts: np.ndarray, shape: np.ndarray, prior: float, free: tuple[bool, bool] = (True, True)) -> Fit:
    """Mode of the posterior of each pair, by Newton's method with step halving; a coupling that is not free is 0.

    counts: (lag, pair); shape: (lag, pair, direction); prior: 1 / variance of the background's steps.
    """
    background = np.log(np.maximum(counts.mean(axis=0), 1e-3)) + np.zeros_like(counts)
    coupling = np.zeros((counts.shape[1], 2))
    value = _log_posterior(counts, shape, prior, background, coupling)
    for _ in range(MAX_ITERATIONS):
        along, turn, gain = _newton_step(counts, shape, prior, background, coupling, np.array(free))
        if (gain < TOLERANCE).all():
            break
        size = (gain >= TOLERANCE).astype(float)
        for _ in range(MAX_HALVINGS):
            there = np.clip(coupling + size[:, None] * turn, *COUPLINGS)
            moved = background + size * along
            reached = _log_posterior(counts, shape, prior, moved, there)
            worse = reached < value - 1e-9 * np.abs(value)
            if not worse.any():
                break
            size = np.where(worse, size / 2, size)
        if np.abs(reached - value).max() < TOLERANCE:
            break
        background, coupling, value = moved, there, reached
    return Fit(background, coupling, value)


def posterior_deviation(background: np.ndarray, shape: np.ndarray, prior: float) -> np.ndarray:
    """Standard deviations (direction, pair) of couplings of 0 on this background, which is uncertain as well."""
    _, schur = _eliminate(np.exp(background), shape, prior, np.zeros((*background.shape, 1)))
    # a whisper, so that a side without a count gets a wide, finite deviation
    variance = np.linalg.inv(schur + 1e-12 * np.eye(2))
    return np.sqrt(np.maximum(np.diagonal(variance, axis1=1, axis2=2), 1e-300)).T


def _log_posterior(
    counts: np.ndarray, shape: np.ndarray, prior: float, background: np.ndarray, coupling: np.ndarray
) -> np.ndarray:
    log_rate = background + (shape * coupling).sum(axis=2)
    steps = np.diff(background, axis=0)
    return (counts * log_rate - np.exp(log_rate)).sum(axis=0) - prior / 2 * (steps**2).sum(axis=0)


def _newton_step(
    counts: np.ndarray, shape: np.ndarray, prior: float, background: np.ndarray, coupling: np.ndarray, free: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Newton's step of backgrounds (lag, pair) and couplings (pair, direction), and the decrement (pair,).

    A coupling that is not free, or that would leave its bounds, is held.
    """
    rate = np.exp(background + (shape * coupling).sum(axis=2))
    pull = np.diff(background, axis=0, prepend=background[:1], append=background[-1:])
    slope = counts - rate + prior * np.diff(pull, axis=0)
    steep = (shape * (counts - rate)[:, :, None]).sum(axis=0)
    low, high = COUPLINGS
    held = ~free | ((coupling <= low) & (steep < 0)) | ((coupling >= high) & (steep > 0))
    steep = np.where(held, 0.0, steep)
    solved, schur = _eliminate(rate, shape, prior, slope[:, :, None])
    rest = np.where(held, 0.0, steep - (shape * rate[:, :, None] * solved[:, :, :1]).sum(axis=0))
    schur = np.where(held[:, :, None] | held[:, None, :], 0.0, schur) + (held + 1e-9)[:, :, None] * np.eye(2)
    turn = np.linalg.solve(schur, rest[:, :, None])[:, :, 0]
    along = solved[:, :, 0] - (solved[:, :, 1:] * turn).sum(axis=2)
    return along, turn, (slope * along).sum(axis=0) + (steep * turn).sum(axis=1)


def _eliminate(rate: np.ndarray, shape: np.ndarray, prior: float, right: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The background's equations solved for `right` and for the couplings' columns, and what is left for these.

    Returns A^-1 [right, B] (lag, pair, 1 + 2) and D - B' A^-1 B (pair, 2, 2), for information [[A, B], [B', D]].
    """
    columns = shape * rate[:, :, None]
    solved = _tridiagonal(rate, prior, np.concatenate([right, columns], axis=2))
    own = np.einsum("kpa,kpb->pab", columns, shape)
    return solved, own - np.einsum("kpa,kpb->pab", columns, solved[:, :, right.shape[2] :])


def _tridiagonal(rate: np.ndarray, prior: float, right: np.ndarray) -> np.ndarray:
    """Solves (diag(rate) + prior L) x = right for all pairs at once, L the Laplacian of the chain of lags."""
    degree = np.full(len(rate), 2.0)
    degree[[0, -1]] = 1.0
    diagonal = rate + prior * degree[:, None]
    result = right.copy()
    for lag in range(1, len(rate)):
        share = prior / diagonal[lag - 1]
        diagonal[lag] -= prior * share
        result[lag] += share[:, None] * result[lag - 1]
    result[-1] /= diagonal[-1][:, None]
    for lag in range(len(rate) - 2, -1, -1):
        result[lag] = (result[lag] + prior * result[lag + 1]) / diagonal[lag][:, None]
    return result


def _matrix(pairs: tuple[np.ndarray, np.ndarray], values: np.ndarray, n_units: int) -> np.ndarray:
    """Values (direction, pair) as a matrix (pre, post)."""
    matrix = np.zeros((n_units, n_units))
    matrix[pairs], matrix[pairs[::-1]] = values
    return matrix
