"""What does a pulse into one neuron do to another? The causal counterpart of the wiring, and not the same matrix."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Any, ClassVar

import numpy as np
import xarray as xr

from simlab.contracts import Finding, Picture, SimlabError, Variable
from simlab.questions import ranking
from simlab.questions.connectivity import activity_level
from simlab.questions.form import BaselineAnswer, answer, pairs, undefined
from simlab.rules import Within, check_fields, require
from simlab.rules.quantities import Level, Share
from simlab.truths import Pulse

_PAIR = ("pre", "post")
_METRICS = (
    "spearman", "spearman_effects", "pearson", "mcc", "auroc", "precision", "recall", "sign_accuracy", "coverage",
    "any_discovery", "false_share", "n_false", "decided_density", "n_pairs", "n_effects",
)  # fmt: skip
_PULSE = {"pulse_strength": "strength", "pulse_duration": "duration", "response_window": "window"}
"""How truth and brief call what a pulse is."""


@dataclass(frozen=True)
class Effect:
    """Every ordered pair (pre, post) of recorded units: the change of post's response that a pulse into pre causes.

    The answer is `response` (pre, post), the change of post's mean number of spikes (or of its mean signal) within the
    window that begins with the pulse; `decided`, whether there is an effect at all; and, where the method has them,
    p-values `p` and a 95% interval `low` to `high`. The brief says what the pulse is. A response may run over other
    neurons, and a synapse may be too weak for one: wiring is another question.

    True responses are simulated and have a standard error. A pair has an `effect` where its response is at least
    `least_effect` of what the pulse does to the median neuron itself and surely above `negligible` of it; it has none
    where it is at most negligible and surely below `least_effect`; surely is by `certainty` standard errors. In
    between lies what is too small to be called an effect, or what the truth itself does not resolve: such pairs are
    `ambiguous` and left out of every score, so that no method is judged by the noise of the truth.
    """

    name: ClassVar[str] = "effect"
    form: ClassVar[Mapping[str, Variable]] = MappingProxyType(
        {
            "response": Variable(_PAIR),
            "decided": Variable(_PAIR, "flag"),
            "p": Variable(_PAIR, optional=True, low=0, high=1),
            "low": Variable(_PAIR, optional=True),
            "high": Variable(_PAIR, optional=True),
        }
    )
    truth_form: ClassVar[Mapping[str, Variable]] = MappingProxyType(
        {
            "response": Variable(_PAIR),
            "response_se": Variable(_PAIR, optional=True, low=0),
            "evoked": Variable(("neuron",), optional=True),
        }
        | {name: Variable((), optional=True, low=0) for name in _PULSE}
    )
    metrics: ClassVar[tuple[str, ...]] = _METRICS
    headline: ClassVar[str] = "spearman"
    error_metric: ClassVar[str] = "false_share"
    picture: ClassVar[Picture] = Picture(
        "matrix", answer="response", truth="response", marked="decided", held_against="effect", left_out="ambiguous"
    )

    # recovered at this rank correlation of answered and true responses, or above; past 1 nothing is
    least_spearman: Annotated[float, Within(-1, 2)] = 0.8
    most_false: Share = 0.5  # share of the discoveries that may be false
    # of the median neuron's own response: one spike of post in 50 of pre (cortical pairs: one in 10 to 100)
    least_effect: Share = 0.02
    negligible: Share = 0.01  # of the same
    certainty: Annotated[float, Within(0, 10)] = 2.0  # standard errors of the true response
    prior_density: Level = 0.116  # of pairs that a blind guesser decides where there is no effect: that of wiring

    def __post_init__(self) -> None:
        check_fields(self)
        require(
            self.negligible <= self.least_effect,
            f"negligible must be <= least_effect, got {self.negligible} and {self.least_effect}: write the smaller "
            "share first",
        )

    def brief(self, family: tuple[str, ...], truth: xr.Dataset) -> Mapping[str, Any]:
        """The pulse: `pulse_strength` [rheobases], `pulse_duration` [s], `response_window` [s] from its onset."""
        usual = Pulse()
        return {
            name: float(truth[name].values) if name in truth else getattr(usual, field)
            for name, field in _PULSE.items()
        }

    def project(self, truth: xr.Dataset, key: xr.DataArray) -> xr.Dataset:
        """Responses between units, (pre, post): `response`, `response_se`, `effect`, `ambiguous`, `sign`.

        A pulse aimed at a unit is one into the neuron that dominates it; what is read off a unit is the mean of its
        neurons' responses, weighted by the key (unit, neuron). A neuron's response to its own pulse is left out: seen
        in another unit (a neuron split in two, contamination) it is no effect on another neuron, and calling it one
        is wrong, as it would be in print. Raises SimlabError where key and truth are not over the same neurons.
        """
        response = np.asarray(truth["response"].transpose(*_PAIR).values, dtype=float)
        error = np.zeros_like(response)
        if "response_se" in truth:
            error = np.asarray(truth["response_se"].transpose(*_PAIR).values, dtype=float)
        share = np.asarray(key.transpose("unit", "neuron").values, dtype=float)
        if response.shape != (share.shape[1],) * 2:
            raise SimlabError(
                f"the key's {share.shape[1]} neurons must be the truth's, whose responses are {response.shape}"
            )
        hit = np.eye(share.shape[1])[share.argmax(axis=1)] * (share.max(axis=1, keepdims=True) > 0)
        seen, seen_error = hit @ response @ share.T, np.sqrt(hit @ error**2 @ (share**2).T)
        for matrix in (seen, seen_error):
            np.fill_diagonal(matrix, 0.0)
        effect, none = self._called(seen, seen_error, _own(truth))
        found = {
            "response": seen, "response_se": seen_error, "effect": effect, "ambiguous": ~effect & ~none,
            "sign": np.where(effect, np.sign(seen), 0).astype(np.int8),
        }  # fmt: skip
        units = np.arange(len(share))
        projected = xr.Dataset({k: (_PAIR, v) for k, v in found.items()}, {"pre": units, "post": units})
        projected["response"].attrs |= {k: v for k, v in truth["response"].attrs.items() if k == "units"}
        return projected

    def _called(self, response: np.ndarray, error: np.ndarray, own: float) -> tuple[np.ndarray, np.ndarray]:
        """Which pairs (pre, post) have an effect, and which have none."""
        size, unsure = np.abs(response), self.certainty * error
        least, negligible = self.least_effect * own, self.negligible * own
        effect = (size >= least) & (size - unsure > negligible)
        return effect, ~effect & (size <= negligible) & (size + unsure <= least)

    def score(self, finding: Finding, truth: xr.Dataset) -> dict[str, float]:
        """All metrics over the pairs that are asked about; NaN where one is undefined.

        spearman: of responses, where pairs without an effect count as 0 and so do answers that were not decided: most
        pairs have none, and their order is noise, in the truth as in the answer. spearman_effects: of the responses as
        answered, over true effects alone. pearson: of the responses as answered, over all. auroc: of their sizes.
        sign_accuracy: over decided true effects. coverage: of the true responses by the intervals.
        """
        if finding.abstained:
            return undefined(self.metrics)
        given, asked = answer(finding, self, truth), _asked(truth)
        effect, true, decided = truth["effect"].values, truth["response"].values, given["decided"]
        is_effect, is_decided = effect[asked], decided[asked]
        said, right = given["response"][asked], true[asked]
        hits = is_effect & is_decided
        false, discovered = ranking.false_discoveries(effect, decided, asked)
        return {
            "spearman": _rank_correlation(np.where(is_decided, said, 0.0), np.where(is_effect, right, 0.0)),
            "spearman_effects": _rank_correlation(said[is_effect], right[is_effect]),
            "pearson": _correlation(said, right),
            "mcc": ranking.matthews(is_effect, is_decided),
            "auroc": ranking.auroc(is_effect, np.abs(said)),
            "precision": ranking.ratio(hits.sum(), is_decided.sum()),
            "recall": ranking.ratio(hits.sum(), is_effect.sum()),
            "sign_accuracy": ranking.ratio((np.sign(said) == np.sign(right))[hits].sum(), hits.sum()),
            "coverage": _coverage(given, true, asked),
            "any_discovery": float(discovered > 0),
            "false_share": false / discovered if discovered else 0.0,
            "n_false": float(false),
            "decided_density": ranking.ratio(is_decided.sum(), asked.sum()),
            "n_pairs": float(asked.sum()),
            "n_effects": float(is_effect.sum()),
        }

    def recovered(self, metrics: Mapping[str, float]) -> bool:
        """Whether `spearman` reaches `least_spearman`; never where it is undefined for want of effects."""
        return bool(metrics["spearman"] >= self.least_spearman)

    def false_recovery(self, finding: Finding, truth: xr.Dataset) -> bool:
        """Whether more than `most_false` of the discoveries are false: where there are no synapses, any at all."""
        if finding.abstained:
            return False
        decided = answer(finding, self, truth)["decided"]
        false, discovered = ranking.false_discoveries(truth["effect"].values, decided, _asked(truth))
        return bool(discovered and false / discovered > self.most_false)

    def chance(self, truth: xr.Dataset) -> dict[str, float]:
        """What random responses of random signs get on average when as many are decided as there are effects.

        NaN where there are no effects, or nothing else.
        """
        n, effect = int(_asked(truth).sum()), truth["effect"].values
        n_effects = int(effect.sum())
        rates = ("spearman", "spearman_effects", "pearson", "mcc", "auroc", "precision", "recall", "sign_accuracy")
        if n_effects in (0, n):
            return undefined(rates)
        return dict.fromkeys(rates, 0.0) | {
            "auroc": 0.5, "precision": n_effects / n, "recall": n_effects / n, "sign_accuracy": 0.5,
        }  # fmt: skip

    def baselines(self) -> dict[str, BaselineAnswer]:
        """oracle: the projected truth. random: normal numbers. marginals_only: product of the units' activities.

        The last two decide the largest, as many as there are effects; where there are none, `prior_density` of them.
        """
        return {"oracle": _oracle, "random": self._random, "marginals_only": self._marginals_only}

    def _random(self, truth: xr.Dataset, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        return self._largest(truth, rng.standard_normal(truth["effect"].shape), rng)

    def _marginals_only(self, truth: xr.Dataset, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """Busy units are near threshold and have more to give: all of the commoner sign."""
        level, effect = activity_level(recording), truth["effect"].values
        common = 1 if np.sum(truth["sign"].values[effect]) >= 0 else -1
        return self._largest(truth, common * np.outer(level, level), rng)

    def _largest(self, truth: xr.Dataset, response: np.ndarray, rng: np.random.Generator) -> Finding:
        """Decides the largest responses, ties broken at random."""
        effect = truth["effect"].values
        asked = np.flatnonzero(_asked(truth))
        order = np.lexsort((rng.random(len(asked)), -np.abs(response).ravel()[asked]))
        decided = np.zeros(effect.size, dtype=bool)
        decided[asked[order[: int(effect.sum()) or round(self.prior_density * len(asked))]]] = True
        return Finding({"response": response, "decided": decided.reshape(effect.shape)})


def _own(truth: xr.Dataset) -> float:
    """What a pulse does to the median neuron itself; without that, the largest response of another."""
    if "evoked" in truth and truth.sizes["neuron"]:
        return max(float(np.median(truth["evoked"].values)), 0.0)
    return float(np.abs(truth["response"].values).max(initial=0.0))


def _asked(truth: xr.Dataset) -> np.ndarray:
    """Pairs (pre, post) that the question is about."""
    return pairs(truth.sizes["pre"]) & ~truth["ambiguous"].values


def _rank_correlation(said: np.ndarray, true: np.ndarray) -> float:
    from scipy.stats import rankdata

    return _correlation(rankdata(said), rankdata(true))


def _correlation(said: np.ndarray, true: np.ndarray) -> float:
    """Pearson's; NaN where the truth does not vary, 0 where the answer does not, which tells nothing."""
    if len(true) < 2 or np.ptp(true) == 0:
        return float("nan")
    return float(np.corrcoef(said, true)[0, 1]) if np.ptp(said) > 0 else 0.0


def _coverage(given: Mapping[str, np.ndarray], true: np.ndarray, asked: np.ndarray) -> float:
    if "low" not in given or "high" not in given or not asked.any():
        return float("nan")
    return float(((given["low"] <= true) & (true <= given["high"]))[asked].mean())


def _oracle(truth: xr.Dataset, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
    response, effect = truth["response"].values, truth["effect"].values
    return Finding({"response": response, "decided": effect, "low": response, "high": response}, confidence=1.0)
