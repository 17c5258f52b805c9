"""What every question does with an answer before scoring it: check its form; NaN where nothing can be scored."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from simlab.contracts import Finding, SimlabError

if TYPE_CHECKING:
    import xarray as xr

Baseline = Callable[["xr.Dataset", "xr.Dataset", np.random.Generator], Finding]
"""Projected truth, recording and random stream in, finding out: a stand-in that may see the truth."""


def checked(
    finding: Finding,
    form: Mapping[str, tuple[str, ...]],
    sizes: Mapping[Any, int],
    optional: Mapping[str, Any] | None = None,
) -> dict[str, np.ndarray]:
    """The finding's estimate as arrays of the form's dims; `sizes` gives each dim's length.

    `optional` maps variables that may be left out to what then stands in for them. Raises SimlabError where a
    variable is missing, has the wrong shape or, off the diagonal of a (pre, post) matrix, is not finite.
    """
    arrays = {}
    for name, dims in form.items():
        shape = tuple(sizes[dim] for dim in dims)
        if name not in finding.estimate and name in (optional or {}):
            arrays[name] = np.broadcast_to(np.asarray((optional or {})[name]), shape)
            continue
        if name not in finding.estimate:
            given = ", ".join(map(str, finding.estimate)) or "nothing"
            raise SimlabError(f"a finding must estimate {', '.join(form)}; {name!r} is missing from: {given}")
        array = np.asarray(finding.estimate[name])
        if array.shape != shape:
            raise SimlabError(f"the estimate's {name!r} must be {dims} = {shape}, got shape {array.shape}")
        _check_finite(name, array, dims)
        arrays[name] = array
    return arrays


def _check_finite(name: str, array: np.ndarray, dims: tuple[str, ...]) -> None:
    if array.dtype.kind != "f":
        return
    asked = array[pairs(len(array))] if dims == ("pre", "post") else array
    if not np.isfinite(asked).all():
        raise SimlabError(
            f"the estimate's {name!r} must be finite, got {int((~np.isfinite(asked)).sum())} values that "
            "are not: give 0 where there is no evidence, or abstain"
        )


def pairs(n: int) -> np.ndarray:
    """The ordered pairs of n units that are asked about: True off the diagonal of (pre, post)."""
    return ~np.eye(n, dtype=bool)


def undefined(metrics: Iterable[str]) -> dict[str, float]:
    """NaN for each metric: what an abstention scores."""
    return dict.fromkeys(metrics, float("nan"))
