"""The branching ratio from how regression slopes fall with the lag: right however few are watched."""

from __future__ import annotations

from contextlib import redirect_stderr
from dataclasses import dataclass
from io import StringIO
from typing import Annotated, ClassVar

import numpy as np
import xarray as xr

from methods.states._counts import autocovariance, no_memory, resampled, stepped_counts, with_interval
from simlab.contracts import Finding, Needs
from simlab.rules import Within, check_fields
from simlab.rules.quantities import Level, Repeats, Width


@dataclass(frozen=True)
class MultistepRegression:
    """An exponential fitted to the slopes of A(t + k) on A(t): r_k = b m^k (Wilting & Priesemann 2018).

    Subsampling changes b, and leaves m. Slopes over trials of one stationary process, and the fit, are those of
    mrestimator (Spitzner et al. 2021, PLoS ONE 16:e0249447). Nothing in r_k tells whether spikes cause one another:
    a common drive with an exponential memory gets a branching ratio as well.

    The interval is a bootstrap over trials, of their autocovariances. Abstains where counts have no memory, by
    Wilcoxon's test over trials at `level`, and where no exponential fits. Cost: lags x bins, and a fit for each
    resample: seconds.
    """

    name: ClassVar[str] = "multistep_regression"
    question: ClassVar[str] = "branching_ratio"
    family: ClassVar[str] = "regression"
    library: ClassVar[str] = "mrestimator"
    needs: ClassVar[Needs] = Needs(("spikes",), seconds=20.0)

    step: Width = 0.004  # s, where the brief tells none
    longest: Annotated[float, Within(0.01, 100, "s")] = 1.0  # s, lag; some time constants of cortex
    level: Level = 0.01
    n_resamples: Repeats = 40

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """The ratio and its interval; the notes hold b and the time constant [s]."""
        found = stepped_counts(recording, self.needs, self.step)
        if isinstance(found, Finding):
            return found
        counts, step = found
        most = min(round(self.longest / step), counts.shape[1] // 2)
        covariance = autocovariance(counts, most, own_mean=False)
        refusal = no_memory(covariance, self.level)
        if refusal is not None:
            return refusal
        ratio, amplitude = fitted(slopes(counts, most))
        if not 0 < ratio < 2:
            return Finding.abstain("no exponential fits the slopes")

        def again(rows: np.ndarray) -> float:
            drawn = covariance[rows].mean(axis=0)
            return fitted(drawn[1:] / drawn[0])[0]

        ends = resampled(again, len(counts), self.n_resamples, rng)
        memory = -step / np.log(ratio) if ratio < 1 else np.inf
        return Finding(with_interval("ratio", ratio, ends), notes={"amplitude": amplitude, "timescale": float(memory)})


def slopes(counts: np.ndarray, most: int) -> np.ndarray:
    """r_k (lag,) of counts (trial, time), k from 1 to `most`."""
    from mrestimator import coefficients

    return coefficients(counts, steps=(1, most), dt=1, dtunit="step", method="stationarymean", numboot=0).coefficients


def fitted(found: np.ndarray) -> tuple[float, float]:
    """m and b of slopes r_k (lag,), k from 1; NaN where no fit is found."""
    from mrestimator import CoefficientResult, f_exponential, fit

    given = CoefficientResult(coefficients=found, steps=np.arange(1, len(found) + 1), dt=1, dtunit="step")
    try:
        with redirect_stderr(StringIO()):  # it draws a progress bar whether one is wanted or not
            best = fit(given, fitfunc=f_exponential)
    except RuntimeError:
        return np.nan, np.nan
    return float(best.mre), float(best.popt[1])
