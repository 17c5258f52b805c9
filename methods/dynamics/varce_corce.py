"""The variance and correlation of the conditional expectation over time: do they grow as those of a diffusion?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
import xarray as xr
from scipy.stats import norm

from methods.dynamics._decisions import (
    ATTRACTOR,
    LEAST,
    MOST,
    RAMPING,
    active,
    among,
    choice_axis,
    conditions,
    counts_from,
    onset,
)  # fmt: skip
from simlab.contracts import Finding, Needs
from simlab.rules import Within, check_fields
from simlab.rules.quantities import Repeats, Width

TOLD = (RAMPING, ATTRACTOR)


@dataclass(frozen=True)
class VarceCorce:
    """Takes rates whose variance grows over trials, and whose past stays as it was, for an accumulation of evidence.

    VarCE(t) = Var N_t - phi E N_t is what trials of one condition differ by beyond the noise of a point process, with
    phi the least ratio of variance to mean over time (Churchland et al. 2011, Neuron 69:818). What was accumulated by s
    is still there at t > s in a perfect accumulator: Cov(N_s, N_t) does not depend on t (their correlation falls as
    sqrt(s/t)). In an attractor that amplifies differences it grows, in a leaky one it falls; `growth` [1/s] is its
    logarithmic slope from the second third of the trial to the last, for s in the first. It needs no phi.

    The published reading takes a rising VarCE without growth for ramping. A step of a random time to either side has
    the very covariances of a diffusion (both are martingales), so that steps pass for ramps here, by construction: the
    method does not answer `stepping`. Populations are read along the main axis of their late activity. Abstains where
    the variance does not rise by two standard errors. Cost: a bootstrap over trials, under a second.
    """

    name: ClassVar[str] = "varce_corce"
    question: ClassVar[str] = "mechanism"
    family: ClassVar[str] = "trial-to-trial variability"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = Needs(("spikes",), units=1, trials=30)

    width: Width = 0.05  # s, of the bins (Churchland et al. 2011: 0.06)
    n_resamples: Repeats = 300
    least_growth: Annotated[float, Within(0, 100, "1/s")] = 0.7
    """Of an attractor: a difference doubles within a second of a stimulus."""

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """The verdict on a Recording; notes: VarCE (time,), its rise, phi, and growth [1/s] with its standard error."""
        refusal = active(recording, 1) or among(recording.attrs.get("brief", {}), {}, {}, TOLD)
        if refusal.abstained:
            return refusal
        start = onset(recording)
        if float(recording.attrs["duration"]) - start < 6 * self.width:
            return Finding.abstain(f"trials last less than 6 bins of {self.width} s beyond the stimulus's onset")
        counts, condition = counts_from(recording, self.width, start), conditions(recording)
        late = counts[:, -(counts.shape[1] // 3) :].mean(axis=1)
        axis = choice_axis(late) if counts.shape[2] > 1 else np.ones(1)
        noise = counts.mean(axis=0) @ axis**2  # (time,) variance of Poisson counts along the axis
        along = _residuals(counts @ axis, condition)
        return self._verdict(recording, along, noise, rng)

    def _verdict(
        self, recording: xr.Dataset, along: np.ndarray, noise: np.ndarray, rng: np.random.Generator
    ) -> Finding:
        varce, phi = conditional_variance(along, noise)
        draws = rng.integers(len(along), size=(self.n_resamples, len(along)))
        again = np.array([(_rise(along[d]), growth(along[d], self.width)) for d in draws])
        rise, rise_error = _rise(along), float(again[:, 0].std())
        if not rise > 2 * rise_error:
            return Finding.abstain(
                f"variance over trials rises by {rise:.2g} +- {rise_error:.2g} during the stimulus: nothing accumulates"
            )
        slope, known = growth(along, self.width), again[np.isfinite(again[:, 1]), 1]
        if not np.isfinite(slope) or len(known) < self.n_resamples / 2:
            return Finding.abstain("early and late activity do not covary: how it goes on from there cannot be told")
        low, high = np.quantile(known, [0.16, 0.84])  # a ratio's bootstrap has long tails
        error = max(float(high - low) / 2, 1e-9)
        amplified = float(np.clip(norm.cdf((slope - self.least_growth) / error), LEAST, MOST))
        notes = {
            "growth": slope, "growth_error": error, "rise": rise, "phi": phi, "varce": varce.tolist(),
            "rise_error": rise_error,
        }  # fmt: skip
        weights = {ATTRACTOR: amplified, RAMPING: 1 - amplified}
        return among(recording.attrs.get("brief", {}), weights, notes, TOLD)


def _residuals(values: np.ndarray, condition: np.ndarray) -> np.ndarray:
    """(trial, time) less the mean of each trial's condition, rescaled for the mean that was taken."""
    found = np.empty_like(values)
    for level in np.unique(condition):
        mine = condition == level
        n = max(int(mine.sum()), 2)
        found[mine] = (values[mine] - values[mine].mean(axis=0)) * np.sqrt(n / (n - 1))
    return found


def conditional_variance(along: np.ndarray, noise: np.ndarray) -> tuple[np.ndarray, float]:
    """VarCE (time,) of residuals (trial, time), given the Poisson variance (time,); and phi."""
    total = (along**2).mean(axis=0)
    phi = float((total / np.maximum(noise, 1e-12)).min())
    return total - phi * noise, phi


def _rise(along: np.ndarray) -> float:
    """Covariance of neighbouring bins in the last third less that in the first: the noise of counts is in neither."""
    near = (along[:, 1:] * along[:, :-1]).mean(axis=0)
    third = max(1, len(near) // 3)
    return float(near[-third:].mean() - near[:third].mean())


def growth(along: np.ndarray, width: float) -> float:
    """Slope [1/s] of log Cov(N_s, N_t) in t, s in the first third, t from the second to the last; NaN if none."""
    first, second, last = (part.mean(axis=1) for part in np.array_split(along, 3, axis=1))
    near, far = (first * second).mean(), (first * last).mean()
    if near <= 0 or far <= 0:
        return float("nan")
    return float(np.log(far / near) / (width * along.shape[1] / 3))
