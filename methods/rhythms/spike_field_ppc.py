"""A rhythm as phase locking of single units to the rest of the population: pairwise phase consistency."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
import xarray as xr

from methods.population._population import unrecorded
from methods.rhythms._spectra import verdict
from simlab.contracts import Finding, Needs
from simlab.data import bin_spikes
from simlab.rules import Within, check_fields, require
from simlab.rules.quantities import Level

Frequency = Annotated[float, Within(0.01, 1000, "Hz")]
BIN = 2e-3  # s
FEWEST_SPIKES = 30
"""A unit with fewer in either half of the trials is left out: its consistency is noise."""


def phase_locking_value(phase: np.ndarray) -> float:
    """|mean of exp(i phase)| of phases (spike,): of N spikes without locking it is sqrt(pi / (4 N)) on average."""
    return float(np.abs(np.exp(1j * phase).mean()))


def pairwise_phase_consistency(phase: np.ndarray) -> float:
    """Mean cosine of the difference of all pairs of phases (spike,): unbiased by their number (Vinck et al. 2010,
    NeuroImage 51:112, eq. 14)."""
    n = len(phase)
    return float((np.abs(np.exp(1j * phase).sum()) ** 2 - n) / (n * (n - 1)))


@dataclass(frozen=True)
class SpikeFieldPPC:
    """A frequency at which units lock to the phase of the field more than at half and at twice that frequency.

    The field is the summed activity of all other units, filtered by Morlet wavelets of `wavelet_cycles`. Of every unit
    the pairwise phase consistency (Vinck et al. 2010) of its spikes is taken at each frequency, and the highest of the
    units' mean spectrum is chosen on every other trial. On the rest, consistency there must exceed that at half and at
    twice the frequency, by a one-sided t-test over units at `level`, and by a factor of `prominence`: locking to what
    falls with frequency is no rhythm. Phase-locking values, which grow as spikes get fewer, are in the notes.
    """

    name: ClassVar[str] = "spike_field_ppc"
    question: ClassVar[str] = "oscillation"
    family: ClassVar[str] = "phase locking"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = Needs(modalities=("spikes",), units=4, trials=4, seconds=10.0)

    band: tuple[Frequency, Frequency] = (4.0, 110.0)
    n_frequencies: Annotated[int, Within(8, 200)] = 48
    wavelet_cycles: Annotated[float, Within(1, 50)] = 6.0
    level: Level = 0.01
    prominence: Annotated[float, Within(1, 100)] = 1.5

    def __post_init__(self) -> None:
        check_fields(self)
        require(self.band[0] < self.band[1], f"band must be (lowest, highest), got {self.band}: swap them")

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """The verdict; the notes give the mean consistency at its peak, its p-value and the phase-locking value."""
        from scipy.stats import ttest_1samp

        if refused := unrecorded(recording, self.needs):
            return refused
        counts = bin_spikes(recording, BIN).values.astype(float)
        low = max(self.band[0], 3.0 / recording.attrs["duration"])
        if 4 * low > self.band[1]:
            return Finding.abstain(
                f"trials of {recording.attrs['duration']:g} s are too short for frequencies above {low:g} Hz"
            )
        halves = [counts[k::2] for k in (0, 1)]
        kept = np.all([half.sum(axis=(0, 1)) >= FEWEST_SPIKES for half in halves], axis=0)
        if kept.sum() < self.needs.units:
            return Finding.abstain(
                f"{kept.sum()} units have {FEWEST_SPIKES} spikes in each half of the trials; this needs at least "
                f"{self.needs.units}"
            )
        frequency = np.geomspace(low, self.band[1], self.n_frequencies)
        chosen, tested = (self._consistency(half, kept, frequency) for half in halves)
        k = self._peak(frequency, chosen[0].mean(axis=0))
        if k is None:
            return verdict(False, 0.0, 0.9, {"reason": "consistency has no peak that falls off to both sides"})
        sides = np.maximum(*(_at(frequency, tested[0], frequency[k] * factor) for factor in (0.5, 2.0)))
        at_peak = tested[0][:, k]
        p = float(ttest_1samp(at_peak - sides, 0.0, alternative="greater").pvalue)
        present = p < self.level and at_peak.mean() > self.prominence * max(float(sides.mean()), 0.0)
        notes: dict[str, object] = {
            "ppc": float(at_peak.mean()), "beside": float(sides.mean()), "p": p, "plv": float(tested[1][:, k].mean())
        }  # fmt: skip
        sure = self.level / (self.level + p)
        return verdict(bool(present), float(frequency[k]), sure if present else 1 - sure / 2, notes)

    def _peak(self, frequency: np.ndarray, mean: np.ndarray) -> int | None:
        """The highest inner point of a mean spectrum (frequency,) whose half and double frequency lie in the band."""
        inside = (frequency >= 2 * frequency[0]) & (frequency <= frequency[-1] / 2)
        inside[1:-1] &= (mean[1:-1] >= mean[:-2]) & (mean[1:-1] >= mean[2:])
        where = np.flatnonzero(inside)
        return int(where[np.argmax(mean[where])]) if len(where) else None

    def _consistency(
        self, counts: np.ndarray, kept: np.ndarray, frequency: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Pairwise phase consistency and phase-locking value (unit, frequency) of counts (trial, time, unit)."""
        total, units = counts.sum(axis=2), np.flatnonzero(kept)
        result = np.zeros((2, len(units), len(frequency)))
        spikes = [np.nonzero(counts[:, :, unit]) for unit in units]
        for j, f in enumerate(frequency):
            kernel = _wavelet(f, self.wavelet_cycles)
            whole = _filtered(total, kernel)
            for i, (unit, where) in enumerate(zip(units, spikes, strict=True)):
                # filters are linear: what the unit's own spikes added to the field at a spike is taken off again
                phase = np.angle(whole[where] - _filtered(counts[:, :, unit], kernel)[where])
                result[:, i, j] = pairwise_phase_consistency(phase), phase_locking_value(phase)
        return result[0], result[1]


def _at(frequency: np.ndarray, spectra: np.ndarray, at: float) -> np.ndarray:
    """(unit,) of spectra (unit, frequency), at one frequency."""
    return np.array([np.interp(at, frequency, row) for row in spectra])


def _wavelet(frequency: float, cycles: float) -> np.ndarray:
    sd = cycles / (2 * np.pi * frequency)
    times = np.arange(-3 * sd, 3 * sd + BIN / 2, BIN)
    return np.asarray(np.exp(-(times**2) / (2 * sd**2)) * np.exp(2j * np.pi * frequency * times))


def _filtered(values: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """Values (trial, time), without their mean, convolved with a kernel along time."""
    from scipy.signal import fftconvolve

    return np.asarray(fftconvolve(values - values.mean(), kernel[None], mode="same", axes=1))
