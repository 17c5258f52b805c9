"""Does the model flow as the recorded population does? Dynamical similarity of models and data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
import xarray as xr

from methods.models._candidates import NEEDS, Beside, beside, ranking
from methods.similarity.dynamical_similarity import DynamicalSimilarity, distance, operator
from simlab.contracts import Finding, Needs
from simlab.data import is_spiking
from simlab.rules import Within, check_fields
from simlab.rules.quantities import Repeats


@dataclass(frozen=True)
class DynamicalMatch:
    """Linear flows of delay-embedded states of the data and of each model (Ostrow et al. 2023, arXiv 2306.10168).

    Flow and distance are those of `dynamical_similarity`, in bins of the models. Noise shortens a flow's memory, so
    that each model is made as noisy first: as many of its units as were recorded, scaled to their mean and, where
    spikes were, turned into Poisson counts. Units and trials of the data are halved at random, `splits` times. `score`:
    less the mean distance of a half to as many units of the model. `fits`: no further than the data's halves are from
    each other in 19 of 20 splits. Whatever has the same flow is as good, in whatever neurons; what is shown anew in
    each bin has none, and models differ by chance. Cost: seconds.
    """

    name: ClassVar[str] = "dynamical_match"
    question: ClassVar[str] = "model_choice"
    family: ClassVar[str] = "dynamical similarity"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = NEEDS

    components: Annotated[int, Within(1, 100)] = 6  # principal ones, at most
    delays: Annotated[int, Within(1, 100)] = 10
    lag: Annotated[int, Within(1, 100)] = 1  # bins from one delay to the next, and from state to predicted state
    rank: Annotated[int, Within(1, 30)] = 6
    splits: Repeats = 6

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """Less the distance, for each candidate; abstains where trials are too few or too short to embed."""
        found = beside(recording, self.needs)
        if isinstance(found, Finding):
            return found
        whole = complete(found)
        n_bins = int(found.bin.max()) + 1
        if n_bins < self.lag * (self.delays + 2):
            return Finding.abstain(f"trials of {n_bins} bins are too short for {self.delays} delays of {self.lag}")
        if whole.sum() < 4 * n_bins or found.units.shape[1] < 4:
            return Finding.abstain("halves of the data are compared, which takes four whole trials and four units")
        units = _by_trial(found.units, whole, n_bins)
        noisy = is_spiking(recording)
        apart = [self._splits(units, model, found, whole, noisy, rng) for model in found.models]
        limit = float(np.quantile([self._within(units, rng) for _ in range(self.splits)], 0.95))
        scores = [None if a is None else -a for a in apart]
        finding = ranking(scores, [a is not None and a <= limit for a in apart])
        return finding if finding.abstained else Finding(finding.estimate, notes=dict(finding.notes) | {"limit": limit})

    def _splits(
        self,
        units: np.ndarray,
        model: np.ndarray | None,
        found: Beside,
        whole: np.ndarray,
        noisy: bool,
        rng: np.random.Generator,
    ) -> float | None:
        """The mean distance of halves of the data from as many units of a model."""
        if model is None or not np.ptp(model, axis=0).any():
            return None
        theirs = _by_trial(model, whole, units.shape[1])
        return float(np.mean([self._between(units, theirs, noisy, rng) for _ in range(self.splits)]))

    def _between(self, units: np.ndarray, theirs: np.ndarray, noisy: bool, rng: np.random.Generator) -> float:
        own, trials = rng.permutation(units.shape[2]), rng.permutation(len(units))
        number, half = units.shape[2] // 2, len(units) // 2
        drawn = rng.permutation(np.flatnonzero(np.ptp(theirs, axis=(0, 1)) > 0))[:number]
        like = as_noisy(theirs[trials[half:]][:, :, drawn], units, rng) if noisy else theirs[trials[half:]][:, :, drawn]
        return self._apart(units[trials[:half]][:, :, own[:number]], like, rng)

    def _within(self, units: np.ndarray, rng: np.random.Generator) -> float:
        own, trials = rng.permutation(units.shape[2]), rng.permutation(len(units))
        number, half = units.shape[2] // 2, len(units) // 2
        return self._apart(
            units[trials[:half]][:, :, own[:number]], units[trials[half:]][:, :, own[number : 2 * number]], rng
        )

    def _apart(self, one: np.ndarray, other: np.ndarray, rng: np.random.Generator) -> float:
        """The distance of the flows of two populations, each (trial, bin, unit)."""
        embedding = DynamicalSimilarity(
            components=self.components, delays=self.delays, lag=self.lag, rank=self.rank, splits=1
        )
        states = [embedding.states(_scaled(x)) for x in (one, other)]
        rank = min(state.shape[2] for state in states)
        if rank == 0:
            return 1.0
        first, second = (operator(x[:, : -self.lag, :rank], x[:, self.lag :, :rank]) for x in states)
        return distance(first, second, rng)


def complete(found: Beside) -> np.ndarray:
    """(sample,) whether all bins of its trial are there."""
    counts = np.bincount(found.trial)
    return np.asarray(counts[found.trial] == found.bin.max() + 1)


def _by_trial(values: np.ndarray, whole: np.ndarray, n_bins: int) -> np.ndarray:
    """(trial, bin, unit): those of whole trials."""
    return values[whole].reshape(-1, n_bins, values.shape[1])


def as_noisy(rates: np.ndarray, units: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Poisson counts of a model's rates (trial, bin, unit), scaled to the mean of what was recorded."""
    usual = float(rates.mean())
    return rng.poisson(np.maximum(rates, 0.0) * (float(units.mean()) / usual if usual > 0 else 0.0)).astype(float)


def _scaled(values: np.ndarray) -> np.ndarray:
    """Each unit about its mean, of variance 1 where it varies."""
    moved = values - values.mean(axis=(0, 1))
    spread = moved.std(axis=(0, 1))
    return moved / np.where(np.ptp(values, axis=(0, 1)) > 0, spread, 1.0)
