"""Who expresses an opsin, and how much of it."""

from __future__ import annotations

import numpy as np
import xarray as xr

from simlab.instruments.stimulating.aiming import cell_types, check_types


def expressed(
    stimulator: str,
    anatomy: xr.Dataset,
    rng: np.random.Generator,
    *,
    expression: float,
    spread: float,
    promoter: tuple[str, ...],
    off_target: float,
) -> np.ndarray:
    """(neuron,) the amount of opsin in each neuron, log-normal with mean 1 among those that express, 0 in others.

    expression: the probability to express, of neurons of the types that the promoter names (none: of all); off_target:
    that of all other types. spread: coefficient of variation of the amount. Raises SimlabError for a type that is not
    there.
    """
    types = cell_types(anatomy)
    check_types(stimulator, promoter, types)
    sigma = np.sqrt(np.log1p(spread**2))
    chance = np.where(np.isin(types, promoter) if promoter else True, expression, off_target)
    return rng.lognormal(-(sigma**2) / 2, sigma, len(types)) * (rng.random(len(types)) < chance)
