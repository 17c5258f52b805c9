"""Linear dynamics that switch: an autoregression of order one whose map a hidden Markov chain chooses.

    x(t + 1) = A_k x(t) + b_k + w,  w ~ N(0, Q_k),   k(t) a Markov chain

Arrays: x (trial, bin, dim); the first bin of a trial is given. A switching linear dynamical system without noise of
measurement (Hamilton 1990, J Econom 45:39; Ghahramani & Hinton 2000, Neural Comput 12:831; Linderman et al. 2017).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import solve_discrete_lyapunov

from methods.dynamics import _chains

STAY = 0.95
"""Probability of staying in a regime, at first."""

NARROWEST = 1e-4
"""Least variance of a regime's noise, over that of x."""

LIGHTEST = 1.0
"""Bins' worth of white x that are mixed into each fit, so that a regime that is left empty stays finite."""


@dataclass(frozen=True, eq=False)
class Regimes:
    """`maps` (regime, dim + 1, dim): rows A', then b; `noise` (regime, dim, dim); `moves` (from, to); `start`."""

    maps: np.ndarray
    noise: np.ndarray
    moves: np.ndarray
    start: np.ndarray

    def emissions(self, x: np.ndarray) -> np.ndarray:
        """Log density (trial, bin - 1, regime) of each step under each regime."""
        found = []
        for map_, noise in zip(self.maps, self.noise, strict=True):
            left = x[:, 1:] - (x[:, :-1] @ map_[:-1] + map_[-1])
            far = (left * (left @ np.linalg.inv(noise))).sum(axis=2)
            found.append(-(far + np.linalg.slogdet(2 * np.pi * noise)[1]) / 2)
        return np.stack(found, axis=2)

    def likelihood(self, x: np.ndarray) -> np.ndarray:
        """Log likelihood (trial,) of all but the first bin, exact."""
        return _chains.likelihood(self.emissions(x), self.start, self.moves)

    @property
    def dwell(self) -> np.ndarray:
        """(regime,) bins for which each lasts on average."""
        return np.asarray(1 / np.maximum(1 - np.diag(self.moves), 1e-9))

    @property
    def time_constants(self) -> np.ndarray:
        """(regime,) bins, of the slowest mode of each; inf where one does not decay."""
        size = np.array([np.abs(np.linalg.eigvals(map_[:-1])).max() for map_ in self.maps])
        return np.where(size < 1, -1 / np.log(np.clip(size, 1e-12, 1 - 1e-12)), np.inf)

    def rest(self, regime: int) -> tuple[np.ndarray, np.ndarray] | None:
        """Where a regime would settle if it lasted, mean (dim,) and covariance; None where it would not."""
        transition = self.maps[regime, :-1].T
        if np.abs(np.linalg.eigvals(transition)).max() >= 1:
            return None
        centre = np.linalg.solve(np.eye(len(transition)) - transition, self.maps[regime, -1])
        return centre, solve_discrete_lyapunov(transition, self.noise[regime])


def fitted(x: np.ndarray, number: int, rounds: int) -> tuple[Regimes, np.ndarray]:
    """The likelier of two fits by expectation maximisation, and the posterior (trial, bin - 1, regime).

    One begins at regimes by place along the widest axis of x, one at regimes by speed.
    """
    flat = x.reshape(-1, x.shape[2])
    axis = np.linalg.eigh(np.atleast_2d(np.cov(flat.T)))[1][:, -1]
    guesses = (x[:, :-1] @ axis, np.linalg.norm(np.diff(x, axis=1), axis=2))
    tried = [_climbed(x, _in_parts(guess, number), rounds) for guess in guesses[: 1 if number == 1 else 2]]
    return max(tried, key=lambda fit: float(fit[0].likelihood(x).sum()))


def _in_parts(values: np.ndarray, number: int) -> np.ndarray:
    """(trial, bin, regime) 0 or 1: values (trial, bin) in so many parts of equal size."""
    edges = np.quantile(values, np.arange(1, number) / number)
    return np.eye(number)[np.searchsorted(edges, values)]


def _climbed(x: np.ndarray, chance: np.ndarray, rounds: int) -> tuple[Regimes, np.ndarray]:
    number = chance.shape[2]
    moves = np.full((number, number), (1 - STAY) / max(number - 1, 1)) if number > 1 else np.ones((1, 1))
    np.fill_diagonal(moves, STAY if number > 1 else 1.0)
    found = _refitted(x, chance, moves)
    for _ in range(rounds if number > 1 else 0):
        _, chance, pairs = _chains.posterior(found.emissions(x), found.start, found.moves)
        pairs = pairs + 1e-3
        found = _refitted(x, chance, pairs / pairs.sum(axis=1, keepdims=True))
    return found, chance


def _refitted(x: np.ndarray, chance: np.ndarray, moves: np.ndarray) -> Regimes:
    """The M step: weighted least squares in each regime."""
    dim = x.shape[2]
    width = x.reshape(-1, dim).var(axis=0).mean()
    after = x[:, 1:].reshape(-1, dim)
    before = np.column_stack([x[:, :-1].reshape(-1, dim), np.ones(len(after))])
    maps, noise = [], []
    for weight in chance.reshape(-1, chance.shape[2]).T:
        weighted = before.T * weight
        map_ = np.linalg.solve(weighted @ before + LIGHTEST * width * np.eye(dim + 1), weighted @ after)
        left = after - before @ map_
        spread = (left.T * weight) @ left + LIGHTEST * width * np.eye(dim)
        maps.append(map_)
        noise.append(spread / (weight.sum() + LIGHTEST) + NARROWEST * width * np.eye(dim))
    start = chance[:, 0].mean(axis=0) + 1e-6
    return Regimes(np.array(maps), np.array(noise), moves, start / start.sum())
