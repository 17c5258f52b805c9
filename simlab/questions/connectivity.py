"""Who is connected to whom? Directed synapses among the recorded units: graded, decided and signed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

import numpy as np
import xarray as xr

from simlab.contracts import Finding, SimlabError
from simlab.questions import ranking
from simlab.questions.answers import Baseline, checked, pairs, undefined

_METRICS = (
    "mcc", "auroc", "auprc", "precision", "recall", "sign_accuracy", "direction_accuracy",
    "decided_direction_accuracy", "tpr_at_1pct_fpr", "decided_density", "n_pairs", "n_edges",
)  # fmt: skip


@dataclass(frozen=True)
class Connectivity:
    """Every ordered pair (pre, post) of recorded units: is there a synapse, of which sign, and how sure?

    The answer is `score` (graded evidence, higher is more surely connected), `decided` edges and `sign`
    (+1 excitatory, -1 inhibitory, 0 does not say), each (pre, post). The diagonal is never asked about.
    """

    name: ClassVar[str] = "connectivity"
    form: ClassVar[Mapping[str, tuple[str, ...]]] = MappingProxyType(
        {"score": ("pre", "post"), "decided": ("pre", "post"), "sign": ("pre", "post")}
    )
    metrics: ClassVar[tuple[str, ...]] = _METRICS
    headline: ClassVar[str] = "mcc"

    least_mcc: float = 0.5  # recovered at this Matthews correlation of the decided edges, or above
    most_false: float = 0.01  # called edges, of the unconnected pairs: wiring was claimed (Zaytsev et al. 2015)
    edge_share: float = 0.5  # least share of two units' spike pairs that must come from connected neurons
    prior_density: float = 0.116  # of cortical pairs that are connected: 931 of 8050 (Song et al. 2005)

    def project(self, truth: xr.Dataset, key: xr.DataArray) -> xr.Dataset:
        """The wiring between units, (pre, post): `weight`, `share`, `edge`, `sign` and `same`.

        `weight` = K W K' for neurons' weights W and key K (unit, neuron). `share` = N [W != 0] N', with N the key
        of the spikes that neurons fired, is the part of the two units' spike pairs that comes from truly connected
        neurons; `edge` where it reaches `edge_share`. So a unit merged from several neurons keeps the edges that
        half of its neurons' spikes have, false positives beside them or not; one that is mostly noise keeps none.
        `same` marks two units that mostly see one and the same neuron (a neuron split in two): that is no synapse,
        so calling it an edge counts as wrong, as it would be in print.
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
        same = (neuronal @ neuronal.T >= self.edge_share - 1e-9) & pairs(len(mixing))
        found = {
            "weight": weight, "share": share, "edge": edge,
            "sign": np.sign(weight).astype(np.int8), "same": same,
        }  # fmt: skip
        units = np.arange(len(mixing))
        return xr.Dataset({k: (("pre", "post"), v) for k, v in found.items()}, {"pre": units, "post": units})

    def score(self, finding: Finding, truth: xr.Dataset) -> dict[str, float]:
        """All metrics against the projected truth; NaN where one is undefined (no edges, nothing decided...).

        sign_accuracy: over decided true edges that have a sign (excitation and inhibition merged into one unit can
        cancel) and are given one. direction_accuracy: over pairs connected one way only, how often that way scores
        higher, ties counting half; decided_direction_accuracy: over those of them that were decided one way only,
        how often it is the true way.
        """
        if finding.abstained:
            return undefined(self.metrics)
        answer = self._answer(finding, truth)
        asked = pairs(truth.sizes["pre"])
        edge, decided, score = truth["edge"].values, answer["decided"], answer["score"]
        is_edge, is_decided, evidence = edge[asked], decided[asked], score[asked]
        hits = int((is_edge & is_decided).sum())
        sign = truth["sign"].values
        stated = edge & decided & (answer["sign"] != 0) & (sign != 0)
        one_way = edge & ~edge.T
        chosen = one_way & (decided ^ decided.T)
        return {
            "mcc": ranking.matthews(is_edge, is_decided),
            "auroc": ranking.auroc(is_edge, evidence),
            "auprc": ranking.average_precision(is_edge, evidence),
            "precision": _ratio(hits, is_decided.sum()),
            "recall": _ratio(hits, is_edge.sum()),
            "sign_accuracy": _mean(np.sign(answer["sign"])[stated] == sign[stated]),
            "direction_accuracy": _mean((np.sign(score - score.T)[one_way] + 1) / 2),
            "decided_direction_accuracy": _mean(decided[chosen]),
            "tpr_at_1pct_fpr": ranking.tpr_at_fpr(is_edge, evidence, 0.01),
            "decided_density": _mean(is_decided),
            "n_pairs": float(asked.sum()),
            "n_edges": float(is_edge.sum()),
        }

    def recovered(self, metrics: Mapping[str, float]) -> bool:
        """Whether MCC reaches `least_mcc`; never where it is undefined for want of edges."""
        return bool(metrics["mcc"] >= self.least_mcc)

    def false_recovery(self, finding: Finding, truth: xr.Dataset) -> bool:
        """Whether edges were claimed among at least `most_false` of the pairs that have none."""
        if finding.abstained:
            return False
        none = pairs(truth.sizes["pre"]) & ~truth["edge"].values
        return bool(none.any() and self._answer(finding, truth)["decided"][none].mean() >= self.most_false)

    def chance(self, truth: xr.Dataset) -> dict[str, float]:
        """What random scores get on average, exactly, when as many of the best are decided as there are edges.

        Signs are guessed as the commoner one among the true edges, since that much is known of most circuits.
        NaN where there are no edges, or nothing else.
        """
        n, edge = int(pairs(truth.sizes["pre"]).sum()), truth["edge"].values
        n_edges = int(edge.sum())
        if n_edges in (0, n):
            return undefined(self.metrics[:-3])
        excitatory = _mean(truth["sign"].values[edge & (truth["sign"].values != 0)] > 0)
        density = n_edges / n
        return {
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

    def baselines(self) -> dict[str, Baseline]:
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

    def _answer(self, finding: Finding, truth: xr.Dataset) -> dict[str, np.ndarray]:
        answer = checked(finding, self.form, truth.sizes, optional={"sign": 0})
        return {
            "score": answer["score"].astype(float),
            "decided": answer["decided"].astype(bool),
            "sign": answer["sign"],
        }


def _ratio(part: float, whole: float) -> float:
    return float(part / whole) if whole else float("nan")


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if values.size else float("nan")


def _oracle(truth: xr.Dataset, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
    edge = truth["edge"].values
    return Finding({"score": edge.astype(float), "decided": edge, "sign": truth["sign"].values}, confidence=1.0)


def activity_level(recording: xr.Dataset) -> np.ndarray:
    """How much each unit has to show (unit,): its mean rate [Hz], or the standard deviation of its trace."""
    from simlab.data import is_spiking, mean_rates

    if is_spiking(recording):
        return mean_rates(recording)
    trace = recording["fluorescence" if "fluorescence" in recording else "rate"]
    return np.nan_to_num(trace.std([dim for dim in trace.dims if dim != "unit"]).values)


def _neuronal(mixing: np.ndarray) -> np.ndarray:
    """Each unit's shares among the spikes that neurons fired; zero for a unit that is mostly false positives."""
    total = mixing.sum(1, keepdims=True)
    return np.where(total >= 0.5, mixing / np.maximum(total, 0.5), 0.0)
