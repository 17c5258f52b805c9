"""Hollow-Gaussian correlogram: single bins at synaptic lags, tested against a correlogram smoothed around a hole."""

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
from simlab.contracts import Finding, Needs
from simlab.rules import check_fields
from simlab.rules.quantities import Level, Share, Width


@dataclass(frozen=True)
class HollowGaussianCorrelogram:
    """The test of single correlogram bins that is in use for synapses between recorded units, as it was published.

    The correlogram n(k) of a and b, smoothed by a Gaussian whose central bin is reduced to 1 - hollow_fraction,
    predicts what slower co-firing puts into each bin, lambda(k). A bin's excess has p = 1 - F(n - 1) - f(n)/2, its
    deficit F(n) - f(n)/2, with F and f of the Poisson distribution at lambda (Stark & Abeles 2009, J Neurosci Methods
    179:90, eq. 1). The pair's p is that of its most extreme bin in the causal window, times the number of bins and of
    directions (Bonferroni). With `against_anticausal`, the highest causal bin must moreover exceed, at `causal_level`
    by the same Poisson test, the highest bin from the mirrored window up to zero lag, which common input fills as well
    (English et al. 2017, Neuron 96:505); for a deficit, the lowest causal bin is held against the anti-causal mean. A
    pair that fails this gets p = 1, and keeps its grade: the deviations that go with its most extreme bin. English et
    al. cut at 0.001 pair by pair; here a false discovery rate over pairs decides. `cross_correlogram` tests the same
    window as one count instead.

    Single bins see peaks better than troughs: no count is significant as a deficit where a bin expects fewer than some
    11 (at 20 units), so inhibition is found in long recordings or with wide bins only. Units that fire in bursts of
    alike intervals fill a bin several times at once, which no Poisson test allows for; measured, 0 of 60 worlds of
    independent bursty units had an edge (1 of 60 without the anti-causal comparison). Cost: the correlograms, that is
    spikes x population rate x 68 ms.
    """

    name: ClassVar[str] = "hollow_gaussian_correlogram"
    question: ClassVar[str] = "connectivity"
    family: ClassVar[str] = "cross-correlation"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = SPIKE_TRAINS

    alpha: Level = 0.05
    """False discovery rate of decided edges (Benjamini & Hochberg 1995)."""
    bin_width: Width = 0.0004
    """Bins of the correlogram [s] (English et al. 2017)."""
    causal_window: tuple[Width, Width] = (0.0008, 0.004)
    """Lags of a monosynaptic effect [s]: English et al. 2017 state 0.8 to 2.8 ms, and their code takes up to 4 ms."""
    smoothing: Width = 0.010
    """Standard deviation of the hollow Gaussian [s] (Stark & Abeles 2009; English et al. 2017)."""
    hollow_fraction: Share = 0.6
    """Share of the kernel's central bin that is taken out (Stark & Abeles 2009: 0.6 for a Gaussian)."""
    against_anticausal: bool = True
    """Whether the causal peak must also exceed the anti-causal one (English et al. 2017)."""
    causal_level: Level = 0.001
    """Level of that comparison (the code of English et al. 2017)."""

    def __post_init__(self) -> None:
        check_fields(self)
        check_window(self.causal_window)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """Graded, decided and signed edges (pre, post); abstains without spikes."""
        from scipy.stats import norm

        if reason := abstention(recording, self.needs):
            return Finding.abstain(reason)
        ticks = on_grid(recording, self.bin_width)
        low, high = lags_within(self.causal_window, self.bin_width)
        half = int(np.ceil(3 * self.smoothing / self.bin_width))
        if not ticks.outlast(high + half):
            return Finding.abstain(f"trials of {recording.attrs['duration']} s are shorter than the correlogram")
        counts = lag_counts(ticks, high + half)
        seen = counts[:, :, half : half + 2 * high + 1]  # lags -high..high
        predicted = counts @ band(hollow_gaussian(half, self.smoothing / self.bin_width, self.hollow_fraction), high)
        excess, deficit = continuity_corrected(seen, predicted)
        causal, anticausal = slice(high + low, None), slice(0, high + 1)
        up, down = excess[:, :, causal].min(axis=2), deficit[:, :, causal].min(axis=2)
        p = np.minimum(1.0, 2 * (high - low + 1) * np.minimum(up, down))
        if self.against_anticausal:
            side = beside_anticausal(seen[:, :, causal], seen[:, :, anticausal], excited=up <= down)
            p = np.where(side < self.causal_level, p, 1.0)
        evidence = norm.isf(np.clip(np.minimum(up, down), 1e-300, 0.5))
        return edges(evidence, p, np.where(up <= down, 1, -1), self.alpha, test="Poisson, single bins")

    def at_resolution(self, interval: float) -> HollowGaussianCorrelogram:
        """The same test for spike times known only to `interval` [s]: all widths grow with the bin."""
        start, stop = self.causal_window
        window = (max(start, interval), max(stop, 2 * interval))
        smoothing = max(self.smoothing, 5 * interval)
        return replace(self, bin_width=max(self.bin_width, interval), causal_window=window, smoothing=smoothing)


def hollow_gaussian(half: int, deviation: float, hollow_fraction: float) -> np.ndarray:
    """Kernel (2 half + 1,) of sum 1: a Gaussian of that deviation [bins], its central bin partly taken out."""
    lag = np.arange(-half, half + 1)
    kernel = np.exp(-0.5 * (lag / deviation) ** 2)
    kernel[half] *= 1 - hollow_fraction
    return kernel / kernel.sum()


def band(kernel: np.ndarray, high: int) -> np.ndarray:
    """The convolution with a symmetric kernel as a matrix: lags within high + half to lags within high."""
    matrix = np.zeros((2 * high + len(kernel), 2 * high + 1))
    for lag in range(2 * high + 1):
        matrix[lag : lag + len(kernel), lag] = kernel
    return matrix


def beside_anticausal(causal: np.ndarray, anticausal: np.ndarray, excited: np.ndarray) -> np.ndarray:
    """p (pre, post) of the highest causal count (pre, post, lag) beside the highest anti-causal one; of troughs, of the
    lowest beside the mean."""
    above, _ = continuity_corrected(causal.max(axis=2), anticausal.max(axis=2))
    _, below = continuity_corrected(causal.min(axis=2), anticausal.mean(axis=2))
    return np.where(excited, above, below)
