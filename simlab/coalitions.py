"""What every set of parts achieves together: exact Shapley values, minimal circuits, faithfulness.

A table of values (2**n,) holds v(S), how well the subject does with the parts of S intact and all others silenced, for
every set S of n parts. Set number c holds part i where bit i of c is 1: set 0 is none of them, the last one is all.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import factorial

import numpy as np

from simlab.rules import require

MOST_PARTS = 16
"""Parts whose sets are enumerated: 65,536 of them."""

CLOSE = 1e-9
"""Values nearer to one another than this are the same."""


def members(n_parts: int) -> np.ndarray:
    """(2**n, n) bool: who belongs to each set."""
    require(
        0 <= n_parts <= MOST_PARTS, f"sets of at most {MOST_PARTS} parts are enumerated, got {n_parts}: sample them"
    )
    return (np.arange(2**n_parts)[:, None] >> np.arange(n_parts)) & 1 == 1


def number_of(chosen: np.ndarray) -> int:
    """The number of the set whose parts are marked (part,)."""
    return int(np.sum(2 ** np.flatnonzero(chosen)))


def n_parts_of(values: np.ndarray) -> int:
    """How many parts a table of values is of; raises SimlabError where its length is no power of two."""
    n = max(len(values).bit_length() - 1, 0)
    require(len(values) == 2**n, f"a table of n parts has 2**n values, got {len(values)}: one for each set")
    return n


def shapley(values: np.ndarray) -> np.ndarray:
    """The Shapley value of each part (part,): what it adds, averaged over all orders of joining (Shapley 1953).

    phi_i = sum over S without i of |S|! (n - |S| - 1)! / n! [v(S + i) - v(S)]
    """
    n = n_parts_of(values)
    inside = members(n)
    size = inside.sum(axis=1)
    weight = np.array([factorial(s) * factorial(n - s - 1) / factorial(n) for s in range(n)] or [1.0])
    result = np.empty(n)
    for part in range(n):
        without = np.flatnonzero(~inside[:, part])
        result[part] = np.sum(weight[size[without]] * (values[without + 2**part] - values[without]))
    return result


def single_losses(values: np.ndarray) -> np.ndarray:
    """(part,) what is lost when each part alone is silenced."""
    n = n_parts_of(values)
    return values[-1] - values[len(values) - 1 - 2 ** np.arange(n)] if n else np.empty(0)


def subgame(values: np.ndarray, parts: np.ndarray) -> np.ndarray:
    """The table over the sets of some parts (index,), the others intact: what an experimenter who sees these can do."""
    n, parts = n_parts_of(values), np.asarray(parts, dtype=int)
    others = (2**n - 1) & ~int(np.sum(2**parts))
    return values[members(len(parts)) @ (2**parts) + others]


def with_lapses(values: np.ndarray, lapse: float | np.ndarray) -> np.ndarray:
    """The expected table where each part that is intact fails on its own with probability `lapse`, one or (part,)."""
    n, result = n_parts_of(values), np.array(values, dtype=float)
    inside = members(n)
    for part, fails in enumerate(np.broadcast_to(lapse, (n,))):
        here = np.flatnonzero(inside[:, part])
        result[here] = (1 - fails) * result[here] + fails * result[here - 2**part]
    return result


def faithfulness(values: np.ndarray) -> np.ndarray:
    """(set,) what each set alone achieves of what all parts add: 0 for none of them, 1 for all.

    Where the parts add nothing, every set achieves it all.
    """
    gain = values[-1] - values[0]
    return (values - values[0]) / gain if abs(gain) > CLOSE else np.ones(len(values))


def minimal_sets(values: np.ndarray, least: float) -> np.ndarray:
    """(circuit, part) bool: all sets that are faithful to at least this share, and of which no proper subset is.

    There can be many of them: where two parts do the same, a circuit needs either (Meloux et al. 2025, ICLR).
    """
    n = n_parts_of(values)
    enough = faithfulness(values) >= least - CLOSE
    inside, below = members(n), np.zeros(len(values), bool)
    reached = enough.copy()  # whether the set or any of its subsets is enough
    for part in range(n):
        here = np.flatnonzero(inside[:, part])
        reached[here] |= reached[here - 2**part]
    for part in range(n):
        here = np.flatnonzero(inside[:, part])
        below[here] |= reached[here - 2**part]
    return inside[enough & ~below]


@dataclass(frozen=True, eq=False)
class Estimated:
    """Shapley values (part,) from random orders of joining, with their standard errors."""

    value: np.ndarray
    error: np.ndarray


def sampled_shapley(
    achieved: Callable[[np.ndarray], np.ndarray], n_parts: int, orders: int, rng: np.random.Generator
) -> Estimated:
    """Shapley values by joining in random orders (Castro et al. 2009): for more parts than can be enumerated.

    achieved: v of many sets at once, (set, part) bool -> (set,). orders: of joining, at least 2; each costs n + 1 sets.
    """
    require(orders >= 2, f"a standard error takes at least 2 orders, got {orders}")
    ranks = rng.random((orders, n_parts)).argsort(axis=1).argsort(axis=1)
    sets = ranks[:, None, :] < np.arange(n_parts + 1)[None, :, None]
    values = achieved(sets.reshape(-1, n_parts)).reshape(orders, n_parts + 1)
    added = np.take_along_axis(np.diff(values, axis=1), ranks, axis=1)
    return Estimated(added.mean(axis=0), added.std(axis=0, ddof=1) / np.sqrt(orders))
