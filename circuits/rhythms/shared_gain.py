"""What rivals of a rhythm have in common: neurons without synapses whose rates rise and fall with one shared gain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from circuits.rhythms.preferred import preferred_frequency, rhythm_truth
from circuits.rhythms.spontaneous import BIN
from simlab import truths
from simlab.data import activity
from simlab.session import Session
from simlab.simulators.given_rates import REFRACTORY, spikes

PADDING = 0.5
"""s beyond each trial that a gain is drawn for: its ends, which a Fourier series joins, are not seen."""


@dataclass(frozen=True, eq=False)
class SharedGainSubject:
    """rate_i(t) = rate_i exp(s m(t) - s^2 / 2): rate (neuron,) [Hz], m Gaussian of variance 1 and a given spectrum.

    power: (frequency,) of m, in any unit, at `frequency` [Hz]; variance: of the gain, exp(s^2) - 1.
    """

    circuit: Any
    rate: np.ndarray
    frequency: np.ndarray
    power: np.ndarray
    variance: float
    anatomy: xr.Dataset

    def session(self, *, trials: int, duration: float, rng: np.random.Generator) -> Session:
        """Spontaneous activity: nothing is shown."""
        return Session(trials, duration)

    def run(self, session: Session, rng: np.random.Generator) -> xr.Dataset:
        """An Activity with the spikes of all neurons."""
        gain = self.gain(session, rng)
        columns = spikes(session, gain[:, :, None] * self.rate, BIN, rng)
        result = activity(session, len(self.rate), spikes=columns)
        return result.assign_attrs(engine=f"numpy {np.__version__}")

    def gain(self, session: Session, rng: np.random.Generator) -> np.ndarray:
        """(trial, bin) of mean 1 in bins of `BIN` [s]."""
        bins = int(np.ceil(session.duration / BIN - 1e-9))
        length = bins + 2 * round(PADDING / BIN)
        at = np.fft.rfftfreq(length, BIN)
        weight = np.sqrt(np.interp(at, self.frequency, self.power, left=0.0))
        weight[0] = 0.0
        weight /= np.sqrt(np.sum(weight**2))
        spread = np.sqrt(np.log1p(self.variance))
        phases = rng.standard_normal((2, session.trials, len(at)))
        wave = np.fft.irfft(weight * (phases[0] + 1j * phases[1]), length, axis=1) * length / 2
        start = (length - bins) // 2
        return np.exp(spread * wave[:, start : start + bins] - spread**2 / 2)

    def truth(self, question: str, activity: xr.Dataset | None, rng: np.random.Generator) -> xr.Dataset:
        """`oscillation`: the preferred frequency of the shared gain, if it has one; `connectivity`: no synapse."""
        answers = {
            "oscillation": lambda: rhythm_truth(preferred_frequency(self.frequency, self.power + _floor(self))),
            "connectivity": lambda: truths.no_wiring(len(self.rate)),
            "cell_type": lambda: truths.cell_types(self.anatomy),
        }
        return truths.among(self.circuit.name, question, answers)


def _floor(subject: SharedGainSubject) -> float:
    """Power of the spikes' own irregularity, in the unit of the gain's: 1 / (sum of rates) of a Poisson population."""
    total = 2 * subject.power.sum() * (subject.frequency[1] - subject.frequency[0])
    return float(total / max(subject.variance, 1e-9) / max(subject.rate.sum(), 1e-9))


__all__ = ["REFRACTORY", "SharedGainSubject"]
