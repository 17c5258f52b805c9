"""Linear predictivity: how much of one population's responses a regression on the other's foretells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, NamedTuple

import numpy as np
import xarray as xr

from methods.similarity._populations import NEEDS, WHOLE, Pair, Verdict, pair, patterns
from simlab.contracts import Finding, Needs
from simlab.rules import Within, check_fields
from simlab.rules.quantities import Level, Repeats, Width

PENALTIES = tuple(10.0 ** np.arange(-2, 2.5, 0.5))
"""Of mean squared patterns."""


@dataclass(frozen=True)
class LinearPredictivity:
    """Ridge regression of either population's mean patterns on the other's, in stimuli that it was not fitted to.

    `similarity`: of the variance over stimuli that repeats agree on, the share that is foretold, averaged over both
    directions: (total - error) / (total - noise), the noise that of a mean of the repeats there are. So are models of
    the brain ranked (Yamins et al. 2014, PNAS 111:8619; Schrimpf et al. 2020, Neuron 108:413). The penalty is
    chosen by leaving out single stimuli of those that are fitted. Verdict: stimuli permuted. Cost: half a second.
    """

    name: ClassVar[str] = "linear_predictivity"
    question: ClassVar[str] = "similarity"
    family: ClassVar[str] = "prediction"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = NEEDS

    folds: Annotated[int, Within(2, 100)] = 6
    other_trials: bool = False  # of the second population than of the first
    window: Width = WHOLE  # s from each trial's onset that are looked at
    permutations: Repeats = 200
    alpha: Level = 0.05

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """The share foretold; abstains without repeats to tell noise by, or where nothing but noise is seen."""
        found = pair(recording, self.needs, other_trials=self.other_trials, window=self.window)
        if not isinstance(found, Pair):
            return found
        if len(found.one) < 2:
            return Finding.abstain("needs two repeats of each stimulus in each population, to tell how large noise is")
        sides = [(patterns(responses), noise_of_mean(responses)) for responses in found]
        signal = [float((x**2).sum() - noise.sum() * (len(x) - 1)) for x, noise in sides]
        if min(signal) <= 0:
            return Finding.abstain("repeats agree on nothing: responses differ no more between stimuli than within")
        (x, _), (y, _) = sides
        forth, back = Regression.on(x, self.folds), Regression.on(y, self.folds)

        def likeness(order: np.ndarray) -> float:
            shares = (forth.foretold(y[order]) / signal[1], back.foretold(x[np.argsort(order)]) / signal[0])
            return float(np.mean(shares))

        return Verdict(self.permutations, self.alpha).on(likeness, len(x), rng)


def noise_of_mean(responses: np.ndarray) -> np.ndarray:
    """(unit,): variance of a mean response over repeats (repeat, stimulus, unit), averaged over stimuli."""
    return np.asarray(responses.var(axis=0, ddof=1).mean(axis=0) / len(responses))


class Fold(NamedTuple):
    """One fold of the stimuli left out: what predicts it from the rest, and the rest from itself, by penalty."""

    test: np.ndarray
    train: np.ndarray
    predicts: np.ndarray  # (penalty, test, train)
    misses: np.ndarray  # (penalty, train, train): errors of leaving out one more, in closed form


@dataclass(frozen=True, eq=False)
class Regression:
    """Ridge regression on patterns x (stimulus, unit), one for each fold of the stimuli."""

    folds: tuple[Fold, ...]

    @classmethod
    def on(cls, x: np.ndarray, number: int) -> Regression:
        """Every `number`-th stimulus is left out together."""
        fold = np.arange(len(x)) % number
        return cls(tuple(_fold(x, fold == k) for k in np.unique(fold)))

    def foretold(self, y: np.ndarray) -> float:
        """Sum of squares of patterns y (stimulus, unit) less that of their prediction errors; negative where it harms.

        In each fold with the penalty that predicts best what is left out of the rest, one stimulus at a time.
        """
        saved = 0.0
        for test, train, predicts, misses in self.folds:
            best = np.square(misses @ y[train]).sum(axis=(1, 2)).argmin()
            saved += float(np.square(y[test]).sum() - np.square(y[test] - predicts[best] @ y[train]).sum())
        return saved


def _fold(x: np.ndarray, left_out: np.ndarray) -> Fold:
    test, train = np.flatnonzero(left_out), np.flatnonzero(~left_out)
    n = len(train)
    moved = x - x[train].mean(axis=0)
    kernel = moved[train] @ moved[train].T
    scale = float(np.trace(kernel)) / n
    centre = np.eye(n) - 1 / n
    predicts, misses = [], []
    for penalty in PENALTIES:
        weights = np.linalg.solve(kernel + (penalty * scale + 1e-12) * np.eye(n), centre)
        predicts.append(moved[test] @ moved[train].T @ weights + 1 / n)
        left = np.eye(n) - kernel @ weights - 1 / n
        misses.append(left / np.diag(left)[:, None])
    return Fold(test, train, np.stack(predicts), np.stack(misses))
