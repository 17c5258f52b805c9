"""Canonical correlation of two populations, fitted to some stimuli and measured on others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
import xarray as xr

from methods.similarity._populations import NEEDS, WHOLE, Pair, Verdict, pair, patterns
from simlab.contracts import Finding, Needs
from simlab.rules import Within, check_fields
from simlab.rules.quantities import Level, Repeats, Width


@dataclass(frozen=True)
class CanonicalSimilarity:
    """Mean squared canonical correlation of held-out stimuli (Hotelling 1936; Raghu et al. 2017, arXiv 1706.05806).

    Mean patterns of either population are reduced to `components` principal ones. Weights are fitted without a
    fold of the stimuli and applied to it; the products of both sides' variates are summed over `folds`. Without folds
    (0) correlations are those of the fit itself, which with few stimuli are high whatever is shared. Verdict: stimuli
    permuted. Cost: tenths of a second.
    """

    name: ClassVar[str] = "canonical_similarity"
    question: ClassVar[str] = "similarity"
    family: ClassVar[str] = "canonical correlation"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = NEEDS

    components: Annotated[int, Within(1, 100)] = 4
    folds: Annotated[int, Within(0, 100, excluding=(1,))] = 6
    other_trials: bool = False  # of the second population than of the first
    window: Width = WHOLE  # s from each trial's onset that are looked at
    permutations: Repeats = 200
    alpha: Level = 0.05

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """The mean squared correlation; abstains where a fold leaves fewer stimuli than it needs."""
        found = pair(recording, self.needs, other_trials=self.other_trials, window=self.window)
        if not isinstance(found, Pair):
            return found
        one, other = (leading(patterns(responses), self.components) for responses in found)
        n = len(one)
        left = n - (-(-n // self.folds) if self.folds else 0)
        if left <= one.shape[1] + other.shape[1]:
            return Finding.abstain(
                f"{left} stimuli to fit are too few for {one.shape[1]} and {other.shape[1]} components"
            )
        fold = np.arange(n) % self.folds if self.folds else np.zeros(n, dtype=int)
        return Verdict(self.permutations, self.alpha).on(
            lambda order: held_out(one, other[order], fold, bool(self.folds)), n, rng
        )


def leading(patterns: np.ndarray, number: int) -> np.ndarray:
    """(stimulus, component): scores on the first principal components."""
    left, size, _ = np.linalg.svd(patterns, full_matrices=False)
    return np.asarray((left * size)[:, beyond_rounding(size)][:, :number])


def beyond_rounding(size: np.ndarray) -> np.ndarray:
    """(component,) bool: which singular values are more than what rounding leaves of none."""
    return np.asarray(size > 1e-9 * size.max(initial=0.0))


def held_out(one: np.ndarray, other: np.ndarray, fold: np.ndarray, apart: bool) -> float:
    """Mean over canonical pairs of their squared correlation, 0 where it is negative, in stimuli left out (`apart`)."""
    number = min(one.shape[1], other.shape[1])
    products = np.zeros((3, number))
    for k in np.unique(fold):
        test = fold == k
        train = ~test if apart else test
        u, v = variates(one, other, train)
        u, v = u[test], v[test]
        products += [(u * v).sum(axis=0), (u * u).sum(axis=0), (v * v).sum(axis=0)]
    size = np.sqrt(products[1] * products[2])
    r = np.divide(products[0], size, out=np.zeros(number), where=size > 0)
    return float((np.maximum(r, 0.0) ** 2).mean())


def variates(one: np.ndarray, other: np.ndarray, train: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(stimulus, pair) canonical variates of all stimuli, fitted to those of `train`.

    A component that those do not have tells nothing of the others: it gets no weight.
    """
    sides = []
    for x in (one, other):
        centre = x[train].mean(axis=0)
        left, size, right = np.linalg.svd(x[train] - centre, full_matrices=False)
        there = beyond_rounding(size)
        weight = np.divide(1.0, size, out=np.zeros(len(size)), where=there)
        sides.append((left * there, (x - centre) @ (right.T * weight)))
    (left, x), (right, y) = sides
    turn, _, back = np.linalg.svd(left.T @ right, full_matrices=False)
    return np.asarray(x @ turn), np.asarray(y @ back.T)
