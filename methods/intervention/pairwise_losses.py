"""Singles and pairs: lesions of two at a time show who stands in for whom, as far as two at a time can."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import ClassVar, Literal

import numpy as np

from methods.intervention._prediction import among, prediction, to_predict
from methods.intervention._silencing import SCORED, Length, Outcomes, Silencer, Strength, alone, too_few
from simlab.contracts import Finding, Needs, Rig
from simlab.rules import check_fields
from simlab.rules.quantities import Repeats


@dataclass(frozen=True)
class PairwiseLosses:
    """Silences units one and two at a time and predicts larger sets from these.

    `weakest` (rule): the lowest outcome that any single or pair within the set has left. Right where a set fails by one
    part or by one pair of substitutes; a triple of substitutes looks intact. `expansion`: losses and what pairs lose
    beyond their singles, added up, the second order of an expansion in which higher orders are nothing (epistasis:
    Weinreich et al. 2013, Curr Opin Genet Dev 23:700); where one loss is total, losses of pairs alternate in sign and
    the sum of three is no loss at all.

    Pairs that the brief holds out cannot be measured: `expansion` takes them as the sum of their units' losses, and
    `weakest` as the worse of the two. Cost: `trials_each` trials of n units, n (n - 1) / 2 pairs and controls; of pairs
    as many, at random, as the budget buys with `fewest_each` trials.
    """

    name: ClassVar[str] = "pairwise_losses"
    question: ClassVar[str] = "intervention_response"
    family: ClassVar[str] = "lesion"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = SCORED

    rule: Literal["weakest", "expansion"] = "weakest"
    trials_each: Repeats = 50
    """Of each unit and each pair, if the budget allows."""
    fewest_each: Repeats = 5
    """Without which it leaves pairs out, or abstains."""
    duration: Length = 1.0
    strength: Strength = 1.0

    def __post_init__(self) -> None:
        check_fields(self)

    def investigate(self, rig: Rig, rng: np.random.Generator) -> Finding:
        """One session: every unit and pair by turns, and controls in between."""
        silencer = Silencer(rig, self.duration, self.strength)
        n = silencer.n_units
        wanted = to_predict(rig.brief, n)
        if isinstance(wanted, Finding):
            return wanted
        done, trials = self._chosen(silencer, np.concatenate([alone(n), _pairs(n, wanted, rng)]))
        if trials < self.fewest_each:
            return too_few(rig, f"{self.fewest_each} trials of each of {n} units, and as many controls")
        found = silencer.outcomes(np.concatenate([np.zeros((1, n), bool), done]), trials)
        if isinstance(found, Finding):
            return found
        predict = _weakest if self.rule == "weakest" else _expanded
        outcome, error = predict(done, found, wanted)
        return prediction(outcome, error, trials_each=trials, pairs=len(done) - n)

    def _chosen(self, silencer: Silencer, sets: np.ndarray) -> tuple[np.ndarray, int]:
        """As many of the sets (set, unit), the first ones, as the budget buys, at least all units; trials of each."""
        n = silencer.n_units
        for count in range(len(sets), n - 1, -1):
            trials = min(silencer.affordable(count, controls=1), self.trials_each)
            if trials >= self.fewest_each:
                return sets[:count], trials
        return sets[:n], 0


def _pairs(n_units: int, held_out: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """(pair, unit) bool: all pairs that are not held out, in a random order."""
    index = np.array(list(combinations(range(n_units), 2)), dtype=int).reshape(-1, 2)
    pairs = np.zeros((len(index), n_units), dtype=bool)
    np.put_along_axis(pairs, index, True, axis=1)
    return rng.permutation(pairs[~among(pairs, held_out)])


def _weakest(done: np.ndarray, found: Outcomes, wanted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Outcome and standard error (intervention,): of the worst set (set, unit) within each that is wanted."""
    within = ~(done[None, :, :] & ~wanted[:, None, :]).any(axis=2)
    worst = np.where(within, found.mean[None, 1:], np.inf).argmin(axis=1)
    return found.mean[1:][worst], found.error[1:][worst]


def _expanded(done: np.ndarray, found: Outcomes, wanted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Outcome and standard error (intervention,) of the expansion, which is linear in what was measured.

    m(set) = m(none) - sum_i l_i - sum_ij [l_ij - l_i - l_j]: weights of the control, the singles and the pairs.
    """
    n = done.shape[1]
    within = ~(done[None, :, :] & ~wanted[:, None, :]).any(axis=2)
    pair = within[:, n:].astype(float)
    single = within[:, :n] - pair @ done[n:]
    control = 1 - single.sum(axis=1) - pair.sum(axis=1)
    weight = np.concatenate([control[:, None], single, pair], axis=1)
    return weight @ found.mean, np.sqrt(weight**2 @ found.error**2)
