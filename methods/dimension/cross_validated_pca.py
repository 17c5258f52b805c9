"""Linear dimension by cross-validation of principal components on units and trials that were left out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
import xarray as xr

from methods.dimension._spread import MostDimensions, Smoothing, end_to_end, trial_folds, z_scored
from simlab.contracts import Finding, Needs
from simlab.rules import Within, check_fields
from simlab.rules.quantities import Repeats, Width


@dataclass(frozen=True)
class CrossValidatedPca:
    """Bi-cross-validation (Owen & Perry 2009, Ann Appl Stat 3:564): the rank that predicts a block left out best.

        X = [A B; C D] over (samples, units):   A is predicted by B D_k^+ C,   D_k: D's best approximation of rank k

    A block has one fold of the trials and one of the units; it is in neither B, C nor D, so that a component that only
    fits noise predicts worse than none. The rank is the least whose mean error over blocks lies within one standard
    error of the smallest (`one_error`), or the smallest itself. Ranks from 0. Where units do things of their own that
    go on from trial to trial, blocks are not independent.
    """

    name: ClassVar[str] = "cross_validated_pca"
    question: ClassVar[str] = "dimensionality"
    family: ClassVar[str] = "cross-validation"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = Needs(units=6)

    bin_width: Width = 0.02  # s, of spike counts
    smoothing: Smoothing = 0.05  # s
    most: MostDimensions = 20  # dimensions that are tried
    trial_folds: Annotated[int, Within(2, 100)] = 4
    repeats: Repeats = 4  # of the division of units into two halves
    one_error: bool = False

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """The linear dimension of a Recording."""
        values = z_scored(recording, self.needs, self.bin_width, self.smoothing)
        if isinstance(values, Finding):
            return values
        x, fold = end_to_end(values), trial_folds(values, self.trial_folds)
        errors = []
        for _ in range(self.repeats):
            halves = np.array_split(rng.permutation(x.shape[1]), 2)
            for left_out in halves:
                inside = np.setdiff1d(np.arange(x.shape[1]), left_out)
                errors += [self._errors(x, fold == k, left_out, inside) for k in np.unique(fold)]
        tried = min(map(len, errors))  # halves of an odd number of units are unequal
        return Finding({"linear": least_rank(np.array([e[:tried] for e in errors]), self.one_error)})

    def _errors(self, x: np.ndarray, held: np.ndarray, left_out: np.ndarray, inside: np.ndarray) -> list[float]:
        """Squared error of a block for each rank from 0, in shares of its sum of squares."""
        block, beside = x[np.ix_(held, left_out)], x[np.ix_(held, inside)]
        above, rest = x[np.ix_(~held, left_out)], x[np.ix_(~held, inside)]
        left, size, right = np.linalg.svd(rest, full_matrices=False)
        scores = (beside @ right.T) / np.maximum(size, 1e-9 * size.max(initial=1e-12))
        loads = left.T @ above
        total = float(np.square(block).sum())
        errors, guess = [1.0], np.zeros_like(block)
        for k in range(min(self.most, len(size))):
            guess += np.outer(scores[:, k], loads[k])
            errors.append(float(np.square(block - guess).sum()) / total)
        return errors


def least_rank(errors: np.ndarray, one_error: bool) -> int:
    """The rank of the smallest mean of errors (repeat, rank), or the least within a standard error of it."""
    mean = errors.mean(axis=0)
    best = int(np.argmin(mean))
    if not one_error:
        return best
    slack = errors[:, best].std(ddof=1) / np.sqrt(len(errors)) if len(errors) > 1 else 0.0
    return int(np.argmax(mean <= mean[best] + slack))
