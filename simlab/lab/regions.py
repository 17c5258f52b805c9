"""Regions as a method meets them: whole numbers in a random order, since a name such as "adder" would tell it all."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import xarray as xr

from simlab.contracts import SimlabError
from simlab.instruments.placement import dominant_groups
from simlab.perturbations import Perturbation
from simlab.rules.received import shown


def drawn(anatomy: xr.Dataset, rng: np.random.Generator) -> tuple[str, ...]:
    """The names of a subject's regions, each once, in a random order: a region's place there is its code."""
    names = np.unique(anatomy["region"].values.astype(str))
    return tuple(str(name) for name in rng.permutation(names))


def of_units(anatomy: xr.Dataset, key: xr.DataArray, places: np.ndarray, names: Sequence[str]) -> np.ndarray | None:
    """(unit,) the code of each unit's region: the one whose neurons, together, give most of its signal.

    None where the subject has a single region. A unit that is nothing but noise lies in the region of the neuron
    nearest to its place (unit, 3) [m]: that it has no neuron must not show.
    """
    if len(names) < 2:
        return None
    code = {name: i for i, name in enumerate(names)}
    codes = np.array([code[name] for name in anatomy["region"].values.astype(str)], dtype=np.int32)
    mine = dominant_groups(key, codes).astype(np.int32)
    position = np.column_stack([anatomy[axis].values for axis in "xyz"])
    for unit in np.flatnonzero(mine < 0):
        mine[unit] = codes[np.nansum((position - places[unit]) ** 2, axis=1).argmin()]
    return mine


def translated(perturbation: Perturbation, names: Sequence[str]) -> Perturbation:
    """The same with the real name of the region that it is aimed at; raises SimlabError for an unknown one."""
    if not perturbation.region:
        return perturbation
    known = {told(code): name for code, name in enumerate(names)}
    if perturbation.region not in known:
        there = f"{told(0)} .. {told(len(names) - 1)}" if len(names) > 1 else told(0)
        raise SimlabError(
            f"a perturbation's region must be one of the subject's, {there}, got {shown(perturbation.region)}: "
            "unit_region has the number of each unit's"
        )
    return replace(perturbation, region=known[perturbation.region])


def told(code: int) -> str:
    """What a method calls a region."""
    return f"region {code}"


def anonymous(message: str, names: Sequence[str]) -> str:
    """A message with the codes of regions in the place of their real names."""
    code = {name: told(i) for i, name in enumerate(names)}
    longest_first = sorted(filter(None, names), key=len, reverse=True)
    if not longest_first:
        return message
    return re.sub("|".join(rf"(?<!\w){re.escape(n)}(?!\w)" for n in longest_first), lambda m: code[m[0]], message)
