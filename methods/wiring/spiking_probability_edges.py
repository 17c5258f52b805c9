"""Total spiking probability edges: peaks and troughs of the correlogram, sharpened by edge filters."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import product
from typing import Annotated, ClassVar, Literal

import numpy as np
import xarray as xr

from methods.wiring._pairs import SPIKE_TRAINS, Ticks, abstention, edges, lag_counts, on_grid, surrogate_p
from methods.wiring._surrogates import studentised_p, surrogate
from simlab.contracts import Finding, Needs
from simlab.rules import Within, check_fields, require
from simlab.rules.quantities import Count, Level, Width


@dataclass(frozen=True)
class SpikingProbabilityEdges:
    """Total spiking probability edges (TSPE), tested against surrogates in which units keep their own intervals.

    The normalised correlogram of each pair is filtered by a family of edge filters (-1/a over a bins, 2/b over b,
    -1/a over a), each followed by a running total over b bins, and summed; the extreme over delays, with its
    sign, is the estimate: > 0 excitatory, < 0 inhibitory (De Blasi et al. 2019, J Neurosci Methods 312:169). The
    figures are those of `elephant.functional_connectivity.total_spiking_probability_edges`, transposed so that
    the row is the source; they are computed here from counted correlograms, since elephant lays every train out
    densely (a gigabyte for an hour of 20 units), and pairs spikes of neighbouring trials. De Blasi et al. cut at
    a threshold of choice, for which they give no rule; here each peak is measured in its shot noise, and has a p-value
    from copies of the recording in which units are shifted against one another. `jitter` moves each spike
    instead, which does not keep intervals. Of 15 recordings of 20 independent units, 2 had an edge (Poisson and
    drifting ones; of bursty, irregular and mixed ones none); with `jitter` 1, and p-values too large where units burst.
    """

    name: ClassVar[str] = "spiking_probability_edges"
    question: ClassVar[str] = "connectivity"
    family: ClassVar[str] = "cross-correlation"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = SPIKE_TRAINS

    alpha: Level = 0.05
    """False discovery rate of decided edges (Benjamini & Hochberg 1995)."""
    bin_width: Width = 0.001
    """Bins of the correlogram [s] (De Blasi et al. 2019)."""
    max_delay: Count = 25
    """Delays 0..max_delay - 1 in bins (De Blasi et al. 2019)."""
    surrounding: tuple[Count, ...] = (3, 4, 5, 6, 7, 8)
    """Lengths a of the filters' flanks in bins (De Blasi et al. 2019)."""
    observed: tuple[Count, ...] = (2, 3, 4, 5, 6)
    """Lengths b of the filters' centres in bins (De Blasi et al. 2019)."""
    surrogates: Annotated[int, Within(3, 1_000_000)] = 20
    """Surrogate copies of the recording."""
    significance: Literal["shift", "jitter"] = "shift"
    """`shift`: each pair in mean and spread of its own surrogates. `jitter`: in its own mean, all spreads pooled."""
    reach: Width = 0.25
    """How far units are shifted, either way, in each trial [s]: well beyond the filters."""
    jitter: Width = 0.010
    """Each spike moves uniformly within +- this [s] (Shimono & Beggs 2015, Cereb Cortex 25:3743)."""

    def __post_init__(self) -> None:
        check_fields(self)
        require(
            bool(self.surrounding) and bool(self.observed),
            f"surrounding and observed need a filter length at least, got {self.surrounding} and {self.observed}",
        )
        require(
            self.max_delay >= max(self.observed),
            f"max_delay must be >= the longest filter centre, {max(self.observed)} bins, got {self.max_delay}",
        )

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """Graded, decided and signed edges (pre, post); abstains without spikes."""
        if reason := abstention(recording, self.needs):
            return Finding.abstain(reason)
        ticks = on_grid(recording, self.bin_width)
        if not ticks.outlast(2 * (self.max_delay + max(self.surrounding))):
            return Finding.abstain(f"trials of {recording.attrs['duration']} s are shorter than the correlogram")
        counts = self._counts(ticks)
        strength = total_edges(counts, ticks, self._operator())
        z = self._peak(counts)
        copies = (self._copy(recording, ticks, rng) for _ in range(self.surrogates))
        null = np.stack([np.abs(self._peak(self._counts(copy))) for copy in copies])
        excess, p = (surrogate_p if self.significance == "jitter" else studentised_p)(np.abs(z), null)
        return edges(np.maximum(excess, 0.0), p, z, self.alpha, total_spiking_probability_edges=strength)

    def at_resolution(self, interval: float) -> SpikingProbabilityEdges:
        """The same filters for spike times known only to `interval` [s]: they keep their lengths in bins."""
        width = max(self.bin_width, interval)
        return replace(self, bin_width=width, jitter=max(self.jitter, 5 * width), reach=max(self.reach, 60 * width))

    def _copy(self, recording: xr.Dataset, ticks: Ticks, rng: np.random.Generator) -> Ticks:
        if self.significance == "jitter":
            return ticks.jittered(max(1, round(self.jitter / self.bin_width)), rng)
        return on_grid(surrogate(recording, "shift", self.reach, rng), self.bin_width)

    def _operator(self) -> np.ndarray:
        return edge_operator(self.surrounding, self.observed, self.max_delay)

    def _counts(self, ticks: Ticks) -> np.ndarray:
        """Correlograms (source, target, lag) over the lags that the filters reach."""
        padding, reach = max(self.surrounding), max(self.surrounding) + self.max_delay
        return lag_counts(ticks, reach)[:, :, reach - padding : 2 * reach].astype(float)

    def _peak(self, counts: np.ndarray) -> np.ndarray:
        """Extreme over delays of the filtered correlogram in standard deviations of shot noise (source, target)."""
        operator = self._operator()
        level = counts.mean(axis=2, keepdims=True)
        noise = np.sqrt(np.maximum(level, 1 / counts.shape[2]) * (operator**2).sum(axis=0))
        return _extreme(counts @ operator / noise)


@lru_cache(maxsize=8)
def edge_operator(surrounding: tuple[int, ...], observed: tuple[int, ...], max_delay: int) -> np.ndarray:
    """The whole filter family as one matrix (lag, delay), lags from -max(surrounding) on."""
    padding = max(surrounding)
    n_lags = max_delay + 2 * padding
    operator = np.zeros((n_lags, max_delay))
    for flank, centre in product(surrounding, observed):
        edge = np.concatenate([np.full(flank, -1 / flank), np.full(centre, 2 / centre), np.full(flank, -1 / flank)])
        for lag in range(padding - flank, n_lags - padding + flank):
            impulse = np.zeros(max_delay + 2 * flank)
            impulse[lag - padding + flank] = 1.0
            operator[lag] += np.convolve(np.convolve(impulse, edge, "valid"), np.ones(centre))
    operator.setflags(write=False)
    return operator


def total_edges(counts: np.ndarray, ticks: Ticks, operator: np.ndarray) -> np.ndarray:
    """TSPE (source, target) as published, from correlograms (source, target, lag): scaled by standard deviations."""
    squares = np.bincount(ticks.unit, _multiplicity(ticks), ticks.n_units)
    variance = (squares - ticks.counts**2 / ticks.n_bins) / (ticks.n_bins - 1)
    deviation = np.sqrt(np.maximum(variance, 1e-300))
    return _extreme(counts @ operator) / np.outer(deviation, deviation) / ticks.n_bins


def _multiplicity(ticks: Ticks) -> np.ndarray:
    """How many spikes each spike's unit has in its bin (spike,)."""
    cell = (ticks.trial * ticks.n_ticks + ticks.tick) * ticks.n_units + ticks.unit
    _, where, count = np.unique(cell, return_inverse=True, return_counts=True)
    return count[where]


def _extreme(filtered: np.ndarray) -> np.ndarray:
    """The value of largest magnitude along the last axis, with its sign."""
    peak = np.abs(filtered).argmax(axis=-1)
    return np.take_along_axis(filtered, peak[..., None], axis=-1)[..., 0]
