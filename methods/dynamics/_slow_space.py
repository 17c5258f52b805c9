"""The directions of activity in which the past lasts, fitted as a linear map, and the shape of what lies in them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

MOST = 6
"""Directions that are looked at."""


@dataclass(frozen=True, eq=False)
class SlowSpace:
    """axes (unit, factor): orthonormal, in order of how much of the variance lasts. time_constants (factor,) [s]: of
    the fitted map's modes, slowest first; frequencies (factor,) [Hz]. states (trial, factor): means of the delay."""

    axes: np.ndarray
    time_constants: np.ndarray
    frequencies: np.ndarray
    states: np.ndarray

    @property
    def n_slow(self) -> int:
        """How many directions there are."""
        return self.axes.shape[1]

    @property
    def roundness(self) -> float:
        """Coefficient of variation of the distance from the middle, in the two first directions: 0 on a circle."""
        plane = self.states[:, :2] - _middle(self.states[:, :2])
        radius = np.linalg.norm(plane / np.maximum(plane.std(axis=0), 1e-12), axis=1)
        return float(radius.std() / radius.mean())

    @property
    def split(self) -> float:
        """Share of the first direction's variance between two clusters: .64 for a normal law, .75 for an even one."""
        values = np.sort(self.states[:, 0])
        total = ((values - values.mean()) ** 2).sum()
        within = [((part - part.mean()) ** 2).sum() for k in range(1, len(values)) for part in (values[:k], values[k:])]
        return float(1 - min(np.add(within[::2], within[1::2])) / total) if total > 0 else 0.0


def _middle(points: np.ndarray) -> np.ndarray:
    return (points.min(axis=0) + points.max(axis=0)) / 2


def slow_space(
    values: np.ndarray, step: float, lag: float, level: float, n_shuffles: int, rng: np.random.Generator
) -> SlowSpace:
    """Of values (trial, time, unit), in bins of `step` [s].

    The axes are the eigenvectors of the covariance, over trials, of the delay's first half with its second,
    symmetrised: noise of single bins and units has no share in it. As many are kept as have eigenvalues above those
    of shuffled trials (the largest at `level`). In them, x(t + lag) = A x(t) + b is fitted with x(t - lag) as
    instrument, which the noise of bins does not bias, and the eigenvalues m of A give the time constants -lag / ln|m|
    and frequencies.
    """
    centred = values - values.mean(axis=0)
    early, late = np.array_split(centred, 2, axis=1)
    first, second = early.mean(axis=1), late.mean(axis=1)
    kept = _lasting(first, second)
    null = [np.linalg.eigvalsh(_lasting(first, second[rng.permutation(len(second))]))[-1] for _ in range(n_shuffles)]
    powers, vectors = np.linalg.eigh(kept)
    n_slow = int((powers > np.quantile(null, 1 - level)).sum())
    axes = vectors[:, ::-1][:, : min(n_slow, MOST)]
    times, frequencies = _modes(centred @ axes, step, lag)
    return SlowSpace(axes, times, frequencies, values.mean(axis=1) @ axes)


def _lasting(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    crossed = first.T @ second / len(first)
    return (crossed + crossed.T) / 2


def _modes(x: np.ndarray, step: float, lag: float) -> tuple[np.ndarray, np.ndarray]:
    """Time constants [s] and frequencies [Hz] of the modes of a map fitted to x (trial, time, factor)."""
    if x.shape[2] == 0:
        return np.zeros(0), np.zeros(0)
    k = max(1, min(round(lag / step), (x.shape[1] - 1) // 2))
    before, now, after = (x[:, i : x.shape[1] - 2 * k + i].reshape(-1, x.shape[2]) for i in (0, k, 2 * k))
    fitted = np.linalg.lstsq(before.T @ now, before.T @ after, rcond=None)[0]
    modes = np.linalg.eigvals(fitted)
    size = np.clip(np.abs(modes), 1e-6, 1 - 1e-6)
    times, order = -k * step / np.log(size), np.argsort(-size)
    return times[order], np.abs(np.angle(modes[order])) / (2 * np.pi * k * step)
