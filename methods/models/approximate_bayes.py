"""Which model makes individuals like this one? Approximate Bayesian choice by simulated individuals."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
import xarray as xr

from methods.models._candidates import NEEDS, Beside, beside, ranking
from methods.models._summaries import summaries
from simlab.contracts import Finding, Needs
from simlab.data import is_spiking
from simlab.rules import Within, check_fields
from simlab.rules.quantities import Level

LEAST_INDIVIDUALS = 8
"""Of each candidate: fewer tell nothing of how individuals differ."""


@dataclass(frozen=True)
class ApproximateBayes:
    """Individuals of each candidate are drawn, recorded alike and summarised; the closest to the data decide.

    A `Model` with many `individuals` is a prior: each is one draw. Of every draw as many units as were recorded are
    taken at random and, where spikes were, made Poisson. Summary statistics: means and spreads over units of rates,
    Fano factors, autocorrelations, pair correlations, of how far the stimulus foretells them linearly and
    quadratically, and the dimension (`methods.models._summaries`). The probability of each candidate, all alike before:
    of the `kept` share of draws that lie closest, a multinomial regression on the statistics, weighted by distance
    (Epanechnikov's kernel), at those of the data (Beaumont 2010, Annu Rev Ecol Evol Syst 41:379; Fagundes et al. 2007,
    PNAS 104:17614). `score`: the logarithm of that probability. `fits`: the data lie no further from the mean of a
    candidate's draws than these do themselves, at `level` (a posterior predictive check).

    The same statistics may be as likely under models that differ elsewhere (Robert et al. 2011, PNAS 108:15112).
    Abstains where a candidate that sees what was shown has fewer than eight individuals. Cost: seconds, most of it for
    the statistics of the draws.
    """

    name: ClassVar[str] = "approximate_bayes"
    question: ClassVar[str] = "model_choice"
    family: ClassVar[str] = "simulation-based inference"
    library: ClassVar[str] = "scikit-learn"
    needs: ClassVar[Needs] = NEEDS

    kept: Annotated[float, Within(0.05, 1)] = 0.5
    level: Level = 0.05
    most_samples: Annotated[int, Within(50, 100_000)] = 2000  # bins that statistics are of

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """The log probability of each candidate."""
        found = beside(recording, self.needs)
        if isinstance(found, Finding):
            return found
        seeing = {k: model for k, model in enumerate(found.models) if model is not None}
        fewest = min(len(np.unique(found.individuals[k])) for k in seeing)
        if fewest < LEAST_INDIVIDUALS:
            return Finding.abstain(f"it takes {LEAST_INDIVIDUALS} individuals of each candidate, got {fewest}")
        part, spiking = slice(0, self.most_samples), is_spiking(recording)
        shown, trial = _shown(recording, found, part), found.trial[part]
        own = summaries(found.units[part], trial, shown)

        def drawn(rates: np.ndarray) -> np.ndarray:
            return summaries(_recorded(rates, found, spiking, rng), trial, shown)

        draws = {k: _each(drawn, model[part], found.individuals[k]) for k, model in seeing.items()}
        odds = probabilities(draws, own, self.kept)
        every = range(len(found.models))
        scores = [float(np.log(odds[k])) if k in odds else None for k in every]
        fits = [k in draws and self._fits(draws[k], own) for k in every]
        return ranking(scores, fits, confidence=float(max(odds.values())))

    def _fits(self, draws: np.ndarray, own: np.ndarray) -> bool:
        """Whether the data are no further from the mean draw than draws, each left out in turn, are: by a t test on the
        logarithms of distances, as ranks among a dozen draws never reach `level`."""
        from scipy.special import stdtr

        n = len(draws)
        apart = np.log([_distance(np.delete(draws, k, axis=0), draw) + 1e-9 for k, draw in enumerate(draws)])
        beyond = np.log(_distance(draws, own) + 1e-9) - apart.mean()
        t = beyond / max(float(apart.std(ddof=1)) * np.sqrt(1 + 1 / n), 1e-9)
        return bool(stdtr(n - 1, -t) > self.level)


def _each(summary: Callable[[np.ndarray], np.ndarray], rates: np.ndarray, individual: np.ndarray) -> np.ndarray:
    """(individual, statistic) of rates (sample, unit of the model)."""
    return np.array([summary(rates[:, individual == number]) for number in np.unique(individual)])


def _distance(draws: np.ndarray, one: np.ndarray) -> float:
    """Of one from the mean of draws, in their spreads."""
    spread = np.maximum(draws.std(axis=0, ddof=1), 1e-6)
    return float(np.linalg.norm((one - draws.mean(axis=0)) / spread))


def _recorded(rates: np.ndarray, found: Beside, spiking: bool, rng: np.random.Generator) -> np.ndarray:
    """(sample, unit): an individual's rates as they would be recorded."""
    number = found.units.shape[1]
    chosen = rng.permutation(rates.shape[1])[:number]
    return rng.poisson(np.maximum(rates[:, chosen], 0.0) * found.step).astype(float) if spiking else rates[:, chosen]


def _shown(recording: xr.Dataset, found: Beside, part: slice) -> np.ndarray | None:
    """(sample, feature): the stimulus in the middle of each bin, 0 where nothing was shown; None without one."""
    if "stimulus" not in recording:
        return None
    time, values = recording["time"].values, recording["stimulus"].values
    place = np.searchsorted(time, (found.bin[part] + 0.5) * found.step, side="right") - 1
    return np.asarray(np.nan_to_num(values[found.trial[part], np.clip(place, 0, values.shape[1] - 1)]))


def probabilities(draws: Mapping[int, np.ndarray], own: np.ndarray, kept: float) -> dict[int, float]:
    """Of each candidate, from its draws (draw, statistic), given the data's own statistics."""
    owner = np.concatenate([np.full(len(part), k) for k, part in draws.items()])
    spread = np.sqrt(np.mean([part.var(axis=0, ddof=1) for part in draws.values()], axis=0))
    useful = spread > 1e-9
    if not useful.any():
        return dict.fromkeys(draws, 1 / len(draws))
    x = (np.concatenate(list(draws.values())) - own)[:, useful] / spread[useful]
    apart = np.linalg.norm(x, axis=1)
    number = min(max(int(np.ceil(kept * len(x))), 2 * len(draws)), len(x))
    radius = float(np.sort(apart)[number - 1]) * (1 + 1e-9) + 1e-12
    near = apart <= radius
    there = np.unique(owner[near])
    least = 1 / (near.sum() + len(draws))  # of a candidate without a draw among those
    odds = dict.fromkeys(draws, float(least))
    left = float(1 - least * (len(draws) - len(there)))
    if len(there) == 1:
        return odds | {int(there[0]): left}
    from sklearn.linear_model import LogisticRegression

    weight = 1 - (apart[near] / radius) ** 2 + 1e-3
    fit = LogisticRegression(max_iter=500).fit(x[near], owner[near], weight)
    told = fit.predict_proba(np.zeros((1, x.shape[1])))[0]
    return odds | {int(k): max(float(p), 1e-12) * left for k, p in zip(fit.classes_, told, strict=True)}
