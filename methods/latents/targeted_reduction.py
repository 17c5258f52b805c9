"""Latents by targeted dimensionality reduction: the axis of each task variable, found by regression."""

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
class TargetedReduction:
    """Activity along the directions in which task variables move it (Mante, Sussillo, Shenoy & Newsome 2013,
    Nature 503:78).

        z_i(k, t) = b_i0(t) + sum_v b_iv(t) x_v(k) + noise    by least squares, over trials k
        b_v(t) -> D b_v(t),  D the projector onto `n_components` principal components of the averages over conditions
        axis of v: b_v at the time at which it is longest; axes orthogonal to those before them, in the order of v

    Variables x_v are what differs between trials: the mean of each stimulus feature, the last value of each of the
    behaviour's factors, and where there is neither the condition, coded by one variable for each but the first.
    Conditions are the trials on either side of every variable's median. A variable counts if its longest b_v exceeds
    that of `n_shuffles` controls in which its values are dealt to trials at random. The latents are single trials
    along the axes, as many as there are such variables: what follows none of them has no axis here. Own
    implementation, since none is well kept. Seconds.
    """

    name: ClassVar[str] = "targeted_reduction"
    question: ClassVar[str] = "latents"
    family: ClassVar[str] = "demixed components"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = Needs(units=3, trials=8)

    bin_width: Width = 0.02  # s, of spike counts
    smoothing: Smoothing = 0.05  # s, sd of the Gaussian kernel
    n_components: Annotated[int, Within(1, 1000)] = 12  # of the averages over conditions, as in the paper
    n_shuffles: Repeats = 40

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """Targeted components of a Recording; abstains where nothing differs between trials, or activity follows none
        of it."""
        if (refusal := refused(recording, self.needs)) is not None:
            return refusal
        variables = _variables(recording)
        if not variables.shape[1]:
            return Finding.abstain("no stimulus, behaviour or condition differs between trials: nothing to regress on")
        if len(variables) < variables.shape[1] + 3:
            return Finding.abstain(f"{variables.shape[1]} variables need {variables.shape[1] + 3} trials at least")
        found = seen(recording, self.bin_width, self.smoothing)
        x = found.z_scored
        slopes = self._denoised(_slopes(x, variables), x, variables)
        counts = self._counting(slopes, x, variables, rng)
        if not counts.any():
            return Finding.abstain("activity follows no variable of the trials more than shuffled ones")
        axes, _ = np.linalg.qr(_longest(slopes)[counts].T)
        return found.finding(x @ axes, recording, variables=int(counts.sum()))

    def _denoised(self, slopes: np.ndarray, x: np.ndarray, variables: np.ndarray) -> np.ndarray:
        """Slopes (variable, time, unit) within the span of the averages over conditions."""
        above = (variables > np.median(variables, axis=0)).astype(int)
        condition = np.unique(above, axis=0, return_inverse=True)[1].ravel()
        means = np.concatenate([x[condition == c].mean(axis=0) for c in range(condition.max() + 1)])
        means = means - means.mean(axis=0)
        basis = np.linalg.eigh(means.T @ means)[1][:, ::-1][:, : self.n_components]
        return np.asarray(slopes @ basis @ basis.T)

    def _counting(
        self, slopes: np.ndarray, x: np.ndarray, variables: np.ndarray, rng: np.random.Generator
    ) -> np.ndarray:
        """(variable,) whether activity follows each more than it follows the same values in other trials."""
        most = np.zeros(len(slopes))
        for _ in range(self.n_shuffles):
            dealt = rng.permutation(variables)
            most = np.maximum(most, _lengths(self._denoised(_slopes(x, dealt), x, dealt)).max(axis=1))
        return np.asarray(_lengths(slopes).max(axis=1) > most)


def _variables(recording: xr.Dataset) -> np.ndarray:
    """(trial, variable) z-scored: what differs between trials, each once."""
    columns = []
    if "stimulus" in recording:
        columns.append(recording["stimulus"].values.mean(axis=1))
    if "behaviour" in recording:
        columns.append(recording["behaviour"].values[:, -1])
    if not columns and "condition" in recording:
        condition = recording["condition"].values
        columns.append((condition[:, None] == np.unique(condition)[1:]).astype(float))
    told = np.concatenate(columns, axis=1) if columns else np.empty((recording.sizes["trial"], 0))
    told = told[:, np.isfinite(told).all(axis=0) & (told.std(axis=0) > 0)]
    told = (told - told.mean(axis=0)) / told.std(axis=0)
    kept: list[int] = []
    for k in range(told.shape[1]):
        if all(abs(float(np.mean(told[:, k] * told[:, j]))) < 1 - 1e-6 for j in kept):
            kept.append(k)
    return told[:, kept]


def _slopes(x: np.ndarray, variables: np.ndarray) -> np.ndarray:
    """(variable, time, unit) least-squares slopes of x (trial, time, unit) on variables with the mean 0."""
    flat = x.reshape(len(x), -1)
    return np.asarray(np.linalg.pinv(variables) @ flat).reshape(-1, *x.shape[1:])


def _lengths(slopes: np.ndarray) -> np.ndarray:
    """(variable, time)"""
    return np.sqrt(np.square(slopes).sum(axis=2))


def _longest(slopes: np.ndarray) -> np.ndarray:
    """(variable, unit): each variable's slopes at the time at which they are longest."""
    return np.stack([s[np.argmax(lengths)] for s, lengths in zip(slopes, _lengths(slopes), strict=True)])
