"""Cross-correlogram: a peak or trough at synaptic lags, beyond what slower co-firing predicts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Literal

import numpy as np
import xarray as xr

from methods.wiring._pairs import (
    SPIKE_TRAINS,
    Ticks,
    abstention,
    check_window,
    continuity_corrected,
    edges,
    lag_counts,
    lags_within,
    on_grid,
)
from methods.wiring.hollow_gaussian_correlogram import hollow_gaussian
from simlab.contracts import Finding, Needs
from simlab.rules import check_fields
from simlab.rules.quantities import Level, Share, Width


@dataclass(frozen=True)
class CrossCorrelogram:
    """Spikes of b counted at synaptic lags after spikes of a, tested against a predictor without fast structure.

    The count n in the causal window is compared with its predictor lambda by the Poisson test with continuity
    correction, for an excess P = 1 - F(n - 1) - f(n)/2 and for a deficit P = F(n) - f(n)/2 (Stark & Abeles 2009,
    J Neurosci Methods 179:90, eq. 1), and with the count at the mirrored, anti-causal lags, which common input
    fills just as well (English et al. 2017, Neuron 96:505). Both must be significant: the pair's p-value is the
    larger one. That makes reciprocal connections hard to see, as it does in the literature. Where those papers
    test bin by bin, the window is tested as one, so that each pair has one p-value for the false discovery rate.
    """

    name: ClassVar[str] = "cross_correlogram"
    question: ClassVar[str] = "connectivity"
    family: ClassVar[str] = "cross-correlation"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = SPIKE_TRAINS

    alpha: Level = 0.05
    """False discovery rate of decided edges (Benjamini & Hochberg 1995)."""
    bin_width: Width = 0.0004
    """Bins of the correlogram [s] (English et al. 2017)."""
    causal_window: tuple[Width, Width] = (0.0008, 0.004)
    """Lags of a monosynaptic effect [s] (English et al. 2017: 0.8 to 2.8 ms; here with room for a slower rise)."""
    predictor: Literal["hollow_gaussian", "jitter"] = "hollow_gaussian"
    """`hollow_gaussian`: the correlogram smoothed by a hollowed kernel. `jitter`: its expectation if each
    spike of b fell anywhere in its jitter interval (Amarasingham et al. 2012, J Neurophysiol 107:517)."""
    smoothing: Width = 0.010
    """Standard deviation of the hollow Gaussian [s] (English et al. 2017)."""
    hollow_fraction: Share = 0.6
    """Share of the kernel's central bin that is taken out (Stark & Abeles 2009; English et al. 2017)."""
    jitter_interval: Width = 0.020
    """Interval in which a spike of b is free to move [s] (Amarasingham et al. 2012)."""
    against_anticausal: bool = True
    """Whether the causal window must also differ from the anti-causal one."""

    def __post_init__(self) -> None:
        check_fields(self)
        check_window(self.causal_window)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """Graded, decided and signed edges (pre, post); abstains without spikes."""
        if reason := abstention(recording, self.needs):
            return Finding.abstain(reason)
        ticks = on_grid(recording, self.bin_width)
        low, high = self._window()
        reach = high + (int(np.ceil(3 * self.smoothing / self.bin_width)) if self._hollow else 0)
        if not ticks.outlast(reach):
            return Finding.abstain(f"trials of {recording.attrs['duration']} s are shorter than the correlogram")
        counts = lag_counts(ticks, reach)
        causal = counts[:, :, reach + low : reach + high + 1].sum(axis=2)
        expected = counts @ self._window_kernel(reach) if self._hollow else self._jitter_expectation(ticks)
        return self._decide(causal, expected)

    def at_resolution(self, interval: float) -> CrossCorrelogram:
        """The same test for spike times known only to `interval` [s]: all widths grow with the bin."""
        grown = max(1.0, interval / self.bin_width)
        start, stop = self.causal_window
        window = (max(start, interval), max(stop, 2 * interval))
        smoothing = max(self.smoothing, 5 * interval)
        return replace(self, bin_width=self.bin_width * grown, causal_window=window, smoothing=smoothing,
                       jitter_interval=max(self.jitter_interval, 5 * interval))  # fmt: skip

    @property
    def _hollow(self) -> bool:
        return self.predictor == "hollow_gaussian"

    def _window(self) -> tuple[int, int]:
        return lags_within(self.causal_window, self.bin_width)

    def _window_kernel(self, reach: int) -> np.ndarray:
        """Weights of the correlogram's lags whose sum is the predictor, summed over the causal window."""
        low, high = self._window()
        kernel = hollow_gaussian(reach - high, self.smoothing / self.bin_width, self.hollow_fraction)
        window = np.zeros(2 * reach + 1)
        window[reach + low : reach + high + 1] = 1.0
        return np.convolve(window, kernel, mode="same")

    def _jitter_expectation(self, ticks: Ticks) -> np.ndarray:
        """Mean of the causal count if each spike of the post unit were uniform in its interval: exact, no sampling."""
        from scipy.sparse import csr_array

        width = max(1, round(self.jitter_interval / self.bin_width))
        per_trial = -(-ticks.n_ticks // width)
        shape = (ticks.n_units, ticks.n_trials * per_trial)
        row, end = ticks.trial * per_trial, ticks.ends[ticks.trial]
        post = csr_array((np.ones(len(row)), (ticks.unit, row + ticks.tick // width)), shape)
        reach = np.zeros(shape[0] * shape[1])
        low, high = self._window()
        for lag in range(low, high + 1):
            target = ticks.tick + lag
            inside = target < end
            flat = ticks.unit * shape[1] + row + target // width
            size = np.minimum(width, end - target // width * width)
            reach += np.bincount(flat[inside], 1.0 / size[inside], reach.size)
        return (post @ reach.reshape(shape).T).T

    def _decide(self, causal: np.ndarray, expected: np.ndarray) -> Finding:
        fast, p_fast = _poisson_test(causal, expected)
        evidence, p = np.abs(fast), p_fast
        if self.against_anticausal:
            anticausal, p_side = _poisson_test(causal, causal.T)
            agrees = np.sign(fast) == np.sign(anticausal)
            evidence = np.where(agrees, np.minimum(evidence, np.abs(anticausal)), 0.0)
            p = np.where(agrees, np.maximum(p_fast, p_side), 1.0)
        return edges(evidence, p, fast, self.alpha, test="Poisson, causal window")


def _poisson_test(count: np.ndarray, expected: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Signed root of the Poisson deviance, and the two-sided p-value with continuity correction."""
    from scipy.special import xlogy

    rate = np.maximum(expected, 1e-9)
    tail = np.minimum(*continuity_corrected(count, expected))
    deviance = 2 * (xlogy(count, np.maximum(count, 1) / rate) - (count - rate))
    return np.sign(count - rate) * np.sqrt(np.maximum(deviance, 0.0)), np.clip(2 * tail, 0.0, 1.0)
