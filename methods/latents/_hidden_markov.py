"""Poisson hidden Markov models of a population: fits by expectation and maximisation, and what they say of new data."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from methods.dynamics import _chains

FLOOR = 1e-3
"""Spikes per bin."""


@dataclass(frozen=True, eq=False)
class Chain:
    """levels (state, unit): spikes per bin. start (state,), moves (from, to): probabilities. fit: log likelihood."""

    levels: np.ndarray
    start: np.ndarray
    moves: np.ndarray
    fit: float

    def states(self, counts: np.ndarray) -> np.ndarray:
        """Probabilities (trial, bin, state) given all of a trial's counts (trial, bin, unit)."""
        return _chains.posterior(_emissions(counts, self.levels), self.start, self.moves)[1]


def fitted(counts: np.ndarray, n_states: int, restarts: int, rounds: int, rng: np.random.Generator) -> Chain:
    """The best of some fits to counts (trial, bin, unit), each from levels at random about the mean."""
    return max((_fit(counts, n_states, rounds, rng) for _ in range(restarts)), key=lambda chain: chain.fit)


def _fit(counts: np.ndarray, n_states: int, rounds: int, rng: np.random.Generator) -> Chain:
    mean = np.maximum(counts.mean(axis=(0, 1)), FLOOR)
    levels = mean * np.exp(0.4 * rng.standard_normal((n_states, len(mean))))
    start, moves = np.full(n_states, 1 / n_states), _normal(np.full((n_states, n_states), 0.1) + 0.9 * np.eye(n_states))
    before, chain = -np.inf, None
    for _ in range(rounds):
        total, chance, pairs = _chains.posterior(_emissions(counts, levels), start, moves)
        chain = Chain(levels, start, moves, float(total.sum()))
        if chain.fit - before < 1e-4 * abs(chain.fit):
            break
        before, levels = chain.fit, levels_of(counts, chance, mean)
        start, moves = _normal(chance[:, 0].mean(axis=0) + 1e-3), _normal(pairs + 0.1)
    assert chain is not None
    return chain


def levels_of(counts: np.ndarray, chance: np.ndarray, mean: np.ndarray, weight: float = 0.1) -> np.ndarray:
    """Spikes per bin (state, unit) of these states (trial, bin, state), with a prior of `weight` bins at the mean."""
    fired, lasted = np.einsum("tbk,tbu->ku", chance, counts), chance.sum(axis=(0, 1))
    return np.asarray(np.maximum((fired + weight * mean) / (lasted[:, None] + weight), FLOOR))


def repeated(one: Chain, other: Chain, counts: np.ndarray) -> float:
    """Squared distance of states of two fits, each matched to its like, over what sampling alone would make it.

    counts (trial, bin, unit): of one fit. Distances are of square roots of levels, whose variance is 1 / (4 n) in n
    bins of a state; the least repeated state counts.
    """
    apart = np.square(np.sqrt(one.levels)[:, None] - np.sqrt(other.levels)[None]).sum(axis=2)
    first, second = linear_sum_assignment(apart)
    bins = [np.maximum(chain.states(counts).sum(axis=(0, 1)), 1.0) for chain in (one, other)]
    expected = counts.shape[2] / 4 * (1 / bins[0][first] + 1 / bins[1][second])
    return float(np.max(apart[first, second] / expected))


def _emissions(counts: np.ndarray, levels: np.ndarray) -> np.ndarray:
    return _chains.emissions(counts, levels, np.ones((len(counts), counts.shape[2])))


def _normal(weights: np.ndarray) -> np.ndarray:
    return np.asarray(weights / weights.sum(axis=-1, keepdims=True))
