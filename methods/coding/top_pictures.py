"""Maximally activating examples: which pictures a unit fires most for, and what they have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
import xarray as xr

from methods.coding._pictures import NEEDS, named, viewed
from simlab.contracts import Finding, Needs
from simlab.rules import Within, check_fields


@dataclass(frozen=True)
class TopPictures:
    """A unit is called by a concept if the `n_top` pictures that it fires most for are all of that one.

    How hidden units of artificial networks get their names (Bau et al. 2017, CVPR; Borowski et al. 2021, ICLR, on how
    far such examples carry). It looks at the top alone: what a unit does to all other pictures is not asked, so that
    the part of several concepts, or one concept of hundreds, looks like the concept of what happens to come first. Of a
    concept with fewer pictures, all must be at the top. The unit must fire more for the last of them than it does on
    average. Cost: none.
    """

    name: ClassVar[str] = "top_pictures"
    question: ClassVar[str] = "selectivity"
    family: ClassVar[str] = "maximally activating examples"
    library: ClassVar[str] = "numpy"
    needs: ClassVar[Needs] = NEEDS

    n_top: Annotated[int, Within(1, 1000)] = 3

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """Each unit's concept."""
        found = viewed(recording, self.needs)
        if isinstance(found, Finding):
            return found
        value = found.per_picture()
        shuffled = rng.permutation(len(value))  # ties are broken at random
        top = shuffled[np.argsort(-value[shuffled], axis=0, kind="stable")][: self.n_top]
        best, n = found.concept[top[0]], np.bincount(found.concept)
        asked = np.arange(len(top))[:, None] < np.minimum(self.n_top, n[best])
        pure = ((found.concept[top] == best) | ~asked).all(axis=0)
        least = np.where(asked, np.take_along_axis(value, top, axis=0), np.inf).min(axis=0)
        above = least > value.mean(axis=0) * (1 + 1e-9)  # a mean of what is alike may be rounded down
        concept = named(best, pure & above, found.names)
        return Finding({"concept": concept}, notes={"top": top.T.tolist()})
