"""The verdict 'critical' from a power law of avalanche sizes that is tested and compared with other laws."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import xarray as xr

from methods.states._avalanches import NEEDS, Avalanches, avalanches, verdict
from simlab.contracts import Finding, Needs
from simlab.rules import check_fields
from simlab.rules.quantities import Count, Level, Repeats

SUPPORT = 100_000
"""Sizes up to which simulated avalanches are drawn."""


@dataclass(frozen=True)
class AvalanchePowerlaw:
    """Says branching process if a power law of sizes is not rejected and no other law fits significantly better.

    Exponent and lower bound by maximum likelihood and the Kolmogorov-Smirnov distance, likelihood-ratio tests against
    an exponential and a lognormal law: the recipe of Clauset, Shalizi & Newman 2009 (SIAM Rev 51:661) by powerlaw
    (Alstott, Bullmore & Plenz 2014, PLoS ONE 9:e85777); the p-value of the distance by simulated power laws with the
    same bound and as many avalanches. It is a test of one distribution: whatever else makes a power law passes as well.

    With ever more avalanches a power law is rejected for its cut-off, which every finite or subcritical network has.
    Looks at `most` avalanches at most, drawn at random. Abstains as `avalanche_log_log`.
    """

    name: ClassVar[str] = "avalanche_powerlaw"
    question: ClassVar[str] = "mechanism"
    family: ClassVar[str] = "avalanches"
    library: ClassVar[str] = "powerlaw"
    needs: ClassVar[Needs] = NEEDS

    level: Level = 0.1  # (Clauset et al. 2009)
    most: Count = 2000
    largest_bound: Count = 20  # of the lower bounds that are tried
    n_simulated: Repeats = 100

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """The verdict; the notes hold exponent, p-value of the power law, and the ratios against the other laws."""
        found = avalanches(recording)
        if not isinstance(found, Avalanches):
            return found
        sizes = found.sizes
        if len(sizes) > self.most:
            sizes = rng.choice(sizes, self.most, replace=False)
        fit = self._fit(sizes)
        tail = sizes[sizes >= fit["xmin"]]
        p_value = self._p_value(fit, len(tail), rng)
        beaten = {name: ratio for name, ratio in fit["ratios"].items() if ratio[0] < 0 and ratio[1] < self.level}
        exponential = fit["ratios"]["exponential"]
        better = exponential[0] > 0 and exponential[1] < self.level
        probability = p_value / (p_value + self.level) if better and not beaten else 0.05
        notes: dict[str, object] = {
            "exponent": fit["alpha"], "lower_bound": fit["xmin"], "fits": p_value, "in_tail": len(tail),
            **{f"against_{name}": ratio[0] for name, ratio in fit["ratios"].items()},
        }  # fmt: skip
        return verdict(recording, float(np.clip(probability, 0.05, 0.95)), notes)

    def _fit(self, sizes: np.ndarray) -> dict:
        """alpha, xmin, the distance D, and log likelihood ratio and p-value against each other law."""
        import powerlaw

        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            fit = powerlaw.Fit(sizes, discrete=True, xmin=(1, self.largest_bound), verbose=0)
            others = ("exponential", "lognormal")
            ratios = {other: fit.distribution_compare("power_law", other) for other in others}
            return {"alpha": float(fit.alpha), "xmin": int(fit.xmin), "D": float(fit.D), "ratios": ratios}

    def _p_value(self, fit: dict, n: int, rng: np.random.Generator) -> float:
        """Share of simulated power laws, each fitted anew, whose distance from their fit is larger than the data's."""
        support = np.arange(fit["xmin"], SUPPORT)
        law = np.cumsum(support ** -fit["alpha"])
        law /= law[-1]
        distances = [
            distance(np.searchsorted(law, rng.random(n)) + fit["xmin"], fit["xmin"]) for _ in range(self.n_simulated)
        ]
        return float(np.mean(np.array(distances) >= fit["D"]))


def distance(sizes: np.ndarray, least: int) -> float:
    """Kolmogorov-Smirnov distance of sizes (avalanche,) from the power law, from `least` on, that fits them best."""
    from scipy.optimize import minimize_scalar
    from scipy.special import zeta

    mean_log = np.log(sizes).mean()
    alpha = minimize_scalar(lambda a: a * mean_log + np.log(zeta(a, least)), bounds=(1.01, 6), method="bounded").x
    values, counts = np.unique(sizes, return_counts=True)
    law = 1 - zeta(alpha, values + 1) / zeta(alpha, least)
    return float(np.abs(np.cumsum(counts) / len(sizes) - law).max())
