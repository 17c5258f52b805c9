"""Whether information saturates: do two halves of the units hold more between them than all units together?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
import xarray as xr

from methods.coding._discrimination import TOO_FEW, Seen, seen, sums, unbiased
from simlab.contracts import Finding, Needs
from simlab.rules import Within, check_fields
from simlab.rules.quantities import Level, Repeats


@dataclass(frozen=True)
class InformationScaling:
    """Bias-corrected information of all units against that of random halves of them.

        redundancy = mean over splits of I(half) + I(other half) - I(all),    saturates if > 0 at `level`

    Where information grows in proportion to the units, redundancy is 0 on average, whatever trials there are, as each
    term is right on average. Its error is that of a jackknife over groups of trials. A verdict of no saturation may
    mean that units or trials are too few: what limits a large population is hardly there in a small one (Moreno-Bote et
    al. 2014, Nat Neurosci 17:1410; Kafashan et al. 2021, Nat Commun 12:473). Cost: a solution for each split and group.
    """

    name: ClassVar[str] = "information_scaling"
    question: ClassVar[str] = "information"
    family: ClassVar[str] = "extrapolation"
    library: ClassVar[str] = "numpy"
    needs: ClassVar[Needs] = Needs(trials=20, units=4, stimulus=True)

    level: Level = 0.05
    n_splits: Repeats = 30
    n_groups: Annotated[int, Within(2, 1000)] = 10

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """The information of all units, and the verdict."""
        from scipy.stats import norm

        found = seen(recording, self.needs)
        if isinstance(found, Finding):
            return found
        trials, units = found.activity.shape
        group = dealt(found.larger, self.n_groups, rng)
        if units < 2 or trials - np.bincount(group).max() - 2 < units + 2:
            return Finding.abstain(TOO_FEW.format(trials=trials, units=units))
        halves = np.stack([rng.permutation(units) for _ in range(self.n_splits)])
        try:
            parts = [found, *(found.only(group != g) for g in range(self.n_groups))]
            whole, half = np.array([tells(part, halves) for part in parts]).T
        except np.linalg.LinAlgError:
            return Finding.abstain("some units copy others, or hardly ever fire: their covariance has no inverse")
        redundant = half - whole
        error = float(np.sqrt((self.n_groups - 1) * redundant[1:].var()))
        saturates = redundant[0] > norm.isf(self.level) * error
        notes = {"redundancy": redundant[0] / found.step**2, "error": error / found.step**2}
        return Finding({"information": whole[0] / found.step**2, "saturates": bool(saturates)}, notes=notes)


def dealt(larger: np.ndarray, number: int, rng: np.random.Generator) -> np.ndarray:
    """(trial,) the group of each: as many of either stimulus in all of them as can be."""
    group = np.empty(len(larger), dtype=int)
    for side in (larger, ~larger):
        group[side] = rng.permutation(side.sum()) % number
    return group


def tells(found: Seen, orders: np.ndarray) -> np.ndarray:
    """d^2 of all units, and the mean over orders (split, unit) of the sum of those of two halves; bias removed."""
    told = sums(found)
    units, half = orders.shape[1], orders.shape[1] // 2
    total = 0.0
    for part in (orders[:, :half], orders[:, half:]):
        square = _distances(told.slope[part], told.covariance[part[:, :, None], part[:, None, :]])
        total += float(np.mean(unbiased(square, part.shape[1], told.freedom, told.spread)))
    square = _distances(told.slope[None], told.covariance[None])
    return np.array([unbiased(float(square[0]), units, told.freedom, told.spread), total])


def _distances(slope: np.ndarray, covariance: np.ndarray) -> np.ndarray:
    """(split,) slope^T covariance^-1 slope of each."""
    return np.asarray((slope * np.linalg.solve(covariance, slope[..., None])[..., 0]).sum(axis=1))
