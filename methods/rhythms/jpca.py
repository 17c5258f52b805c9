"""Rotations: does one skew-symmetric law move the states of all conditions, more than chance structure would have
it?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import numpy as np
import xarray as xr

from methods.population._population import odds_of_significance, smoothed, two_label_finding, unusable
from methods.rhythms._tensor_null import MaximumEntropyTensors
from simlab.contracts import Finding, Needs
from simlab.rules import Within, check_fields
from simlab.rules.quantities import Level, Repeats, Width

SOFTENING = 5.0
"""Hz (square roots of them are taken after it): what is added to a unit's range before it is divided by that range
(Churchland et al. 2012: 5 spikes/s)."""


@dataclass(frozen=True, eq=False)
class Fit:
    """skew, free: R^2 of dx/dt = M x with a skew-symmetric and with any matrix. frequency: of the fastest-turning
    plane [Hz]."""

    skew: float
    free: float
    frequency: float


@dataclass(frozen=True)
class JPCA:
    """jPCA (Churchland et al. 2012, Nature 487:51), with a null that keeps what is no rotation.

    Averages over the trials of each condition are smoothed, softly normalised, freed of the mean over conditions, and
    reduced to `n_components` principal components x(condition, time). M in dx/dt = M x is fitted by least squares,
    among skew-symmetric matrices, whose flows are pure rotations. Smooth data fit some rotation whatever made them, so
    that a large R^2 says little by itself. null `tensor`: R^2 must exceed, at `level`, that of tensors of maximum
    entropy that have the data's covariances across times, units and conditions (Elsayed & Cunningham 2017, Nat
    Neurosci 20:1310). `conditions`: that of data in which each unit's conditions are shuffled on their own. `none`:
    the published argument, that R^2 reaches `enough` and most of what any linear law explains. Takes seconds.
    """

    name: ClassVar[str] = "jpca"
    question: ClassVar[str] = "mechanism"
    family: ClassVar[str] = "linear dynamics"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = Needs(units=10, trials=12, seconds=4.0, conditions=True)

    rotation: str = "rotational dynamics"
    rival: str = "condition-dependent sequence"
    null: Literal["tensor", "conditions", "none"] = "tensor"
    n_components: Annotated[int, Within(2, 100)] = 6
    bin_width: Width = 0.01  # s
    smoothing: Width = 0.04  # s, sd of the Gaussian kernel (Churchland et al. 2012: 20 to 24 ms)
    sampling: Width = 0.02  # s between the samples that are fitted
    window: tuple[Width, Width] = (0.02, 0.6)
    """s of the trial: from movement onset on, while rotations last (Churchland et al. 2012: some 200 to 300 ms)."""
    n_surrogates: Repeats = 100
    level: Level = 0.05
    enough: Annotated[float, Within(0, 1)] = 0.4

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """The verdict; the notes give both R^2, the null's mean and the p-value."""
        if refused := unusable(recording, self.needs):
            return refused
        condition = recording["condition"].values
        tensor = self._averages(recording, condition)
        if len(tensor) < 4 or tensor.shape[1] < 8:
            return Finding.abstain(
                f"{len(tensor)} conditions of {tensor.shape[1]} samples are too few to fit a rotation"
            )
        found = fit_rotation(tensor, self.n_components, self.sampling)
        notes: dict[str, object] = {"skew": found.skew, "free": found.free, "frequency": found.frequency}
        brief = recording.attrs.get("brief", {})
        if self.null == "none":
            claimed = found.skew >= self.enough and found.skew >= 0.5 * found.free
            return two_label_finding(brief, self.rotation, self.rival, 0.8 if claimed else 0.2, notes)
        null = np.array([s.skew for s in self._surrogates(tensor, rng)])
        p = float((1 + (null >= found.skew).sum()) / (1 + len(null)))
        notes |= {"null_skew": float(null.mean()), "p": p}
        return two_label_finding(brief, self.rotation, self.rival, odds_of_significance(p, self.level), notes)

    def _averages(self, recording: xr.Dataset, condition: np.ndarray) -> np.ndarray:
        """(condition, time, unit): normalised means of each condition minus the mean over conditions."""
        values, step = smoothed(recording, self.bin_width, self.smoothing)
        times = (np.arange(values.shape[1]) + 0.5) * step
        inside = np.flatnonzero((times >= self.window[0]) & (times < self.window[1]))[
            :: max(1, round(self.sampling / step))
        ]
        means = np.stack([values[condition == c][:, inside].mean(axis=0) for c in np.unique(condition)])
        means = means / (np.ptp(means, axis=(0, 1)) + np.sqrt(SOFTENING))
        return np.asarray(means - means.mean(axis=0))

    def _surrogates(self, tensor: np.ndarray, rng: np.random.Generator) -> list[Fit]:
        if self.null == "conditions":
            made = (_shuffled(tensor, rng) for _ in range(self.n_surrogates))
        else:
            source = MaximumEntropyTensors.like(tensor)
            made = (source.draw(rng) for _ in range(self.n_surrogates))
        return [fit_rotation(surrogate, self.n_components, self.sampling) for surrogate in made]


def fit_rotation(tensor: np.ndarray, n_components: int, step: float) -> Fit:
    """The linear laws that fit x(condition, time, unit), sampled every `step` [s], after a reduction by PCA."""
    flat = tensor.reshape(-1, tensor.shape[2])
    _, vectors = np.linalg.eigh(np.cov(flat.T))
    x = (tensor - flat.mean(axis=0)) @ vectors[:, ::-1][:, :n_components]
    speed = np.diff(x, axis=1).reshape(-1, x.shape[2]) / step
    state = ((x[:, 1:] + x[:, :-1]) / 2).reshape(-1, x.shape[2])
    total = float(np.sum(speed**2))
    free = np.linalg.pinv(state.T @ state) @ (state.T @ speed)
    skew = _skew_fit(state, speed)
    turning = np.abs(np.linalg.eigvals(skew).imag).max() / (2 * np.pi)
    left = [float(np.sum((speed - state @ law) ** 2)) for law in (skew, free)]
    return Fit(1 - left[0] / total, 1 - left[1] / total, float(turning))


def _skew_fit(state: np.ndarray, speed: np.ndarray) -> np.ndarray:
    """The skew-symmetric K that minimises |speed - state K|: K C + C K = B - B', C = state' state, B = state' speed."""
    from scipy.linalg import solve_continuous_lyapunov

    covariance, cross = state.T @ state, state.T @ speed
    covariance = covariance + 1e-9 * np.trace(covariance) * np.eye(len(covariance))
    return np.asarray(solve_continuous_lyapunov(covariance, cross - cross.T))


def _shuffled(tensor: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Each unit's conditions in an order of its own: its time courses stay, its company goes."""
    return np.stack([tensor[rng.permutation(len(tensor)), :, i] for i in range(tensor.shape[2])], axis=2)
