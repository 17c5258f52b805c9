"""Receptive fields as the directions of frames that spikes tell most about."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import Annotated, ClassVar, NamedTuple

import numpy as np
import xarray as xr

from methods.coding._frames import NEEDS, folds, looked
from methods.coding._subspaces import confirmed
from simlab.contracts import Finding, Needs
from simlab.rules import Within, check_fields
from simlab.rules.quantities import Repeats

REACH = 3.0
"""Bins cover so many standard deviations to either side; what is beyond counts to the last."""

PRIOR_SPIKES = 1.0
"""Spikes spread over all bins as frames are, so that an empty bin is not one in which the cell never fires."""


@dataclass(frozen=True)
class InformativeDimensions:
    """Maximally informative dimensions (Sharpee, Rust & Bialek 2004, Neural Comput 16:223), one or two.

        I(w) = sum_x P(x | spike) log P(x | spike) / P(x),   x = w . s / standard deviation

    climbed along its gradient from the whitened average and covariance on, the histograms being shared linearly between
    neighbouring bins, which makes them differentiable (two filters: of both products together). No nonlinearity is
    assumed and frames need not be white. It is the likelihood of a cell whose nonlinearity is that histogram
    (Williamson, Sahani & Pillow 2015, PLoS Comput Biol 11:e1004141). The climb ends where the likelihood of a quarter
    of the frames, left out, has not risen for `patience` steps; another quarter decides between no filter, one and two
    (`least_z`). The original anneals to leave poor maxima; here the better of two starts is kept. Cost: some 4 climbs
    per unit.
    """

    name: ClassVar[str] = "informative_dimensions"
    question: ClassVar[str] = "receptive_field"
    family: ClassVar[str] = "information"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = NEEDS

    bins: Annotated[int, Within(3, 200)] = 15
    bins_of_two: Annotated[int, Within(3, 50)] = 7  # along each of two filters
    steps: Repeats = 60
    patience: Repeats = 5
    least_z: Annotated[float, Within(0, 100)] = 3.0

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """Each unit's filters, or zeros."""
        found = looked(recording, self.needs)
        if isinstance(found, Finding):
            return found
        first, second = confirmed(found, self._fit, self.least_z)
        return Finding({"filter": first, "second_filter": second})

    def _fit(self, frames: np.ndarray, count: np.ndarray, start: np.ndarray) -> Histogram:
        """The most informative filters, as the left-out last quarter of the frames has them."""
        from scipy.optimize import minimize

        stop = folds(len(frames), 4) == 3
        seen, rest = (frames[~stop], count[~stop]), (frames[stop], count[stop])
        bins = self.bins if len(start) == 1 else self.bins_of_two
        best, since = (likelihood(histogram(start, *seen, bins), *rest), start), 0

        def climbed(flat: np.ndarray) -> None:
            nonlocal best, since
            filters = flat.reshape(start.shape)
            value = likelihood(histogram(filters, *seen, bins), *rest)
            best, since = ((value, filters.copy()), 0) if value > best[0] else (best, since + 1)
            if since >= self.patience:
                raise StopIteration

        def loss(flat: np.ndarray) -> tuple[float, np.ndarray]:
            bits, slope = information(flat.reshape(start.shape), *seen, bins)
            return -bits, -slope.ravel()

        scaled = start / np.linalg.norm(start, axis=1, keepdims=True)
        minimize(loss, scaled.ravel(), jac=True, method="L-BFGS-B", callback=climbed, options={"maxiter": self.steps})
        return histogram(best[1], *seen, bins)._replace(objective=-best[0])


class Histogram(NamedTuple):
    """A cell whose rate is a histogram over its filters' products."""

    filters: np.ndarray  # (filter, feature)
    spread: np.ndarray  # (filter,) standard deviations of the products
    ratio: np.ndarray  # (bin,) P(x | spike) / P(x), over all combinations of bins
    mean: float  # spikes in a frame
    bins: int
    objective: float = 0.0

    def expected(self, frames: np.ndarray) -> np.ndarray:
        """(frame,) spikes."""
        bins = corners(frames @ self.filters.T / self.spread, self.bins)
        return np.asarray(self.mean * (bins.weight * self.ratio[bins.cell]).sum(axis=0))


class Corners(NamedTuple):
    """The bins that a frame is shared between: cell and weight (corner, frame), and how weights change with each
    product, slope (filter, corner, frame)."""

    cell: np.ndarray
    weight: np.ndarray
    slope: np.ndarray


def corners(x: np.ndarray, bins: int) -> Corners:
    """Of products x (frame, filter) in standard deviations."""
    per_unit = (bins - 1) / (2 * REACH)
    place = (np.clip(x, -REACH, REACH) + REACH) * per_unit
    low = np.minimum(place.astype(int), bins - 2)
    beyond = place - low
    moving = np.where(np.abs(x) < REACH, per_unit, 0.0)
    index, weight, slope = [], [], []
    for upper in product((0, 1), repeat=x.shape[1]):
        shares = np.where(upper, beyond, 1 - beyond)
        index.append(sum((low[:, k] + up) * bins**k for k, up in enumerate(upper)))
        weight.append(shares.prod(axis=1))
        others = [np.delete(shares, k, axis=1).prod(axis=1) for k in range(len(upper))]
        slope.append([(1 if up else -1) * moving[:, k] * others[k] for k, up in enumerate(upper)])
    return Corners(np.array(index), np.array(weight), np.array(slope).swapaxes(0, 1))


def _shares(bins: Corners, count: np.ndarray, number: int) -> tuple[np.ndarray, np.ndarray]:
    """P(x | spike) and P(x), (bin,)."""
    every, fired = (np.bincount(bins.cell.ravel(), (bins.weight * each).ravel(), number) for each in (1.0, count))
    before = every / every.sum()
    return (fired + PRIOR_SPIKES * before) / (count.sum() + PRIOR_SPIKES), before


def histogram(filters: np.ndarray, frames: np.ndarray, count: np.ndarray, bins: int) -> Histogram:
    """The cell that these filters (filter, feature), frames and counts (frame,) make."""
    along = frames @ filters.T
    spread = np.maximum(np.sqrt((along**2).mean(axis=0)), 1e-300)
    spike, before = _shares(corners(along / spread, bins), count, bins ** len(filters))
    ratio = np.divide(spike, before, out=np.zeros_like(spike), where=before > 0)
    return Histogram(filters, spread, ratio, float(count.mean()), bins)


def information(filters: np.ndarray, frames: np.ndarray, count: np.ndarray, bins: int) -> tuple[float, np.ndarray]:
    """Nats per spike, and its slope (filter, feature)."""
    along = frames @ filters.T
    spread = np.maximum(np.sqrt((along**2).mean(axis=0)), 1e-300)
    x = along / spread
    shared = corners(x, bins)
    spike, before = _shares(shared, count, bins ** len(filters))
    ratio = np.divide(spike, before, out=np.ones_like(spike), where=before > 0)
    log_ratio = np.log(np.maximum(ratio, 1e-300))
    n_frames, n_spikes = len(frames), count.sum()
    each = (count + PRIOR_SPIKES / n_frames) / (n_spikes + PRIOR_SPIKES)
    by_bin = each * log_ratio[shared.cell] - ratio[shared.cell] / n_frames
    pull = (shared.slope * by_bin).sum(axis=1).T  # (frame, filter), of each product
    pull = (pull - x * (pull * x).sum(axis=0) / n_frames) / spread  # lengths do not count
    return float((spike * log_ratio).sum()), pull.T @ frames


def likelihood(cell: Histogram, frames: np.ndarray, count: np.ndarray) -> float:
    """Of counts (frame,), Poisson, but for a constant."""
    rate = np.maximum(cell.expected(frames), 1e-3 * max(cell.mean, 1e-12))
    return float((count * np.log(rate) - rate).sum())
