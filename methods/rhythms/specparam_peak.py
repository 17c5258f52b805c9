"""A rhythm as a Gaussian peak on a parameterised spectrum (specparam, formerly FOOOF)."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import numpy as np
import xarray as xr

from methods.rhythms._spectra import multitaper, traces, verdict
from simlab.contracts import Finding, Needs
from simlab.rules import Within, check_fields, require

Frequency = Annotated[float, Within(0.01, 1000, "Hz")]


@dataclass(frozen=True)
class SpecparamPeak:
    """The highest Gaussian that specparam fits on top of an aperiodic spectrum (Donoghue et al. 2020, Nat Neurosci
    23:1655).

    log10 power = offset - log10(knee + f^exponent) + Gaussians, fitted by the `specparam` library to the multitaper
    spectrum. A rhythm is a Gaussian at least `least_height` high, above the library's own threshold of two standard
    deviations of what is left, no wider than the limits and not at the band's ends. Abstains where the model does not
    fit (R^2 below `least_fit`). Costs less than a second.
    """

    name: ClassVar[str] = "specparam_peak"
    question: ClassVar[str] = "oscillation"
    family: ClassVar[str] = "parameterised spectrum"
    library: ClassVar[str] = "specparam"
    needs: ClassVar[Needs] = Needs(seconds=2.0)

    aperiodic_mode: Literal["fixed", "knee"] = "fixed"
    band: tuple[Frequency, Frequency] = (0.3, 120.0)
    cycles: Annotated[float, Within(1, 100)] = 3.0
    half_bandwidth: Annotated[float, Within(0.1, 50)] = 2.0  # of the tapers, in cycles per trial
    least_height: Annotated[float, Within(0, 10)] = 0.2  # log10: a factor of 1.6
    widest: Annotated[float, Within(0.01, 10)] = 0.5  # of a peak's bandwidth (two sds), as a share of the band's middle
    least_fit: Annotated[float, Within(-1, 1)] = 0.5

    def __post_init__(self) -> None:
        check_fields(self)
        require(self.band[0] < self.band[1], f"band must be (lowest, highest), got {self.band}: swap them")

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """The verdict; the notes give the fit's R^2 and exponent and the peak's height."""
        seen = traces(recording, self.needs)
        if isinstance(seen, Finding):
            return seen
        frequency, power, _ = multitaper(seen.values, seen.step, self.half_bandwidth / seen.duration)
        low, high = seen.band(*self.band, self.cycles)
        inside = (frequency >= low) & (frequency <= high)
        if inside.sum() < 20:
            return Finding.abstain(f"trials of {seen.duration:g} s tell only {inside.sum()} frequencies apart")
        fitted = self._fit(frequency[inside], power[inside])
        if fitted is None:
            return Finding.abstain("specparam could not fit this spectrum")
        peaks, exponent, fit = fitted
        if fit < self.least_fit:
            return Finding.abstain(f"the parameterised spectrum fits with R^2 {fit:.2f}, less than {self.least_fit}")
        kept = [p for p in peaks if p[1] >= self.least_height and low * 1.1 < p[0] < high / 1.1]
        notes: dict[str, object] = {"fit": fit, "exponent": exponent, "peaks": len(peaks)}
        if not kept:
            return verdict(False, 0.0, fit, notes)
        best = max(kept, key=lambda p: p[1])
        return verdict(True, float(best[0]), fit, notes | {"height": float(best[1])})

    def _fit(self, frequency: np.ndarray, power: np.ndarray) -> tuple[np.ndarray, float, float] | None:
        """Peaks (peak, 3: frequency, log10 height, bandwidth), exponent and R^2; None where it does not converge."""
        from specparam import SpectralModel

        step = frequency[1] - frequency[0]
        widest = max(self.widest * (frequency[0] + frequency[-1]) / 2, 4 * step)
        model = SpectralModel(
            peak_width_limits=(2 * step, widest), max_n_peaks=4, min_peak_height=self.least_height / 2,
            aperiodic_mode=self.aperiodic_mode, verbose=False,
        )  # fmt: skip
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model.fit(frequency, power)
        if not model.results.has_model:
            return None
        peaks = np.atleast_2d(model.results.get_params("peak")).reshape(-1, 3)
        peaks = peaks[np.isfinite(peaks).all(axis=1)]
        exponent = float(np.atleast_1d(model.results.get_params("aperiodic"))[-1])
        fit = float(np.corrcoef(np.log10(power), model.results.model.modeled_spectrum)[0, 1] ** 2)
        return peaks, exponent, fit
