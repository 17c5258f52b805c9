"""Deconvolution: fluorescence turned into the spikes that explain it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
import xarray as xr

from methods.pipelines._steps import Unusable, accepting, sampling_interval, with_spikes
from simlab.contracts import Needs
from simlab.data import is_spiking, modality
from simlab.rules import Within, check_fields
from simlab.rules.quantities import Width

MIN_FRAMES = 30
"""Shortest trial in which noise and decay can be told apart."""


@dataclass(frozen=True)
class Deconvolution:
    """Spikes inferred from fluorescence by OASIS; recordings with spikes pass straight through.

    Each trial of each unit is deconvolved as a first-order autoregression c(t) = g c(t-1) + s(t), s >= 0, under
    the constraint that the residual has the noise's variance (Friedrich, Zhou & Paninski 2017, PLoS Comput Biol
    13:e1005423). s(t) above `threshold` noise deviations is an event, of as many spikes as it holds typical events of
    the unit: their median, weighted by size so that crumbs of noise do not set it. Spikes are strewn uniformly over
    their frame, and the recording's `resolution` says that finer timing means nothing.
    """

    name: ClassVar[str] = "deconvolution"
    library: ClassVar[str] = "oasis-deconv"

    decay_time: Width | None = None
    """Decay of the indicator [s]; None estimates it from the autocovariance of each unit's fluorescence."""
    threshold: Annotated[float, Within(0, 1000, excluding=(0,))] = 0.5
    """Smallest event, in standard deviations of the unit's noise. Low, since the constraint has explained noise by
    noise already (chosen by the correlation of inferred and fired spikes, not for any connectivity score)."""

    def __post_init__(self) -> None:
        check_fields(self)

    def before(self, needs: Needs) -> Needs:
        """What this step needs, if what follows has these needs."""
        return accepting(self, needs, {"fluorescence": "spikes", "spikes": "spikes"})

    def apply(self, recording: xr.Dataset, rng: np.random.Generator) -> xr.Dataset:
        """The inferred spikes; frame k spans k..k + 1 frame intervals from trial onset, whatever point of it
        `sample_time` marks: bins of one interval then hold one frame each."""
        if is_spiking(recording):
            return recording
        if modality(recording) != "fluorescence" or "unit" not in recording["signal"].dims:
            raise Unusable(f"needs fluorescence to deconvolve, and this holds {modality(recording) or 'no signal'}")
        if "trial_duration" in recording:
            raise Unusable("needs trials of one length to deconvolve: cut them with simlab.equal_trials")
        if recording.sizes["sample"] < MIN_FRAMES:
            raise Unusable(f"trials of {recording.sizes['sample']} frames are too short to deconvolve")
        interval = sampling_interval(recording["sample_time"].values)
        trial, frame, unit = self._events(recording["signal"].values.astype(float), interval)
        when = (frame + rng.uniform(0, 1, len(frame))) * interval
        spikes = (trial, np.clip(when, 0.0, recording.attrs["duration"]), unit)
        return with_spikes(recording, spikes).assign_attrs(resolution=interval)

    def _events(self, fluorescence: np.ndarray, interval: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Trial, frame and unit (spike,) of every spike behind fluorescence (trial, frame, unit)."""
        found = []
        for unit in range(fluorescence.shape[2]):
            events = _event_counts(fluorescence[:, :, unit], interval, self.decay_time, self.threshold)
            which = np.repeat(np.arange(events.size), events.ravel())
            found.append((*np.divmod(which, events.shape[1]), np.full(len(which), unit)))
        trial, frame, unit_of = (np.concatenate(column) for column in zip(*found, strict=True))
        return trial, frame, unit_of


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
