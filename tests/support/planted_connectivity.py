"""Small worlds with planted couplings for the tests of the connectivity methods."""

from __future__ import annotations

import numpy as np
import xarray as xr
from scipy.signal import lfilter

from simlab.data import recording


def coupled_spikes(
    weight: np.ndarray,
    rng: np.random.Generator,
    *,
    rate: float = 10.0,
    trials: int = 50,
    duration: float = 10.0,
    delay: int = 2,
    decay: float = 0.003,
) -> xr.Dataset:
    """Poisson spikes in 1 ms bins with log rate = log(rate) + sum_j weight[j, i] x trace_j, exponential from `delay`.

    weight: (pre, post) peak log gain of one presynaptic spike; delay [ms]; decay [s].
    """
    n, steps = len(weight), round(duration * 1000)
    trace = np.zeros((trials, n))
    past = [np.zeros((trials, n)) for _ in range(delay)]
    fade = np.exp(-0.001 / decay)
    found = []
    for step in range(steps):
        trace = trace * fade + past[0]
        spikes = (rng.random((trials, n)) < 1 - np.exp(-0.001 * rate * np.exp(trace @ weight))).astype(float)
        past = [*past[1:], spikes]
        trial, unit = np.nonzero(spikes)
        found.append((trial, np.full(len(trial), step), unit))
    trial, step, unit = (np.concatenate(column) for column in zip(*found, strict=True))
    when = (step + 0.5) * 0.001
    return recording(duration=duration, n_units=n, n_trials=trials, spikes=(trial, when, unit))


def poisson_spikes(
    rng: np.random.Generator, *, n: int = 20, rate: float = 5.0, trials: int = 20, duration: float = 10.0
) -> xr.Dataset:
    """Independent Poisson spikes in continuous time: nobody is connected."""
    counts = rng.poisson(rate * duration, (trials, n))
    trial, unit = (np.repeat(index.ravel(), counts.ravel()) for index in np.indices(counts.shape))
    when = rng.uniform(0, duration, counts.sum())
    return recording(duration=duration, n_units=n, n_trials=trials, spikes=(trial, when, unit))


def unequal(world: xr.Dataset, length: np.ndarray) -> xr.Dataset:
    """The spikes of that world, each trial cut to a length (trial,) [s] of its own."""
    trial, time, unit = (world[name].values for name in ("spike_trial", "spike_time", "spike_unit"))
    kept = time <= length[trial]
    spikes = (trial[kept], time[kept], unit[kept])
    return recording(duration=length, n_units=world.sizes["unit"], n_trials=len(length), spikes=spikes)


def ring_weight(n: int = 8, excitation: float = 1.5, inhibition: float = -3.0) -> np.ndarray:
    """Unit i excites i + 1; every fourth unit inhibits i + 2 instead."""
    weight = np.zeros((n, n))
    for pre in range(n):
        inhibitory = pre % 4 == 3
        weight[pre, (pre + (2 if inhibitory else 1)) % n] = inhibition if inhibitory else excitation
    return weight


def imaged(world: xr.Dataset, rng: np.random.Generator, *, frame_rate: float = 30.0, decay: float = 0.5) -> xr.Dataset:
    """Fluorescence of those spikes: exponential transients of height 1 on a baseline of .3, noise of deviation .1."""
    n_frames = int(world.attrs["duration"] * frame_rate)
    counts = np.zeros((world.sizes["trial"], n_frames, world.sizes["unit"]))
    frame = np.minimum((world["spike_time"].values * frame_rate).astype(int), n_frames - 1)
    np.add.at(counts, (world["spike_trial"].values, frame, world["spike_unit"].values), 1.0)
    trace = lfilter([1.0], [1.0, -np.exp(-1 / frame_rate / decay)], counts, axis=1)
    return recording(
        duration=world.attrs["duration"],
        n_units=world.sizes["unit"],
        n_trials=world.sizes["trial"],
        signal=trace + 0.3 + 0.1 * rng.normal(size=trace.shape),
        modality="fluorescence",
        signal_units="dF/F",
        sample_time=np.arange(n_frames) / frame_rate,
    )
