"""What a population does by itself: its neurons' rates, and the spectrum of what they do together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr

from circuits.rhythms.preferred import preferred_frequency, rhythm_truth
from simlab.data import bin_spikes, mean_rates

BIN = 2e-3  # s: spectra up to 250 Hz
SMOOTHING = 1.5  # Hz, sd of the kernel that a spectrum is smoothed with: a fifth of a gamma peak's half width


@dataclass(frozen=True, eq=False)
class Spontaneous:
    """rate (neuron,) [Hz]; spectrum `power` (frequency,) [Hz^2/Hz, two-sided] of the mean rate of a group of `size`
    neurons that fires at `mean_rate` [Hz]."""

    rate: np.ndarray
    frequency: np.ndarray
    power: np.ndarray
    mean_rate: float
    size: int

    @classmethod
    def of(cls, activity: xr.Dataset, group: np.ndarray) -> Spontaneous:
        """Of an Activity with spikes; group: (neuron,) bool, whose mean rate is taken."""
        counts = bin_spikes(activity, BIN).values[:, :, group].mean(axis=2) / BIN
        frequency = np.fft.rfftfreq(counts.shape[1], BIN)
        power = (np.abs(np.fft.rfft(counts - counts.mean(), axis=1)) ** 2).mean(axis=0) * BIN / counts.shape[1]
        size = int(group.sum())
        return cls(mean_rates(activity), frequency[1:], _smooth(frequency[1:], power[1:]), float(counts.mean()), size)

    @property
    def shared_power(self) -> np.ndarray:
        """(frequency,) of the relative rate, without what independent Poisson neurons have: r / size; >= 0 [1/Hz]."""
        return np.maximum(self.power - self.mean_rate / self.size, 0.0) / max(self.mean_rate, 1e-9) ** 2

    @property
    def shared_variance(self) -> float:
        """Of the relative rate that the group has in common, up to the highest frequency."""
        return float(2 * self.shared_power.sum() * (self.frequency[1] - self.frequency[0]))

    def rhythm_truth(self) -> xr.Dataset:
        """The truth about `oscillation`."""
        return rhythm_truth(preferred_frequency(self.frequency, self.power))


def _smooth(frequency: np.ndarray, power: np.ndarray) -> np.ndarray:
    from scipy.ndimage import gaussian_filter1d

    return np.asarray(gaussian_filter1d(power, SMOOTHING / (frequency[1] - frequency[0]), mode="nearest"))
