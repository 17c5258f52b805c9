"""What questions about the parts of a behaviour share: the game among all neurons as the game among recorded units."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
import xarray as xr

from simlab.coalitions import CLOSE, subgame
from simlab.contracts import SimlabError, Variable
from simlab.questions import ranking
from simlab.questions.connectivity import activity_level

GAME: Mapping[str, Variable] = MappingProxyType(
    {"value": Variable(("coalition",), optional=True), "player": Variable(("player",), "whole", optional=True, low=0)}
)
"""Of a truth: v of every set of players (`simlab.coalitions`), and which neuron each player is."""


def unit_game(truth: xr.Dataset, neuron: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The table over the sets of players that were recorded, the others intact, and which of them each unit is.

    neuron: (unit,), of `dominant_neurons`. The second result is (unit,), -1 for a unit that is no player. Of two units
    that are the same neuron both are the same player.
    """
    player, values = np.asarray(truth["player"].values, dtype=int), np.asarray(truth["value"].values, dtype=float)
    if len(values) != 2 ** len(player):
        raise SimlabError(
            f"a game of {len(player)} players has {2 ** len(player)} values, got {len(values)}: state that of every set"
        )
    seen = [i for i, p in enumerate(player) if p in set(neuron.tolist())]
    place = {int(player[i]): k for k, i in enumerate(seen)}
    return subgame(values, np.array(seen, dtype=int)), np.array([place.get(int(n), -1) for n in neuron], dtype=int)


def rank_correlation(said: np.ndarray, true: np.ndarray) -> float:
    """Spearman's; NaN where the truth does not vary, 0 where the answer does not, which tells nothing."""
    from scipy.stats import rankdata

    if len(true) < 2 or np.ptp(true) <= CLOSE:
        return float("nan")
    said, true = rankdata(np.round(said, 9)), rankdata(np.round(true, 9))
    return float(np.corrcoef(said, true)[0, 1]) if np.ptp(said) > 0 else 0.0


def order(said: np.ndarray, true: np.ndarray) -> float:
    """Of the pairs that truly differ, the share in the right order less that in the wrong one; NaN for no such pair."""
    step = np.where(np.abs(gap := true[:, None] - true) > CLOSE, np.sign(gap), 0.0)
    return ranking.ratio(float((np.sign(np.round(said[:, None] - said, 9)) * step).sum()), float(np.abs(step).sum()))


def busiest(recording: xr.Dataset, n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Each unit's activity (unit,), and which n are the most active (unit,) bool, ties broken at random."""
    level = activity_level(recording)
    return level, largest(level, n, rng)


def largest(values: np.ndarray, n: int, rng: np.random.Generator) -> np.ndarray:
    """(unit,) bool: the n largest, ties broken at random."""
    chosen = np.zeros(len(values), dtype=bool)
    chosen[np.lexsort((rng.random(len(values)), -values))[:n]] = True
    return chosen
