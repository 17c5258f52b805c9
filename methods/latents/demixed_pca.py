"""Latents by demixed principal components: axes for time, for the condition, and for nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
import xarray as xr

from methods.latents._factors import refused, seen
from methods.latents.pca_latents import Smoothing
from simlab.contracts import Finding, Needs
from simlab.rules import Within, check_fields
from simlab.rules.quantities import Repeats, Width


@dataclass(frozen=True)
class DemixedPca:
    """Reduced-rank regression of activity on its averages over conditions (Kobak et al. 2016, eLife 5:e10989).

        X = single trials (sample, unit),  M_time(t) = mean over trials,  M_condition(t, c) = mean of c - M_time
        for each marginal M: the decoder D and encoder F of rank q that minimise |M - X D F|^2 + ridge |D F|^2

    A marginal has as many components as its singular values exceed the largest of `n_shuffles` controls, in which the
    conditions of trials are shuffled (for time: each trial is rolled by its own lag), at most `most_each`. The latents
    are X D of both marginals: what single trials do along axes that conditions and time define. Activity that varies
    from trial to trial without regard to either has no axis here. Own implementation, since none is well kept. Seconds.
    """

    name: ClassVar[str] = "demixed_pca"
    question: ClassVar[str] = "latents"
    family: ClassVar[str] = "demixed components"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = Needs(units=3, trials=8, conditions=True)

    bin_width: Width = 0.02  # s, of spike counts
    smoothing: Smoothing = 0.05  # s, sd of the Gaussian kernel
    most_each: Annotated[int, Within(1, 100)] = 10  # components of a marginal
    ridge: Annotated[float, Within(0, 1e3)] = 1e-3  # of the regression, in shares of the units' total variance
    n_shuffles: Repeats = 40

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """Demixed components of a Recording; abstains where conditions are too few or nothing follows them or time."""
        if (refusal := refused(recording, self.needs)) is not None:
            return refusal
        condition = np.unique(recording["condition"].values, return_inverse=True)[1]
        if condition.max(initial=0) < 1 or np.bincount(condition).min() < 2:
            return Finding.abstain("needs two conditions at least, with two trials of each")
        found = seen(recording, self.bin_width, self.smoothing)
        x = found.z_scored
        marginals, numbers = _marginals(x, condition), self._numbers(x, condition, rng)
        parts = [self._decoded(x, m, n) for m, n in zip(marginals, numbers, strict=True) if n]
        if not parts:
            return Finding.abstain("neither time nor the conditions explain more than shuffled trials do")
        return found.finding(np.concatenate(parts, axis=2), recording, components=numbers)

    def _numbers(self, x: np.ndarray, condition: np.ndarray, rng: np.random.Generator) -> list[int]:
        """Components of each marginal: of time, of the condition."""
        null: list[list[float]] = [[], []]
        for _ in range(self.n_shuffles):
            rolled = np.stack([np.roll(trial, int(rng.integers(x.shape[1])), axis=0) for trial in x])
            null[0].append(_sizes(_marginals(rolled, condition)[0])[0])
            null[1].append(_sizes(_marginals(x, rng.permutation(condition))[1])[0])
        return [
            min(int((_sizes(marginal) > max(controls)).sum()), self.most_each)
            for marginal, controls in zip(_marginals(x, condition), null, strict=True)
        ]

    def _decoded(self, x: np.ndarray, marginal: np.ndarray, number: int) -> np.ndarray:
        """(trial, time, component): single trials through the decoder of a marginal."""
        flat, wanted = x.reshape(-1, x.shape[2]), marginal.reshape(-1, x.shape[2])
        penalty = self.ridge * np.square(flat).sum() * np.eye(flat.shape[1]) / flat.shape[1]
        slope = np.linalg.solve(flat.T @ flat + penalty, flat.T @ wanted)
        _, axes = np.linalg.eigh((flat @ slope).T @ (flat @ slope))
        return x @ (slope @ axes[:, ::-1][:, :number])


def _marginals(x: np.ndarray, condition: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """x (trial, time, unit) averaged over trials, and over each condition's trials less that; both of x's shape."""
    over_all = np.broadcast_to(x.mean(axis=0), x.shape)
    means = np.stack([x[condition == c].mean(axis=0) for c in range(condition.max() + 1)])
    time = over_all - over_all.mean(axis=(0, 1))
    return time, means[condition] - over_all


def _sizes(marginal: np.ndarray) -> np.ndarray:
    """Singular values, falling."""
    flat = marginal.reshape(-1, marginal.shape[2])
    return np.sqrt(np.maximum(np.linalg.eigvalsh(flat.T @ flat)[::-1], 0.0))
