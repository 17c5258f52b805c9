"""The verdict 'critical' from exponents of avalanche sizes and durations that must fit one another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
import xarray as xr

from methods.states._avalanches import NEEDS, Avalanches, avalanches, exponent, verdict
from simlab.contracts import Finding, Needs
from simlab.rules import Within, check_fields

Exponent = Annotated[float, Within(0.1, 10)]
RARE = 0.995
"""Quantile up to which sizes and durations are fitted: beyond it lies the cut-off."""


@dataclass(frozen=True)
class CracklingRelation:
    """Says branching process if the three exponents of avalanches obey the relation that holds at a critical point.

        P(size) ~ size^-t,   P(duration) ~ duration^-a,   mean size of a duration ~ duration^g,   g = (a - 1) / (t - 1)

    (Sethna, Dahmen & Myers 2001, Nature 410:242; Friedman et al. 2012, PRL 108:208102.) Accepted within `tolerance`,
    the deviation from criticality of Ma et al. 2019 (Neuron 104:655), for exponents of a plausible size. Independent
    units under a common drive can obey it as well (Touboul & Destexhe 2017, Phys Rev E 95:012413).

    Abstains as `avalanche_log_log`, and where durations span too little to fit.
    """

    name: ClassVar[str] = "crackling_relation"
    question: ClassVar[str] = "mechanism"
    family: ClassVar[str] = "avalanches"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = NEEDS

    tolerance: Annotated[float, Within(0, 5, excluding=(0,))] = 0.2
    lowest: Exponent = 1.2  # of the exponents of sizes that are accepted (mean field: 1.5)
    highest: Exponent = 2.2

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """The verdict; the notes hold the exponents."""
        found = avalanches(recording)
        if not isinstance(found, Avalanches):
            return found
        longest = int(np.quantile(found.durations, RARE))
        if longest < 5:
            return Finding.abstain(f"the longest avalanches last {longest} bins; this needs 5")
        of_sizes = exponent(found.sizes, 1, max(int(np.quantile(found.sizes, RARE)), 5))
        of_durations = exponent(found.durations, 1, longest)
        grown, predicted = growth(found, longest), (of_durations - 1) / (of_sizes - 1)
        miss = abs(grown - predicted)
        plausible = self.lowest <= of_sizes <= self.highest and of_durations > of_sizes
        probability = self.tolerance / (self.tolerance + miss) if plausible else 0.05
        notes: dict[str, object] = {
            "of_sizes": of_sizes, "of_durations": of_durations, "of_mean_size": grown, "predicted": predicted,
        }  # fmt: skip
        return verdict(recording, float(np.clip(probability, 0.05, 0.95)), notes)


def growth(found: Avalanches, longest: int) -> float:
    """How fast the mean size rises with the duration: slope on logarithmic axes, weighted by numbers."""
    lengths = np.arange(1, longest + 1)
    number = np.bincount(found.durations, minlength=longest + 1)[1 : longest + 1]
    total = np.bincount(found.durations, found.sizes, minlength=longest + 1)[1 : longest + 1]
    used = number > 0
    mean = total[used] / number[used]
    return float(np.polyfit(np.log(lengths[used]), np.log(mean), 1, w=np.sqrt(number[used]))[0])
