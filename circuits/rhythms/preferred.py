"""What makes a spectrum one of a rhythm: a preferred frequency, by one rule for all circuits."""

from __future__ import annotations

import numpy as np
import xarray as xr

from simlab import truths

FREQUENCIES = np.linspace(1.0, 250.0, 250)
"""Hz, at which linear theory is evaluated."""

PROMINENCE = 2.0
"""Least ratio of a rhythm's peak to what the spectrum is at half and at twice its frequency."""


def preferred_frequency(frequency: np.ndarray, power: np.ndarray) -> float | None:
    """Where a spectrum (frequency,) has its highest peak [Hz], None where that is no rhythm's.

    A rhythm's peak lies within the range and is at least `PROMINENCE` times the power at half and at twice its
    frequency (of those that the range holds). Between the grid's points the peak is that of a parabola.
    """
    inner = np.flatnonzero((power[1:-1] > power[:-2]) & (power[1:-1] >= power[2:])) + 1
    for k in inner[np.argsort(-power[inner])]:
        sides = [side for side in (frequency[k] / 2, 2 * frequency[k]) if frequency[0] <= side <= frequency[-1]]
        if all(power[k] >= PROMINENCE * np.interp(side, frequency, power) for side in sides):
            before, peak, after = power[k - 1 : k + 2]
            shift = 0.5 * (before - after) / (before - 2 * peak + after)
            return float(frequency[k] + shift * (frequency[1] - frequency[0]))
    return None


def rhythm_truth(frequency: float | None) -> xr.Dataset:
    """The truth about `oscillation`: no rhythm (None), or one of this frequency [Hz]."""
    return truths.one(present=False) if frequency is None else truths.one(present=True, frequency=float(frequency))
