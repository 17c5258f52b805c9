"""The branching ratio as the slope of a step's activity on that of the step before: wrong where few are watched."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import xarray as xr

from methods.states._counts import autocovariance, resampled, stepped_counts, with_interval
from simlab.contracts import Finding, Needs
from simlab.rules import check_fields
from simlab.rules.quantities import Repeats, Width


@dataclass(frozen=True)
class ConventionalRegression:
    """The slope of A(t + 1) on A(t), by least squares (Heyde & Seneta 1972, J Appl Probab 9:235).

    Unbiased where every neuron is seen. Of a part of them the slope is m b, with b the share of a step's variance that
    is the network's and not the drawing's, so that it falls with the number of units (Wilting & Priesemann 2018).
    The interval is a bootstrap over trials: it covers chance, not bias. Cost: one pass over the counts.

    The step's length is the brief's; `step` without one.
    """

    name: ClassVar[str] = "conventional_regression"
    question: ClassVar[str] = "branching_ratio"
    family: ClassVar[str] = "regression"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = Needs(("spikes",), seconds=5.0)

    step: Width = 0.004  # s
    n_resamples: Repeats = 200

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """The slope, and its interval."""
        found = stepped_counts(recording, self.needs, self.step)
        if isinstance(found, Finding):
            return found
        counts, _ = found
        covariance = autocovariance(counts, 1, own_mean=False)

        def slope(rows: np.ndarray) -> float:
            variance, lagged = covariance[rows].mean(axis=0)
            return float(lagged / variance) if variance > 0 else np.nan

        ends = resampled(slope, len(counts), self.n_resamples, rng)
        return Finding(with_interval("ratio", slope(np.arange(len(counts))), ends))
