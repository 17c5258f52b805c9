"""A method in a package of its own: calls those pairs connected that fire most. It should fail, and simlab says so."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from simlab import Finding, Needs
from simlab.data import mean_rates


@dataclass(frozen=True)
class RateProduct:
    """Scores a pair by the product of its rates, and decides for the top `density` of all pairs."""

    name: ClassVar[str] = "rate_product"
    question: ClassVar[str] = "connectivity"
    family: ClassVar[str] = "rates"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = Needs(("spikes",), units=2, equal_trials=False)

    density: float = 0.1  # share of pairs that are called connected

    def analyse(self, recording, rng):
        rates = mean_rates(recording)
        score = np.outer(rates, rates)
        np.fill_diagonal(score, 0.0)
        decided = score > np.quantile(score, 1 - self.density)
        return Finding({"score": score, "decided": decided, "sign": np.zeros_like(score, dtype=int)})
