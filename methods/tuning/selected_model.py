"""Tuning by the model of the rate that predicts spikes it was not fitted to: forward selection of variables."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import Annotated, ClassVar

import numpy as np
import xarray as xr

from methods.tuning._moments import NEEDS, NONE, Bins, Moments, summed
from simlab.contracts import Finding, Needs
from simlab.rules import Within, check_fields
from simlab.rules.quantities import Level

COARSE = Bins(position=8, head_direction=8, speed=4)
"""Bins of the models' variables: few enough parameters for some hundred spikes without a prior on smoothness."""

SWEEPS = 6
"""Over the variables of a model, each set to its best given the others: one is exact for a single variable, and the
second decimal of the likelihood stands after three."""

PRIOR = 1.0
"""Expected spikes that each bin is given before any was seen: a gamma prior of mean 1 on its factor."""

LEAST_GAIN = 1e-6
"""Bits per spike that a variable must add: rounding, and the prior, give less to a silent unit or a constant rate, but
that in every fold alike, so that no test of signs could tell it from a gain."""

Factors = tuple[str, ...]


@dataclass(frozen=True)
class SelectedModel:
    """Poisson models of the rate with every set of variables, compared on spikes that were held out.

        log rate = a + sum over the variables in the model of f_variable(bin)

    The models and the procedure of Hardcastle et al. (2017, Neuron 94:375): the best model of one variable, if it
    predicts better than the mean rate; of two with that one, if it predicts better still; and so on, each step by a
    signed-rank test over `folds` at `level`. A fold is several stretches spread over the recording. A unit is called by
    its first variable. Their fits are smooth by a penalty; these have coarser bins and a prior instead, and are exact
    fits of the generalised linear model by iterative scaling, as its covariates are indicators (Deming & Stephan 1940).
    Held-out stretches lie between those that are fitted, so that a drift which outlasts them is predicted, and passes
    for whatever the animal did meanwhile. Cost: 2^variables fits in each fold.
    """

    name: ClassVar[str] = "selected_model"
    question: ClassVar[str] = "tuning"
    family: ClassVar[str] = "generalised linear model"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = NEEDS

    level: Level = 0.05
    folds: Annotated[int, Within(5, 100)] = 10
    stretches: Annotated[int, Within(1, 100)] = 5  # of each fold (Hardcastle et al. 2017)

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """Each unit's variable; notes: all variables that were selected for each, and bits per spike over the mean."""
        moments = Moments.of(recording, self.needs, COARSE)
        if isinstance(moments, Finding):
            return moments
        if len(moments.counts) < 2 * self.folds * self.stretches:
            return Finding.abstain(f"{len(moments.counts)} moments are too few for {self.folds} folds")
        score = held_out(moments, self.folds, self.stretches)
        chosen = [self._selected({m: s[:, unit] for m, s in score.items()}) for unit in range(moments.counts.shape[1])]
        named = np.array([model[0] if model else NONE for model in chosen], dtype=object)
        return Finding({"variable": named}, notes={"selected": [" + ".join(model) or NONE for model in chosen]})

    def _selected(self, score: dict[Factors, np.ndarray]) -> Factors:
        """Variables in the order of their selection, by the likelihoods (fold,) of one unit under each model."""
        order: Factors = ()
        while True:
            larger = [m for m in score if len(m) == len(order) + 1 and set(order) < set(m)]
            if not larger:
                return order
            best = max(larger, key=lambda m: score[m].mean())
            if not _better(score[best] - score[_sorted(order, score)], self.level):
                return order
            order = (*order, *(set(best) - set(order)))


def _sorted(chosen: Factors, score: dict[Factors, np.ndarray]) -> Factors:
    return next(m for m in score if set(m) == set(chosen))


def _better(gain: np.ndarray, level: float) -> bool:
    """Whether gains (fold,) [bits per spike] are above 0 by a signed-rank test, one-sided."""
    from scipy.stats import wilcoxon

    return bool(gain.mean() > LEAST_GAIN and wilcoxon(gain, alternative="greater").pvalue < level)


def held_out(moments: Moments, folds: int, stretches: int) -> dict[Factors, np.ndarray]:
    """(fold, unit): log-likelihood per spike of each model's rates on moments that it was not fitted to [bits].

    Less that of the model without variables, which is fitted to the same moments.
    """
    names = moments.names
    cells, which = np.unique(np.stack([moments.bins[n] for n in names]), axis=1, return_inverse=True)
    fold = np.arange(len(moments.counts)) * folds * stretches // len(moments.counts) % folds
    at = which.ravel() * folds + fold
    shape = (cells.shape[1], folds)
    time = np.bincount(at, minlength=shape[0] * folds).astype(float).reshape(shape).T
    spikes = summed(at, shape[0] * folds, moments.counts).reshape(*shape, -1).swapaxes(0, 1)
    train_time, train = time.sum(axis=0) - time, spikes.sum(axis=0) - spikes
    bins = dict(zip(names, cells, strict=True))
    score: dict[Factors, np.ndarray] = {}
    for model in [m for k in range(len(names) + 1) for m in combinations(names, k)]:
        rate = fitted({n: bins[n] for n in model}, moments.sizes, train_time, train)
        likelihood = (spikes * np.log2(rate)).sum(axis=1) - (time[..., None] * rate).sum(axis=1) / np.log(2)
        score[model] = likelihood / np.maximum(spikes.sum(axis=1), 1.0)
    base = score[()].copy()
    return {model: found - base for model, found in score.items()}


def fitted(bins: dict[str, np.ndarray], sizes: dict[str, int], time: np.ndarray, spikes: np.ndarray) -> np.ndarray:
    """Rates per moment (fold, cell, unit) of the Poisson model with a factor for each bin of each variable.

    bins: variable -> (cell,). time (fold, cell): moments; spikes (fold, cell, unit). Maximum a posteriori, by scaling
    one variable's factors after the other.
    """
    mean = (spikes.sum(axis=1) + 1e-3) / np.maximum(time.sum(axis=1), 1.0)[:, None]
    rate = np.repeat(mean[:, None], time.shape[1], axis=1)
    seen = {n: _by_bin(spikes, bins[n], sizes[n]) for n in bins}
    factor = {n: np.ones((len(time), sizes[n], spikes.shape[2])) for n in bins}
    for _ in range(SWEEPS if len(bins) > 1 else 1):
        for n in bins:
            rate = rate / factor[n][:, bins[n]]
            expected = _by_bin(time[..., None] * rate, bins[n], sizes[n])
            factor[n] = (seen[n] + PRIOR) / (expected + PRIOR)
            rate = rate * factor[n][:, bins[n]]
    return rate


def _by_bin(values: np.ndarray, bins: np.ndarray, size: int) -> np.ndarray:
    """(fold, bin, unit) sums of values (fold, cell, unit) over cells (cell,) of each bin."""
    folds, cells, units = values.shape
    flat = np.ascontiguousarray(values.swapaxes(0, 1)).reshape(cells, folds * units)
    return np.asarray(summed(bins, size, flat)).reshape(size, folds, units).swapaxes(0, 1)
