"""Many lesions at once: sets at random, and the logic that their outcomes follow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np

from methods.intervention._prediction import among, to_predict
from methods.intervention._silencing import SCORED, Length, Outcomes, Silencer, Strength, too_few
from simlab.contracts import Finding, Needs, Rig
from simlab.rules import Within, check_fields
from simlab.rules.quantities import Repeats

MOST_DRAWS = 50
"""Draws per set that is wanted, after which there are no more new ones."""


@dataclass(frozen=True)
class LogicRegression:
    """Silences random sets of units, of all sizes, and fits trees of AND and OR to what they leave of the outcome.

    A regression tree splits by whether a unit is intact: each leaf is an AND of units that are intact or silenced, and
    leaves of one outcome are joined by OR, so that any logic of parts is a tree (Breiman et al. 1984; logic regression
    proper searches such expressions directly: Ruczinski et al. 2003, J Comput Graph Stat 12:475). `trees` of them are
    grown on sets drawn again with replacement; the prediction is their mean, its interval their 2.5 to 97.5 percent.
    It needs no list of pairs: one trial tells of all units. Where there are more units than sets, what a tree has not
    seen it takes for irrelevant. Cost: `sets` x `trials_each` trials and as many interventions as sets.
    """

    name: ClassVar[str] = "logic_regression"
    question: ClassVar[str] = "intervention_response"
    family: ClassVar[str] = "multi-lesion"
    library: ClassVar[str] = "scikit-learn"
    needs: ClassVar[Needs] = SCORED

    sets: Annotated[int, Within(4, 10_000)] = 200
    """Different ones, if there are so many and the budget allows."""
    trials_each: Repeats = 10
    fewest_each: Repeats = 5
    """Trials of a set, without which it takes fewer sets."""
    fewest_sets: Annotated[int, Within(2, 10_000)] = 4
    """Without which it abstains."""
    trees: Annotated[int, Within(1, 1000)] = 100
    duration: Length = 1.0
    strength: Strength = 1.0

    def __post_init__(self) -> None:
        check_fields(self)

    def investigate(self, rig: Rig, rng: np.random.Generator) -> Finding:
        """One session: random sets by turns, and controls in between."""
        silencer = Silencer(rig, self.duration, self.strength)
        wanted = to_predict(rig.brief, silencer.n_units)
        if isinstance(wanted, Finding):
            return wanted
        done = random_sets(silencer.n_units, self.sets, wanted, rng)
        while len(done) >= self.fewest_sets and silencer.affordable(len(done), controls=1) < self.fewest_each:
            done = done[: len(done) - max(1, len(done) // 10)]
        if len(done) < self.fewest_sets:
            return too_few(rig, f"{self.fewest_each} trials of each of {self.fewest_sets} random sets of units")
        trials = min(silencer.affordable(len(done), controls=1), self.trials_each)
        silenced = np.concatenate([np.zeros((1, silencer.n_units), bool), done])
        found = silencer.outcomes(silenced, trials)
        if isinstance(found, Finding):
            return found
        grown = self._grown(silenced, found, wanted, rng)
        low, high = np.percentile(grown, (2.5, 97.5), axis=0)
        estimate = {"outcome": grown.mean(axis=0), "low": low, "high": high}
        return Finding(estimate, notes={"trials_each": trials, "sets": len(done)})

    def _grown(self, silenced: np.ndarray, found: Outcomes, wanted: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """(tree, intervention): what each tree predicts."""
        from sklearn.tree import DecisionTreeRegressor

        predicted = np.empty((self.trees, len(wanted)))
        for row in predicted:
            drawn = rng.integers(len(silenced), size=len(silenced))
            tree = DecisionTreeRegressor(random_state=int(rng.integers(2**31)))
            row[:] = tree.fit(silenced[drawn], found.mean[drawn]).predict(wanted)
        return predicted


def random_sets(n_units: int, wanted: int, but: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """(set, unit) bool: different sets of units, none empty and none of `but` (other, unit), each size as often.

    Fewer than wanted where there are hardly more.
    """
    found = np.zeros((0, n_units), dtype=bool)
    for _ in range(MOST_DRAWS):
        size = rng.integers(1, n_units + 1, wanted)
        rank = rng.random((wanted, n_units)).argsort(axis=1).argsort(axis=1)
        more = np.concatenate([found, rank < size[:, None]])
        _, first = np.unique(more, axis=0, return_index=True)
        found = more[np.sort(first)]
        found = found[~among(found, but)][:wanted]
        if len(found) == wanted:
            break
    return found
