"""The ramping model of single trials: a diffusion to bounds on a grid of places, and rates that follow it.

    x_0 = start,   x_(t+1) = x_t + drift_condition + sd N(0, 1),   absorbed at the bounds;   r(x) = basis(x) levels

Two forms. `baseline`: bounds at -1 and 1, start 0, rates interpolated between those at -1, 0 and 1. `no baseline`, the
model that Latimer et al. (2015) compared steps with: one bound at 1, start 1/2, rates proportional to x where it is
positive and next to nothing below, so that a lower rate has nowhere to stay. Drifts and sd are the best of a table, by
the exact likelihood of the chain; levels by expectation and maximisation.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from methods.dynamics import _chains

FLOOR = 1e-3
"""Spikes per bin."""

DRIFTS = np.linspace(-1.0, 1.0, 13) * 8.0
"""1/s: from bound to bound in a quarter of a second and slower."""

DIFFUSIONS = (0.5, 0.8, 1.2, 1.7, 2.4, 3.4)
"""Bounds per root second."""


@dataclass(frozen=True, eq=False)
class Form:
    """places (place,), start (place,), basis (place, node) and which ends absorb."""

    places: np.ndarray
    start: np.ndarray
    basis: np.ndarray
    absorbing: tuple[bool, bool]

    def first(self, levels: np.ndarray) -> np.ndarray:
        """(node, unit) to begin with, from those of a stepping model (before, lower, upper; unit)."""
        return levels[[1, 0, 2]] if self.basis.shape[1] == 3 else levels.max(axis=0, keepdims=True)


@lru_cache(maxsize=2)
def form(baseline: bool) -> Form:
    """Either form of the model."""
    if baseline:
        places = np.linspace(-1.0, 1.0, 41)
        basis = _chains.tents(places, np.array([-1.0, 0.0, 1.0]))
        return Form(places, _at(places, 0.0), basis, (True, True))
    places = np.linspace(-1.5, 1.0, 51)
    return Form(places, _at(places, 0.5), np.maximum(places, 0.01)[:, None], (False, True))


def _at(places: np.ndarray, x: float) -> np.ndarray:
    return (np.arange(len(places)) == np.abs(places - x).argmin()).astype(float)


@lru_cache(maxsize=4)
def table(baseline: bool, width: float) -> np.ndarray:
    """(diffusion, drift, from, to) in bins of `width` [s]."""
    kind = form(baseline)
    return np.array(
        [
            [_chains.diffusing(kind.places, drift * width, sd * np.sqrt(width), kind.absorbing) for drift in DRIFTS]
            for sd in DIFFUSIONS
        ]
    )


@dataclass(frozen=True, eq=False)
class RampModel:
    """levels (node, unit), moves (condition, from, to); diffusion: bounds per root second."""

    kind: Form
    levels: np.ndarray
    moves: np.ndarray
    diffusion: float

    def emissions(self, counts: np.ndarray, exposure: np.ndarray) -> np.ndarray:
        """Log likelihood (trial, bin, place)."""
        return _chains.emissions(counts, np.maximum(self.kind.basis @ self.levels, FLOOR), exposure)

    def likelihood(self, counts: np.ndarray, condition: np.ndarray, exposure: np.ndarray) -> np.ndarray:
        """Log likelihood (trial,), but for the factorials."""
        return _chains.likelihood(self.emissions(counts, exposure), self.kind.start, self.moves, condition)


def fitted(
    counts: np.ndarray, condition: np.ndarray, exposure: np.ndarray, levels: np.ndarray, width: float,
    *, baseline: bool = True, rounds: int = 3, inner: int = 3,
) -> RampModel:  # fmt: skip
    """The model of these trials, from first guesses of the levels (before, lower, upper; unit)."""
    kind, n_conditions = form(baseline), int(condition.max()) + 1
    every = table(baseline, width)
    middle = every[len(DIFFUSIONS) // 2, len(DRIFTS) // 2]
    first = np.maximum(kind.first(levels), FLOOR)
    model = RampModel(kind, first, np.tile(middle, (n_conditions, 1, 1)), float("nan"))
    for _ in range(rounds):
        model = _searched(model, counts, condition, exposure, every)
        for _ in range(inner):
            model = RampModel(kind, _levels(model, counts, condition, exposure), model.moves, model.diffusion)
    return model


def _searched(
    model: RampModel, counts: np.ndarray, condition: np.ndarray, exposure: np.ndarray, every: np.ndarray
) -> RampModel:
    """The same with the best diffusion of the table, and with each condition's best drift at it."""
    emission, start = model.emissions(counts, exposure), model.kind.start
    likely = np.array([[_chains.likelihood(emission, start, moves) for moves in row] for row in every])
    member = np.eye(int(condition.max()) + 1)[condition]
    by = likely @ member  # (diffusion, drift, condition)
    best = int(by.max(axis=1).sum(axis=1).argmax())
    return RampModel(model.kind, model.levels, every[best, by[best].argmax(axis=0)], DIFFUSIONS[best])


def _levels(model: RampModel, counts: np.ndarray, condition: np.ndarray, exposure: np.ndarray) -> np.ndarray:
    """(node, unit) one round better."""
    _, chance, _ = _chains.posterior(model.emissions(counts, exposure), model.kind.start, model.moves, condition)
    fired = np.einsum("tbk,tbu->ku", chance, counts)
    lasted = np.einsum("tbk,tu->ku", chance, exposure)
    return _chains.refined(model.levels, model.kind.basis, fired, lasted, FLOOR)
