"""Tuning by the information of a spike about the variable, against spikes that belong to another time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import numpy as np
import xarray as xr

from methods.tuning._moments import NEEDS, Moments, against_shifts
from simlab.contracts import Finding, Needs
from simlab.rules import Within, check_fields
from simlab.rules.quantities import Level, Repeats

Null = Literal["shifted", "permuted"]
Seconds = Annotated[float, Within(0, 1e4, "s")]


@dataclass(frozen=True)
class SpatialInformation:
    """Bits per spike of a tuning curve (Skaggs et al. 1993), ranked among those of surrogates.

        I = sum_k p_k (r_k / r) log2(r_k / r),   p_k: share of the time in bin k, r_k: rate there, r: mean rate

    Curves of place, head direction and speed are not smoothed, so that of N spikes which follow nothing I has the mean
    (K - 1) / (2 N ln 2) for K bins: it is no evidence by itself. Surrogates: `shifted`, spikes turned in a circle
    against the trajectory, by `least_shift` or more (20 s: Langston et al. 2010, Wills et al. 2010), which keeps what
    is slow in both; or `permuted`, the moments' spikes in any order, which takes moments for independent. Either is
    valid for a cell whose rate wanders only if its own memory is short against the recording (Harris 2020). Of several
    significant variables the one that stands out most is named. Cost: a curve per surrogate.
    """

    name: ClassVar[str] = "spatial_information"
    question: ClassVar[str] = "tuning"
    family: ClassVar[str] = "tuning curves"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = NEEDS

    null: Null = "shifted"
    level: Level = 0.05  # divided among the variables
    n_surrogates: Repeats = 200
    least_shift: Seconds = 20.0

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """Each unit's variable; notes: the information in bits per spike about each."""
        moments = Moments.of(recording, self.needs)
        if isinstance(moments, Finding):
            return moments
        lags = moments.lags(self.n_surrogates, self.least_shift, rng)
        if isinstance(lags, Finding):
            return lags
        seen = bits(moments)
        others = (moments.shifted(k) if self.null == "shifted" else moments.permuted(rng) for k in lags.tolist())
        null = np.stack([bits(other) for other in others])
        named = against_shifts(seen, null, self.level, moments.names)
        return Finding({"variable": named}, notes={"bits": dict(zip(moments.names, seen.T.tolist(), strict=True))})


def bits(moments: Moments) -> np.ndarray:
    """(unit, variable) bits per spike; 0 of a silent unit."""
    return np.stack([bits_per_spike(moments.spikes(n), moments.occupancy[n]) for n in moments.names], axis=1)


def bits_per_spike(spikes: np.ndarray, occupancy: np.ndarray) -> np.ndarray:
    """(unit,): how far the spikes' distribution over bins, spikes (bin, unit), is from that of time (bin,)."""
    share = spikes / np.maximum(spikes.sum(axis=0), 1e-12)
    time = occupancy[:, None] / occupancy.sum()
    ratio = np.divide(share, time, out=np.ones_like(share), where=share > 0)
    return np.asarray((share * np.log2(ratio)).sum(axis=0))
