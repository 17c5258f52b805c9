"""Selectivity on pictures that had no part in choosing the concept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import xarray as xr

from methods.coding._pictures import NEEDS, averaged, named, viewed
from simlab.contracts import Finding, Needs
from simlab.rules import check_fields
from simlab.rules.quantities import Level, Share


@dataclass(frozen=True)
class HeldOutPictures:
    """A unit is called by a concept if half of the pictures choose it, and the other half bear it out; and vice versa.

    The pictures of each concept are split at random. The half that chooses: the concept with the largest mean count.
    The half that tests: its pictures rank above those of all other concepts together (Mann-Whitney, `scipy`, p <
    `level`), and no other concept has more than `most_other` of its mean, both above the baseline where there is one.
    Choosing and testing being independent, nothing needs correcting but for the number of units. Cost: ranks per unit.
    """

    name: ClassVar[str] = "held_out_pictures"
    question: ClassVar[str] = "selectivity"
    family: ClassVar[str] = "cross-validation"
    library: ClassVar[str] = "scipy"
    needs: ClassVar[Needs] = NEEDS

    level: Level = 0.05
    most_other: Share = 0.5

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """Each unit's concept."""
        found = viewed(recording, self.needs)
        if isinstance(found, Finding):
            return found
        if np.bincount(found.concept).min() < 2:
            return Finding.abstain("one picture of a concept leaves none to be held out: show two or more of each")
        value = found.per_picture() - (found.before.mean(axis=0) if len(found.before) else 0.0)
        half = _halves(found.concept, rng)
        best, sure = zip(
            *(self._tested(value[~at], value[at], found.concept[~at], found.concept[at]) for at in (half, ~half)),
            strict=True,
        )
        agree = (best[0] == best[1]) & sure[0] & sure[1]
        return Finding({"concept": named(best[0], agree, found.names)})

    def _tested(
        self, choosing: np.ndarray, testing: np.ndarray, chosen_of: np.ndarray, tested_of: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """(unit,) the concept that values (picture, unit) choose, and whether the others bear it out."""
        from scipy.stats import mannwhitneyu

        best, mean = averaged(choosing, chosen_of).argmax(axis=0), averaged(testing, tested_of)
        sure = np.zeros(len(best), dtype=bool)
        for unit, concept in enumerate(best):
            other = np.delete(mean[:, unit], concept).max()
            if mean[concept, unit] > 0 and other <= self.most_other * mean[concept, unit]:
                mine = tested_of == concept
                test = mannwhitneyu(
                    testing[mine, unit], testing[~mine, unit], alternative="greater", method="asymptotic"
                )
                sure[unit] = test.pvalue < self.level
        return best, sure


def _halves(concept: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """(picture,) bool: in the first half of its concept's pictures, in random order."""
    order = rng.permutation(len(concept))
    first = np.zeros(len(concept), dtype=bool)
    for k in np.unique(concept):
        mine = order[concept[order] == k]
        first[mine[: len(mine) // 2]] = True
    return first
