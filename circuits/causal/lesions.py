"""What each part of a machine is for, found by taking it away: single units, whole modules, under any programs.

As in Jonas & Kording (2017, PLoS Comput Biol 13:e1005268), who took away each of a processor's 3510 transistors under
three programs: 1565 made no difference to any, and 1560 ended them all. What they could not know of the rest is known
here, as the same lesions are tried under many other programs of the same instruction set.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr

from simlab.truths import GENERIC, NOTHING, behaviour

Outcomes = Callable[[np.ndarray], np.ndarray]
"""Takes parts (part, unit) bool that are silenced, returns the mean outcome (part, program) without each."""

ABOLISHED = 0.5
"""A program is abolished where less than this share of its output is right."""

NEEDED = 0.05
"""A part is needed by a program that loses more than this share of its output without it."""


@dataclass(frozen=True, eq=False)
class Lesions:
    """Mean outcome (part, program) without each part; `parts` names them."""

    parts: tuple[str, ...]
    outcome: np.ndarray

    @property
    def needed(self) -> np.ndarray:
        """(part, program) bool: whose output suffers without the part."""
        return self.outcome < 1 - NEEDED

    @property
    def abolished(self) -> np.ndarray:
        """(part, program) bool: of whose output less than half is right without the part."""
        return self.outcome < ABOLISHED

    def classes(self) -> dict[str, int]:
        """How many parts matter to no program, end some but not all, end all, or only disturb."""
        ended = self.abolished.sum(axis=1)
        n_programs = self.outcome.shape[1]
        return {
            "no effect": int((~self.needed).all(axis=1).sum()),
            "disturb": int((self.needed.any(axis=1) & (ended == 0)).sum()),
            "abolish one or some": int(((ended > 0) & (ended < n_programs)).sum()),
            "abolish all": int((ended == n_programs).sum()),
        }


def modules_of(regions: Sequence[str]) -> tuple[tuple[str, ...], np.ndarray]:
    """The names of the regions, and which units (region, unit) lie in each."""
    names = tuple(dict.fromkeys(regions))
    return names, np.array(names)[:, None] == np.array(regions)[None]


def unit_lesions(names: Sequence[str], outcomes: Outcomes) -> Lesions:
    """Every unit alone."""
    return Lesions(tuple(names), outcomes(np.eye(len(names), dtype=bool)))


def region_lesions(regions: Sequence[str], outcomes: Outcomes) -> Lesions:
    """Every region as a whole."""
    names, members = modules_of(regions)
    return Lesions(names, outcomes(members))


def in_batches(outcomes: Outcomes, parts: np.ndarray, at_once: int) -> np.ndarray:
    """The same for so many parts at a time, which bounds the memory that they take."""
    return np.concatenate([outcomes(parts[k : k + at_once]) for k in range(0, len(parts), at_once)])


def functions(behaviours: Lesions, others: Lesions | None) -> xr.Dataset:
    """The truth about `localisation`, over `region`.

    function: the one behaviour that needs the region, if no other does and no other program either; "generic" where
    several need it, or another program does, "none" where nothing does. involvement (region, behaviour): what a
    behaviour loses without the region. generic (region,): the share of the other programs that need it; none of them
    runs where `others` is None.
    """
    needed = behaviours.needed
    share = np.zeros(len(needed)) if others is None else others.needed.mean(axis=1)
    labels = np.where(needed.sum(axis=1) + (share > 0) > 0, GENERIC, NOTHING).astype(object)
    alone = (needed.sum(axis=1) == 1) & (share == 0)
    labels[alone] = [behaviour(int(b)) for b in needed[alone].argmax(axis=1)]
    return xr.Dataset(
        {
            "function": ("region", labels),
            "involvement": (("region", "behaviour"), 1 - behaviours.outcome),
            "generic": ("region", share),
        },
        {"region": np.array(behaviours.parts, dtype=object), "behaviour": np.arange(needed.shape[1])},
    )
