"""Tuning against a null in which the variables keep their spectra and lose their phases."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import xarray as xr

from methods.coding._regression import NEEDS, against
from methods.coding._values import Seen
from simlab.contracts import Finding, Needs
from simlab.rules import check_fields
from simlab.rules.quantities import Level, Repeats


@dataclass(frozen=True)
class PhaseRandomised:
    """|t| of a regression on all variables, ranked among those on phase-randomised ones.

    All variables get the same random phases, so that spectra and cross-spectra stay (Prichard & Theiler 1994, Phys Rev
    Lett 73:951). It takes a session for a circle, and series for stationary, which drifting ones are not (Harris 2020,
    bioRxiv 2020.11.29.402719). Cost: a fit per surrogate.
    """

    name: ClassVar[str] = "phase_randomised"
    question: ClassVar[str] = "tuning"
    family: ClassVar[str] = "regression"
    library: ClassVar[str] = "numpy"
    needs: ClassVar[Needs] = NEEDS

    level: Level = 0.05
    n_surrogates: Repeats = 400

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """Each unit's variable."""
        return against(recording, self._randomised, self.level, rng)

    def _randomised(self, found: Seen, rng: np.random.Generator) -> np.ndarray:
        n = len(found.counts)
        spectrum = np.fft.rfft(found.variables, axis=0)
        phase = rng.uniform(0, 2 * np.pi, (self.n_surrogates, len(spectrum), 1))
        phase[:, 0] = 0.0
        if n % 2 == 0:
            phase[:, -1] = np.where(phase[:, -1] < np.pi, 0.0, np.pi)  # of the highest frequency only a sign is free
        return np.fft.irfft(spectrum * np.exp(1j * phase), n, axis=1)
