"""What would the behaviour do under interventions that nobody has done? It shows whether its parts are understood."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import comb
from types import MappingProxyType
from typing import Annotated, Any, ClassVar

import numpy as np
import xarray as xr

from simlab.coalitions import CLOSE, single_losses
from simlab.contracts import Finding, Picture, SimlabError, Variable
from simlab.instruments.placement import dominant_neurons
from simlab.questions import ranking
from simlab.questions._parts_of_behaviour import GAME, unit_game
from simlab.questions.connectivity import activity_level
from simlab.questions.form import BaselineAnswer, answer, undefined
from simlab.rules import Within, check_fields, require
from simlab.rules.quantities import Share
from simlab.streams import stream

_METRICS = (
    "r2", "rmse", "pearson", "skill", "bias", "coverage", "additive_r2", "any_claim", "false_share", "n_false",
    "n_interventions",
)  # fmt: skip

_EACH = ("intervention",)

EACH_SIZE = 4
"""Interventions of each size: pairs, triples and halves, 12 at most."""


@dataclass(frozen=True)
class InterventionResponse:
    """The mean `outcome` of the natural task while sets of recorded units are silenced together throughout each trial.

    The brief lists these sets, `interventions`: pairs, triples and halves of the units, never one alone, at most half
    of those that there are of a size. The rig does none of them (`simlab.lab.rig`), so that they can be predicted and
    not looked up. The answer is `outcome` (intervention,), 0 to 1, and may hold a 95% interval `low` to `high` of it.
    A mechanism that fits what was seen and is another one fails here: prediction is scored out of distribution.

    The truth is v(S) of the game that `necessity` is about, exactly: all recorded units but those silenced are intact,
    and so is what was not recorded. Which sets are asked about depends on the number of units alone, and units are
    numbered at random, so that the choice says nothing of the truth.
    """

    name: ClassVar[str] = "intervention_response"
    form: ClassVar[Mapping[str, Variable]] = MappingProxyType(
        {
            "outcome": Variable(_EACH, low=0, high=1),
            "low": Variable(_EACH, optional=True),
            "high": Variable(_EACH, optional=True),
        }
    )
    truth_form: ClassVar[Mapping[str, Variable]] = GAME
    metrics: ClassVar[tuple[str, ...]] = _METRICS
    headline: ClassVar[str] = "r2"
    picture: ClassVar[Picture] = Picture("scatter", answer="outcome", truth="outcome")

    # recovered at this share of the variance over held-out interventions (where there is none, of the squared change
    # from the natural outcome), or above; past 1 nothing is
    least_r2: Annotated[float, Within(-10, 2)] = 0.8
    least_change: Share = 0.1  # of the natural outcome, in shares of 1: an answer that differs by so much claims one
    negligible: Share = 0.02  # a true change of less is none
    most_false: Share = 0.5  # share of the claimed changes that may be none

    def __post_init__(self) -> None:
        check_fields(self)
        require(
            self.negligible <= self.least_change,
            f"negligible must be <= least_change, got {self.negligible} and {self.least_change}: write the smaller "
            "change first",
        )

    def brief(self, family: tuple[str, ...], truth: xr.Dataset) -> Mapping[str, Any]:
        """Nothing but what `brief_of_units` says."""
        return {}

    def brief_of_units(self, n_units: int) -> Mapping[str, Any]:
        """`interventions`: tuples of units that are silenced together, whose outcome is asked for, in this order."""
        return {"interventions": held_out(n_units)}

    def project(self, truth: xr.Dataset, key: xr.DataArray) -> xr.Dataset:
        """Over intervention: `outcome`, `additive` (the true losses of single units added up), `silenced` (and unit).

        `natural`: the outcome when nothing is silenced. Raises SimlabError for a truth without a game.
        """
        if "value" not in truth or "player" not in truth:
            raise SimlabError(
                "a truth about intervention_response states `value` and `player`, what every set achieves: add them"
            )
        neuron = dominant_neurons(key)
        values, player = unit_game(truth, neuron)
        sets = held_out(len(neuron))
        silenced = np.zeros((len(sets), len(neuron)), dtype=bool)
        for row, units in zip(silenced, sets, strict=True):
            row[list(units)] = True
        gone = _players(silenced, player, len(values).bit_length() - 1)
        natural = values[-1]
        found = {
            "outcome": values[len(values) - 1 - gone @ (2 ** np.arange(gone.shape[1]))],
            "additive": np.clip(natural - gone @ single_losses(values), 0.0, 1.0),
        }
        return xr.Dataset(
            {name: (_EACH, values) for name, values in found.items()}
            | {"silenced": ((*_EACH, "unit"), silenced), "natural": ((), natural)},
            {"unit": np.arange(len(neuron))},
        )

    def score(self, finding: Finding, truth: xr.Dataset) -> dict[str, float]:
        """All metrics over the held-out interventions; NaN where one is undefined.

        r2: 1 - squared errors / squared deviations of the true outcomes from their mean; undefined where they do not
        vary. skill: the same against the natural outcome in the place of the mean, what whoever expects no change would
        say; undefined only where nothing changes. additive_r2: of the true
        single losses added up, the ceiling of whoever takes units one at a time. false_share: of the answers that claim
        a change (by `least_change`), those where nothing changes (`negligible`).
        """
        if finding.abstained:
            return undefined(self.metrics)
        given, true, natural = answer(finding, self, truth), truth["outcome"].values, float(truth["natural"].values)
        said, claimed = given["outcome"], np.abs(given["outcome"] - natural) >= self.least_change
        false = claimed & (np.abs(true - natural) <= self.negligible)
        error = said - true
        return {
            "r2": explained(said, true, true.mean() if len(true) > 1 else np.nan),
            "rmse": float(np.sqrt(np.mean(error**2))) if len(true) else float("nan"),
            "pearson": _correlation(said, true),
            "skill": explained(said, true, natural),
            "bias": float(error.mean()) if len(true) else float("nan"),
            "coverage": _coverage(given, true),
            "additive_r2": explained(truth["additive"].values, true, true.mean() if len(true) > 1 else np.nan),
            "any_claim": float(claimed.any()),
            "false_share": ranking.ratio(false.sum(), claimed.sum()) if claimed.any() else 0.0,
            "n_false": float(false.sum()),
            "n_interventions": float(len(true)),
        }

    def recovered(self, metrics: Mapping[str, float]) -> bool:
        """Whether `r2` reaches `least_r2`; where it is undefined, as all held-out interventions do the same, `skill`.

        So it is in `gated`, where the loss of any needed area ends the behaviour. Never where they change nothing.
        """
        explained_share = metrics["skill"] if np.isnan(metrics["r2"]) else metrics["r2"]
        return bool(explained_share >= self.least_r2)

    def false_recovery(self, finding: Finding, truth: xr.Dataset) -> bool:
        """Whether more than `most_false` of the changes that are claimed are none: where nothing matters, any."""
        return not finding.abstained and self.score(finding, truth)["false_share"] > self.most_false

    def chance(self, truth: xr.Dataset) -> dict[str, float]:
        """What numbers drawn evenly from 0..1 get on average: their expected squared error over that of the mean."""
        true, natural = truth["outcome"].values, float(truth["natural"].values)
        expected = np.sum((true - 0.5) ** 2 + 1 / 12)
        r2, skill = (
            1 - expected / spread if (spread := np.sum((true - centre) ** 2)) > CLOSE else float("nan")
            for centre in (true.mean() if len(true) > 1 else natural, natural)
        )
        return {"r2": float(r2) if len(true) > 1 else float("nan"), "skill": float(skill), "pearson": 0.0}

    def baselines(self) -> dict[str, BaselineAnswer]:
        """oracle: the projected truth. random: numbers drawn evenly from 0..1. marginals_only: of the natural outcome
        the share of the units' summed activity that is left."""
        return {"oracle": _oracle, "random": _random, "marginals_only": _marginals_only}


def held_out(n_units: int) -> tuple[tuple[int, ...], ...]:
    """The sets of units, each in order, that are asked about where there are so many units; none below two.

    Of each size, 2, 3 and half of the units, `EACH_SIZE` sets, but at most half of those that there are (rounded up):
    something must be left to learn from.
    """
    rng = stream(0, "held-out interventions", n_units)
    found: list[tuple[int, ...]] = []
    for size in dict.fromkeys((2, 3, n_units // 2)):
        there = comb(n_units, size) if 2 <= size <= n_units else 0
        chosen: dict[tuple[int, ...], None] = {}
        while len(chosen) < min(EACH_SIZE, (there + 1) // 2):
            chosen[tuple(sorted(rng.choice(n_units, size, replace=False).tolist()))] = None
        found += chosen
    return tuple(found)


def explained(said: np.ndarray, true: np.ndarray, centre: float) -> float:
    """1 - squared errors / squared deviations of the truth from a centre; NaN where there is no deviation."""
    spread = float(np.sum((true - centre) ** 2))
    return 1 - float(np.sum((said - true) ** 2)) / spread if spread > CLOSE else float("nan")


def _players(silenced: np.ndarray, player: np.ndarray, n_players: int) -> np.ndarray:
    """(intervention, player) bool: who is silenced with sets of units (intervention, unit); player: (unit,)."""
    gone = np.zeros((len(silenced), n_players), dtype=bool)
    row, unit = np.nonzero(silenced & (player >= 0))
    gone[row, player[unit]] = True
    return gone


def _correlation(said: np.ndarray, true: np.ndarray) -> float:
    """Pearson's; NaN where the truth does not vary, 0 where the answer does not, which tells nothing."""
    if len(true) < 2 or np.ptp(true) <= CLOSE:
        return float("nan")
    return float(np.corrcoef(said, true)[0, 1]) if np.ptp(said) > CLOSE else 0.0


def _coverage(given: Mapping[str, np.ndarray], true: np.ndarray) -> float:
    if "low" not in given or "high" not in given or not len(true):
        return float("nan")
    return float(((given["low"] <= true) & (true <= given["high"])).mean())


def _oracle(truth: xr.Dataset, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
    outcome = np.clip(truth["outcome"].values, 0.0, 1.0)
    return Finding({"outcome": outcome, "low": outcome, "high": outcome}, confidence=1.0)


def _random(truth: xr.Dataset, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
    return Finding({"outcome": rng.random(truth.sizes["intervention"])})


def _marginals_only(truth: xr.Dataset, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
    level, silenced = np.abs(activity_level(recording)), truth["silenced"].values
    left = 1 - silenced @ level / max(float(level.sum()), 1e-12)
    return Finding({"outcome": np.clip(float(truth["natural"].values) * left, 0.0, 1.0)})
