"""Silencing one unit and two at a time: what single lesions lose, and what pairs lose beyond their sum."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import ClassVar

import numpy as np

from methods.intervention._silencing import (
    SCORED,
    Length,
    Outcomes,
    Silencer,
    Strength,
    alone,
    discoveries,
    too_few,
)
from simlab.contracts import Finding, Needs, Rig
from simlab.rules import check_fields
from simlab.rules.quantities import Level, Repeats


@dataclass(frozen=True)
class PairwiseSilencing:
    """Importance = loss of a unit alone + half of what each pair with it loses beyond the losses of the two.

        importance_i = L_i + 1/2 sum_j (L_ij - L_i - L_j),   L: mean outcome of controls - mean outcome when silenced

    The Shapley value of a game that has no terms above the second order (Harsanyi 1963; double knock-outs and their
    epistasis: Costanzo et al. 2010, Science 327:425). A unit is decided where any of its n losses, alone and beside
    each other unit that is silenced, differs from 0: the smallest p (normal approximation) times n, then a false
    discovery rate of `alpha` over units (Benjamini & Hochberg 1995).

    Cost: n + n (n - 1) / 2 interventions, as many sets of `trials_each` trials, and controls. It finds the redundancy
    of two, and misses that of three; where orders above the second matter, its importances do not add up to the whole.
    """

    name: ClassVar[str] = "pairwise_silencing"
    question: ClassVar[str] = "necessity"
    family: ClassVar[str] = "lesion"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = SCORED

    alpha: Level = 0.05
    trials_each: Repeats = 200
    """Of each set, if the budget allows."""
    fewest_each: Repeats = 5
    """Without which it abstains."""
    duration: Length = 1.0
    strength: Strength = 1.0

    def __post_init__(self) -> None:
        check_fields(self)

    def investigate(self, rig: Rig, rng: np.random.Generator) -> Finding:
        """One session: all singles, all pairs and controls by turns."""
        silencer = Silencer(rig, self.duration, self.strength)
        n = silencer.n_units
        pairs = np.array(list(combinations(range(n), 2)), dtype=int).reshape(-1, 2)
        trials = min(silencer.affordable(n + len(pairs), controls=1), self.trials_each)
        if trials < self.fewest_each:
            return too_few(rig, f"{self.fewest_each} trials of each of {n} units and {len(pairs)} pairs, and controls")
        found = silencer.outcomes(np.concatenate([np.zeros((1, n), bool), alone(n), _both(pairs, n)]), trials)
        if isinstance(found, Finding):
            return found
        weights = _weights(pairs, n)
        value, error = weights @ found.mean, np.sqrt(weights**2 @ found.error**2)
        p = _p_of_units(found, pairs, n)
        interaction = np.zeros((n, n))
        interaction[pairs[:, 0], pairs[:, 1]] = _interactions(found.mean, pairs, n)
        notes = {
            "standard_error": error, "p": p, "trials_each": trials, "interaction": interaction + interaction.T,
        }  # fmt: skip
        return Finding({"importance": value, "decided": discoveries(p, self.alpha)}, notes=notes)


def _both(pairs: np.ndarray, n_units: int) -> np.ndarray:
    """(pair, unit) bool: the two of each pair."""
    return (pairs[:, :, None] == np.arange(n_units)).any(axis=1)


def _interactions(mean: np.ndarray, pairs: np.ndarray, n_units: int) -> np.ndarray:
    """(pair,) what each pair loses beyond the losses of the two."""
    lost = mean[0] - mean[1:]
    return lost[n_units:] - lost[pairs].sum(axis=1)


def _weights(pairs: np.ndarray, n_units: int) -> np.ndarray:
    """(unit, set) of the outcomes (controls, singles, pairs) whose weighted sums are the importances."""
    n_sets = 1 + n_units + len(pairs)
    mean = np.eye(n_sets)
    lost = mean[0] - mean[1:]  # (single or pair, set): each loss as a sum over sets
    weights = lost[:n_units].copy()
    for number, (i, j) in enumerate(pairs):
        beyond = lost[n_units + number] - lost[i] - lost[j]
        weights[i] += beyond / 2
        weights[j] += beyond / 2
    return weights


def _p_of_units(found: Outcomes, pairs: np.ndarray, n_units: int) -> np.ndarray:
    """(unit,) p of whether any loss of the unit, alone or beside another that is silenced, differs from 0."""
    from scipy.stats import norm

    pair = 1 + n_units + np.arange(len(pairs))
    i, j = pairs.T
    unit = np.concatenate([np.arange(n_units), i, j])
    before = np.concatenate([np.zeros(n_units, int), 1 + j, 1 + i])
    after = np.concatenate([1 + np.arange(n_units), pair, pair])
    z = (found.mean[before] - found.mean[after]) / np.hypot(found.error[before], found.error[after])
    least = np.ones(n_units)
    np.minimum.at(least, unit, 2 * norm.sf(np.abs(z)))
    return np.minimum(n_units * least, 1.0)
