"""Drives that wander and are never negative: exact, in discrete time."""

from __future__ import annotations

import numpy as np


def square_root_drive(
    bins: int,
    paths: tuple[int, ...],
    width: float,
    time_constant: float,
    relative_variance: float,
    rng: np.random.Generator,
) -> np.ndarray:
    """(bin, *paths) of mean 1 and the stated variance, in bins of `width` [s], independent paths.

        g(t + width) = v (1 - q) Gamma(1/v + z),   z ~ Poisson(q g(t) / (v (1 - q))),   q = exp(-width / time_constant)

    which samples the square-root (Feller) diffusion at its bins: stationary values are gamma distributed, and the
    autocorrelation is exactly q^k (Gourieroux & Jasiak 2006, J Forecasting 25:129, autoregressive gamma process).
    A branching process with many neurons has this diffusion as its limit.
    """
    memory = np.exp(-width / time_constant)
    if relative_variance == 0:
        return np.ones((bins, *paths))
    scale = relative_variance * (1 - memory)
    drive = np.empty((bins, *paths))
    drive[0] = relative_variance * rng.gamma(1 / relative_variance, size=paths)
    for k in range(1, bins):
        drive[k] = scale * rng.gamma(1 / relative_variance + rng.poisson(memory * drive[k - 1] / scale))
    return drive


def rectified_drive(
    bins: int, paths: tuple[int, ...], width: float, time_constant: float, rng: np.random.Generator
) -> np.ndarray:
    """(bin, *paths) of mean 1: the positive part of an Ornstein-Uhlenbeck process of mean 0, in bins of `width` [s]."""
    memory = np.exp(-width / time_constant)
    z = rng.standard_normal((bins, *paths))
    for k in range(1, bins):
        z[k] = memory * z[k - 1] + np.sqrt(1 - memory**2) * z[k]
    return np.sqrt(2 * np.pi) * np.maximum(z, 0.0)
