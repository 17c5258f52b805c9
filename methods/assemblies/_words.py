"""Binary words: who fires together in a bin, how often by chance, and how much of it pairs explain."""

from __future__ import annotations

import numpy as np

MOST_BITS = 10
"""Of a word whose every state is enumerated: 1024."""


def pair_excess(words: np.ndarray, block: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Excess coincidences of every pair over those of independent units, as phi and as t (unit, unit).

    words: (bin, unit) 0 or 1. The excess sum_b (s_ib - q_i)(s_jb - q_j), whose standard error is that of its sums over
    blocks (bin,), as bins of one block need not be independent; phi is it over that of a unit with itself. The
    diagonal is 0. Blocks: at least two.
    """
    n_units, parts = words.shape[1], int(block.max()) + 1
    centred = words - words.mean(axis=0)
    total, square = np.zeros((n_units, n_units)), np.zeros((n_units, n_units))
    for part in range(parts):
        mine = centred[block == part]
        excess = mine.T @ mine
        total += excess
        square += excess**2
    scale = np.sqrt(np.diag(total))
    phi = total / np.maximum(np.outer(scale, scale), 1e-300)
    error = np.sqrt(np.maximum(square - total**2 / parts, 0) * parts / (parts - 1))
    t = np.where(total == 0, 0.0, total / np.maximum(error, 1e-12))
    np.fill_diagonal(phi, 0.0)
    np.fill_diagonal(t, 0.0)
    return phi, t


def synchrony(words: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities that so many units fire in one bin (count,), 0 to all: observed, and of independent units."""
    n_units = words.shape[1]
    observed = np.bincount(words.sum(axis=1).astype(int), minlength=n_units + 1) / len(words)
    independent = np.ones(1)
    for chance in words.mean(axis=0):
        independent = np.convolve(independent, [1 - chance, chance])
    return observed, independent


def synchronous_excess(words: np.ndarray, rare: float = 1e-3) -> float:
    """How many times more often than in independent units words with many spikes come: with so many that independent
    units reach them in a share of at most `rare` of all bins (Schneidman et al. 2006, Nature 440:1007, fig. 1)."""
    observed, independent = synchrony(words)
    tail, seen = (np.cumsum(p[::-1])[::-1] for p in (independent, observed))
    many = int(np.argmax(tail <= rare)) if (tail <= rare).any() else len(tail) - 1
    return float(seen[many] / max(tail[many], 1e-300))


def pairwise_share(words: np.ndarray) -> float:
    """Share of the words' multi-information that the pairwise maximum entropy model has: I2 / IN, NaN where IN is 0.

    words: (bin, unit), of at most `MOST_BITS` units. IN = S1 - S, I2 = S1 - S2, with S the entropy of the words, S1
    and S2 those of the models of independent units and of pairs (Schneidman et al. 2006). Entropies are of the observed
    shares: with few bins IN is too large.
    """
    n = words.shape[1]
    states = (np.arange(2**n)[:, None] >> np.arange(n)) & 1
    observed = np.bincount(words.astype(int) @ (1 << np.arange(n)), minlength=2**n) / len(words)
    q = words.mean(axis=0)
    alone = _entropy(np.prod(np.where(states == 1, q, 1 - q), axis=1))
    whole = alone - _entropy(observed)
    if whole < 1e-12:
        return float("nan")
    return float(np.clip((alone - _entropy(_pairwise(states.astype(float), observed))) / whole, 0.0, 1.0))


def _entropy(p: np.ndarray) -> float:
    """In bits."""
    return float(-(p[p > 0] * np.log2(p[p > 0])).sum())


def _pairwise(states: np.ndarray, observed: np.ndarray) -> np.ndarray:
    """(state,) of the model of greatest entropy with the same rates and coincidences, by its convex dual."""
    from scipy.optimize import minimize
    from scipy.special import logsumexp

    first, second = np.triu_indices(states.shape[1], 1)
    features = np.column_stack([states, states[:, first] * states[:, second]])
    wanted = observed @ features

    def dual(weights: np.ndarray) -> tuple[float, np.ndarray]:
        energy = features @ weights
        norm = logsumexp(energy)
        ridge = 1e-6 * weights  # keeps the weights of coincidences that never occur finite
        return float(norm - wanted @ weights + weights @ ridge / 2), np.exp(energy - norm) @ features - wanted + ridge

    weights = minimize(dual, np.zeros(features.shape[1]), jac=True, method="L-BFGS-B").x
    energy = features @ weights
    return np.exp(energy - logsumexp(energy))
