"""Where a foraging animal was, how it headed and how fast it went, moment by moment, and what units fired then."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import xarray as xr

from methods.topology._rate_maps import AXES
from simlab.contracts import Finding, Needs
from simlab.data import bin_spikes, missing

NONE = "none"
"""What a unit is called that is tuned to none of the variables."""

POSITION, HEAD_DIRECTION, SPEED = "position", "head_direction", "speed"

NEEDS = Needs(("spikes",), seconds=60.0, stimulus=True, equal_trials=False)
"""What tuning to the place cannot do without."""


@dataclass(frozen=True)
class Bins:
    """Into how many bins each variable is cut, and how long a moment is [s]."""

    position: int = 10  # along either edge of the box
    head_direction: int = 18  # of 20 degrees (Hardcastle et al. 2017)
    speed: int = 10  # that the animal was in equally often
    step: float = 0.1


@dataclass(frozen=True, eq=False)
class Moments:
    """Moments of all trials, one after another; those in which the place was not seen are left out.

    counts (moment, unit): spikes. bins: variable -> (moment,) the bin that it was in; sizes: variable -> how many there
    are. heading (moment,) [rad]; trial (moment,).
    """

    counts: np.ndarray
    bins: dict[str, np.ndarray]
    sizes: dict[str, int]
    heading: np.ndarray
    trial: np.ndarray
    step: float

    @classmethod
    def of(cls, recording: xr.Dataset, needs: Needs, bins: Bins = Bins()) -> Moments | Finding:
        """Those of a Recording, with the variables that its brief asks about; an abstention where there are none."""
        if reason := missing(recording, needs):
            return Finding.abstain(reason)
        asked = recording.attrs.get("brief", {}).get("variables", (POSITION, HEAD_DIRECTION, SPEED))
        names = [name for name in (POSITION, HEAD_DIRECTION, SPEED) if name in asked]
        if not names:
            return Finding.abstain(f"the brief asks about {', '.join(asked) or 'nothing'}, and not about a place")
        place = _places(recording, bins.step)
        if place is None:
            return Finding.abstain("needs two coordinates of the place through time, and the stimulus has fewer")
        middle, moved = (place[:, 1:] + place[:, :-1]) / 2, np.diff(place, axis=1)
        counts = bin_spikes(recording, bins.step).values[:, : middle.shape[1]]
        seen = np.isfinite(moved).all(axis=2) & np.isfinite(counts).all(axis=2)
        if seen.sum() < 2:
            return Finding.abstain("the place was never seen")
        heading = np.arctan2(moved[..., 1], moved[..., 0])[seen]
        speed = np.linalg.norm(moved, axis=2)[seen] / bins.step
        cut = {
            POSITION: _floor(middle[seen], bins.position),
            HEAD_DIRECTION: (heading / (2 * np.pi) % 1 * bins.head_direction).astype(int) % bins.head_direction,
            SPEED: np.searchsorted(np.quantile(speed, np.arange(1, bins.speed) / bins.speed), speed),
        }
        sizes = {POSITION: bins.position**2, HEAD_DIRECTION: bins.head_direction, SPEED: bins.speed}
        kept = {name: cut[name] for name in names}
        return cls(
            counts[seen].astype(float), kept, {n: sizes[n] for n in names}, heading, np.nonzero(seen)[0], bins.step
        )

    @property
    def names(self) -> tuple[str, ...]:
        """The variables that are asked about."""
        return tuple(self.bins)

    @cached_property
    def occupancy(self) -> dict[str, np.ndarray]:
        """variable -> (bin,) in how many moments it was in each."""
        return {name: np.bincount(self.bins[name], minlength=size).astype(float) for name, size in self.sizes.items()}

    def spikes(self, name: str) -> np.ndarray:
        """(bin, unit): how many fell in each bin of a variable."""
        return summed(self.bins[name], self.sizes[name], self.counts)

    def shifted(self, lag: int) -> Moments:
        """The spikes of all units turned in a circle by so many moments against what the animal did."""
        return replace(self, counts=np.roll(self.counts, lag, axis=0))

    def permuted(self, rng: np.random.Generator) -> Moments:
        """The moments' spikes in any order."""
        return replace(self, counts=self.counts[rng.permutation(len(self.counts))])

    def lags(self, n: int, least: float, rng: np.random.Generator) -> np.ndarray | Finding:
        """(n,) lags [moments] of `least` [s] or more, from either end; an abstention where the recording is shorter."""
        first = max(round(least / self.step), 1)
        if 2 * first >= len(self.counts):
            return Finding.abstain(f"{len(self.counts) * self.step:g} s cannot be shifted by {least:g} s or more")
        return rng.integers(first, len(self.counts) - first + 1, n)


def summed(bins: np.ndarray, size: int, counts: np.ndarray) -> np.ndarray:
    """(bin, unit) sums of counts (moment, unit) over the moments in each of `size` bins (moment,)."""
    from scipy.sparse import csr_array

    moment = np.arange(len(bins))
    return csr_array((np.ones(len(bins)), (bins, moment)), (size, len(bins))) @ counts


def _floor(place: np.ndarray, n: int) -> np.ndarray:
    """(moment,): which of n x n squares of the floor that was visited a place (moment, 2) lies in."""
    low, high = place.min(axis=0), place.max(axis=0)
    cell = ((place - low) / np.maximum(high - low, 1e-12) * n).astype(int).clip(0, n - 1)
    return np.asarray(cell[:, 0] * n + cell[:, 1])


def _places(recording: xr.Dataset, step: float) -> np.ndarray | None:
    """Places (trial, edge, 2) [m] at the edges of moments of `step` [s]; None where two coordinates are missing."""
    names = [str(name) for name in recording["feature"].values] if "feature" in recording.coords else []
    axes = [next((i for i, name in enumerate(names) if name in axis), -1) for axis in AXES]
    time = recording["time"].values
    if min(axes) < 0 or len(time) < 2 or step < time[1] - time[0] or time[-1] < 2 * step:
        return None
    edges = np.arange(0.0, time[-1] + 1e-9, step)
    at = np.searchsorted(time, edges - 1e-9)
    return np.asarray(recording["stimulus"].values[:, np.minimum(at, len(time) - 1)][:, :, axes])


def strongest(z: np.ndarray, significant: np.ndarray, names: tuple[str, ...]) -> np.ndarray:
    """(unit,): of the variables in which a unit is significant (unit, variable), that of the largest z, or `none`."""
    best = np.where(significant, z, -np.inf).argmax(axis=1)
    return np.where(significant.any(axis=1), np.array(names, dtype=object)[best], NONE)


def against_shifts(seen: np.ndarray, null: np.ndarray, level: float, names: tuple[str, ...]) -> np.ndarray:
    """(unit,) variables: statistics (unit, variable) ranked among surrogates' (surrogate, unit, variable).

    A unit is significant in a variable where so few surrogates reach its statistic as `level`, divided among the
    variables, says; of several, the one that is most standard deviations above its surrogates' mean counts.
    """
    p = (1 + (null >= seen - 1e-12).sum(axis=0)) / (1 + len(null))
    z = (seen - null.mean(axis=0)) / np.maximum(null.std(axis=0), 1e-12)
    return strongest(z, p <= level / len(names), names)
