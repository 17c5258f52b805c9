"""How long does activity remember itself? The time constant of the autocorrelation of what drives the spikes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, ClassVar

import numpy as np
import xarray as xr

from simlab.contracts import Finding, Picture, Variable
from simlab.questions._scalars import NAN, covered, form_of, width
from simlab.questions.form import BaselineAnswer, answer, undefined
from simlab.rules import Within, check_fields, require
from simlab.rules.quantities import Level

Seconds = Annotated[float, Within(1e-4, 1e4, "s")]


@dataclass(frozen=True)
class Timescale:
    """The time constant [s] at which the autocorrelation of firing rates decays; of several, the slowest.

    The answer is `timescale` and, where a method has one, its 95% interval `low` to `high`. Errors are relative to the
    truth and keep their sign. An answer that is off by more than `tolerance` is no recovery, and a false claim.
    """

    name: ClassVar[str] = "timescale"
    form: ClassVar[Mapping[str, Variable]] = MappingProxyType(form_of("timescale", low=0))
    truth_form: ClassVar[Mapping[str, Variable]] = MappingProxyType({"timescale": Variable((), low=0)})
    metrics: ClassVar[tuple[str, ...]] = ("within", "relative_error", "error_size", "covered", "interval_width")
    headline: ClassVar[str] = "within"
    picture: ClassVar[Picture] = Picture("scatter", answer="timescale", truth="timescale")

    tolerance: Level = 0.1  # largest relative error of a recovery
    shortest: Seconds = 0.005  # a blind guess is spread evenly over the logarithm of this ...
    longest: Seconds = 5.0  # ... to this: from membranes to working memory (Murray et al. 2014: 65 to 350 ms)

    def __post_init__(self) -> None:
        check_fields(self)
        require(
            self.shortest < self.longest,
            f"timescale: shortest must be below longest, got {self.shortest} and {self.longest} s: swap them",
        )

    def brief(self, family: tuple[str, ...], truth: xr.Dataset) -> Mapping[str, object]:
        """Nothing: any time may be right."""
        return {}

    def project(self, truth: xr.Dataset, key: xr.DataArray) -> xr.Dataset:
        """The same time: subsampling weakens an autocorrelation and leaves its time constant."""
        return truth[["timescale"]]

    def score(self, finding: Finding, truth: xr.Dataset) -> dict[str, float]:
        """within: 0 or 1; relative_error: answer / truth - 1; interval_width: of the interval, over the truth."""
        if finding.abstained:
            return undefined(self.metrics)
        given, true = answer(finding, self, truth), float(truth["timescale"])
        error = float(given["timescale"]) / true - 1
        return {
            "within": float(abs(error) <= self.tolerance),
            "relative_error": error,
            "error_size": abs(error),
            "covered": covered(given, true),
            "interval_width": width(given) / true,
        }

    def recovered(self, metrics: Mapping[str, float]) -> bool:
        """Whether the answer lies within the tolerance."""
        return metrics["within"] == 1.0

    def false_recovery(self, finding: Finding, truth: xr.Dataset) -> bool:
        """Whether a time was stated that is none of this circuit's."""
        return not finding.abstained and not self.recovered(self.score(finding, truth))

    def chance(self, truth: xr.Dataset) -> dict[str, float]:
        """What a guess spread evenly over the logarithm gets on average, exact; it states no interval."""
        a, b, t = self.shortest, self.longest, float(truth["timescale"])
        span, middle = np.log(b / a), float(np.clip(t, a, b))
        low, high = (np.clip(t * (1 + side * self.tolerance), a, b) for side in (-1, 1))
        below = t * np.log(middle / a) - (middle - a)
        above = (b - middle) - t * np.log(b / middle)
        return {
            "within": float(np.log(high / low) / span),
            "relative_error": float((b - a) / (span * t) - 1),
            "error_size": float((below + above) / (span * t)),
            "covered": NAN,
            "interval_width": NAN,
        }

    def baselines(self) -> dict[str, BaselineAnswer]:
        """oracle: the truth. random and marginals_only: a blind guess, as rates and variances know no time."""
        return {"oracle": _oracle, "random": self._guess, "marginals_only": self._guess}

    def _guess(self, truth: xr.Dataset, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        return Finding({"timescale": float(np.exp(rng.uniform(*np.log([self.shortest, self.longest]))))})


def _oracle(truth: xr.Dataset, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
    true = float(truth["timescale"])
    return Finding({"timescale": true, "low": true, "high": true}, confidence=1.0)
