"""Two heaps of trials at the end: is the late activity of single trials bimodal?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import xarray as xr

from methods.dynamics._decisions import ATTRACTOR, RAMPING, active, among, choice_axis, counts_from
from methods.population._population import odds_of_significance
from simlab.contracts import Finding, Needs
from simlab.rules import check_fields
from simlab.rules.quantities import Level, Repeats, Width

TOLD = (RAMPING, ATTRACTOR)
FINE = 256
"""Places at which a density is looked at."""


@dataclass(frozen=True)
class Bimodality:
    """Says attractor if single trials end in two heaps along the main axis of their late activity.

    Discrete attractors leave few states to end in, and late population activity with two modes is part of the case made
    for them (Inagaki et al. 2019, Nature 566:212). The test is Silverman's (1981, J R Stat Soc B 43:97): the least
    bandwidth at which a kernel density of the projections has one mode, against smoothed bootstrap samples of that very
    density. A single projection per trial: the first principal component of the square roots of the counts in the last
    `window`.

    Whatever meets a bound or steps ends in two heaps as well, so that the answer is wrong there. Abstains with few
    active units or trials. Cost: a second.
    """

    name: ClassVar[str] = "bimodality"
    question: ClassVar[str] = "mechanism"
    family: ClassVar[str] = "distribution of states"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = Needs(("spikes",), units=3, trials=30)

    window: Width = 0.2  # s, at the trial's end
    level: Level = 0.05
    n_resamples: Repeats = 200

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """The verdict on a Recording; notes: p_value and the critical bandwidth in standard deviations."""
        refusal = active(recording, self.needs.units) or among(recording.attrs.get("brief", {}), {}, {}, TOLD)
        if refusal.abstained:
            return refusal
        x = late_projection(recording, self.window)
        if not x.any():
            return Finding.abstain("late activity is the same in all trials")
        p_value, bandwidth = unimodal(x, self.n_resamples, rng)
        attractor = odds_of_significance(p_value, self.level)
        notes = {"p_value": p_value, "bandwidth": bandwidth}
        return among(recording.attrs.get("brief", {}), {ATTRACTOR: attractor, RAMPING: 1 - attractor}, notes, TOLD)


def late_projection(recording: xr.Dataset, window: float) -> np.ndarray:
    """(trial,) standardised projections of the last `window` [s] on its main axis; all 0 where trials do not differ."""
    length = float(recording.attrs["duration"])
    late = counts_from(recording, min(window, length), max(length - window, 0.0))[:, -1]
    along = (np.sqrt(late) - np.sqrt(late).mean(axis=0)) @ choice_axis(late)
    return (along - along.mean()) / along.std() if along.std() > 1e-9 else np.zeros(len(along))


def unimodal(x: np.ndarray, n_resamples: int, rng: np.random.Generator) -> tuple[float, float]:
    """p-value of values (n,) of unit variance having a density of one mode, and their critical bandwidth."""
    critical = critical_bandwidth(x)
    shrink = 1 / np.sqrt(1 + critical**2 / x.var())
    more = 0
    for _ in range(n_resamples):
        drawn = rng.choice(x, len(x))
        again = drawn.mean() + shrink * (drawn - drawn.mean() + critical * rng.standard_normal(len(x)))
        more += n_modes(again, critical) > 1
    return (1 + more) / (1 + n_resamples), critical


def n_modes(x: np.ndarray, bandwidth: float) -> int:
    """Local maxima of the Gaussian kernel density."""
    places = np.linspace(x.min() - bandwidth, x.max() + bandwidth, FINE)
    density = np.exp(-(((places[:, None] - x) / bandwidth) ** 2) / 2).sum(axis=1)
    slope = np.sign(np.diff(density))
    slope = slope[slope != 0]
    return int(((slope[:-1] > 0) & (slope[1:] < 0)).sum())


def critical_bandwidth(x: np.ndarray, rounds: int = 20) -> float:
    """The least bandwidth at which the density has one mode: modes only vanish as it widens (Silverman 1981)."""
    low, high = 0.01 * float(x.std()), 3.0 * float(x.std())
    for _ in range(rounds):
        middle = (low + high) / 2
        low, high = (low, middle) if n_modes(x, middle) <= 1 else (middle, high)
    return high
