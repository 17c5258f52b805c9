"""A rhythm read off principal components, with or without the check for phantoms that smoothness alone makes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
import xarray as xr

from methods.population._population import smoothed, unusable
from methods.rhythms._spectra import verdict
from simlab.contracts import Finding, Needs
from simlab.rules import Within, check_fields
from simlab.rules.quantities import Share, Width


@dataclass(frozen=True)
class PhantomOscillation:
    """Whether the leading principal components of trial averages, over time, are sinusoids.

    Neurons that vary smoothly and independently of one another have principal components close to half-cosines,
    cos(pi k t / T), which look like oscillations of rising frequency (Antognini & Sohl-Dickstein 2018, for random
    walks; Shinn 2023, Phantom oscillations in principal component analysis, PNAS 120). Each of the first
    `n_components` time courses is fitted by a sinusoid; one that explains `least_fit` of it is an oscillation to the
    naive reader. With `check`, components that correlate by more than `phantom` with the half-cosine of their own rank
    are phantoms: if all three are, the verdict is no rhythm; what is left must go round `least_cycles` times in a
    trial. Takes a second.
    """

    name: ClassVar[str] = "phantom_oscillation"
    question: ClassVar[str] = "oscillation"
    family: ClassVar[str] = "dimension reduction"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = Needs(units=8, seconds=2.0)

    check: bool = True
    n_components: Annotated[int, Within(2, 20)] = 3
    bin_width: Width = 5e-3  # s
    smoothing: Width = 5e-3  # s, sd of the Gaussian kernel
    least_fit: Share = 0.64  # R^2: a correlation of .8, Shinn's for half-cosines
    phantom: Share = 0.8
    least_cycles: Annotated[float, Within(0.5, 100)] = 2.0

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """The verdict; the notes give correlations with half-cosines, and the fits."""
        if refused := unusable(recording, self.needs):
            return refused
        values, step = smoothed(recording, self.bin_width, self.smoothing)
        if values.shape[1] < 16:
            return Finding.abstain(f"trials of {values.shape[1]} samples are too short for a time course")
        courses = time_courses(values.mean(axis=0), self.n_components)
        duration = values.shape[1] * step
        likeness = np.array([half_cosine_likeness(course, k + 1) for k, course in enumerate(courses.T)])
        fits = [fit_sinusoid(course, step) for course in courses.T]
        notes: dict[str, object] = {"half_cosine": likeness.round(3).tolist(), "fit": [round(f[0], 3) for f in fits]}
        phantoms = likeness > self.phantom
        if self.check and phantoms.all():
            return verdict(False, 0.0, float(likeness.mean()), notes)
        least = self.least_cycles / duration if self.check else 0.0
        kept = [fit for fit, ghost in zip(fits, phantoms, strict=True)
                if fit[0] >= self.least_fit and fit[1] >= least and not (self.check and ghost)]  # fmt: skip
        if not kept:
            return verdict(False, 0.0, 1.0 - max(fit[0] for fit in fits), notes)
        fit, frequency = kept[0]
        return verdict(True, frequency, fit, notes)


def time_courses(mean: np.ndarray, n_components: int) -> np.ndarray:
    """(time, component) of the trial averages (time, unit), of norm 1, the strongest first."""
    centred = mean - mean.mean(axis=0)
    spread = centred.std(axis=0)
    centred = centred[:, spread > 0] / spread[spread > 0]
    return np.asarray(np.linalg.svd(centred, full_matrices=False)[0][:, :n_components])


def half_cosine_likeness(course: np.ndarray, k: int) -> float:
    """|correlation| of a time course (time,) with cos(pi k t / T)."""
    times = (np.arange(len(course)) + 0.5) / len(course)
    return float(np.abs(np.corrcoef(course, np.cos(np.pi * k * times))[0, 1]))


def fit_sinusoid(course: np.ndarray, step: float) -> tuple[float, float]:
    """R^2 and frequency [Hz] of the sinusoid that fits a time course (time,) best, from half a cycle on."""
    times = np.arange(len(course)) * step
    duration = len(course) * step
    frequencies = np.arange(0.5, len(course) / 4, 0.1) / duration
    centred = course - course.mean()
    best = (0.0, float(frequencies[0]))
    for frequency in frequencies:
        waves = np.exp(2j * np.pi * frequency * times)
        basis = np.stack([waves.real, waves.imag, np.ones_like(times)], axis=1)
        weights = np.linalg.solve(basis.T @ basis + 1e-9 * np.eye(3), basis.T @ centred)
        explained = 1 - float(np.sum((centred - basis @ weights) ** 2) / np.sum(centred**2))
        if explained > best[0]:
            best = (explained, float(frequency))
    return best
