"""A rhythm as a peak of the multitaper spectrum, above a background that falls with frequency, or above none at all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import numpy as np
import xarray as xr

from methods.rhythms._spectra import aperiodic, centre, highest_peak, multitaper, traces, verdict
from simlab.contracts import Finding, Needs
from simlab.rules import Within, check_fields, require
from simlab.rules.quantities import Level

Frequency = Annotated[float, Within(0.01, 1000, "Hz")]


@dataclass(frozen=True)
class SpectralPeak:
    """The highest peak of the population's spectrum, tested against a spectrum without one.

    The multitaper spectrum (Thomson 1982, Proc IEEE 70:1055) of the summed spikes, or the mean over units of a signal,
    over `band`, as far as trials hold `cycles` of a frequency. With background `aperiodic` the null is a fitted
    a / (k + f^chi) + c: noise whose power falls with frequency, and the floor of independent spikes. With `flat` it is
    their mean: a peak of the raw spectrum, which 1/f noise always has at its lower end (Donoghue et al. 2020, Nat
    Neurosci 23:1655), and which may then be at the band's end. An estimate over k trials and tapers is, under the null,
    chi-squared with 2k degrees of freedom; a peak is one whose chance, corrected for all independent frequencies, is
    below `level`, and that is at least `prominence` times the background, since no background fits exactly. Costs less
    than a second.
    """

    name: ClassVar[str] = "spectral_peak"
    question: ClassVar[str] = "oscillation"
    family: ClassVar[str] = "spectrum"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = Needs(seconds=2.0)

    background: Literal["aperiodic", "flat"] = "aperiodic"
    band: tuple[Frequency, Frequency] = (0.3, 120.0)
    cycles: Annotated[float, Within(1, 100)] = 3.0
    half_bandwidth: Annotated[float, Within(0.1, 50)] = 2.0
    """Of the tapers, in cycles per trial: 2 gives three of them (time-bandwidth product 2)."""
    level: Level = 0.01
    prominence: Annotated[float, Within(1, 100)] = 1.5

    def __post_init__(self) -> None:
        check_fields(self)
        require(self.band[0] < self.band[1], f"band must be (lowest, highest), got {self.band}: swap them")

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """The verdict; the notes give the peak's ratio to the background and its p-value."""
        from scipy.stats import chi2

        seen = traces(recording, self.needs)
        if isinstance(seen, Finding):
            return seen
        width = self.half_bandwidth / seen.duration
        frequency, power, n = multitaper(seen.values, seen.step, width)
        low, high = seen.band(*self.band, self.cycles)
        inside = (frequency >= low) & (frequency <= high)
        if inside.sum() < 8:
            return Finding.abstain(f"trials of {seen.duration:g} s tell only {inside.sum()} frequencies apart")
        frequency, power = frequency[inside], power[inside]
        ratio = power / (aperiodic(frequency, power) if self.background == "aperiodic" else power.mean())
        k = highest_peak(frequency, ratio) if self.background == "aperiodic" else int(np.argmax(ratio))
        if k is None:
            return verdict(False, 0.0, 0.9, {"reason": "no peak within the band"})
        independent = max(1.0, (high - low) / (2 * width))
        p = float(min(1.0, independent * chi2.sf(2 * n * ratio[k], 2 * n)))
        present = p < self.level and ratio[k] >= self.prominence
        sure = self.level / (self.level + p)
        notes: dict[str, object] = {"ratio": float(ratio[k]), "p": p, "peak": float(frequency[k])}
        return verdict(present, centre(frequency, ratio, k), sure if present else 1 - sure / 2, notes)
