"""Small worlds of signals and of bursty spikes for the tests of connectivity methods."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import xarray as xr
from scipy.signal import lfilter

from simlab.data import recording

RATE = 50.0
"""Samples per second of all signals."""


def of_signal(x: np.ndarray, modality: str = "rate") -> xr.Dataset:
    """A recording of (trial, sample, unit)."""
    n_trials, n_samples, n_units = x.shape
    time = np.arange(n_samples) / RATE
    return recording(
        duration=n_samples / RATE, n_units=n_units, n_trials=n_trials, signal=x, modality=modality, sample_time=time
    )


def gaussian_graph(
    rng: np.random.Generator, *, n: int = 8, trials: int = 10, samples: int = 300
) -> tuple[xr.Dataset, np.ndarray]:
    """White Gaussian samples whose precision is 1 on the diagonal and +-.35 along a chain; the links (unit, unit),
    signed as the partial correlations are: + where both rise together."""
    links = np.zeros((n, n))
    for i in range(n - 1):
        links[i, i + 1] = links[i + 1, i] = -1.0 if i % 3 == 2 else 1.0
    root = np.linalg.cholesky(np.linalg.inv(np.eye(n) - 0.35 * links))
    return of_signal(rng.normal(size=(trials, samples, n)) @ root.T), links


def autoregressive(
    rng: np.random.Generator, weight: np.ndarray, *, trials: int = 10, samples: int = 300, memory: float = 0.5
) -> xr.Dataset:
    """x(t + 1) = memory x(t) + x(t) @ weight + noise, weight (pre, post)."""
    n = len(weight)
    step = memory * np.eye(n) + weight
    x = np.zeros((trials, samples + 50, n))
    for t in range(1, samples + 50):
        x[:, t] = x[:, t - 1] @ step + rng.normal(size=(trials, n))
    return of_signal(x[:, 50:])


def slow_signals(rng: np.random.Generator, *, n: int, trials: int = 10, samples: int = 300) -> xr.Dataset:
    """Independent AR(1) signals of coefficient .9."""
    noise = rng.normal(size=(trials, samples + 100, n))
    return of_signal(lfilter([1.0], [1.0, -0.9], noise, axis=1)[:, 100:])


def bursty_spikes(
    rng: np.random.Generator, *, n: int, trials: int = 20, duration: float = 5.0, rate: float = 8.0
) -> xr.Dataset:
    """Independent units whose rates switch between 0 and twice `rate` [Hz] every .1 s on average."""
    steps = round(duration / 0.01)
    flip = np.cumsum(rng.random((trials, steps, n)) < 0.1, axis=1) + rng.integers(0, 2, (trials, 1, n))
    counts = rng.poisson((flip % 2) * 2 * rate * 0.01)
    trial, step, unit = (np.repeat(index.ravel(), counts.ravel()) for index in np.indices(counts.shape))
    when = (step + rng.random(len(step))) * 0.01
    return recording(duration=duration, n_units=n, n_trials=trials, spikes=(trial, when, unit))


def any_discovery(method: Any, worlds: Iterable[xr.Dataset]) -> int:
    """In how many worlds the method decides for any edge."""
    return sum(bool(method.analyse(world, np.random.default_rng(0)).estimate["decided"].any()) for world in worlds)
