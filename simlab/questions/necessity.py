"""How much does each unit matter to the behaviour? Its Shapley value: what it adds, averaged over lesions of others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Any, ClassVar

import numpy as np
import xarray as xr

from simlab.coalitions import CLOSE, MOST_PARTS, shapley, single_losses
from simlab.contracts import Finding, Picture, SimlabError, Variable
from simlab.instruments.placement import dominant_neurons
from simlab.questions import ranking
from simlab.questions._parts_of_behaviour import GAME, busiest, largest, order, rank_correlation, unit_game
from simlab.questions.form import BaselineAnswer, answer, undefined
from simlab.rules import Within, check_fields
from simlab.rules.quantities import Share

_METRICS = (
    "spearman", "order", "pearson", "mcc", "precision", "recall", "exact", "any_discovery", "false_share", "n_false",
    "n_missed", "single_lesion_spearman", "n_asked", "n_needed",
)  # fmt: skip


@dataclass(frozen=True)
class Necessity:
    """The importance of each recorded unit for what the subject's `outcome` measures, and which units matter at all.

    The answer is `importance` (unit,), in shares of the outcome, and `decided` (unit,), the units that matter. The true
    importance is the Shapley value in the game v(S): the expected outcome of the natural task when the units of S are
    intact and all other recorded units are silenced throughout; what was not recorded stays intact, as nobody could
    silence it. It is exact where the subject states v of every set, else estimated with a standard error.

    A unit is `needed` where its value is beyond `negligible` of what all units add together; of more neurons than can
    be enumerated, hundreds perhaps that each do little, beyond that share of what the average one adds. Where the
    standard error does not tell (`certainty`) the unit is ambiguous and left out of every score.
    """

    name: ClassVar[str] = "necessity"
    form: ClassVar[Mapping[str, Variable]] = MappingProxyType(
        {"importance": Variable(("unit",)), "decided": Variable(("unit",), "flag")}
    )
    truth_form: ClassVar[Mapping[str, Variable]] = MappingProxyType(
        {
            **GAME,
            "importance": Variable(("neuron",), optional=True),
            "importance_se": Variable(("neuron",), optional=True, low=0),
        }
    )
    metrics: ClassVar[tuple[str, ...]] = _METRICS
    headline: ClassVar[str] = "spearman"
    decisive: ClassVar[str] = "exact"  # that nobody is needed can be found out too, though it has no ranks
    picture: ClassVar[Picture] = Picture("scatter", answer="importance", truth="importance", left_out="ambiguous")

    # recovered at this rank correlation (or order, where units matter alike), if those that matter are exactly right
    least_spearman: Annotated[float, Within(-1, 2)] = 0.8
    negligible: Share = 0.02  # of what all units add together: less is no importance
    most_false: Share = 0.5  # share of the units called needed that may not be
    certainty: Annotated[float, Within(0, 10)] = 2.0  # standard errors of an estimated truth

    def __post_init__(self) -> None:
        check_fields(self)

    def brief(self, family: tuple[str, ...], truth: xr.Dataset) -> Mapping[str, Any]:
        """`negligible`: the share of what all units add together that is no importance."""
        return {"negligible": self.negligible}

    def project(self, truth: xr.Dataset, key: xr.DataArray) -> xr.Dataset:
        """Over unit: `importance`, `single` (what is lost when it alone is silenced), `needed`, `ambiguous`.

        A unit is the neuron that dominates it, whom a perturbation hits. Raises SimlabError for a truth that states
        neither a game nor importances.
        """
        neuron = dominant_neurons(key)
        if "value" in truth and "player" in truth:
            values, player = unit_game(truth, neuron)
            total = values[-1] - values[0]
            importance, single = (_of(player, each(values)) for each in (shapley, single_losses))
            error = np.zeros(len(neuron))
        elif "importance" in truth:
            stated = truth["importance"].values
            importance, total = _of(neuron, stated), float(np.sum(stated)) / _crowd(len(stated))
            single = np.full(len(neuron), np.nan)
            error = _of(neuron, truth["importance_se"].values) if "importance_se" in truth else np.zeros(len(neuron))
        else:
            raise SimlabError("a truth about necessity states `value` and `player`, or `importance`, got neither")
        least = self.negligible * abs(total)
        found = {
            "importance": importance, "single": single, "needed": np.abs(importance) > max(least, CLOSE),
            "ambiguous": np.abs(np.abs(importance) - least) < self.certainty * error,
        }  # fmt: skip
        return xr.Dataset({k: ("unit", v) for k, v in found.items()}, {"unit": np.arange(len(neuron))})

    def score(self, finding: Finding, truth: xr.Dataset) -> dict[str, float]:
        """All metrics over the units that are asked about; NaN where one is undefined.

        spearman, pearson: of the answered and the true importances. order: of the pairs of units that do not matter
        alike, the share that is put in the right order less that in the wrong one (Somers 1962): of units that matter
        alike any order is right, which Spearman's correlation does not know. exact: whether the decided units are just
        the needed ones. single_lesion_spearman: of the true effects of single lesions with the true importances, the
        ceiling of whoever silences one unit at a time.
        """
        if finding.abstained:
            return undefined(self.metrics)
        given, asked = answer(finding, self, truth), ~truth["ambiguous"].values
        said, true = given["importance"][asked], truth["importance"].values[asked]
        decided, needed = given["decided"][asked], truth["needed"].values[asked]
        hits, single = int((decided & needed).sum()), truth["single"].values[asked]
        varied = len(true) > 1 and np.ptp(true) > CLOSE
        return {
            "spearman": rank_correlation(said, true),
            "order": order(said, true),
            "pearson": (float(np.corrcoef(said, true)[0, 1]) if np.ptp(said) > 0 else 0.0) if varied else float("nan"),
            "mcc": ranking.matthews(needed, decided),
            "precision": ranking.ratio(hits, decided.sum()),
            "recall": ranking.ratio(hits, needed.sum()),
            "exact": float(np.array_equal(decided, needed)) if len(true) else float("nan"),
            "any_discovery": float(decided.any()),
            "false_share": float((decided & ~needed).sum() / decided.sum()) if decided.any() else 0.0,
            "n_false": float((decided & ~needed).sum()),
            "n_missed": float((needed & ~decided).sum()),
            "single_lesion_spearman": float("nan") if np.isnan(single).any() else rank_correlation(single, true),
            "n_asked": float(len(true)),
            "n_needed": float(needed.sum()),
        }

    def recovered(self, metrics: Mapping[str, float]) -> bool:
        """Whether the needed units are exactly right and ranks reach `least_spearman`, where they are defined."""
        ranks = metrics["spearman"], metrics["order"]
        return bool(metrics["exact"] == 1 and (np.isnan(ranks).all() or np.nanmax(ranks) >= self.least_spearman))

    def false_recovery(self, finding: Finding, truth: xr.Dataset) -> bool:
        """Whether more than `most_false` of the units that were called needed are not: where none is, any at all."""
        return not finding.abstained and self.score(finding, truth)["false_share"] > self.most_false

    def chance(self, truth: xr.Dataset) -> dict[str, float]:
        """What random importances get on average when as many units are decided as are needed; NaN if none or all."""
        needed = truth["needed"].values[~truth["ambiguous"].values]
        n, n_needed = len(needed), int(needed.sum())
        rates = ("spearman", "order", "pearson", "mcc", "precision", "recall")
        if n_needed in (0, n):
            return undefined(rates)
        return dict.fromkeys(rates[:4], 0.0) | {"precision": n_needed / n, "recall": n_needed / n}

    def baselines(self) -> dict[str, BaselineAnswer]:
        """oracle: the projected truth. random: normal numbers. marginals_only: the units' activities.

        The last two decide the largest, as many as are needed; one where none is.
        """
        return {"oracle": _oracle, "random": _random, "marginals_only": _marginals_only}


def _crowd(n_neurons: int) -> int:
    """By how much what all neurons add is divided before a share of it is taken."""
    return 1 if n_neurons <= MOST_PARTS else n_neurons


def _of(index: np.ndarray, values: np.ndarray) -> np.ndarray:
    """The values at an index (unit,); 0 where it is -1."""
    return np.where(index >= 0, np.append(values, 0.0)[index], 0.0)


def _oracle(truth: xr.Dataset, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
    return Finding({"importance": truth["importance"].values, "decided": truth["needed"].values}, confidence=1.0)


def _random(truth: xr.Dataset, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
    importance = rng.standard_normal(truth.sizes["unit"])
    return Finding({"importance": importance, "decided": largest(importance, _as_many(truth), rng)})


def _marginals_only(truth: xr.Dataset, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
    level, chosen = busiest(recording, _as_many(truth), rng)
    return Finding({"importance": level, "decided": chosen})


def _as_many(truth: xr.Dataset) -> int:
    return max(int(truth["needed"].values.sum()), 1)
