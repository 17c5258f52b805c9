"""Regression of counts on all variables at once, and what a null says of its t values."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import xarray as xr

from methods.coding._values import NONE, Seen, seen
from simlab.contracts import Finding, Needs

Surrogates = Callable[[Seen, np.random.Generator], np.ndarray | Finding]
"""Variables that the units cannot have coded, of the same kind as the real ones: (surrogate, trial, variable)."""

NEEDS = Needs(trials=20, behaviour=True)
"""What regressions on an animal's values cannot do without."""


def t_values(counts: np.ndarray, variables: np.ndarray) -> np.ndarray:
    """(..., unit, variable): t of each coefficient of counts (trial, unit) on variables (..., trial, variable).

    With an intercept, by least squares. 0 where a unit's counts, or a variable, do not vary.
    """
    x = variables - variables.mean(axis=-2, keepdims=True)
    y = counts - counts.mean(axis=0)
    inverse = np.linalg.pinv(np.swapaxes(x, -1, -2) @ x, hermitian=True)
    along = np.swapaxes(x, -1, -2) @ y
    slope = inverse @ along
    freedom = max(len(counts) - x.shape[-1] - 1, 1)
    left = np.maximum((y**2).sum(axis=0) - (slope * along).sum(axis=-2), 0.0) / freedom
    error = np.sqrt(np.diagonal(inverse, axis1=-2, axis2=-1)[..., :, None] * left[..., None, :])
    t = np.divide(slope, error, out=np.zeros_like(slope), where=error > 1e-12)
    return np.swapaxes(t, -1, -2)


def named(significant: np.ndarray, names: tuple[str, ...]) -> np.ndarray:
    """(unit,): the variable of the units in which exactly one is significant (unit, variable), or `none`."""
    alone = significant.sum(axis=1) == 1
    return np.where(alone, np.array(names, dtype=object)[significant.argmax(axis=1)], NONE)


def against(
    recording: xr.Dataset, surrogates: Surrogates, level: float, rng: np.random.Generator, needs: Needs = NEEDS
) -> Finding:
    """Each unit's variable by the rank of its |t| among those on surrogates; abstains as `seen` and `surrogates` do."""
    found = seen(recording, needs)
    if isinstance(found, Finding):
        return found
    null = surrogates(found, rng)
    if isinstance(null, Finding):
        return null
    size = np.abs(t_values(found.counts, found.variables))
    beyond = (np.abs(t_values(found.counts, null)) >= size - 1e-12).sum(axis=0)
    p = (beyond + 1) / (len(null) + 1)
    return Finding({"variable": named(p <= level, found.names)}, notes={"p": p.tolist()})
