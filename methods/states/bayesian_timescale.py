"""A time constant by simulation: which generative model has autocorrelations like those that were recorded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import numpy as np
import xarray as xr

from methods.states._counts import autocovariance, no_memory, unusable_at
from simlab.contracts import Finding, Needs
from simlab.data import bin_spikes
from simlab.rules import Within, check_fields, require
from simlab.rules.quantities import Level, Repeats, Width

VARIATION = np.linspace(0.0, 5.0, 500)[1:]
"""Values of c for which the variance of a rate that is never negative is tabulated."""


@dataclass(frozen=True)
class BayesianTimescale:
    """Adaptive approximate Bayesian computation with a doubly stochastic model: the method of Zeraati et al. 2022.

        counts ~ Poisson(rate_i max(0, 1 + c z) / mean),   z: Ornstein-Uhlenbeck process

    z has the variance 1 and the time constant, of which draws are simulated with as many bins per trial, and units of
    the same rates, as there are. Kept are those whose mean autocorrelation, about each trial's own mean, is nearest to
    that of the recording: the population from which the next are proposed, with an ever smaller distance, until fewer
    than `least_accepted` of the proposals are kept (population Monte Carlo: Beaumont et al. 2009, Biometrika 96:983).
    What short trials do to an autocorrelation they do to the model's as well: there is no bias of that kind. After
    abcTau (Zeraati, Engel & Levina 2022, Nat Comput Sci 2:193); this implementation is our own and small. There as
    here, rates vary (c) as much as the data's do: by the covariance of neighbouring bins about the mean of all trials,
    with its standard error.

    The answer is the median of the kept draws and their 95% interval, which is wider than the true posterior's. Of
    200 ms, in 200 trials of a second of 50 units at 10 Hz, it is still a tenth to a fifth short as long as simulations
    are smaller than the recording (measured; the interval covers the truth), where a direct fit is short by .86. The
    prior is even in the logarithm of the time constant, from half a bin to ten trials. Abstains as
    `autocorrelation_fit`. Cost: about 1500 simulations of up to `most_counts` counts: half a minute.
    """

    name: ClassVar[str] = "bayesian_timescale"
    question: ClassVar[str] = "timescale"
    family: ClassVar[str] = "simulation-based inference"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = Needs(("spikes",), trials=5, seconds=10.0)

    bin_width: Width = 0.02  # s
    longest: Annotated[float, Within(0.02, 100, "s")] = 0.5  # s, lag; half a trial at most
    level: Level = 0.01
    n_kept: Annotated[int, Within(10, 10_000)] = 50
    generations: Repeats = 12  # at most
    least_accepted: Level = 0.1
    most_counts: Annotated[int, Within(1000, 10_000_000)] = 200_000
    """In one simulation. Fewer than were recorded make it noisier, more so for long time constants, which are then
    kept too rarely: with 60,000 for 500,000 recorded the answer is a tenth to a fifth short."""

    def __post_init__(self) -> None:
        check_fields(self)
        require(
            self.longest >= 2 * self.bin_width,
            f"bayesian_timescale: longest must be at least twice bin_width, got {self.longest} and {self.bin_width} s",
        )

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """The time constant [s] and its interval; the notes tell the last distance and how many were simulated."""
        refusal = unusable_at(recording, self.needs, self.bin_width)
        if refusal is not None:
            return refusal
        counts = bin_spikes(recording, self.bin_width).values.astype(float)
        refusal = no_memory(autocovariance(counts, 3, own_mean=False), self.level)
        if refusal is not None:
            return refusal
        model = Model.of(counts, self)
        kept, distance, simulated = self._narrowed(model, rng)
        low, middle, high = np.quantile(np.exp(kept), [0.025, 0.5, 0.975])
        notes: dict[str, object] = {"distance": distance, "simulated": simulated}
        return Finding({"timescale": float(middle), "low": float(low), "high": float(high)}, notes=notes)

    def _narrowed(self, model: Model, rng: np.random.Generator) -> tuple[np.ndarray, float, int]:
        """Kept logarithms of the time constant (draw,), the distance that all are within, and how many were tried."""
        drawn = rng.uniform(*model.limits, 4 * self.n_kept)
        distances = np.array([model.distance(draw, rng) for draw in drawn])
        best = np.argsort(distances)[: self.n_kept]
        kept, near, weights, tried = drawn[best], distances[best], np.full(self.n_kept, 1 / self.n_kept), len(drawn)
        for _ in range(self.generations):
            spread = np.sqrt(2 * np.average((kept - np.average(kept, weights=weights)) ** 2, weights=weights)) + 1e-3
            new = self._proposed(model, kept, weights, spread, float(np.median(near)), rng)
            tried += len(new)
            accepted = new[np.isfinite(new[:, 1])]
            if len(accepted) < self.n_kept:
                break
            fresh, near = accepted.T
            weights = 1 / (np.exp(-0.5 * ((fresh[:, None] - kept) / spread) ** 2) @ weights)
            kept, weights = fresh, weights / weights.sum()
        return kept[rng.choice(self.n_kept, 50 * self.n_kept, p=weights)], float(near.max()), tried

    def _proposed(
        self, model: Model, kept: np.ndarray, weights: np.ndarray, spread: float, limit: float, rng: np.random.Generator
    ) -> np.ndarray:
        """(try, 2): proposals, and their distances where within the limit, else NaN; until there are enough of them."""
        tries: list[tuple[float, float]] = []
        found, most = 0, round(self.n_kept / self.least_accepted)
        while found < self.n_kept and len(tries) < most:
            draw = float(rng.choice(kept, p=weights) + spread * rng.standard_normal())
            inside = model.limits[0] <= draw <= model.limits[1]
            far = model.distance(draw, rng) if inside else np.inf
            found += far <= limit
            tries.append((draw, far if far <= limit else np.nan))
        return np.array(tries)


@dataclass(frozen=True, eq=False)
class Model:
    """Simulated recordings of the observed shape.

    observed: mean autocorrelation (lag,) without lag 0. means (series,): expected count in a bin of each simulated
    trial of a unit. neighbours: relative covariance of the rates in neighbouring bins, and its standard error.
    """

    observed: np.ndarray
    means: np.ndarray
    neighbours: tuple[float, float]
    bins: int
    width: float

    @classmethod
    def of(cls, counts: np.ndarray, method: BayesianTimescale) -> Model:
        """The one of counts (trial, time, unit)."""
        trials, bins = counts.shape[:2]
        most = min(round(method.longest / method.bin_width), bins // 2)
        mean = counts.mean(axis=(0, 1))
        means = np.repeat(mean[None], trials, axis=0).ravel()
        series = max(method.most_counts // bins, 20)
        if len(means) > series:  # evenly over the ranks, since few units of high rates make most of the covariance
            means = np.sort(means)[((np.arange(series) + 0.5) * len(means) / series).astype(int)]
        lagged = autocovariance(counts, 1, own_mean=False)[:, 1] / (mean**2).mean()
        neighbours = float(lagged.mean()), float(lagged.std() / np.sqrt(trials))
        return cls(summary(counts, most), means, neighbours, bins, method.bin_width)

    @property
    def limits(self) -> tuple[float, float]:
        """Of the logarithm of the time constant [log s]."""
        return float(np.log(self.width / 2)), float(np.log(10 * self.bins * self.width))

    def distance(self, draw: float, rng: np.random.Generator) -> float:
        """Mean squared difference of one simulation's autocorrelation from the observed one."""
        memory = np.exp(-self.width / np.exp(draw))
        variation = np.interp(max(rng.normal(*self.neighbours), 0.0) / memory, _relative_variance(VARIATION), VARIATION)
        z = rng.standard_normal((self.bins, len(self.means)))
        for k in range(1, self.bins):
            z[k] = memory * z[k - 1] + np.sqrt(1 - memory**2) * z[k]
        rate = np.maximum(1 + variation * z, 0.0) / _mean(variation)
        counts = rng.poisson(self.means * rate)
        return float(((summary(counts.T[:, :, None], len(self.observed)) - self.observed) ** 2).mean())


def _mean(variation: Any) -> Any:
    """Of max(0, 1 + c z), z standard normal."""
    from scipy.stats import norm

    return norm.cdf(1 / variation) + variation * norm.pdf(1 / variation)


def _relative_variance(variation: np.ndarray) -> np.ndarray:
    """Of max(0, 1 + c z): its variance over the square of its mean, which rises with c."""
    from scipy.stats import norm

    square = (1 + variation**2) * norm.cdf(1 / variation) + variation * norm.pdf(1 / variation)
    return square / _mean(variation) ** 2 - 1


def summary(counts: np.ndarray, most: int) -> np.ndarray:
    """Mean autocorrelation (lag,) of counts (trial, time, unit), about each trial's own mean, lag 0 left out."""
    covariance = autocovariance(counts.astype(float), most, own_mean=True).mean(axis=0)
    return covariance[1:] / max(covariance[0], 1e-12)
