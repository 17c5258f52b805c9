"""Smooth random paths: what latent factors, and neurons of their own accord, do in the course of a trial."""

from __future__ import annotations

from typing import Literal

import numpy as np

Smoothness = Literal["gaussian", "ornstein-uhlenbeck"]
"""gaussian: paths with all derivatives, covariance exp(-u^2 / (2 tau^2)). ornstein-uhlenbeck: exp(-|u| / tau)."""

REACH = 5.0
"""Time constants after which a Gaussian covariance is taken for zero."""


def stationary(
    shape: tuple[int, int, int], step: float, time_constant: float, kind: Smoothness, rng: np.random.Generator
) -> np.ndarray:
    """Independent Gaussian paths (trial, bin, path) of mean 0 and variance 1, sampled every `step` [s].

    Their covariance at a lag u is that of `Smoothness` with tau = time_constant [s]. Each trial is drawn anew.
    """
    return _smooth(shape, step, time_constant, rng) if kind == "gaussian" else _markov(shape, step, time_constant, rng)


def _smooth(shape: tuple[int, int, int], step: float, time_constant: float, rng: np.random.Generator) -> np.ndarray:
    """White noise under a Gaussian window of sd tau / sqrt(2), whose autocorrelation is the covariance asked for."""
    from scipy.signal import fftconvolve

    trials, bins, paths = shape
    half = int(np.ceil(REACH / np.sqrt(2) * time_constant / step))
    window = np.exp(-np.square(np.arange(-half, half + 1) * step / time_constant))
    window /= np.sqrt(np.square(window).sum())
    white = rng.standard_normal((trials, bins + 2 * half, paths))
    return fftconvolve(white, window[None, :, None], mode="valid", axes=1)


def _markov(shape: tuple[int, int, int], step: float, time_constant: float, rng: np.random.Generator) -> np.ndarray:
    """x(t + step) = a x(t) + sqrt(1 - a^2) xi, a = exp(-step / tau): exact at any step."""
    from scipy.signal import lfilter

    decay = float(np.exp(-step / time_constant))
    noise = rng.standard_normal(shape)
    noise[:, 1:] *= np.sqrt(1 - decay**2)
    return lfilter([1.0], [1.0, -decay], noise, axis=1)
