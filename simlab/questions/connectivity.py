"""Who is connected to whom? Directed synapses among the recorded units: graded, decided and signed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, ClassVar

import numpy as np
import xarray as xr

from simlab.contracts import CONNECTOME, Finding, Picture, SimlabError, Variable
from simlab.questions import ranking
from simlab.questions import wiring_splits as splits
from simlab.questions.form import BaselineAnswer, answer, pairs, undefined
from simlab.rules import Within, check_fields
from simlab.rules.quantities import Level, Share

_METRICS = (
    "mcc", "auroc", "auprc", "precision", "recall", "sign_accuracy", "direction_accuracy",
    "decided_direction_accuracy", "tpr_at_1pct_fpr", "any_discovery", "false_share", "n_false", "decided_density",
    "n_pairs", "n_edges", "false_positive_rate", "pair_mcc", "pair_auroc", "pair_auprc", "recall_excitatory",
    "recall_inhibitory", "auroc_excitatory", "auroc_inhibitory", "p_below_05", "p_below_01", "weight_correlation",
    "weight_error", "profile_error",
)  # fmt: skip
_NO_CHANCE = (
    "any_discovery", "false_share", "n_false", "decided_density", "n_pairs", "n_edges", "false_positive_rate",
    "p_below_05", "p_below_01", "weight_correlation", "weight_error", "profile_error",
)  # fmt: skip
_PAIR = ("pre", "post")


@dataclass(frozen=True)
class Connectivity:
    """Every ordered pair (pre, post) of recorded units: is there a synapse, of which sign, and how sure?

    The answer is `score` (graded evidence, higher is more surely connected), `decided` edges, `sign` (+1 excitatory,
    -1 inhibitory, 0 does not say) and, where the method has them, p-values `p` and estimated weights `weight` (signed,
    in a unit of its own), each (pre, post). The diagonal is never
    asked about, nor are pairs of which the units hold an ambiguous share (see `project`).
    """

    name: ClassVar[str] = "connectivity"
    form: ClassVar[Mapping[str, Variable]] = MappingProxyType(
        {
            "score": Variable(_PAIR),
            "decided": Variable(_PAIR, "flag"),
            "sign": Variable(_PAIR, "whole", optional=True, low=-1, high=1),
            "p": Variable(_PAIR, optional=True, low=0, high=1),
            "weight": Variable(_PAIR, optional=True),
        }
    )
    truth_form: ClassVar[Mapping[str, Variable]] = MappingProxyType({"weight": Variable(_PAIR)})
    metrics: ClassVar[tuple[str, ...]] = _METRICS
    headline: ClassVar[str] = "mcc"
    error_metric: ClassVar[str] = "false_share"
    picture: ClassVar[Picture] = Picture(
        "matrix", answer="score", truth="weight", marked="decided", held_against="edge", left_out="ambiguous"
    )

    # recovered at this Matthews correlation of the decided edges, or above; past 1 nothing is
    least_mcc: Annotated[float, Within(-1, 2)] = 0.5
    most_false: Share = 0.5  # share of the discoveries that may be false: wiring was claimed that is mostly not there
    edge_share: Share = 0.5  # least share of two units' spike pairs that must come from connected neurons
    ambiguous_share: Share = 0.15  # from here to `edge_share` neither answer is wrong, and the pair is left out
    prior_density: Level = 0.116  # of cortical pairs that are connected: 931 of 8050 (Song et al. 2005)

    def __post_init__(self) -> None:
        check_fields(self)

    def brief(self, family: tuple[str, ...], truth: xr.Dataset) -> Mapping[str, object]:
        """Nothing: the recording is all that there is."""
        return {}

    def project(self, truth: xr.Dataset, key: xr.DataArray) -> xr.Dataset:
        """The wiring between units, (pre, post): `weight`, `share`, `edge`, `ambiguous`, `sign` and `same`.

        `weight` = K W K' for neurons' weights W and key K (unit, neuron). `share` = N [W != 0] N', with N the key
        of the spikes that neurons fired, is the part of the two units' spike pairs that comes from truly connected
        neurons; `edge` where it reaches `edge_share`, `ambiguous` from `ambiguous_share` up to there. So a unit merged
        from several neurons keeps the edges that half of its neurons' spikes have, false positives beside them or not;
        one that is mostly noise keeps none.
        `same` marks two units that mostly see one and the same neuron (a neuron split in two): that is no synapse,
        so calling it an edge counts as wrong, as it would be in print. `distance` [m], where the truth has it: the mean
        over the neurons of either unit.
        Raises SimlabError where key and truth are not over the same neurons.
        """
        weights = np.asarray(truth["weight"].transpose("pre", "post").values, dtype=float)
        mixing = np.asarray(key.transpose("unit", "neuron").values, dtype=float)
        if weights.shape != (mixing.shape[1],) * 2:
            raise SimlabError(
                f"the key's {mixing.shape[1]} neurons must be the truth's, whose weights are {weights.shape}"
            )
        weight = mixing @ weights @ mixing.T
        neuronal = _neuronal(mixing)
        share = neuronal @ (weights != 0) @ neuronal.T
        for matrix in (weight, share):
            np.fill_diagonal(matrix, 0.0)
        edge = share >= self.edge_share - 1e-9  # a share of exactly one half must survive rounding
        ambiguous = (share >= self.ambiguous_share - 1e-9) & ~edge
        same = (neuronal @ neuronal.T >= self.edge_share - 1e-9) & pairs(len(mixing))
        found = {
            "weight": weight, "share": share, "edge": edge, "ambiguous": ambiguous,
            "sign": np.sign(weight).astype(np.int8), "same": same,
        }  # fmt: skip
        units = np.arange(len(mixing))
        projected = xr.Dataset({k: (("pre", "post"), v) for k, v in found.items()}, {"pre": units, "post": units})
        if "distance" in truth:
            apart = np.asarray(truth["distance"].transpose("pre", "post").values, dtype=float)
            projected["distance"] = (("pre", "post"), _shares(mixing) @ apart @ _shares(mixing).T)
        projected["weight"].attrs |= {k: v for k, v in truth["weight"].attrs.items() if k == "units"}
        return projected

    def score(self, finding: Finding, truth: xr.Dataset) -> dict[str, float]:
        """All metrics against the projected truth; NaN where one is undefined (no edges, nothing decided...).

        The pair_ metrics are those of unordered pairs, for analyses that cannot tell a direction. p_below_05 and _01:
        share of the unconnected pairs with p-values at or below those levels, which they should equal. weight_: of
        estimated weights with true ones, 0 for no synapse; see `simlab.questions.wiring_splits.of_weights`.
        sign_accuracy: over decided true edges that have a sign (excitation and inhibition merged into one unit can
        cancel) and are given one. direction_accuracy: over pairs connected one way only, how often that way scores
        higher, ties counting half; decided_direction_accuracy: over those of them that were decided one way only,
        how often it is the true way.
        """
        if finding.abstained:
            return undefined(self.metrics)
        given, asked = answer(finding, self, truth), _asked(truth)
        edge, decided, score = truth["edge"].values, given["decided"], given["score"]
        is_edge, is_decided, evidence = edge[asked], decided[asked], score[asked]
        hits = int((is_edge & is_decided).sum())
        false, discovered = ranking.false_discoveries(edge, decided, asked)
        split = splits.unordered(edge, decided, score, asked) | splits.by_sign(truth, decided, score, asked)
        split |= splits.of_p_values(given.get("p"), edge, asked) | splits.of_weights(given.get("weight"), truth, asked)
        headline = {
            "mcc": ranking.matthews(is_edge, is_decided),
            "auroc": ranking.auroc(is_edge, evidence),
            "auprc": ranking.average_precision(is_edge, evidence),
            "precision": ranking.ratio(hits, is_decided.sum()),
            "recall": ranking.ratio(hits, is_edge.sum()),
            "tpr_at_1pct_fpr": ranking.tpr_at_fpr(is_edge, evidence, 0.01),
            "any_discovery": float(discovered > 0),
            "false_share": false / discovered if discovered else 0.0,
            "n_false": float(false),
            "decided_density": _mean(is_decided),
            "n_pairs": float(asked.sum()),
            "n_edges": float(is_edge.sum()),
            "false_positive_rate": _mean(is_decided[~is_edge]),
        }
        return headline | self._directions(given, truth, asked) | split

    def _directions(self, given: Mapping[str, np.ndarray], truth: xr.Dataset, asked: np.ndarray) -> dict[str, float]:
        """The metrics of sign and direction."""
        edge, sign = truth["edge"].values & asked, truth["sign"].values
        decided, score = given["decided"], given["score"]
        stated_sign = given.get("sign", np.zeros(edge.shape, dtype=int))
        stated = edge & decided & (stated_sign != 0) & (sign != 0)
        one_way = edge & ~truth["edge"].values.T & asked.T
        chosen = one_way & (decided ^ decided.T)
        return {
            "sign_accuracy": _mean(stated_sign[stated] == sign[stated]),
            "direction_accuracy": _mean((np.sign(score - score.T)[one_way] + 1) / 2),
            "decided_direction_accuracy": _mean(decided[chosen]),
        }

    def recovered(self, metrics: Mapping[str, float]) -> bool:
        """Whether MCC reaches `least_mcc`; never where it is undefined for want of edges."""
        return bool(metrics["mcc"] >= self.least_mcc)

    def false_recovery(self, finding: Finding, truth: xr.Dataset) -> bool:
        """Whether more than `most_false` of the discoveries are false: where there is no wiring, any discovery at all.

        No number of units enters: a method that keeps its false discovery rate at 5% is fooled in 5% of worlds without
        wiring, however many pairs it tests (Benjamini & Hochberg 1995).
        """
        if finding.abstained:
            return False
        decided = answer(finding, self, truth)["decided"]
        false, discovered = ranking.false_discoveries(truth["edge"].values, decided, _asked(truth))
        return bool(discovered and false / discovered > self.most_false)

    def chance(self, truth: xr.Dataset) -> dict[str, float]:
        """What random scores get on average, exactly, when as many of the best are decided as there are edges.

        Signs are guessed as the commoner one among the true edges, since that much is known of most circuits.
        NaN where there are no edges, or nothing else.
        """
        n, edge = int(_asked(truth).sum()), truth["edge"].values
        n_edges = int(edge.sum())
        if n_edges in (0, n):
            return undefined(name for name in self.metrics if name not in _NO_CHANCE)
        excitatory = _mean(truth["sign"].values[edge & (truth["sign"].values != 0)] > 0)
        density = n_edges / n
        return splits.chance_of_unordered(edge, _asked(truth)) | {
            "recall_excitatory": density,
            "recall_inhibitory": density,
            "auroc_excitatory": 0.5,
            "auroc_inhibitory": 0.5,
            "mcc": 0.0,
            "auroc": 0.5,
            "auprc": ranking.chance_average_precision(n_edges, n),
            "precision": density,
            "recall": density,
            "sign_accuracy": max(excitatory, 1 - excitatory),
            "direction_accuracy": 0.5,
            "decided_direction_accuracy": 0.5,
            "tpr_at_1pct_fpr": ranking.chance_tpr_at_fpr(n_edges, n, 0.01),
        }

    def baselines(self) -> dict[str, BaselineAnswer]:
        """oracle: the projected truth. random: random scores. marginals_only: product of the units' activities.

        The last two decide the best-scored, as many as there are edges (where there are none, as on a rival:
        `prior_density` of the pairs, since a blind guesser cannot know that), and call all of the commoner sign.
        """
        return {"oracle": _oracle, "random": self._random, "marginals_only": self._marginals_only}

    def _random(self, truth: xr.Dataset, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        return self._top_pairs(truth, rng.random(truth["edge"].shape), rng)

    def _marginals_only(self, truth: xr.Dataset, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """Busy units have more to show: score = product of the two units' levels, the same both ways."""
        level = activity_level(recording)
        return self._top_pairs(truth, np.outer(level, level), rng)

    def _top_pairs(self, truth: xr.Dataset, score: np.ndarray, rng: np.random.Generator) -> Finding:
        """Decides the best-scored pairs, ties broken at random."""
        edge = truth["edge"].values
        asked = np.flatnonzero(pairs(len(edge)))
        order = np.lexsort((rng.random(len(asked)), -score.ravel()[asked]))
        n_decided = int(edge.sum()) or round(self.prior_density * len(asked))
        decided = np.zeros(edge.size, dtype=bool)
        decided[asked[order[:n_decided]]] = True
        common = 1 if np.sum(truth["sign"].values[edge]) >= 0 else -1
        sign = np.full(edge.shape, common)
        return Finding({"score": score, "decided": decided.reshape(edge.shape), "sign": sign})


def _asked(truth: xr.Dataset) -> np.ndarray:
    """Pairs (pre, post) that the question is about."""
    return pairs(truth.sizes["pre"]) & ~truth["ambiguous"].values


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if values.size else float("nan")


def _oracle(truth: xr.Dataset, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
    edge = truth["edge"].values
    return Finding({"score": edge.astype(float), "decided": edge, "sign": truth["sign"].values}, confidence=1.0)


def activity_level(recording: xr.Dataset) -> np.ndarray:
    """How much each unit has to show (unit,): its mean rate [Hz], its trace's standard deviation, or its contacts."""
    from simlab.data import continuous, is_spiking, mean_rates, modality

    if is_spiking(recording):
        return mean_rates(recording)
    if modality(recording) == CONNECTOME:
        seen = recording["contacts"].values
        return np.asarray(seen.sum(axis=0) + seen.sum(axis=1), dtype=float)
    return np.nan_to_num(continuous(recording).std(["trial", "time"]).values)


def _neuronal(mixing: np.ndarray) -> np.ndarray:
    """Each unit's shares among the spikes that neurons fired; zero for a unit that is mostly false positives."""
    total = mixing.sum(1, keepdims=True)
    return np.where(total >= 0.5, mixing / np.maximum(total, 0.5), 0.0)


def _shares(mixing: np.ndarray) -> np.ndarray:
    """Each unit's weights over its neurons, summing to one; zero for a unit that sees none."""
    total = mixing.sum(1, keepdims=True)
    return np.divide(mixing, total, out=np.zeros_like(mixing), where=total > 0)
