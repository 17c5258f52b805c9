"""A time constant by fitting an exponential to the autocorrelation of spike counts: what most papers do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
import xarray as xr

from methods.states._counts import autocovariance, no_memory, resampled, unusable_at, with_interval
from simlab.contracts import Finding, Needs
from simlab.data import bin_spikes
from simlab.rules import Within, check_fields
from simlab.rules.quantities import Level, Repeats, Width


@dataclass(frozen=True)
class AutocorrelationFit:
    """Least squares of A exp(-lag / timescale), with an offset if wanted, to the mean autocorrelation of counts.

    Autocorrelations are taken within trials, about each trial's own mean, and averaged over trials and units; lag 0,
    where counting noise sits, is left out (Murray et al. 2014, Nat Neurosci 17:1661, with `offset`). Taking a trial's
    own mean away tilts the autocorrelation of a short trial down, so that the fit comes out too short, the more so
    the fewer time constants a trial lasts (Zeraati, Engel & Levina 2022, Nat Comput Sci 2:193).

    The interval is a bootstrap over trials: it covers chance, not bias. Abstains where there is no autocorrelation, by
    Wilcoxon's test over trials at `level`, or where no exponential fits. Cost: a Fourier transform of the counts.
    """

    name: ClassVar[str] = "autocorrelation_fit"
    question: ClassVar[str] = "timescale"
    family: ClassVar[str] = "autocorrelation"
    library: ClassVar[str] = "scipy"
    needs: ClassVar[Needs] = Needs(("spikes",), trials=5, seconds=10.0)

    bin_width: Width = 0.02  # s
    longest: Annotated[float, Within(0.02, 100, "s")] = 0.5  # s, lag; half a trial at most
    offset: bool = False
    level: Level = 0.01
    n_resamples: Repeats = 200

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """The time constant [s] and its interval."""
        refusal = unusable_at(recording, self.needs, self.bin_width)
        if refusal is not None:
            return refusal
        counts = bin_spikes(recording, self.bin_width).values.astype(float)
        most = min(round(self.longest / self.bin_width), counts.shape[1] // 2)
        refusal = no_memory(autocovariance(counts, 3, own_mean=False), self.level)
        if refusal is not None:
            return refusal
        covariance = autocovariance(counts, most, own_mean=True)

        def estimate(rows: np.ndarray) -> float:
            mean = covariance[rows].mean(axis=0)
            return fitted(mean / mean[0], self.bin_width, self.offset)

        found = estimate(np.arange(len(counts)))
        if not np.isfinite(found):
            return Finding.abstain("no exponential fits the autocorrelation")
        ends = resampled(estimate, len(counts), self.n_resamples, rng)
        return Finding(with_interval("timescale", found, ends))


def fitted(correlation: np.ndarray, width: float, offset: bool) -> float:
    """Time constant [s] of a correlation (lag,) in bins of `width` [s], lag 0 left out; NaN where no fit is found."""
    from scipy.optimize import curve_fit

    lag = width * np.arange(1, len(correlation))
    start = [max(correlation[1], 1e-3), lag[len(lag) // 3]] + [0.0] * offset
    low, high = [0.0, width / 10] + [-np.inf] * offset, [np.inf, 100 * lag[-1]] + [np.inf] * offset
    try:
        found, _ = curve_fit(_decay, lag, correlation[1:], start, bounds=(low, high))
    except RuntimeError:
        return np.nan
    return float(found[1])


def _decay(lag: np.ndarray, amplitude: float, time_constant: float, offset: float = 0.0) -> np.ndarray:
    return amplitude * np.exp(-lag / time_constant) + offset
