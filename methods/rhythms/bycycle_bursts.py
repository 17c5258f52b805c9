"""A rhythm as runs of regular cycles (bycycle), more of them than noise with the same background has."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated, ClassVar

import numpy as np
import xarray as xr

from methods.rhythms._spectra import aperiodic, multitaper, traces, verdict
from simlab.contracts import Finding, Needs
from simlab.rules import Within, check_fields, require
from simlab.rules.quantities import Share

Frequency = Annotated[float, Within(0.01, 1000, "Hz")]
LONGEST = 10.0
"""s of activity that are looked at, as cycles are found one by one."""


@dataclass(frozen=True)
class BycycleBursts:
    """In some octave of frequencies, more cycles belong to bursts than in noise without a rhythm.

    The `bycycle` library (Cole & Voytek 2019, J Neurophysiol 122:849) finds the cycles of the trace in each octave of
    `band` and measures them; a cycle is in a burst where its amplitude and its period are consistent with its
    neighbours', its flanks monotonic and its amplitude not among the lowest. Filtered noise has such cycles too: in
    `n_surrogates` Gaussian traces with the spectrum's aperiodic background (1/f with a knee, and a floor). A rhythm
    stands out where the share of cycles in bursts exceeds that of all surrogates in the same octave by `excess` at
    least; its frequency is one over the median period of cycles in bursts. Costs some ten seconds.
    """

    name: ClassVar[str] = "bycycle_bursts"
    question: ClassVar[str] = "oscillation"
    family: ClassVar[str] = "cycle by cycle"
    library: ClassVar[str] = "bycycle"
    needs: ClassVar[Needs] = Needs(seconds=4.0)

    band: tuple[Frequency, Frequency] = (0.5, 100.0)
    cycles: Annotated[float, Within(1, 100)] = 6.0  # of a frequency that a trial must hold
    amplitude: Share = 0.3  # least rank of a cycle's amplitude among all
    amplitude_consistency: Share = 0.4  # these four: Cole & Voytek 2019, as in the library's examples
    period_consistency: Share = 0.5
    monotonicity: Share = 0.8
    n_surrogates: Annotated[int, Within(3, 1000)] = 9
    excess: Share = 0.1

    def __post_init__(self) -> None:
        check_fields(self)
        require(self.band[0] < self.band[1], f"band must be (lowest, highest), got {self.band}: swap them")

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """The verdict; the notes give the share of cycles in bursts, that of surrogates, and the octave [Hz]."""
        seen = traces(recording, self.needs)
        if isinstance(seen, Finding):
            return seen
        low, high = seen.band(*self.band, self.cycles)
        n_octaves = int(np.floor(np.log2(high / low) + 0.1))
        if n_octaves < 1:
            return Finding.abstain(
                f"trials of {seen.duration:g} s hold no octave in {self.band[0]:g}..{self.band[1]:g} Hz"
            )
        liveliest = seen.values[0]
        kept = liveliest[: max(1, int(LONGEST / seen.duration))]
        frequency, power, _ = multitaper(seen.values[:1], seen.step, 2.0 / seen.duration)
        background = aperiodic(frequency, power)
        edges = high / 2.0 ** np.arange(n_octaves, -1, -1)
        octaves = list(pairwise(edges))
        real = [self._bursts(kept, seen.step, octave) for octave in octaves]
        made = [_surrogate(frequency, background, kept.shape, seen.step, rng) for _ in range(self.n_surrogates)]
        null = np.array([[self._bursts(m, seen.step, pair)[0] for pair in octaves] for m in made])
        gain = np.array([share for share, _ in real]) - null.max(axis=0)
        best = int(np.argmax(gain))
        notes: dict[str, object] = {
            "bursting": real[best][0],
            "of surrogates": float(null[:, best].max()),
            "octave": [round(float(end), 3) for end in octaves[best]],
        }
        present = bool(gain[best] >= self.excess)
        return verdict(present, real[best][1], 0.5 + min(abs(gain[best] - self.excess), 0.45), notes)

    def _bursts(self, values: np.ndarray, step: float, octave: tuple[float, float]) -> tuple[float, float]:
        """Share of the cycles of values (trial, time) that are in bursts, and one over their median period [Hz]."""
        from bycycle.features import compute_burst_features, compute_shape_features
        from scipy.ndimage import gaussian_filter1d

        # Flanks are monotonic only without what is faster than the cycles: the library's guide low-passes first.
        signal = gaussian_filter1d(values, 1.0 / (2 * np.pi * octave[1] * step), axis=1).ravel()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                shape = compute_shape_features(signal, 1.0 / step, octave)
                found = compute_burst_features(shape, signal)
        except (ValueError, IndexError):  # the library's words for a trace without cycles in this octave
            return 0.0, 0.0
        regular = (
            (found["amp_fraction"] > self.amplitude)
            & (found["amp_consistency"] > self.amplitude_consistency)
            & (found["period_consistency"] > self.period_consistency)
            & (found["monotonicity"] > self.monotonicity)
        ).to_numpy()
        if not regular.any():
            return 0.0, 0.0
        return float(regular.mean()), float(1.0 / (np.median(shape["period"].to_numpy()[regular]) * step))


def _surrogate(
    frequency: np.ndarray, power: np.ndarray, shape: tuple[int, ...], step: float, rng: np.random.Generator
) -> np.ndarray:
    """Gaussian noise (trial, time) with a spectrum (frequency,), of variance 1."""
    at = np.fft.rfftfreq(shape[1], step)
    weight = np.sqrt(np.interp(at, frequency, power))
    weight[0] = 0.0
    phases = rng.standard_normal((2, shape[0], len(at)))
    wave = np.fft.irfft(weight * (phases[0] + 1j * phases[1]), shape[1], axis=1)
    return np.asarray(wave / wave.std())
