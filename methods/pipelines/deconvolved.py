"""Deconvolved: fluorescence turned into spikes, then any method of spikes. A preprocessed method is a method."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import xarray as xr

from methods.wiring.coupling_glm import CouplingGLM
from simlab.contracts import Finding, SimlabError
from simlab.data import is_spiking
from simlab.data import recording as build_recording


@dataclass(frozen=True)
class Deconvolved:
    """Spikes inferred from fluorescence by OASIS, handed to `method`; recordings with spikes pass straight through.

    Each trial of each unit is deconvolved as a first-order autoregression c(t) = g c(t-1) + s(t), s >= 0, under
    the constraint that the residual has the noise's variance (Friedrich, Zhou & Paninski 2017, PLoS Comput Biol
    13:e1005423). s(t) above `threshold` noise deviations is an event, of as many spikes as it holds typical events of
    the unit: their median, weighted by size so that crumbs of noise do not set it. Spikes are strewn uniformly over
    their frame, and a method that has `at_resolution(interval)` is told that finer timing means nothing.
    """

    name: ClassVar[str] = "deconvolved"
    question: ClassVar[str] = "connectivity"  # of the default; an instance answers its method's question

    method: Any = field(default_factory=CouplingGLM)
    """The method that gets the inferred spikes."""
    decay_time: float | None = None
    """Decay of the indicator [s]; None estimates it from the autocovariance of each unit's fluorescence."""
    threshold: float = 0.5
    """Smallest event, in standard deviations of the unit's noise. Low, since the constraint has explained noise by
    noise already: through `two_photon`, inferred and fired spikes of `balanced_ei` correlate by .47 here, by .20 at 3
    (chosen for that correlation, not for any connectivity score)."""

    def __post_init__(self) -> None:
        if not callable(getattr(self.method, "analyse", None)):
            raise SimlabError(f"deconvolution composes with a method that has analyse(), got {self.method!r}")
        if self.threshold <= 0 or (self.decay_time is not None and self.decay_time <= 0):
            raise SimlabError(f"threshold and decay_time must be > 0, got {self.threshold} and {self.decay_time}")
        object.__setattr__(self, "question", self.method.question)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """The inner method's finding; abstains where there is neither spike nor fluorescence."""
        if is_spiking(recording):
            return self.method.analyse(recording, rng)
        if "fluorescence" not in recording:
            return Finding.abstain("needs fluorescence to deconvolve, and this recording has none")
        if recording.sizes["frame"] < 30:
            return Finding.abstain(f"trials of {recording.sizes['frame']} frames are too short to deconvolve")
        interval = float(np.median(np.diff(recording["frame_time"].values)))
        coarser = getattr(self.method, "at_resolution", None)
        method = self.method if coarser is None else coarser(interval)
        return method.analyse(inferred_spikes(recording, self.decay_time, self.threshold, rng), rng)


def inferred_spikes(
    recording: xr.Dataset, decay_time: float | None, threshold: float, rng: np.random.Generator
) -> xr.Dataset:
    """A recording of the spikes that explain the fluorescence of this one.

    Frame k spans k..k + 1 frame intervals from trial onset, whatever point of it `frame_time` marks: the inner method's
    bins of one interval then hold one frame each.
    """
    fluorescence = recording["fluorescence"].values.astype(float)
    interval = float(np.median(np.diff(recording["frame_time"].values)))
    trial, frame, unit = [], [], []
    for index in range(fluorescence.shape[2]):
        events = _event_counts(fluorescence[:, :, index], interval, decay_time, threshold)
        which = np.repeat(np.arange(events.size), events.ravel())
        trial.append(which // events.shape[1])
        frame.append(which % events.shape[1])
        unit.append(np.full(len(which), index))
    when = (np.concatenate(frame) + rng.uniform(0, 1, sum(map(len, frame)))) * interval
    duration = recording.attrs["duration"]
    return build_recording(
        duration=duration,
        n_units=fluorescence.shape[2],
        n_trials=fluorescence.shape[0],
        spikes=(np.concatenate(trial), np.clip(when, 0.0, duration), np.concatenate(unit)),
        like=recording,
    )


def _event_counts(trace: np.ndarray, interval: float, decay_time: float | None, threshold: float) -> np.ndarray:
    """Spikes of one unit (trial, frame) from its fluorescence (trial, frame)."""
    from oasis.functions import GetSn, deconvolve

    if not np.isfinite(trace).all() or np.ptp(trace) == 0:
        return np.zeros(trace.shape, dtype=int)
    noise = float(GetSn(trace.ravel()))
    decay = decay_time or _decay_time(trace, noise, interval)
    rows = (np.ascontiguousarray(row) for row in trace)
    fits = [deconvolve(row, tau_d=decay, framerate=1 / interval, sn=noise, b_nonneg=False) for row in rows]
    amplitude = np.stack([fit.s for fit in fits])
    amplitude[:, 0] = 0.0  # the calcium that the trial began with
    event = amplitude > threshold * noise
    if not event.any():
        return np.zeros(trace.shape, dtype=int)
    size = np.sort(amplitude[event])
    single = size[np.searchsorted(np.cumsum(size), 0.5 * size.sum())]
    return np.where(event, np.maximum(1, np.round(amplitude / single)), 0).astype(int)


def _decay_time(trace: np.ndarray, noise: float, interval: float, n_lags: int = 10) -> float:
    """Decay [s] of a first-order autoregression from the autocovariance at lags 1..n_lags, noise taken out at lag 0.

    The estimate of oasis, with its 2% shrinkage, but without its random draw where the fit fails.
    """
    centred = trace - trace.mean(axis=1, keepdims=True)
    n_samples = trace.shape[1]
    products = [(centred[:, lag:] * centred[:, : n_samples - lag]).sum() for lag in range(n_lags + 2)]
    covariance = np.array(products) / trace.size
    covariance[0] -= noise**2
    factor = 0.98 * (covariance[1:] @ covariance[:-1]) / max(float(covariance[:-1] @ covariance[:-1]), 1e-300)
    return float(-interval / np.log(np.clip(factor, 0.05, 0.995)))
