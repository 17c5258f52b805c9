"""Representational similarity analysis: are stimuli as far apart in one population as in the other?"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import ClassVar, Literal

import numpy as np
import xarray as xr

from methods.similarity._populations import NEEDS, WHOLE, Pair, Verdict, pair
from simlab.contracts import Finding, Needs
from simlab.rules import check_fields
from simlab.rules.quantities import Level, Repeats, Width

Distance = Literal["euclidean", "mahalanobis", "cross_validated", "crossnobis"]
Comparison = Literal["spearman", "pearson", "cosine"]
NoiseOf = Literal["all_repeats", "other_repeats"]

WHITENED, CROSSED = ("mahalanobis", "crossnobis"), ("cross_validated", "crossnobis")


@dataclass(frozen=True)
class Rsa:
    """Squared distances between all stimuli's patterns, compared between populations (Kriegeskorte et al. 2008).

    euclidean: of mean patterns. Noise makes them longer, by as much as two stimuli's errors differ, whose structure is
    that of the task where noise is slow (Cai et al. 2019, PLoS Comput Biol 15:e1006299).
    cross_validated: products of differences in different repeats, which noise that is independent between repeats
    leaves where they are.
    mahalanobis: euclidean in units of the noise, by the covariance of repeats about their means, shrunk as Ledoit &
    Wolf (2004) do.
    crossnobis: both (Walther et al. 2016, NeuroImage 137:188). It is as unbiased as the covariance is independent: that
    of all repeats (as it is mostly done) shrinks what they differ in, and with it the correction for noise;
    `other_repeats` takes, for the product of two repeats, that of all others, of which there must be two.

    other_trials: the populations' distances are of different trials, so that what moves both in one trial makes them no
    more alike (Henriksson et al. 2015, NeuroImage 114:275). `similarity` is the correlation of distances. Verdict:
    stimuli permuted. Cost: milliseconds.
    """

    name: ClassVar[str] = "rsa"
    question: ClassVar[str] = "similarity"
    family: ClassVar[str] = "representational geometry"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = NEEDS

    distance: Distance = "euclidean"
    noise_of: NoiseOf = "all_repeats"
    other_trials: bool = False
    compare: Comparison = "spearman"
    window: Width = WHOLE  # s from each trial's onset that are looked at
    permutations: Repeats = 200
    alpha: Level = 0.05

    def __post_init__(self) -> None:
        check_fields(self)

    @property
    def least_repeats(self) -> int:
        """Of each stimulus in each population, without which there is nothing to cross-validate or to whiten by."""
        if self.distance == "crossnobis" and self.noise_of == "other_repeats":
            return 4
        return 1 if self.distance == "euclidean" else 2

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """How alike distances are; abstains where repeats are too few."""
        found = pair(recording, self.needs, other_trials=self.other_trials, window=self.window)
        if not isinstance(found, Pair):
            return found
        if len(found.one) < self.least_repeats:
            return Finding.abstain(f"{self.distance} distances need {self.least_repeats} repeats, got {len(found.one)}")
        apart = 2 if self.noise_of == "other_repeats" and self.distance == "crossnobis" else 0
        if self.distance in WHITENED and not all(scatters(responses, apart) for responses in found):
            return Finding.abstain("there is no noise to whiten by: repeats of each stimulus do not differ")
        one, other = (self._distances(responses) for responses in found)
        upper = np.triu_indices(len(one), 1)
        first, second = scored(one, upper, self.compare), scored(other, upper, self.compare)

        def likeness(order: np.ndarray) -> float:
            return float((first * second[np.ix_(order, order)])[upper].sum())

        return Verdict(self.permutations, self.alpha).on(likeness, len(one), rng)

    def _distances(self, responses: np.ndarray) -> np.ndarray:
        """(stimulus, stimulus) of responses (repeat, stimulus, unit)."""
        if self.distance == "crossnobis" and self.noise_of == "other_repeats":
            return crossnobis_apart(responses)
        seen = responses @ whitening(responses) if self.distance in WHITENED else responses
        return distances(seen, self.distance in CROSSED)


def distances(responses: np.ndarray, cross_validated: bool) -> np.ndarray:
    """(stimulus, stimulus) squared distances per unit of responses (repeat, stimulus, unit).

    Of the means; or cross-validated, the mean over all repeats r != q of (x_k - x_l)(r) . (x_k - x_l)(q), which is
    negative where there is no difference and chance will have it so.
    """
    n, _, n_units = responses.shape
    mean = responses.mean(axis=0)
    moments = mean @ mean.T
    if cross_validated:
        moments = (n * n * moments - np.einsum("rku,rlu->kl", responses, responses)) / (n * (n - 1))
    return between(moments) / n_units


def crossnobis_apart(responses: np.ndarray) -> np.ndarray:
    """The same, cross-validated, each two repeats whitened by the noise of all others."""
    n, n_stimuli, n_units = responses.shape
    moments = np.zeros((n_stimuli, n_stimuli))
    for r, q in combinations(range(n), 2):
        axes = whitening(np.delete(responses, (r, q), axis=0))
        moments += (responses[r] @ axes) @ (responses[q] @ axes).T
    return between(moments + moments.T) / (n * (n - 1) * n_units)


def between(moments: np.ndarray) -> np.ndarray:
    """(stimulus, stimulus) squared distances from second moments G of the same shape: G_kk + G_ll - 2 G_kl."""
    own = np.diag(moments)
    return np.asarray(own[:, None] + own[None] - 2 * moments)


def whitening(responses: np.ndarray) -> np.ndarray:
    """(unit, axis): axes in which responses (repeat, stimulus, unit) scatter about their means over repeats by 1."""
    from sklearn.covariance import ledoit_wolf

    left = responses - responses.mean(axis=0)
    n = len(responses)
    covariance = ledoit_wolf(left.reshape(-1, left.shape[2]), assume_centered=True)[0] * n / (n - 1)
    size, axes = np.linalg.eigh(covariance)
    return np.asarray(axes / np.sqrt(np.maximum(size, 1e-12 * size.max())))


def scatters(responses: np.ndarray, left_out: int) -> bool:
    """Whether repeats of responses (repeat, stimulus, unit) differ, whichever `left_out` of them are left out."""
    chosen = combinations(range(len(responses)), len(responses) - left_out)
    return all(bool(np.ptp(responses[list(rest)], axis=0).any()) for rest in chosen)


def scored(table: np.ndarray, upper: tuple[np.ndarray, np.ndarray], compare: Comparison) -> np.ndarray:
    """(stimulus, stimulus): a symmetric table whose product with another such, over `upper`, is their correlation."""
    from scipy.stats import rankdata

    values = table[upper]
    values = rankdata(values) if compare == "spearman" else values
    values = values if compare == "cosine" else values - values.mean()
    length = float(np.linalg.norm(values))
    full = np.zeros_like(table)
    full[upper] = values / length if length > 0 else 0.0
    return np.asarray(full + full.T)
