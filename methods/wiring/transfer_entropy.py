"""Transfer entropy: how much one unit's past spike tells of another's next, beyond that unit's own past."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, ClassVar, Literal

import numpy as np
import xarray as xr

from methods.wiring._pairs import (
    SPIKE_TRAINS,
    SameBin,
    Ticks,
    abstention,
    edges,
    lag_counts,
    on_grid,
    same_bin_counts,
    surrogate_p,
)
from methods.wiring._surrogates import studentised_p, surrogate
from simlab.contracts import Finding, Needs
from simlab.rules import Within, check_fields, require
from simlab.rules.quantities import Level, Width


@dataclass(frozen=True)
class TransferEntropy:
    """Pairwise transfer entropy of binary trains over delays, at its peak.

    TE(d) = sum p(i_t, i_{t-1}, j_{t-d}) log2 [p(i_t | i_{t-1}, j_{t-d}) / p(i_t | i_{t-1})] for d = 1..max_delay
    bins (delayed TE of order 1; Ito et al. 2011, PLoS ONE 6:e27431). All eight joint counts come from correlograms,
    so no time axis is ever laid out. An edge is tested at its peak over delays, either against jittered spikes
    (Shimono & Beggs 2015, Cereb Cortex 25:3743) or by 2 N ln(2) TE ~ chi-square with 2 degrees of freedom
    (Barnett & Bossomaier 2012, PRL 109:138105), Sidak-corrected for the number of delays. The sign is that of the
    lagged covariance at the peak; the coincidence index (share of TE near the peak) is in the notes.
    """

    name: ClassVar[str] = "transfer_entropy"
    question: ClassVar[str] = "connectivity"
    family: ClassVar[str] = "information theory"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = SPIKE_TRAINS

    alpha: Level = 0.05
    """False discovery rate of decided edges (Benjamini & Hochberg 1995)."""
    bin_width: Width = 0.001
    """Bins of the trains [s] (Ito et al. 2011)."""
    max_delay: Width = 0.03
    """Longest delay [s] (Ito et al. 2011: 1 to 30 ms)."""
    significance: Literal["shift", "jitter", "chi2"] = "shift"
    """`shift`: units moved whole by up to `reach`, which keeps their intervals; each pair in its own mean and spread.
    `jitter`: each spike moved, all pairs' surrogates pooled, each pair centred on its own. `chi2`: asymptotic, none."""
    surrogates: Annotated[int, Within(3, 1_000_000)] = 20
    """Surrogate copies of the recording."""
    jitter: Width = 0.010
    """Each spike moves uniformly within +- this [s] (Shimono & Beggs 2015)."""
    reach: Width = 0.25
    """How far units are shifted, either way [s]: well beyond max_delay."""
    same_bin: SameBin = "coarse"
    """Whether delays begin at 0, in the target's own bin; so in bins longer than 5 ms if `coarse`."""
    coincidence_window: Annotated[float, Within(0, 20, "s")] = 0.004
    """Delays within +- half of this around the peak make the coincidence index's numerator [s] (Ito et al. 2011)."""

    def __post_init__(self) -> None:
        check_fields(self)
        require(
            self.bin_width <= self.max_delay,
            f"bin_width must be <= max_delay, got {self.bin_width} and {self.max_delay} s: take finer bins",
        )

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """Graded, decided and signed edges (pre, post); abstains without spikes."""
        if reason := abstention(recording, self.needs):
            return Finding.abstain(reason)
        ticks = on_grid(recording, self.bin_width).binary()
        n_delays = round(self.max_delay / self.bin_width)
        if not ticks.outlast(2 * n_delays):
            return Finding.abstain(
                f"trials of {recording.attrs['duration']} s are too short for {self.max_delay} s delays"
            )
        first = 1 - same_bin_counts(recording, self.bin_width, self.same_bin)
        bits, covariance = delayed_transfer_entropy(ticks, n_delays, first)
        statistic = 2 * ticks.n_bins * np.log(2) * bits
        peak = statistic.argmax(axis=2)[:, :, None]
        score, p = self._test(recording, ticks, n_delays, first, statistic.max(axis=2), rng)
        told = ticks.counts > 1  # where a single spike falls is chance, whatever its surrogates' spread
        p = np.where(np.outer(told, told), p, 1.0)
        sign = np.take_along_axis(covariance, peak, axis=2)[:, :, 0]
        index = _coincidence_index(bits, peak, round(self.coincidence_window / 2 / self.bin_width))
        return edges(score, p, sign, self.alpha, peak_bits=bits.max(axis=2), coincidence_index=index,
                     delay=(peak[:, :, 0] + first) * self.bin_width)  # fmt: skip

    def at_resolution(self, interval: float) -> TransferEntropy:
        """The same measure for spike times known only to `interval` [s]: coarser bins, wider jitter."""
        width = max(self.bin_width, interval)
        return replace(
            self,
            bin_width=width,
            max_delay=max(self.max_delay, 3 * width),
            jitter=max(self.jitter, 5 * width),
            reach=max(self.reach, 8 * width),
            coincidence_window=max(self.coincidence_window, 2 * width),
        )

    def _test(
        self,
        recording: xr.Dataset,
        ticks: Ticks,
        n_delays: int,
        first: int,
        peak: np.ndarray,
        rng: np.random.Generator,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Score and p-value (pre, post) of the peak over delays of 2 N ln(2) TE."""
        if self.significance == "chi2":
            single = np.exp(-peak / 2)  # survival function of chi-square with 2 degrees of freedom
            n_tests = n_delays + 1 - first
            return np.sqrt(peak), -np.expm1(n_tests * np.log1p(-np.minimum(single, 1 - 1e-12)))
        scale = 2 * ticks.n_bins * np.log(2)
        copies = (self._copy(recording, ticks, rng).binary() for _ in range(self.surrogates))
        most = [delayed_transfer_entropy(copy, n_delays, first)[0].max(axis=2) for copy in copies]
        compared = surrogate_p if self.significance == "jitter" else studentised_p
        excess, p = compared(np.sqrt(peak), np.sqrt(scale * np.stack(most)))
        return np.maximum(excess, 0.0), p

    def _copy(self, recording: xr.Dataset, ticks: Ticks, rng: np.random.Generator) -> Ticks:
        if self.significance == "jitter":
            return ticks.jittered(max(1, round(self.jitter / self.bin_width)), rng)
        return on_grid(surrogate(recording, "shift", self.reach, rng), self.bin_width)


def delayed_transfer_entropy(ticks: Ticks, n_delays: int, first: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """TE [bits per bin] and covariance of source and target, both (source, target, delay), delay = first..n_delays.

    `ticks` must be binary. Bins at the edges of trials, where a past reaches out of the trial, count as silent.
    """
    n, n_bins = ticks.n_units, ticks.n_bins
    correlograms = lag_counts(_with_doublets(ticks), n_delays)[:n]
    delay = n_delays + np.arange(first, n_delays + 1)
    fired = ticks.counts.astype(float)
    doublets = _doublets(ticks)
    twice = np.bincount(ticks.unit[doublets], minlength=n).astype(float)
    pair = correlograms[:, :n]
    both = pair[:, :, delay].astype(float)  # i_t = 1, j_{t-d} = 1
    before = pair[:, :, delay - 1].astype(float)  # i_{t-1} = 1, j_{t-d} = 1
    triple = correlograms[:, n:][:, :, delay].astype(float)  # i_t = 1, i_{t-1} = 1, j_{t-d} = 1
    source = fired[:, None, None] + np.zeros_like(both)
    target = fired[None, :, None] + np.zeros_like(both)
    doubled = twice[None, :, None] + np.zeros_like(both)
    # own past silent (0) or spiking (1): joint counts of (i_t, j_{t-d}) given it
    nats = _information(both - triple, target - doubled, source - before, n_bins - target)
    nats += _information(triple, doubled, before, target)
    return np.maximum(nats, 0.0) / (n_bins * np.log(2)), both / n_bins - source * target / n_bins**2


def _doublets(ticks: Ticks) -> np.ndarray:
    """Whether the spike's unit also fired in the bin before, in the same trial (spike,)."""
    width = ticks.n_ticks + 1
    cell = ticks.unit * (ticks.n_trials * width) + ticks.trial * width + ticks.tick
    return np.isin(cell - 1, cell, assume_unique=True)


def _with_doublets(ticks: Ticks) -> Ticks:
    """The trains (0..n-1), and beside them those spikes that followed one in the bin before (n..2n-1)."""
    again = _doublets(ticks)
    trial, tick, unit = (np.concatenate([column, column[again]]) for column in (ticks.trial, ticks.tick, ticks.unit))
    unit[len(ticks.unit) :] += ticks.n_units
    order = np.lexsort((unit, tick, trial))
    return replace(ticks, trial=trial[order], tick=tick[order], unit=unit[order], n_units=2 * ticks.n_units)


def _information(both: np.ndarray, ones: np.ndarray, source: np.ndarray, total: np.ndarray) -> np.ndarray:
    """Mutual information x N [nats] of two binary variables, from counts: both 1, target 1, source 1, all."""
    from scipy.special import xlogy

    silent, zeros = total - source, total - ones
    table = (
        (both, ones, source),
        (ones - both, ones, silent),
        (source - both, zeros, source),
        (zeros - source + both, zeros, silent),
    )
    result = np.zeros_like(both)
    for cell, row, column in table:
        cell = np.maximum(cell, 0.0)
        result += xlogy(cell, np.maximum(cell, 1e-300) * np.maximum(total, 1.0))
        result -= xlogy(cell, np.maximum(row * column, 1e-300))
    return result


def _coincidence_index(bits: np.ndarray, peak: np.ndarray, reach: int) -> np.ndarray:
    """Share of the TE over all delays that lies within `reach` bins of the peak (source, target)."""
    near = np.abs(np.arange(bits.shape[2]) - peak) <= reach
    return (bits * near).sum(axis=2) / np.maximum(bits.sum(axis=2), 1e-300)
