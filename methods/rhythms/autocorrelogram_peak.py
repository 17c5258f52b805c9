"""A rhythm as a side peak of the autocorrelogram, chosen on half of the trials and tested on the other half."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
import xarray as xr

from methods.rhythms._spectra import traces, verdict
from simlab.contracts import Finding, Needs
from simlab.rules import Within, check_fields, require
from simlab.rules.quantities import Level

Frequency = Annotated[float, Within(0.01, 1000, "Hz")]


NEARLY = 0.6
"""A side peak that rises by this share of the highest rise is a candidate: damped rhythms' first one rises most."""


@dataclass(frozen=True)
class AutocorrelogramPeak:
    """The first side peak of the population's autocorrelogram, and whether it stands above the trough before it.

    Rhythms return: the autocorrelogram of a rhythm of period P has a trough near P/2 and a peak near P (as the
    oscillation score reads it: Muresan et al. 2008, J Neurophysiol 99:1333); that of noise without one falls
    monotonically, however slowly. Lags of trough and peak are found on every other trial; on the rest, peak minus
    trough is positive by a one-sided t-test over trials at `level`. Within trials means are taken off, so that what
    differs from trial to trial adds nothing. Costs less than a second.
    """

    name: ClassVar[str] = "autocorrelogram_peak"
    question: ClassVar[str] = "oscillation"
    family: ClassVar[str] = "autocorrelation"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = Needs(trials=6, seconds=4.0)

    band: tuple[Frequency, Frequency] = (0.3, 120.0)
    cycles: Annotated[float, Within(1, 100)] = 3.0  # of a frequency that a trial must hold
    level: Level = 0.01

    def __post_init__(self) -> None:
        check_fields(self)
        require(self.band[0] < self.band[1], f"band must be (lowest, highest), got {self.band}: swap them")

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """The verdict; the notes give the lags [s] of trough and peak and the p-value."""
        from scipy.stats import ttest_1samp

        seen = traces(recording, self.needs)
        if isinstance(seen, Finding):
            return seen
        low, high = seen.band(*self.band, self.cycles)
        first, last = max(2, int(0.5 / high / seen.step)), int(1.0 / low / seen.step)
        if last - first < 4:
            return Finding.abstain(f"trials of {seen.duration:g} s hold no {self.cycles:g} cycles of any frequency")
        found = autocorrelation(seen.values, last)
        chosen = found[0::2].mean(axis=0)
        lags = _side_peak(chosen, first)
        if lags is None:
            return verdict(False, 0.0, 0.9, {"reason": "the autocorrelogram has no side peak"})
        trough, peak = lags
        gain = found[1::2, peak] - found[1::2, trough]
        p = float(ttest_1samp(gain, 0.0, alternative="greater").pvalue)
        sure = self.level / (self.level + p)
        notes: dict[str, object] = {"trough": trough * seen.step, "peak": peak * seen.step, "p": p}
        frequency = 1.0 / (_vertex(chosen, peak) * seen.step)
        return verdict(p < self.level, frequency, sure if p < self.level else 1 - sure / 2, notes)


def autocorrelation(values: np.ndarray, last: int) -> np.ndarray:
    """(trial, lag) up to `last`, of values (trace, trial, time), summed over traces, as a share of the variance."""
    centred = values - values.mean(axis=2, keepdims=True)
    n = centred.shape[2]
    spectrum = np.abs(np.fft.rfft(centred, 2 * n, axis=2)) ** 2
    raw = np.fft.irfft(spectrum.sum(axis=0), axis=1)[:, : last + 1]
    return np.asarray(raw / (n - np.arange(last + 1)) / max(raw[:, 0].mean() / n, 1e-12))


def _side_peak(curve: np.ndarray, first: int) -> tuple[int, int] | None:
    """Lags of the lowest point before a side peak, and of the peak: the first of those that rise nearly the most above
    it.

    Peaks at twice and three times the period rise about as much where the rhythm is regular; the first is the period.
    """
    from scipy.ndimage import gaussian_filter1d

    smooth = gaussian_filter1d(curve[1:], max(1.0, first / 4))
    curve = np.concatenate([curve[:1], smooth])
    inner = np.arange(2 * first, len(curve) - 1)
    peaks = inner[(curve[inner] > curve[inner - 1]) & (curve[inner] >= curve[inner + 1])]
    if not len(peaks):
        return None
    lowest = [first + int(np.argmin(curve[first:k])) for k in peaks]
    rise = np.array([curve[k] - curve[low] for k, low in zip(peaks, lowest, strict=True)])
    best = int(np.argmax(rise >= NEARLY * rise.max()))
    return lowest[best], int(peaks[best])


def _vertex(curve: np.ndarray, k: int) -> float:
    """The lag of the parabola through a peak and points a tenth of it away."""
    side = max(1, min(k // 8, len(curve) - 1 - k))
    before, at, after = curve[k - side], curve[k], curve[k + side]
    bend = before - 2 * at + after
    return k + (float(np.clip(0.5 * (before - after) / bend, -1, 1)) * side if bend < 0 else 0.0)
