"""Does a method that states p-values of wiring keep to them where units know nothing of one another?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import xarray as xr

from simlab.checks.examiner import require
from simlab.checks.problem import places
from simlab.contracts import Finding
from simlab.data import recording
from simlab.streams import stream

WORLDS, N_UNITS, TRIALS, DURATION, RATE = 1, 10, 10, 2.0, 10.0
"""So many recordings of each kind, in which 10 units fire at some 10 Hz in 10 trials of 2 s: a first look."""

KINDS: Mapping[str, str] = {
    "poisson": "independent Poisson units",
    "bursts": "independent units that fire in bursts",
    "drift": "independent units whose rates change from trial to trial",
}

MOST = 0.15
"""Share of p-values at or below 0.05 above which they are no p-values: three times what was promised."""


def check_null(kind: str, analyse: Callable[[xr.Dataset], Finding | None]) -> str:
    """Share of a method's p-values at or below 0.05 over the worlds of a kind, in words; what abstains is left out.

    Raises SimlabError above `MOST` among Poisson units; among others the share is told and left to the reader.
    """
    shares = [_share(analyse(null_recording(kind, number))) for number in range(WORLDS)]
    known = [share for share in shares if share is not None]
    if not known:
        return "states no p-values there"
    share = float(np.mean(known))
    said = f"{100 * share:.0f}% of p-values at or below 0.05 among {KINDS[kind]}"
    require(kind != "poisson" or share <= MOST, f"{said}, where 5% are promised: test against what chance alone gives")
    return said


def _share(finding: Finding | None) -> float | None:
    if finding is None or finding.abstained or "p" not in finding.estimate:
        return None
    p = np.asarray(finding.estimate["p"], dtype=float)
    return float(np.mean(p[~np.eye(len(p), dtype=bool)] <= 0.05))


def null_recording(kind: str, number: int) -> xr.Dataset:
    """One world without wiring."""
    rng = stream(0, "check", "null", kind, number)
    rates = RATE * rng.lognormal(0, 0.5, N_UNITS)
    gain = rng.lognormal(-0.125, 0.5, (TRIALS, N_UNITS)) if kind == "drift" else np.ones((TRIALS, N_UNITS))
    sizes = 3 if kind == "bursts" else 1
    counts = rng.poisson(rates * gain * DURATION / sizes)
    trial, unit = (np.repeat(index.ravel(), counts.ravel()) for index in np.indices(counts.shape))
    first = rng.uniform(0, DURATION, len(trial))
    gaps = rng.gamma(4.0, 0.0015, (sizes, len(trial))) * (np.arange(sizes)[:, None] > 0)
    time = first + gaps.cumsum(axis=0)
    inside = time < DURATION
    spikes = (np.tile(trial, (sizes, 1))[inside], time[inside], np.tile(unit, (sizes, 1))[inside])
    return recording(duration=DURATION, n_units=N_UNITS, n_trials=TRIALS, spikes=spikes, **places(N_UNITS))


def states_p_values(finding: Any) -> bool:
    """Whether a finding holds p-values of wiring."""
    return isinstance(finding, Finding) and not finding.abstained and "p" in finding.estimate
