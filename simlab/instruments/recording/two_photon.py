"""Two-photon calcium imaging: slow, saturating, shared with the neuropil, noisy and bleaching."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import Annotated, ClassVar

import numpy as np
import xarray as xr

from simlab.contracts import Needs
from simlab.data import recording
from simlab.instruments.placement import (
    check_same_subject,
    check_spikes,
    make_key,
    positions,
    require,
    unit_table,
    unit_variables,
)
from simlab.instruments.recording.indicators import INDICATORS, Indicator
from simlab.rules import Within, check_fields
from simlab.rules.quantities import Count, Distance

NOISE_LEVEL_TO_DEVIATION = 1 / (100 * np.sqrt(2) * 0.6745)
"""A noise level [% / sqrt(Hz)] is the median |step| of a trace [%] over sqrt(frame rate) (Rupprecht et al. 2021);
for white noise of standard deviation s that median is 0.6745 sqrt(2) s."""

BLOCK = 2_000_000
"""Samples (trials x frames x neurons) that are computed at once."""


@dataclass(frozen=True)
class TwoPhoton:
    """Fluorescence (dF/F) of imaged neurons, one unit each.

    Trials are laid end to end as on a microscope that keeps scanning: calcium left over from one trial decays into
    the next. The first starts at the recording's mean level, so that no trace begins with an artificial onset.
    dF/F is relative to the momentary (bleached) baseline, as pipelines that track it report; what bleaching costs
    is photons, so noise grows in the course of a session. Needs spikes.
    """

    name: ClassVar[str] = "two_photon"
    needs: ClassVar[Needs] = Needs(("spikes",))

    indicator: str | Indicator = "gcamp6f"
    """A name from `INDICATORS`, or an indicator of your own."""

    n_units: Count | None = None
    """How many neurons are imaged, drawn at random [1]; None is all of them."""

    frame_rate: Annotated[float, Within(0.01, 10_000, "Hz")] = 30.0
    """Frames per second [Hz]: resonant scanning of 512 lines."""

    noise_level: Annotated[float, Within(0, 1000)] = 2.0
    """Standardised shot noise [% / sqrt(Hz)]: 1 to 8 in population imaging (measure: Rupprecht et al. 2021)."""

    neuropil: Annotated[float, Within(0, 100)] = 0.2
    """Neuropil signal per signal of the cell, left over after subtraction [1]: 0.7 before it (Chen et al. 2013, from
    memory), of which the usual fixed coefficient takes about two thirds away (assumed)."""

    neuropil_radius: Distance = 50e-6
    """Standard deviation of the distance from which a cell's neuropil is drawn [m] (assumed: dendritic arbours)."""

    bleaching: Annotated[float, Within(0, inf, "s", excluding=(0,))] = 3600.0
    """Time in which the baseline falls to 1/e by bleaching [s] (assumed); infinity for none."""

    def __post_init__(self) -> None:
        check_fields(self)
        require(
            isinstance(self.indicator, Indicator) or self.indicator in INDICATORS,
            f"two_photon: indicator must be one of {', '.join(INDICATORS)} or an Indicator, got {self.indicator!r}",
        )

    def implant(self, anatomy: xr.Dataset, rng: np.random.Generator) -> FieldOfView:
        """Chooses the imaged neurons; their neuropil comes from all neurons around them, imaged or not."""
        n_neurons = anatomy.sizes["neuron"]
        n_units = n_neurons if self.n_units is None else self.n_units
        require(
            n_units <= n_neurons,
            f"two_photon: n_units must be at most the subject's {n_neurons} neurons, got {n_units}: "
            f"ask for {n_neurons} or fewer, or for a larger circuit",
        )
        place = positions(anatomy)
        chosen = rng.permutation(n_neurons)[:n_units] if self.n_units else np.arange(n_neurons)
        own = np.zeros((n_units, n_neurons))
        own[np.arange(n_units), chosen] = 1.0
        mixing = own + self.neuropil * _surround(place, chosen, self.neuropil_radius)
        key = make_key(mixing / mixing.sum(axis=1, keepdims=True))
        return FieldOfView(self, mixing, key, unit_table(place[chosen]))


def _surround(place: np.ndarray, chosen: np.ndarray, radius: float) -> np.ndarray:
    """(unit, neuron) weights of the neuropil of each imaged neuron; rows sum to 1, or to 0 for a lone neuron."""
    squared = ((place[chosen, None, :] - place[None, :, :]) ** 2).sum(axis=2) / (2 * radius**2)
    squared[np.arange(len(chosen)), chosen] = np.inf
    nearest = np.where(np.isfinite(squared), squared, 0).min(axis=1, keepdims=True)
    weight = np.exp(nearest - squared)
    total = weight.sum(axis=1, keepdims=True)
    return np.divide(weight, total, out=np.zeros_like(weight), where=total > 0)


@dataclass(frozen=True, eq=False)
class FieldOfView:
    """Two-photon imaging placed in one subject."""

    microscope: TwoPhoton
    mixing: np.ndarray  # (unit, neuron) what each neuron's dF/F adds to the unit's
    key: xr.DataArray  # (unit, neuron)
    units: xr.Dataset  # unit_x, unit_y, unit_z [m] over unit

    def record(self, activity: xr.Dataset, rng: np.random.Generator) -> xr.Dataset:
        """dF/F as the signal (trial, sample, unit), sampled mid-frame. Raises SimlabError without spikes."""
        check_same_subject(self.key, activity)
        check_spikes("two_photon needs", activity)
        scope = self.microscope
        duration, n_trials = float(activity.attrs["duration"]), activity.sizes["trial"]
        n_frames = int(duration * scope.frame_rate + 1e-6)
        require(
            n_frames >= 1,
            f"two_photon: a trial must hold at least one frame, got {duration} s at {scope.frame_rate} Hz: "
            "record longer trials or raise frame_rate",
        )
        frame_time = (np.arange(n_frames) + 0.5) / scope.frame_rate
        indicator = scope.indicator if isinstance(scope.indicator, Indicator) else INDICATORS[scope.indicator]
        signal = self._signal(activity, indicator, n_frames)
        elapsed = np.arange(n_trials)[:, None] * duration + frame_time
        return recording(
            duration=duration,
            n_units=self.mixing.shape[0],
            n_trials=n_trials,
            like=activity,
            signal=self._with_noise(signal, elapsed, rng),
            modality="fluorescence",
            signal_units="dF/F",
            sample_time=frame_time,
            **unit_variables(self.units),
        )

    def _signal(self, activity: xr.Dataset, indicator: Indicator, n_frames: int) -> np.ndarray:
        """Noiseless dF/F (trial, frame, unit), a block of neurons at a time so that memory stays bounded."""
        n_trials, n_neurons = activity.sizes["trial"], activity.sizes["neuron"]
        signal = np.zeros((n_trials, n_frames, self.mixing.shape[0]), dtype=np.float32)
        size = max(1, BLOCK // (n_trials * n_frames))
        for first in range(0, n_neurons, size):
            block = np.arange(first, min(first + size, n_neurons))
            calcium = calcium_at(activity, indicator, self.microscope.frame_rate, n_frames, block)
            weights = self.mixing[:, block].T.astype(np.float32)
            signal += indicator.fluorescence(calcium).astype(np.float32) @ weights
        return signal

    def _with_noise(self, signal: np.ndarray, elapsed: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Adds shot noise to dF/F (trial, frame, unit) at times `elapsed` (trial, frame) [s] since the session began.

        Photon counts are Poisson, here in their Gaussian limit: the variance goes with brightness, and relative
        to the baseline inversely with how much of that is left.
        """
        scope = self.microscope
        deviation = scope.noise_level * np.sqrt(scope.frame_rate) * NOISE_LEVEL_TO_DEVIATION
        left = np.exp(-elapsed / scope.bleaching)[:, :, None]
        noise = rng.standard_normal(signal.shape, dtype=np.float32)
        scale = np.sqrt(np.maximum(1 + signal, 0) / left.astype(np.float32))
        return signal + np.float32(deviation) * scale * noise


def calcium_at(
    activity: xr.Dataset, indicator: Indicator, frame_rate: float, n_frames: int, neurons: np.ndarray
) -> np.ndarray:
    """Calcium above rest (trial, frame, neuron) in the middle of each frame, in units of one spike's peak.

    `neurons`: consecutive indices of those wanted.

    Exact in time: a spike enters each exponential at the first sample after it, decayed by the time between;
    a recursive filter does the rest. The state at a trial's end decays on into the next trial.
    """
    rise, decay = indicator.time_constants
    fast = 1 / (1 / rise + 1 / decay)
    peak = (1 - np.exp(-indicator.time_to_peak / rise)) * np.exp(-indicator.time_to_peak / decay)
    cell = activity["spike_neuron"].values
    mine = (cell >= neurons[0]) & (cell <= neurons[-1])
    spikes = activity["spike_trial"].values[mine], activity["spike_time"].values[mine], cell[mine] - neurons[0]
    shape = (activity.sizes["trial"], n_frames, len(neurons))
    duration = float(activity.attrs["duration"])
    slow_part = _exponential(spikes, shape, duration, frame_rate, decay)
    return (slow_part - _exponential(spikes, shape, duration, frame_rate, fast)) / peak


def _exponential(
    spikes: tuple[np.ndarray, np.ndarray, np.ndarray],
    shape: tuple[int, int, int],
    duration: float,
    frame_rate: float,
    constant: float,
) -> np.ndarray:
    """Spikes (trial, time [s], neuron) through exp(-t / constant), sampled mid-frame: (trial, frame, neuron)."""
    from scipy.signal import lfilter

    n_trials, n_frames, n_neurons = shape
    trial, time, neuron = spikes
    sample = np.maximum(np.ceil(time * frame_rate - 0.5), 0).astype(np.int64)
    delay = (sample + 0.5) / frame_rate - time
    seen = sample < n_frames
    flat = np.ravel_multi_index((trial[seen], sample[seen], neuron[seen]), shape)
    result = np.bincount(flat, np.exp(-delay[seen] / constant), int(np.prod(shape))).astype(float).reshape(shape)
    at_end = np.bincount(
        trial * n_neurons + neuron, np.exp(-(duration - time) / constant), n_trials * n_neurons
    ).reshape(n_trials, n_neurons)
    state = np.bincount(neuron, minlength=n_neurons) / (n_trials * duration) * constant  # the mean level
    for k in range(n_trials):
        result[k, 0] += state * np.exp(-0.5 / (frame_rate * constant))
        result[k] = lfilter([1.0], [1.0, -np.exp(-1 / (frame_rate * constant))], result[k], axis=0)
        state = state * np.exp(-duration / constant) + at_end[k]
    return result
