"""Head-direction tuning by the length of the mean vector, with two nulls: Rayleigh's and shifted spikes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import numpy as np
import xarray as xr

from methods.tuning._moments import HEAD_DIRECTION, NEEDS, NONE, Moments
from simlab.contracts import Finding, Needs
from simlab.rules import Within, check_fields
from simlab.rules.quantities import Level, Repeats

Null = Literal["rayleigh", "shifted"]


@dataclass(frozen=True)
class DirectionVector:
    """Says head direction where the mean vector of a unit's spikes is longer than by chance; knows nothing else.

    `rayleigh`: of the headings at which spikes fell, R = |sum exp(i theta)| / n, with Zar's approximation of the p of
    Rayleigh's test, exp(sqrt(1 + 4n + 4(n^2 - (nR)^2)) - (1 + 2n)): it takes spikes for independent and all headings
    for equally frequent. `shifted`: of the tuning curve, rates weighted alike whatever time was spent at each heading,
    ranked among curves of spikes that are turned in a circle against the trajectory by `least_shift` or more (the score
    by which entorhinal head-direction cells are selected: Sargolini et al. 2006, Langston et al. 2010). Cells that
    follow the place or the speed are called `none`, if it works as it should. Cost: a curve per surrogate.
    """

    name: ClassVar[str] = "direction_vector"
    question: ClassVar[str] = "tuning"
    family: ClassVar[str] = "circular statistics"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = NEEDS

    null: Null = "shifted"
    level: Level = 0.05
    n_surrogates: Repeats = 200
    least_shift: Annotated[float, Within(0, 1e4, "s")] = 20.0

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """Which units follow the heading, and `preferred`, the one at which a unit fires most [rad, from 0 to 2 pi]."""
        moments = Moments.of(recording, self.needs)
        if isinstance(moments, Finding):
            return moments
        if HEAD_DIRECTION not in moments.names:
            return Finding.abstain(f"the brief asks about {', '.join(moments.names)}, and not about head direction")
        if self.null == "rayleigh":
            vector, n = mean_vector(moments)
            p = rayleigh(np.abs(vector), n)
        else:
            lags = moments.lags(self.n_surrogates, self.least_shift, rng)
            if isinstance(lags, Finding):
                return lags
            vector = curve_vector(moments)
            null = np.stack([np.abs(curve_vector(moments.shifted(k))) for k in lags.tolist()])
            p = (1 + (null >= np.abs(vector) - 1e-12).sum(axis=0)) / (1 + len(null))
        named = np.where(p <= self.level, HEAD_DIRECTION, NONE).astype(object)
        return Finding({"variable": named, "preferred": np.angle(vector) % (2 * np.pi)}, notes={"p": p.tolist()})


def mean_vector(moments: Moments) -> tuple[np.ndarray, np.ndarray]:
    """(unit,) complex means of exp(i heading) over spikes, and how many there are."""
    n = moments.counts.sum(axis=0)
    return (np.exp(1j * moments.heading) @ moments.counts) / np.maximum(n, 1.0), n


def rayleigh(length: np.ndarray, n: np.ndarray) -> np.ndarray:
    """p of mean vectors of this length of n angles (Zar 1999, Biostatistical Analysis, eq. 27.4); 1 without any."""
    exponent = np.sqrt(1 + 4 * n + 4 * n**2 * (1 - length**2)) - (1 + 2 * n)
    return np.where(n > 0, np.minimum(np.exp(exponent), 1.0), 1.0)


def curve_vector(moments: Moments) -> np.ndarray:
    """(unit,) complex means of exp(i heading) over the bins of tuning curves, weighted by the rates there."""
    size, time = moments.sizes[HEAD_DIRECTION], moments.occupancy[HEAD_DIRECTION]
    rate = moments.spikes(HEAD_DIRECTION) / np.maximum(time, 1.0)[:, None]
    angle = (np.arange(size) + 0.5) / size * 2 * np.pi
    return np.asarray(np.exp(1j * angle) @ rate / np.maximum(rate.sum(axis=0), 1e-12))
