"""Convergent cross mapping: who can be read off whose history, the better the more of it is known."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, ClassVar

import numpy as np
import xarray as xr

from methods.wiring._pairs import abstention, edges
from simlab.contracts import Finding, Needs
from simlab.data import is_spiking, signals
from simlab.rules import Within, check_fields
from simlab.rules.quantities import Level, Share, Width


@dataclass(frozen=True)
class ConvergentCrossMapping:
    """Convergent cross mapping (Sugihara et al. 2012, Science 338:496) between smoothed rates, or signals.

    If x drives y in one deterministic system, y's history holds x's (Takens 1981): times at which y's delay vectors
    (y_t, y_t-tau, ..., y_t-(E-1)tau) are alike are times at which x was. From the E + 1 nearest vectors of a library,
    at distances d_k, x is estimated by the mean of their x, weighted by exp(-d_k / d_1); the skill of x -> y is the
    correlation of estimates and x. It must converge: grow with the library from the share `small_library` of it on to
    the whole. Library and estimated times lie in different trials (halves of a single trial), so that no vector is its
    own neighbour in time.

    A skill's z is its excess over that of sources rolled in time within each trial, in deviations of these; its p is
    from the same z of all pairs' surrogates, and 1 where the skill does not converge. The original has no test. Strong
    driving synchronises: then y can be read off x as well, with hardly any gain from a larger library (`notes` hold
    both skills), and both directions are decided. A random process is no deterministic system, and a spike tells little
    of the state that caused it: on spikes of 20 units of a balanced network, 180 s of them, it was at chance (AUROC
    0.52). Of 30 recordings of 4 to 20 independent units each, at most 1 had a false edge, be they Poisson, refractory,
    bursting or slowly fluctuating. It gives no sign (`sign` is 0).

    Cost: units x (one tree search, and estimates of all units and surrogates: points x (E + 1) x units x surrogates).
    """

    name: ClassVar[str] = "convergent_cross_mapping"
    question: ClassVar[str] = "connectivity"
    family: ClassVar[str] = "state space reconstruction"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = Needs(units=2)

    alpha: Level = 0.05
    """False discovery rate of decided edges (Benjamini & Hochberg 1995)."""
    bin_width: Width = 0.005
    """Bins of the spike counts [s]; ignored for continuous signals, which keep their sampling."""
    smoothing: Annotated[float, Within(0, 20, "s")] = 0.01
    """Standard deviation of the Gaussian that makes rates of counts [s]: some membrane time constant."""
    dimensions: Annotated[int, Within(1, 20)] = 3
    """E of the delay vectors (Sugihara et al. 2012: 2 to 4 in their examples)."""
    lag: Annotated[int, Within(1, 1000)] = 1
    """tau of the delay vectors in samples (Sugihara et al. 2012)."""
    points: Annotated[int, Within(20, 100_000)] = 2000
    """Vectors in the library at most, and estimated times at most, drawn from all."""
    small_library: Share = 0.1
    """Share of the library whose skill the whole library's must exceed."""
    surrogates: Annotated[int, Within(3, 100_000)] = 40
    """Rolled copies of each source."""

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """Graded and decided edges (pre, post); works on spikes and on any signal."""
        if reason := abstention(recording, self.needs, self.bin_width):
            return Finding.abstain(reason)
        trace = self._smooth(recording)
        if not np.isfinite(trace).all():
            return Finding.abstain("the signals hold values that are not finite: drop or fill those samples")
        known, asked = self._split(trace.shape, rng)
        least = max(1, round(self.small_library * len(known)))
        if least < self.dimensions + 2 or len(asked) < 20:
            return Finding.abstain(f"{len(known)} delay vectors are too few for a library that can grow")
        skill, small, null = self._skills(trace, known, asked, least, rng)
        z, p = studentised(skill, null)
        p = np.where(skill > small, p, 1.0)
        return edges(np.maximum(z, 0.0), p, np.zeros_like(z), self.alpha, skill=skill, small_library_skill=small)

    def at_resolution(self, interval: float) -> ConvergentCrossMapping:
        """The same for spike times known only to `interval` [s]."""
        width = max(self.bin_width, interval)
        return replace(self, bin_width=width, smoothing=max(self.smoothing, 2 * width))

    def _smooth(self, recording: xr.Dataset) -> np.ndarray:
        """Rates or signals (trial, time, unit) in standard deviations of each unit."""
        from scipy.ndimage import gaussian_filter1d

        trace = signals(recording, self.bin_width).values.astype(float)
        if is_spiking(recording) and self.smoothing:
            trace = gaussian_filter1d(trace, self.smoothing / self.bin_width, axis=1, mode="reflect")
        deviation = trace.std(axis=(0, 1))
        return (trace - trace.mean(axis=(0, 1))) / np.where(deviation > 0, deviation, 1.0)

    def _split(self, shape: tuple[int, ...], rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Times of the library and times to estimate, each (point, 2) as trial and sample, in an order of chance."""
        n_trials, n_samples, _ = shape
        first = (self.dimensions - 1) * self.lag
        trial, sample = (index.ravel() for index in np.indices((n_trials, max(0, n_samples - first))))
        when = np.stack([trial, sample + first], axis=1)
        if n_trials > 1:
            late = rng.permutation(n_trials)[trial] >= n_trials // 2
        else:
            late = sample >= len(sample) // 2 + first
            when, late = when[late | (sample < len(sample) // 2)], late[late | (sample < len(sample) // 2)]
        known, asked = rng.permutation(when[~late]), rng.permutation(when[late])
        return known[: self.points], asked[: self.points]

    def _skills(
        self, trace: np.ndarray, known: np.ndarray, asked: np.ndarray, least: int, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Skills (pre, post) of the whole and of a small library, and of surrogates (surrogate, pre, post)."""
        n = trace.shape[2]
        copies = (trace if copy == 0 else roll_each(trace, rng) for copy in range(self.surrogates + 1))
        drawn = [(copy[known[:, 0], known[:, 1]], copy[asked[:, 0], asked[:, 1]]) for copy in copies]
        library, truth = (np.concatenate(column, axis=1) for column in zip(*drawn, strict=True))
        skills, small = np.zeros((len(drawn), n, n)), np.zeros((n, n))
        for post in range(n):
            vectors = self._vectors(trace[:, :, post], known), self._vectors(trace[:, :, post], asked)
            nearest, weights = neighbours(*vectors)
            skills[:, :, post] = _correlation(estimates(library, nearest, weights), truth).reshape(-1, n)
            nearest, weights = neighbours(vectors[0][:least], vectors[1])
            small[:, post] = _correlation(estimates(library[:, :n], nearest, weights), truth[:, :n])
        return skills[0], small, skills[1:]

    def _vectors(self, trace: np.ndarray, when: np.ndarray) -> np.ndarray:
        """Delay vectors (point, dimension) of one unit's trace (trial, time)."""
        back = np.arange(self.dimensions) * self.lag
        return trace[when[:, :1], when[:, 1:] - back]


def roll_each(trace: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Every unit rolled around the end of each trial (trial, time, unit), every trial by a draw of its own."""
    n_trials, n_samples, n_units = trace.shape
    start = rng.integers(0, n_samples, (n_trials, 1, n_units))
    return np.take_along_axis(trace, (np.arange(n_samples)[None, :, None] + start) % n_samples, axis=1)


def studentised(skill: np.ndarray, null: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Excess (pre, post) over each pair's surrogates (surrogate, pre, post) in their deviations, and its p-value.

    Each surrogate is referred to the others of its pair in the same way; their z of all pairs together make the null,
    whose tails are heavier than Student's where a few events decide a skill.
    """
    n_others = len(null) - 1
    mean = (null.sum(axis=0) - null) / n_others
    variance = (((null - null.mean(axis=0)) ** 2).sum(axis=0) - (null - mean) ** 2 * n_others / (n_others + 1)) / (
        n_others - 1
    )
    chance = _deviations(null - mean, variance, n_others)[:, ~np.eye(len(skill), dtype=bool)].ravel()
    z = _deviations(skill - null.mean(axis=0), null.var(axis=0, ddof=1), len(null))
    above = chance.size - np.searchsorted(np.sort(chance), z, side="left")
    return z, (above + 1) / (chance.size + 1)


def _deviations(excess: np.ndarray, variance: np.ndarray, n: int) -> np.ndarray:
    """Excess over a mean of n in deviations; 0 where nothing varies."""
    return np.where(variance > 1e-18, excess / np.sqrt(np.maximum(variance, 1e-18) * (1 + 1 / n)), 0.0)


def neighbours(known: np.ndarray, asked: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The dimension + 1 nearest of the known vectors to each asked one, and their weights, both (asked, neighbour)."""
    from scipy.spatial import cKDTree

    distance, nearest = cKDTree(known).query(asked, k=known.shape[1] + 1)
    weights = np.exp(-distance / np.maximum(distance[:, :1], 1e-12))
    return nearest, weights / weights.sum(axis=1, keepdims=True)


def estimates(library: np.ndarray, nearest: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Weighted means over neighbours of the library's values: (asked, source)."""
    from scipy.sparse import csr_array

    rows = np.arange(0, nearest.size + 1, nearest.shape[1])
    return csr_array((weights.ravel(), nearest.ravel(), rows), (len(nearest), len(library))) @ library


def _correlation(estimate: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Pearson's, column by column; 0 where one of them is constant."""
    estimate, truth = estimate - estimate.mean(axis=0), truth - truth.mean(axis=0)
    norm = np.sqrt((estimate**2).sum(axis=0) * (truth**2).sum(axis=0))
    return np.where(norm > 1e-9, (estimate * truth).sum(axis=0) / np.maximum(norm, 1e-9), 0.0)
