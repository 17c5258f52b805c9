"""Hidden Markov chains on a few states or on a grid of places: likelihood, posterior, and Poisson rates of each state.

counts (trial, bin, unit), emission (trial, bin, state) log probabilities but for the factorial of the counts, moves
(condition, from, to) or (from, to), start (state,). Everything is plain numpy, scaled bin by bin (Rabiner 1989, Proc
IEEE 77:257).
"""

from __future__ import annotations

import numpy as np
from scipy.stats import norm

SMALLEST = 1e-300


def emissions(counts: np.ndarray, means: np.ndarray, exposure: np.ndarray) -> np.ndarray:
    """Log likelihood (trial, bin, state) of counts with means (state, unit) times exposure (trial, unit)."""
    logs = counts @ np.log(means).T + (counts @ np.log(exposure)[:, :, None])
    return logs - (exposure @ means.T)[:, None, :]


def _scaled(emission: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """exp(emission - its greatest over states), and that greatest (trial, bin)."""
    top = emission.max(axis=2)
    return np.exp(emission - top[:, :, None]), top


def _moved(state: np.ndarray, moves: np.ndarray, condition: np.ndarray | None) -> np.ndarray:
    """state (trial, from) @ moves, each trial by its condition's."""
    if moves.ndim == 2:
        return state @ moves
    found = np.empty_like(state)
    for level in range(len(moves)):
        mine = condition == level
        found[mine] = state[mine] @ moves[level]
    return found


def likelihood(
    emission: np.ndarray, start: np.ndarray, moves: np.ndarray, condition: np.ndarray | None = None
) -> np.ndarray:
    """Log likelihood (trial,)."""
    return forward(emission, start, moves, condition)[0]


def forward(
    emission: np.ndarray, start: np.ndarray, moves: np.ndarray, condition: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Log likelihood (trial,); filtered probabilities (trial, bin, state); and each bin's norm (trial, bin)."""
    weight, top = _scaled(emission)
    state = np.broadcast_to(start, weight[:, 0].shape)
    filtered, norms = np.empty_like(weight), np.empty_like(top)
    for k in range(weight.shape[1]):
        state = (_moved(state, moves, condition) if k else state) * weight[:, k]
        norms[:, k] = np.maximum(state.sum(axis=1), SMALLEST)
        state = state / norms[:, k, None]
        filtered[:, k] = state
    return (np.log(norms) + top).sum(axis=1), filtered, norms


def posterior(
    emission: np.ndarray, start: np.ndarray, moves: np.ndarray, condition: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Log likelihood (trial,), posterior (trial, bin, state), expected moves (from, to) over all trials and bins."""
    total, filtered, norms = forward(emission, start, moves, condition)
    weight, _ = _scaled(emission)
    ahead = np.ones_like(weight[:, 0])
    found = np.empty_like(weight)
    found[:, -1] = filtered[:, -1]
    pairs = np.zeros(moves.shape[-2:])
    backward = np.swapaxes(moves, -1, -2)
    for k in range(weight.shape[1] - 2, -1, -1):
        coming = weight[:, k + 1] * ahead / norms[:, k + 1, None]
        pairs += filtered[:, k].T @ coming
        ahead = _moved(coming, backward, condition)
        found[:, k] = filtered[:, k] * ahead
    return total, found, pairs * moves if moves.ndim == 2 else pairs


def diffusing(
    places: np.ndarray, drift: float, sd: float, absorbing: tuple[bool, bool], keep: float = 1.0
) -> np.ndarray:
    """(from, to): a step of keep x + drift + sd N(0, 1) among even places, kept within them; which ends absorb."""
    edges = (places[1:] + places[:-1]) / 2
    below = norm.cdf((edges - keep * places[:, None] - drift) / sd)
    n = len(places)
    moves = np.diff(np.concatenate([np.zeros((n, 1)), below, np.ones((n, 1))], axis=1), axis=1)
    for end, absorbs in zip((0, -1), absorbing, strict=True):
        if absorbs:
            moves[end] = np.eye(n)[end]
    return moves


def tents(places: np.ndarray, nodes: np.ndarray) -> np.ndarray:
    """(place, node): weights by which a value at each place is interpolated between those at the nodes."""
    return np.stack([np.interp(places, nodes, row) for row in np.eye(len(nodes))], axis=1)


def refined(
    node_means: np.ndarray, basis: np.ndarray, spikes: np.ndarray, exposure: np.ndarray, floor: float, rounds: int = 10
) -> np.ndarray:
    """Means (node, unit) that raise the expected log likelihood of Poisson counts with means basis @ node_means.

    spikes, exposure: (state, unit) expected counts and exposure in each state. Multiplicative steps, each of which
    raises it (Richardson 1972, J Opt Soc Am 62:55; Lucy 1974), and keep means above `floor`.
    """
    found = node_means
    weight = np.maximum(basis.T @ exposure, SMALLEST)
    for _ in range(rounds):
        ratio = spikes / np.maximum(basis @ found, SMALLEST)
        found = np.maximum(found * (basis.T @ ratio) / weight, floor)
    return found
