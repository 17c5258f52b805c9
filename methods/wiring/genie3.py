"""GENIE3: whose recent activity the trees of a forest ask for when they predict a unit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import xarray as xr

from methods.wiring._correlations import centred_signals, changing, embedded, inflation, rotated
from methods.wiring._pairs import edges
from simlab.contracts import Finding, Needs
from simlab.data import signals
from simlab.rules import Within, check_fields
from simlab.rules.quantities import Level, Repeats, Width

TAIL = 0.1
"""Share of the null importances that its tail is fitted to."""


@dataclass(frozen=True)
class Genie3:
    """A forest of regression trees per unit, on all others' activity `lags` samples back; graded by their importance.

    Importance of j for i: the variance of x_i(t), less its mean in the trial and scaled to 1, that splits on
    x_j(t - 1) .. x_j(t - lags) take away, the mean over trees (Huynh-Thu et al. 2010, PLoS One 5:e12776; on calcium
    imaging, in the same sample: Sutera et al. 2014, arXiv:1406.7865). A unit's own past is no regressor.
    The field's GENIE3 is a ranking and decides nothing. Here p-values come from forests on targets that are rotated in
    time, in each trial by an amount of its own: these importances, over Bartlett's factor of the two units'
    autocorrelations (see spike_count_correlation), which rotation keeps and chance grows with, are pooled over all
    pairs, and the tail beyond their highest tenth is taken to be exponential, as p-values below 1 / pairs are needed
    (Knijnenburg et al. 2009, Bioinformatics 25:i161, with a generalised Pareto tail). Independent units had an edge in
    NULLRATE. Importances have no sign: `sign` is 0 everywhere. Trees of few splits see neither weak couplings nor
    inhibition of units that hardly fire. Cost: O(samples x sqrt(units) x trees) per unit and forest: 35 s for 50 units
    x 100 trials x 2 s.
    """

    name: ClassVar[str] = "genie3"
    question: ClassVar[str] = "connectivity"
    family: ClassVar[str] = "regression"
    library: ClassVar[str] = "scikit-learn"
    needs: ClassVar[Needs] = Needs(units=2)

    alpha: Level = 0.05
    """False discovery rate of decided edges (Benjamini & Hochberg 1995)."""
    bin_width: Width = 0.005
    """Bins of the spike counts [s], as for Granger causality; ignored for continuous signals."""
    ensemble: Literal["extra_trees", "random_forest"] = "extra_trees"
    """Random splits of all samples, or best splits of bootstrap samples (Huynh-Thu et al. 2010 use either, mostly the
    second, which takes twice the time)."""
    trees: Repeats = 50
    """Per unit (Huynh-Thu et al. 2010: 1000; the time limit of a method does not allow for them)."""
    max_depth: Annotated[int, Within(1, 100)] = 3
    """Splits in a row (Sutera et al. 2014: 3, for the same reason; Huynh-Thu et al. 2010: no limit)."""
    min_leaf: Repeats = 20
    """Samples in a leaf at least: keeps trees from splitting off a few coincidences of rare spikes, which would give
    the importances of rotated targets a heavy tail (Huynh-Thu et al. 2010: 1)."""
    lags: Annotated[int, Within(0, 1000)] = 1
    """Samples back that are regressors; 0: none, which needs `same_bin`."""
    same_bin: bool = False
    """Whether the others' activity in the very sample is a regressor as well (Sutera et al. 2014: alone)."""
    null_size: Repeats = 600
    """Importances of rotated targets at least: forests are grown for them all over until there are so many."""

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """Graded and decided edges (pre, post); works on any signal."""
        trace, reason = centred_signals(recording, self.needs, self.bin_width)
        if reason:
            return Finding.abstain(reason)
        live, n_units, n_rows = changing(trace), trace.shape[2], trace.shape[0] * (trace.shape[1] - self.lags)
        if live.size < 2 or not self.lags + self.same_bin or trace.shape[1] <= self.lags + 1 or n_rows < 2 * live.size:
            return Finding.abstain(f"{max(n_rows, 0)} samples of {live.size} changing units are too few for a forest")
        # regressors keep their trial's mean: a split on a count then is one on spikes
        design = self._regressors(signals(recording, self.bin_width).values[:, :, live])
        targets = trace[:, self.lags :, live] / trace[:, self.lags :, live].std(axis=(0, 1)).clip(1e-300)
        found = self._importances(design, targets, rng)
        rounds = -(-self.null_size // (live.size * (live.size - 1)))
        null = np.stack([self._importances(design, rotated(targets, rng), rng) for _ in range(rounds)])
        usual = inflation(trace[:, :, live])
        p = tail_p(found / usual, null / usual)
        score = embedded(np.sqrt(found), live, n_units)
        return edges(score, embedded(p, live, n_units, 1.0), np.zeros_like(score), self.alpha, null=int(null.size))

    def _regressors(self, values: np.ndarray) -> np.ndarray:
        """Activity at each lag, (trial x sample, lag, unit), of all samples with a past in their trial."""
        end = values.shape[1]
        lags = (*((0,) if self.same_bin else ()), *range(1, self.lags + 1))
        design = np.stack([values[:, self.lags - lag : end - lag] for lag in lags], axis=2)
        return design.reshape(-1, len(lags), values.shape[2]).astype(np.float32)

    def _importances(self, design: np.ndarray, targets: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Importance (pre, post) of each unit for each target (trial, sample, unit), summed over lags."""
        n_units = targets.shape[2]
        found = np.zeros((n_units, n_units))
        for post in range(n_units):
            others = np.delete(np.arange(n_units), post)
            rows = design[:, :, others].reshape(len(design), -1)
            grow = _forest(self.ensemble)(
                self.trees,
                max_features="sqrt",
                max_depth=self.max_depth,
                min_samples_leaf=self.min_leaf,
                random_state=int(rng.integers(2**31)),
            )
            forest = grow.fit(rows, targets[:, :, post].ravel())
            gain = np.mean([tree.tree_.compute_feature_importances(normalize=False) for tree in forest], axis=0)
            found[others, post] = gain.reshape(design.shape[1], -1).sum(axis=0)
        return found


def _forest(ensemble: str) -> Callable[..., Any]:
    from sklearn.ensemble import ExtraTreesRegressor, RandomForestRegressor

    return {"extra_trees": ExtraTreesRegressor, "random_forest": RandomForestRegressor}[ensemble]


def tail_p(found: np.ndarray, null: np.ndarray) -> np.ndarray:
    """p-values (pre, post) of importances among all pairs of `null` (surrogate, pre, post): ranks, and beyond the
    highest tenth of `null` an exponential fitted to it."""
    off = ~np.eye(len(found), dtype=bool)
    pool = np.sort(null[:, off].ravel())
    start = np.quantile(pool, 1 - TAIL)
    beyond = pool[pool > start]
    rank = (pool.size - np.searchsorted(pool, found, side="left") + 1) / (pool.size + 1)
    if not beyond.size:  # no tail to speak of: all as unimportant as can be
        return np.where(off, rank, 1.0)
    far = beyond.size / pool.size * np.exp(-(found - start).clip(0) / (beyond - start).mean())
    return np.where(off, np.where(found > start, far, rank), 1.0)
