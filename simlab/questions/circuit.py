"""Which units, and which connections among them, implement the behaviour? Any one of the minimal sets that do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np
import xarray as xr

from simlab.coalitions import MOST_PARTS, faithfulness, minimal_sets, number_of
from simlab.contracts import Finding, Picture, SimlabError, Variable
from simlab.instruments.placement import dominant_neurons
from simlab.questions import ranking
from simlab.questions._parts_of_behaviour import GAME, busiest, largest, unit_game
from simlab.questions.form import BaselineAnswer, answer, undefined
from simlab.rules import check_fields
from simlab.rules.quantities import Share

_METRICS = (
    "exact", "jaccard", "faithfulness", "minimal", "faithfulness_by_size", "false_share", "n_false", "any_discovery",
    "edges_exact", "edges_jaccard", "size", "n_circuits", "least_size",
)  # fmt: skip


@dataclass(frozen=True)
class Circuit:
    """A smallest set of recorded units that implements what `outcome` measures, and the connections that it uses.

    The answer is `members` (unit,), `score` (unit,), the evidence that a unit belongs, and, where the method has them,
    `edges` (pre, post). Several sets can implement one behaviour (Meloux et al. 2025): an answer is right if it is any
    one of the minimal sets, of which the truth lists all. A set implements the behaviour if, all other recorded units
    being silenced, it achieves `least_faithfulness` of what all of them add; it is minimal if no proper subset does.

    Edges count if they are a minimal set of connections that implements the behaviour, all other connections being
    cut; they are scored where the subject states what every set of them achieves. Of units that are the same neuron,
    any one stands for all: whoever silences one has silenced the others.
    """

    name: ClassVar[str] = "circuit"
    form: ClassVar[Mapping[str, Variable]] = MappingProxyType(
        {
            "members": Variable(("unit",), "flag"),
            "score": Variable(("unit",)),
            "edges": Variable(("pre", "post"), "flag", optional=True),
        }
    )
    truth_form: ClassVar[Mapping[str, Variable]] = MappingProxyType(
        {
            **GAME,
            "edge_value": Variable(("edge_set",), optional=True),
            "edge_pre": Variable(("edge",), "whole", optional=True, low=0),
            "edge_post": Variable(("edge",), "whole", optional=True, low=0),
        }
    )
    metrics: ClassVar[tuple[str, ...]] = _METRICS
    headline: ClassVar[str] = "jaccard"
    picture: ClassVar[Picture] = Picture("scatter", answer="score", truth="share")

    least_faithfulness: Share = 0.8  # of what all recorded units add: a set that achieves it implements the behaviour
    most_false: Share = 0.5  # share of an answer's members that may be in no minimal set

    def __post_init__(self) -> None:
        check_fields(self)

    def brief(self, family: tuple[str, ...], truth: xr.Dataset) -> Mapping[str, Any]:
        """`least_faithfulness`: the share of what all units add that a circuit must achieve by itself."""
        return {"least_faithfulness": self.least_faithfulness}

    def project(self, truth: xr.Dataset, key: xr.DataArray) -> xr.Dataset:
        """`minimal` (circuit, unit), `value` (coalition,) of the recorded players, `of` (unit,): which of them each is.

        `share` (unit,): of the minimal sets, those that it belongs to. Where edges are known, `minimal_edges`
        (edge_circuit, pre, post). Raises SimlabError for a truth without a game.
        """
        if "value" not in truth or "player" not in truth:
            raise SimlabError("a truth about a circuit states `value` and `player`, what every set achieves: add them")
        neuron = dominant_neurons(key)
        values, player = unit_game(truth, neuron)
        sets = minimal_sets(values, self.least_faithfulness)
        minimal = np.where(player >= 0, np.pad(sets, ((0, 0), (0, 1)))[:, player], False)
        found = xr.Dataset(
            {
                "minimal": (("circuit", "unit"), minimal), "value": ("coalition", values), "of": ("unit", player),
                "share": ("unit", minimal.mean(axis=0)),
            },
            {"unit": np.arange(len(neuron))},
        )  # fmt: skip
        return self._with_edges(found, truth, neuron) if "edge_value" in truth else found

    def _with_edges(self, found: xr.Dataset, truth: xr.Dataset, neuron: np.ndarray) -> xr.Dataset:
        """Adds the minimal sets of edges, where both ends of every edge were recorded, each by one unit."""
        ends = [np.asarray(truth[name].values, dtype=int) for name in ("edge_pre", "edge_post")]
        unit_of = {int(n): unit for unit, n in enumerate(neuron) if n >= 0}
        whole = all(int(n) in unit_of for n in np.concatenate(ends)) and len(unit_of) == (neuron >= 0).sum()
        if not whole or len(ends[0]) > MOST_PARTS:
            return found
        sets = minimal_sets(np.asarray(truth["edge_value"].values, dtype=float), self.least_faithfulness)
        pre, post = ([unit_of[int(n)] for n in side] for side in ends)
        edges = np.zeros((len(sets), len(neuron), len(neuron)), bool)
        edges[:, pre, post] = sets
        return found.assign(minimal_edges=(("edge_circuit", "pre", "post"), edges))

    def score(self, finding: Finding, truth: xr.Dataset) -> dict[str, float]:
        """All metrics; NaN where one is undefined.

        exact: whether the members are one of the minimal sets; jaccard: overlap with the one that is nearest.
        faithfulness: what the members achieve by themselves of what all units add; minimal: whether none of them could
        be left out. faithfulness_by_size: the mean faithfulness of the best-scored 1, 2, ... units, over all sizes (the
        area of MIB: Mueller et al. 2025). false_share: of the members, those in no minimal set.
        """
        if finding.abstained:
            return undefined(self.metrics)
        given, minimal = answer(finding, self, truth), truth["minimal"].values
        said, useful = given["members"], minimal.any(axis=0)
        achieved = _Achieved(truth)
        meant = achieved.all_of(said)
        exact = bool((minimal == meant).all(axis=1).any())
        return {
            "exact": float(exact),
            "jaccard": max((_jaccard(meant, one) for one in minimal), default=float("nan")),
            "faithfulness": achieved.by(said),
            "minimal": float(self._is_minimal(said, achieved)),
            "faithfulness_by_size": achieved.by_size(given["score"]),
            "false_share": float((said & ~useful).sum() / said.sum()) if said.any() else 0.0,
            "n_false": float((said & ~useful).sum()),
            "any_discovery": float(said.any()),
            **_edges(given, truth),
            "size": float(said.sum()),
            "n_circuits": float(len(minimal)),
            "least_size": float(minimal.sum(axis=1).min(initial=len(said))),
        }

    def _is_minimal(self, said: np.ndarray, achieved: _Achieved) -> bool:
        if achieved.by(said) < self.least_faithfulness - 1e-9:
            return False
        smaller = (said & ~achieved.all_of(np.arange(len(said)) == unit) for unit in np.flatnonzero(said))
        return all(achieved.by(rest) < self.least_faithfulness - 1e-9 for rest in smaller)

    def recovered(self, metrics: Mapping[str, float]) -> bool:
        """Whether the members are exactly one of the minimal sets, and so the edges where both are known."""
        return bool(metrics["exact"] == 1 and metrics["edges_exact"] != 0)

    def false_recovery(self, finding: Finding, truth: xr.Dataset) -> bool:
        """Whether more than `most_false` of the members are in no minimal set: where none is needed, any at all."""
        return not finding.abstained and self.score(finding, truth)["false_share"] > self.most_false

    def chance(self, truth: xr.Dataset) -> dict[str, float]:
        """Of as many random members as the smallest minimal set has: how often exact, and the share that is false."""
        from scipy.special import comb

        minimal, n = truth["minimal"].values, truth.sizes["unit"]
        size = int(minimal.sum(axis=1).min(initial=n))
        right = len({tuple(one) for one in minimal[minimal.sum(axis=1) == size].tolist()})
        false = ranking.ratio((~minimal.any(axis=0)).sum(), n) if size else 0.0
        return {"exact": right / comb(n, size), "false_share": false}

    def baselines(self) -> dict[str, BaselineAnswer]:
        """oracle: the smallest minimal set. random: as many units at random. marginals_only: the most active ones."""
        return {"oracle": _oracle, "random": _random, "marginals_only": _marginals_only}


class _Achieved:
    """What sets of units achieve, read off the table of the players that they are."""

    def __init__(self, truth: xr.Dataset) -> None:
        self.table, self.player = faithfulness(truth["value"].values), truth["of"].values
        self.n_players = len(self.table).bit_length() - 1

    def all_of(self, chosen: np.ndarray) -> np.ndarray:
        """(unit,) bool: the chosen units (unit,) bool, and all others that are the same neurons."""
        return chosen | ((self.player >= 0) & np.isin(self.player, self.player[chosen]))

    def by(self, chosen: np.ndarray) -> float:
        """The faithfulness of some units (unit,) bool."""
        inside = np.zeros(self.n_players, bool)
        inside[self.player[chosen & (self.player >= 0)]] = True
        return float(self.table[number_of(inside)])

    def by_size(self, score: np.ndarray) -> float:
        """The mean over sizes of what that many units with the largest scores achieve."""
        rank = np.argsort(np.argsort(-score, kind="stable"), kind="stable")
        return (
            float(np.mean([self.by(rank < size) for size in range(1, len(score) + 1)])) if len(score) else float("nan")
        )


def _jaccard(said: np.ndarray, true: np.ndarray) -> float:
    union = int((said | true).sum())
    return float((said & true).sum() / union) if union else 1.0


def _edges(given: Mapping[str, np.ndarray], truth: xr.Dataset) -> dict[str, float]:
    if "edges" not in given or "minimal_edges" not in truth:
        return undefined(("edges_exact", "edges_jaccard"))
    right = [_jaccard(given["edges"], one) for one in truth["minimal_edges"].values]
    return {"edges_exact": float(max(right) == 1.0), "edges_jaccard": max(right)}


def _smallest(truth: xr.Dataset) -> np.ndarray:
    minimal = truth["minimal"].values
    return minimal[minimal.sum(axis=1).argmin()]


def _oracle(truth: xr.Dataset, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
    chosen = _smallest(truth)
    said = {"members": chosen, "score": chosen.astype(float)}
    if "minimal_edges" in truth:
        edges = truth["minimal_edges"].values
        said["edges"] = edges[edges.sum(axis=(1, 2)).argmin()]
    return Finding(said, confidence=1.0)


def _random(truth: xr.Dataset, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
    score = rng.random(truth.sizes["unit"])
    return Finding({"members": largest(score, int(_smallest(truth).sum()), rng), "score": score})


def _marginals_only(truth: xr.Dataset, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
    level, chosen = busiest(recording, int(_smallest(truth).sum()), rng)
    return Finding({"members": chosen, "score": level})
