"""Rules by which edges are decided on top of any method's scores: surrogates, effect size, stability, local fdr."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, Any, ClassVar, Protocol

import numpy as np
import xarray as xr

from methods.wiring._local_fdr import local_fdr
from methods.wiring._pairs import edges
from methods.wiring._surrogates import Null, impossible, studentised_p, surrogate
from simlab.contracts import Finding
from simlab.data import is_spiking
from simlab.rules import Within, check_fields
from simlab.rules.quantities import Level, Width


class Rule(Protocol):
    """Decides the edges of a method's finding; may run the method again, on recordings made of this one."""

    name: ClassVar[str]

    def decide(self, method: Any, recording: xr.Dataset, finding: Finding, rng: np.random.Generator) -> Finding:
        """The finding with this rule's decision and, where the rule has one, its p; or an abstention."""
        ...


@dataclass(frozen=True)
class BySurrogates:
    """Edges whose score stands out from the scores that the method gives to recordings without any wiring.

    z and p of each pair against its own surrogates, then a false discovery rate (Benjamini & Hochberg 1995). Exact
    where the null keeps all that the method looks at but wiring; slow covariation within `reach` is not kept.
    """

    name: ClassVar[str] = "surrogates"

    null: Null = "shift"
    """How surrogates are made."""
    reach: Width = 0.25
    """How far spikes move [s]: well beyond synaptic lags, and within slow rate changes."""
    surrogates: Annotated[int, Within(3, 100_000)] = 20
    """How many recordings the method is run on besides the real one."""
    alpha: Level = 0.05
    """False discovery rate."""

    def __post_init__(self) -> None:
        check_fields(self)

    def decide(self, method: Any, recording: xr.Dataset, finding: Finding, rng: np.random.Generator) -> Finding:
        """Decided by p, which is the empirical one; graded by z, where above 0."""
        if reason := impossible(recording, self.null):
            return Finding.abstain(reason)
        null = []
        for _ in range(self.surrogates):
            copy = method.analyse(surrogate(recording, self.null, self.reach, rng), rng)
            if copy.abstained:
                return Finding.abstain(f"on a surrogate: {copy.abstained}")
            null.append(copy.estimate["score"])
        z, p = studentised_p(finding.estimate["score"], np.stack(null))
        weight = finding.estimate.get("weight")
        return edges(np.maximum(z, 0.0), p, finding.estimate["sign"], self.alpha, weight=weight, **finding.notes)


@dataclass(frozen=True)
class ByEffectSize:
    """Edges whose effect exceeds `least` with its whole interval: on long data every departure from a model is
    significant, and few matter (Cohen 1994, Am Psychol 49:997; interval tests: Wellek 2010).

    The standard error is the jackknife's over `groups` groups of trials, or of parts of time where there are too few
    (Efron & Tibshirani 1993, ch. 11), and p that of |effect| <= least, by Student's t.
    """

    name: ClassVar[str] = "effect_size"

    effect: str = "efficacy"
    """Which matrix (pre, post) of the method's notes, or of its answer, is the effect."""
    least: Annotated[float, Within(0, 1e9)] = 0.02
    """In its units. An efficacy of 0.02 is an extra spike in 50; monosynaptic pairs of cortical units have some 0.01 to
    0.1 (English et al. 2017, Neuron 96:505)."""
    groups: Annotated[int, Within(3, 1000)] = 10
    """Groups of trials of which each is left out once."""
    alpha: Level = 0.05
    """False discovery rate (Benjamini & Hochberg 1995)."""

    def __post_init__(self) -> None:
        check_fields(self)

    def decide(self, method: Any, recording: xr.Dataset, finding: Finding, rng: np.random.Generator) -> Finding:
        """Decided, graded and with the p of this test; abstains where the method has no such effect."""
        from scipy.stats import t

        n_trials = recording.sizes["trial"]
        if n_trials < self.groups:
            return Finding.abstain(f"needs at least {self.groups} trials for a jackknife, got {n_trials}")
        effect = self._effect(finding)
        if effect is None:
            return Finding.abstain(f"the method says nothing of {self.effect}: name a matrix of its notes or answer")
        group, left_out = rng.permutation(n_trials) % self.groups, []
        for index in range(self.groups):
            rest = method.analyse(of_trials(recording, np.flatnonzero(group != index)), rng)
            value = None if rest.abstained else self._effect(rest)
            if value is None:
                return Finding.abstain(f"with a tenth of the trials left out: {rest.abstained}")
            left_out.append(value)
        spread = np.std(left_out, axis=0) * np.sqrt(self.groups - 1)
        excess = (np.abs(effect) - self.least) / np.maximum(spread, 1e-300)
        p = np.where(spread > 0, t.sf(excess, self.groups - 1), 1.0)
        notes = {**finding.notes, "effect_standard_error": spread}
        weight = finding.estimate.get("weight")
        return edges(np.abs(effect), p, np.sign(effect), self.alpha, weight=weight, **notes)

    def _effect(self, finding: Finding) -> np.ndarray | None:
        known = {**finding.estimate, **finding.notes}
        value = np.asarray(known.get(self.effect))
        return value.astype(float) if value.shape == finding.estimate["score"].shape else None


@dataclass(frozen=True)
class ByStability:
    """Edges that rank among the first q in most halves of the trials (stability selection).

    In each of `pairs` random splits both halves choose their q best pairs; an edge needs the share `threshold` of the
    2 x `pairs` choices. Expected false edges are then at most q^2 / ((2 threshold - 1) N) for N pairs (Meinshausen &
    Buehlmann 2010, J R Stat Soc B 72:417, theorem 1; with complementary halves and without its assumptions for edges
    that a half chooses no more often than at random: Shah & Samworth 2013, J R Stat Soc B 75:55). q is the largest that
    keeps this below `false_edges`. Rankings share a bias of the method, against which no resampling helps.
    """

    name: ClassVar[str] = "stability"

    pairs: Annotated[int, Within(2, 10_000)] = 25
    """Random splits of the trials in two halves (Shah & Samworth 2013: 50)."""
    threshold: Annotated[float, Within(0.51, 1)] = 0.75
    """Share of the halves in which an edge must be chosen (Meinshausen & Buehlmann 2010: 0.6 to 0.9)."""
    false_edges: Annotated[float, Within(0.01, 10_000)] = 1.0
    """Bound on the expected number of false edges."""

    def __post_init__(self) -> None:
        check_fields(self)

    def decide(self, method: Any, recording: xr.Dataset, finding: Finding, rng: np.random.Generator) -> Finding:
        """Decided and graded by the share of halves; p stays the method's, where it has one."""
        n_trials, score = recording.sizes["trial"], finding.estimate["score"]
        if n_trials < 4:
            return Finding.abstain(f"needs at least 4 trials to halve, got {n_trials}")
        off = ~np.eye(len(score), dtype=bool)
        wanted = self.chosen(int(off.sum()))
        share = np.zeros(score.shape)
        for _ in range(self.pairs):
            order = rng.permutation(n_trials)
            for half in (order[: n_trials // 2], order[n_trials // 2 : n_trials // 2 * 2]):
                found = method.analyse(of_trials(recording, np.sort(half)), rng)
                if not found.abstained:  # a half without an answer chooses nothing
                    share += best(found.estimate["score"], wanted) / (2 * self.pairs)
        decided = off & (share >= self.threshold - 1e-9)
        notes = {**finding.notes, "share_of_halves": share, "chosen_per_half": wanted}
        ranked = share + 1e-6 * score / max(float(score.max()), 1e-300)  # the method's order where shares tie
        return replace(finding, estimate={**finding.estimate, "decided": decided, "score": ranked}, notes=notes)

    def chosen(self, n_pairs: int) -> int:
        """q for so many pairs."""
        return max(1, int(np.sqrt((2 * self.threshold - 1) * n_pairs * self.false_edges)))


@dataclass(frozen=True)
class ByLocalFDR:
    """Edges with a local false discovery rate below `level` in the distribution of all pairs' z-scores.

    z has the method's p and sign. Its null is not taken from theory but from the middle of the histogram, where few
    pairs are connected (Efron 2004, J Am Stat Assoc 99:96; 2007, Ann Stat 35:1351): what the model gets wrong for all
    pairs widens the null. Many weak connections do so too, and are then missed.
    """

    name: ClassVar[str] = "local_fdr"

    level: Level = 0.2
    """Largest local false discovery rate (Efron 2004: 0.2)."""
    fewest: Annotated[int, Within(20, 1_000_000)] = 50
    """Pairs below which there is no histogram to speak of."""

    def __post_init__(self) -> None:
        check_fields(self)

    def decide(self, method: Any, recording: xr.Dataset, finding: Finding, rng: np.random.Generator) -> Finding:
        """Decided by the local rate; p is that of the empirical null. Abstains where the method states no p."""
        from scipy.stats import norm

        if "p" not in finding.estimate:
            return Finding.abstain("the method states no p-values to make z-scores of")
        p, sign = finding.estimate["p"], finding.estimate["sign"]
        off = ~np.eye(len(p), dtype=bool)
        tested = off & (p < 1) & (sign != 0)
        if tested.sum() < self.fewest:
            return Finding.abstain(f"needs at least {self.fewest} tested pairs for a histogram, got {tested.sum()}")
        z = sign * norm.isf(np.clip(p, 1e-300, 1) / 2)
        rate, centre, spread = local_fdr(z[tested])
        decided, empirical = np.zeros_like(off), np.ones(p.shape)
        decided[tested] = rate <= self.level
        empirical[tested] = 2 * norm.sf(np.abs(z[tested] - centre) / spread)
        notes = {**finding.notes, "null_centre": centre, "null_spread": spread}
        return replace(finding, estimate={**finding.estimate, "decided": decided, "p": empirical}, notes=notes)


def best(score: np.ndarray, wanted: int) -> np.ndarray:
    """The so many pairs of highest score, as flags (pre, post); pairs of score 0 are never among them."""
    ranked = np.where(np.eye(len(score), dtype=bool), 0.0, score)
    bar = np.sort(ranked, axis=None)[::-1][min(wanted, ranked.size) - 1]
    return (ranked >= bar) & (ranked > 0)


def of_trials(recording: xr.Dataset, chosen: np.ndarray) -> xr.Dataset:
    """Some trials of a recording, numbered anew in their order."""
    part = recording.isel(trial=chosen).assign_coords(trial=np.arange(len(chosen)))
    if not is_spiking(recording):
        return part
    place = np.full(recording.sizes["trial"], -1)
    place[chosen] = np.arange(len(chosen))
    trial = place[recording["spike_trial"].values]
    part = part.isel(spike=np.flatnonzero(trial >= 0))
    part["spike_trial"] = ("spike", trial[trial >= 0].astype(recording["spike_trial"].dtype), part["spike_trial"].attrs)
    return part
