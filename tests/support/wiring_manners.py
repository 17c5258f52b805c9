"""Worlds without wiring, and odd ones, for the tests of methods of connectivity; and what their answers owe."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import xarray as xr
from planted_connectivity import poisson_spikes
from scipy.signal import lfilter

from simlab.data import recording

SIZES = ((3, 20), (6, 20), (10, 30))
"""Units and trials of 2 s of the negative controls."""
KINDS = ("refractory", "bursty", "autocorrelated")


def independent(kind: str, n_units: int, trials: int, rng: np.random.Generator, rate: float = 8.0) -> xr.Dataset:
    """Units that know nothing of one another: `refractory` for 5 ms, `bursty` (1 to 5 spikes some 4 ms apart), or
    `autocorrelated`, of a log rate that fluctuates by .8 within 100 ms. Rates [Hz] differ by a factor of 1.6."""
    duration = 2.0
    rates = rate * rng.lognormal(0, 0.5, n_units)
    if kind == "autocorrelated":
        return _fluctuating(rates, trials, duration, rng)
    parent = rates / 3 if kind == "bursty" else rates / (1 - np.minimum(rates * 0.005, 0.8))
    count = rng.poisson(parent * duration, (trials, n_units))
    trial, unit = (np.repeat(index.ravel(), count.ravel()) for index in np.indices(count.shape))
    time = rng.uniform(0, duration, len(trial))
    if kind == "bursty":
        children = rng.poisson(2, len(trial)) + 1
        gaps = np.where(np.arange(children.max()) == 0, 0.0, rng.gamma(4, 0.001, (len(trial), children.max())))
        kept = np.arange(children.max()) < children[:, None]
        time = (time[:, None] + gaps.cumsum(axis=1))[kept]
        trial, unit = np.repeat(trial, children), np.repeat(unit, children)
    else:
        order = np.lexsort((time, trial, unit))
        trial, unit, time = trial[order], unit[order], time[order]
        apart = np.diff(time, prepend=-1.0)
        kept = (apart > 0.005) | (apart < 0)
        trial, unit, time = trial[kept], unit[kept], time[kept]
    inside = time < duration
    spikes = (trial[inside], time[inside], unit[inside])
    return recording(duration=duration, n_units=n_units, n_trials=trials, spikes=spikes)


def _fluctuating(rates: np.ndarray, trials: int, duration: float, rng: np.random.Generator) -> xr.Dataset:
    n_bins, fade = round(duration * 1000), np.exp(-0.01)
    noise = rng.normal(size=(trials, n_bins + 400, len(rates)))
    drive = 0.8 * lfilter([np.sqrt(1 - fade**2)], [1, -fade], noise, axis=1)[:, 400:]
    trial, step, unit = np.nonzero(rng.random(drive.shape) < 0.001 * rates * np.exp(drive - 0.32))
    spikes = (trial, (step + rng.random(len(step))) * 0.001, unit)
    return recording(duration=duration, n_units=len(rates), n_trials=trials, spikes=spikes)


def discoveries(method: Any, kind: str, worlds: int, sizes: tuple[tuple[int, int], ...] = SIZES) -> int:
    """In how many of `worlds` independent worlds of each size the method decides on any edge."""
    found = 0
    for n_units, trials in sizes:
        for seed in range(worlds):
            world = independent(kind, n_units, trials, np.random.default_rng([seed, n_units]))
            found += method.analyse(world, np.random.default_rng(seed)).estimate["decided"].any()
    return int(found)


def signal_recording(trace: np.ndarray, step: float = 0.01, modality: str = "rate") -> xr.Dataset:
    """A recording of a signal (trial, sample, unit), `step` [s] apart."""
    trials, samples, n_units = trace.shape
    when = np.arange(samples) * step
    return recording(
        duration=samples * step, n_units=n_units, n_trials=trials, signal=trace, modality=modality, sample_time=when
    )


def odd_spikes() -> Iterator[tuple[str, xr.Dataset]]:
    """Recordings of spikes in which something is missing, or doubled."""
    rng = np.random.default_rng(0)
    world = poisson_spikes(rng, n=3, rate=10.0, trials=4, duration=3.0)
    trial, time, unit = (world[name].values for name in ("spike_trial", "spike_time", "spike_unit"))
    nothing = (np.array([], int), np.array([]), np.array([], int))
    twin = unit == 0
    doubled = (np.r_[trial, trial[twin]], np.r_[time, time[twin]], np.r_[unit, np.full(twin.sum(), 3)])
    few = (np.array([0, 0, 1, 1]), np.array([0.5, 0.502, 0.7, 0.7]), np.array([0, 1, 1, 2]))
    yield "a silent unit", recording(duration=3.0, n_units=4, n_trials=4, spikes=(trial, time, unit))
    yield "no spike", recording(duration=3.0, n_units=3, n_trials=4, spikes=nothing)
    yield "twin units", recording(duration=3.0, n_units=4, n_trials=4, spikes=doubled)
    yield "a handful of spikes", recording(duration=2.0, n_units=3, n_trials=2, spikes=few)
    yield "two units", poisson_spikes(rng, n=2, rate=10.0, trials=4, duration=3.0)
    yield "one unit", poisson_spikes(rng, n=1, rate=10.0, trials=4, duration=3.0)
    yield "one trial", poisson_spikes(rng, n=3, rate=10.0, trials=1, duration=10.0)
    yield "short trials", recording(duration=0.004, n_units=3, n_trials=2, spikes=(few[0], few[1] / 1000, few[2]))


def odd_signals() -> Iterator[tuple[str, xr.Dataset]]:
    """Recordings of a signal in which something is missing, or doubled."""
    trace = np.random.default_rng(1).normal(size=(4, 200, 3))
    yield "constant traces", signal_recording(np.ones((4, 200, 3)))
    yield "a constant trace", signal_recording(np.where(np.arange(3) == 1, 2.0, trace))
    yield "twin traces", signal_recording(trace[:, :, [0, 1, 1]])
    yield "two traces", signal_recording(trace[:, :, :2])
    yield "one trial of a signal", signal_recording(trace[:1])
    yield "short traces", signal_recording(trace[:, :3])


def check_answers(method: Any, worlds: Iterator[tuple[str, xr.Dataset]]) -> dict[str, str]:
    """Asserts that each answer has the question's form, or that the method abstains; returns the reasons to abstain."""
    reasons = {}
    for what, world in worlds:
        finding = method.analyse(world, np.random.default_rng(0))
        if finding.abstained:
            reasons[what] = finding.abstained
            continue
        shape = (world.sizes["unit"],) * 2
        estimate = finding.estimate
        assert all(estimate[name].shape == shape for name in ("score", "decided", "sign", "p")), what
        assert np.isfinite(estimate["score"]).all(), what
        assert ((estimate["p"] >= 0) & (estimate["p"] <= 1)).all(), what
        assert not estimate["decided"].diagonal().any(), what
    return reasons
