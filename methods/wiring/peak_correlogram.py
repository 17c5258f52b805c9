"""Peak correlogram: the sharpest peak or trough anywhere at synaptic lags, against baseline and anti-causal side."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import xarray as xr

from methods.wiring._pairs import (
    SPIKE_TRAINS,
    abstention,
    check_window,
    continuity_corrected,
    edges,
    lag_counts,
    lags_within,
    on_grid,
)
from methods.wiring.hollow_gaussian_correlogram import beside_anticausal, hollow_gaussian
from simlab.contracts import Finding, Needs
from simlab.rules import check_fields, require
from simlab.rules.quantities import Level, Share, Width


@dataclass(frozen=True)
class PeakCorrelogram:
    """The criteria of English et al. (2017, Neuron 96:505) for synapses of unknown latency and width.

    Counts are summed over boxes of each of the `widths`, at every place where a box lies in the causal window, and held
    against the same sums of the hollow-Gaussian baseline (Stark & Abeles 2009, J Neurosci Methods 179:90) by the
    Poisson test with continuity correction. Where the correlogram's flanks, beyond the causal window on both sides, lie
    further out than the baseline, they count instead: a peak pulls the smoothed baseline up around itself, and would
    else stand between two troughs. The pair's p is that of its most extreme box, times the number of boxes that do not
    overlap, of all widths, and of directions (Bonferroni over those; overlapping boxes share their spikes).

    Criteria, each of which makes p 1 where it fails: the box must exceed, at `causal_level`, the fullest box of the
    greatest width on the anti-causal side up to zero lag (a trough: fall below the mean one); and the peak must be
    sharp, no wider than `widest` at half of its height above the baseline. Latencies [s] are in the notes.

    `cross_correlogram` tests 0.8 to 4 ms as one window and `hollow_gaussian_correlogram` single bins there; this method
    finds delays and rises of 1 to 20 ms: of 20 units in 3 minutes, 17 of 41 connections of `delay_network`, of which
    those two found none, and none was false; 13 of 36 of `balanced_ei` (12 and 5 there). Of 30 recordings of 20
    independent units, Poisson, bursty, irregular (CV 1.5), drifting or mixed, none had an edge. Cost: some 0.1 s for
    190 pairs.
    """

    name: ClassVar[str] = "peak_correlogram"
    question: ClassVar[str] = "connectivity"
    family: ClassVar[str] = "cross-correlation"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = SPIKE_TRAINS

    alpha: Level = 0.05
    """False discovery rate of decided edges (Benjamini & Hochberg 1995)."""
    bin_width: Width = 0.0005
    """Bins of the correlogram [s] (English et al. 2017: 0.4 ms)."""
    causal_window: tuple[Width, Width] = (0.001, 0.02)
    """Lags at which an effect may begin or last [s]: axons of up to 20 ms, slow rises."""
    widths: tuple[Width, ...] = (0.001, 0.003)
    """Widths of the boxes [s]: of a spike locked to its cause, and of a slower rise."""
    smoothing: Width = 0.015
    """Standard deviation of the hollow Gaussian [s]: 10 ms (Stark & Abeles 2009) and half more, for wider peaks."""
    hollow_fraction: Share = 0.6
    """Share of the kernel's central bin that is taken out (Stark & Abeles 2009)."""
    causal_level: Level = 0.001
    """Level of the comparison with the anti-causal side (the code of English et al. 2017)."""
    widest: Width = 0.012
    """Width at half height [s] above which a peak is not synaptic but shared."""

    def __post_init__(self) -> None:
        check_fields(self)
        check_window(self.causal_window)
        start, stop = self.causal_window
        require(
            bool(self.widths) and max(self.widths) <= stop - start,
            f"widths must hold one at least, none longer than causal_window, got {self.widths} and "
            f"{self.causal_window} s: shorten them",
        )

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """Graded, decided and signed edges (pre, post); abstains without spikes."""
        from scipy.stats import norm

        if reason := abstention(recording, self.needs):
            return Finding.abstain(reason)
        ticks = on_grid(recording, self.bin_width)
        _, high = lags_within(self.causal_window, self.bin_width)
        half = int(np.ceil(3 * self.smoothing / self.bin_width))
        if not ticks.outlast(high + half):
            return Finding.abstain(f"trials of {recording.attrs['duration']} s are shorter than the correlogram")
        counts = lag_counts(ticks, high + half).astype(float)
        seen, baseline = counts[:, :, half : half + 2 * high + 1], self._baseline(counts, half)
        flank = (counts[:, :, :half].mean(axis=2) + counts[:, :, -half:].mean(axis=2))[:, :, None] / 2
        p, excited, latency = self._tested(seen, baseline, flank)
        n_tests = 2 * sum(max(1, round((high + 1) * self.bin_width / width)) for width in self.widths)
        evidence = norm.isf(np.clip(p, 1e-300, 0.5))
        p = np.minimum(1.0, n_tests * p)
        passed = self._passes(seen, baseline, excited, latency)
        notes = {"latency": latency * self.bin_width, "criteria_passed": passed}
        return edges(evidence, np.where(passed, p, 1.0), np.where(excited, 1, -1), self.alpha, **notes)

    def at_resolution(self, interval: float) -> PeakCorrelogram:
        """The same search for spike times known only to `interval` [s]: all its times grow with the bin."""
        grown = max(1.0, interval / self.bin_width)
        times = {name: min(20.0, getattr(self, name) * grown) for name in ("bin_width", "smoothing", "widest")}
        start, stop = self.causal_window
        window = min(20.0, start * grown), min(20.0, stop * grown)
        widths = tuple(width * (window[1] / self.causal_window[1]) for width in self.widths)
        return replace(self, causal_window=window, widths=widths, **times)

    def _baseline(self, counts: np.ndarray, half: int) -> np.ndarray:
        """The smoothed correlogram (pre, post, lag), `half` bins shorter at either end."""
        from scipy.signal import fftconvolve

        kernel = hollow_gaussian(half, self.smoothing / self.bin_width, self.hollow_fraction)
        return np.maximum(fftconvolve(counts, kernel[None, None], mode="valid", axes=2), 1e-9)

    def _tested(
        self, seen: np.ndarray, baseline: np.ndarray, flank: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Smallest one-sided p over boxes, whether it is of an excess, and the box's centre [bins], all (pre, post).

        seen, baseline: counts and smoothed ones at lags -high..high; flank: the mean count beyond them.
        """
        low, high = lags_within(self.causal_window, self.bin_width)
        best = np.full(seen.shape[:2], 2.0)
        excited, latency = np.zeros(best.shape, dtype=bool), np.zeros(best.shape)
        for size in self._sizes():
            boxes = _boxes(seen[:, :, high + low :], size)
            excess, _ = continuity_corrected(boxes, _boxes(np.maximum(baseline, flank)[:, :, high + low :], size))
            _, deficit = continuity_corrected(boxes, _boxes(np.minimum(baseline, flank)[:, :, high + low :], size))
            for tail, up in ((excess, True), (deficit, False)):
                least = tail.min(axis=2)
                better = least < best
                best, excited = np.where(better, least, best), np.where(better, up, excited)
                latency = np.where(better, low + tail.argmin(axis=2) + (size - 1) / 2, latency)
        return best, excited, latency

    def _sizes(self) -> list[int]:
        return [max(1, round(width / self.bin_width)) for width in self.widths]

    def _passes(self, seen: np.ndarray, baseline: np.ndarray, excited: np.ndarray, latency: np.ndarray) -> np.ndarray:
        """Whether the pair's most extreme box stands out from the anti-causal side, and is sharp (pre, post)."""
        low, high = lags_within(self.causal_window, self.bin_width)
        size = max(self._sizes())
        causal, side = _boxes(seen[:, :, high + low :], size), _boxes(seen[:, :, : high + 1], size)
        stands_out = beside_anticausal(causal, side, excited) < self.causal_level
        departure = np.where(excited, 1, -1)[:, :, None] * (_boxes(seen, size) - _boxes(baseline, size))
        place = np.clip(np.rint(latency + high - (size - 1) / 2), 0, departure.shape[2] - 1).astype(int)[:, :, None]
        height = np.take_along_axis(departure, place, axis=2)
        width = _run_around(departure > height / 2, place[:, :, 0]) - (size - 1)  # a box smears a peak by its own width
        return np.asarray(stands_out & (width * self.bin_width <= self.widest))


def _boxes(counts: np.ndarray, size: int) -> np.ndarray:
    """Sums over `size` neighbouring lags (pre, post, box)."""
    total = np.concatenate([np.zeros((*counts.shape[:2], 1)), np.cumsum(counts, axis=2)], axis=2)
    return np.asarray(total[:, :, size:] - total[:, :, :-size])


def _run_around(flags: np.ndarray, place: np.ndarray) -> np.ndarray:
    """How many neighbouring flags (pre, post, lag) are set around one place (pre, post)."""
    lag = np.arange(flags.shape[2])
    unset = np.where(flags, -1, lag)
    before = np.where(lag <= place[:, :, None], unset, -1).max(axis=2)
    after = np.where(lag >= place[:, :, None], np.where(flags, flags.shape[2], lag), flags.shape[2]).min(axis=2)
    return np.asarray(after - before - 1)
