"""Conditional independence: what the PC algorithm leaves of the links from past to present, tested link by link."""

from __future__ import annotations

from dataclasses import dataclass, replace
from importlib.util import find_spec
from typing import Annotated, ClassVar

import numpy as np
import xarray as xr

from methods.wiring._pairs import abstention, edges
from simlab.contracts import Finding, Needs
from simlab.data import is_spiking, signals
from simlab.rules import Within, check_fields
from simlab.rules.quantities import Level, Width


@dataclass(frozen=True)
class ConditionalIndependence:
    """Causal discovery from lagged counts: parents by the PC algorithm, links by momentary conditional independence.

    The variables are x_i(t) and x_j(t - l), l = 1..max_lag. PC (Spirtes, Glymour & Scheines 2000; order-independent:
    Colombo & Maathuis 2014), run by causal-learn (Zheng et al. 2024, JMLR 25:60), removes the link of x_j(t - l) and
    x_i(t) where their partial correlation given any `max_conditions` or fewer neighbours is not significant at
    `parent_level` (Fisher's z); links run from past to present alone. What stays are the parents P of each unit. Every
    link is then tested by the partial correlation

        x_j(t - l), x_i(t) | P(x_i(t)) without x_j(t - l), P(x_j(t - l)),

    which takes out both units' own dynamics (momentary conditional independence, as PCMCI has it: Runge et al. 2019,
    Sci Adv 5:eaau4996). A pair's p is the least over lags, times max_lag; a false discovery rate over pairs decides,
    where PC itself would call each link that stays. PCMCI's own implementation, tigramite, is under the GPL and not
    used here; who has it runs `pcmci`.

    Effects within a bin are not seen, common input that is not recorded is not taken out, and rates that fluctuate more
    slowly than max_lag bins leave dependence behind. Of 30 recordings of 4 to 20 independent units each, 1 (Poisson), 3
    (refractory), 1 (slowly fluctuating) and 8 (bursts of 1 to 5 spikes some 4 ms apart) had a false edge. Cost: PC
    tests pairs of variables (units (max_lag + 1))^2 / 2, then subsets of neighbours, 0.3 ms each with the library's
    bookkeeping; 50 units take half a minute.
    """

    name: ClassVar[str] = "conditional_independence"
    question: ClassVar[str] = "connectivity"
    family: ClassVar[str] = "causal discovery"
    library: ClassVar[str] = "causal-learn"
    needs: ClassVar[Needs] = Needs(units=2)

    alpha: Level = 0.05
    """False discovery rate of decided edges (Benjamini & Hochberg 1995)."""
    bin_width: Width = 0.005
    """Bins of the spike counts [s]; ignored for continuous signals, which keep their sampling."""
    max_lag: Annotated[int, Within(1, 20)] = 2
    """Longest lag in bins: 10 ms, some two delays and rises of a postsynaptic potential."""
    parent_level: Level = 0.05
    """Level of the tests that make a parent (the default of causal-learn)."""
    max_conditions: Annotated[int, Within(0, 10)] = 1
    """Neighbours at most that PC conditions on: subsets grow as their power. The last test conditions on all parents,
    too many of them or not (Runge et al. 2019 limit subsets likewise)."""

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """Graded, decided and signed edges (pre, post); works on spikes and on any signal."""
        if reason := abstention(recording, self.needs):
            return Finding.abstain(reason)
        if find_spec("causallearn") is None:
            return Finding.abstain("needs the module 'causallearn': install simlab[causality]")
        if is_spiking(recording) and recording.attrs["duration"] < 2 * self.bin_width:
            return Finding.abstain(f"trials of {recording.attrs['duration']} s hold fewer than 2 bins")
        trace = signals(recording, self.bin_width).values.astype(float)
        live, rows = np.flatnonzero(np.ptp(trace, axis=(0, 1)) > 0), lagged(trace, 2 * self.max_lag)
        n = trace.shape[2]
        if reason := unfit(trace, live, len(rows), self.max_lag):
            return Finding.abstain(reason)
        rows = rows.reshape(len(rows), -1, n)[:, :, live].reshape(len(rows), -1)
        parents = self._parents(rows[:, : (self.max_lag + 1) * live.size], live.size)
        z, sign, p = np.zeros((n, n)), np.zeros((n, n)), np.ones((n, n))
        everyone = np.ix_(live, live)
        z[everyone], p[everyone], sign[everyone] = self._links(np.corrcoef(rows.T), parents, len(rows))
        linked = np.zeros((n, n), dtype=bool)
        linked[everyone] = parents.any(axis=0)
        return edges(z, p, sign, self.alpha, linked_by_pc=linked)

    def at_resolution(self, interval: float) -> ConditionalIndependence:
        """The same for spike times known only to `interval` [s]."""
        return replace(self, bin_width=max(self.bin_width, interval))

    def _parents(self, rows: np.ndarray, n: int) -> np.ndarray:
        """Links (lag - 1, pre, post) that PC leaves from the past to the present."""
        from causallearn.graph.GraphNode import GraphNode
        from causallearn.utils.cit import CIT
        from causallearn.utils.PCUtils.BackgroundKnowledge import BackgroundKnowledge
        from causallearn.utils.PCUtils.SkeletonDiscovery import skeleton_discovery

        past_first = BackgroundKnowledge()
        for column in range(rows.shape[1]):
            past_first.add_node_to_tier(GraphNode(f"X{column + 1}"), 1 if column < n else 0)
        past_first.forbid_within_tier(0).forbid_within_tier(1)
        # the skeleton is all that is needed: time orients every link, and PC's own rules take most of its time to do so
        found = skeleton_discovery(
            rows, self.parent_level, CIT(rows, "fisherz"), background_knowledge=past_first, show_progress=False,
            max_k=self.max_conditions,
        )  # fmt: skip
        return (found.G.graph[n:, :n] != 0).reshape(self.max_lag, n, n)

    def _links(
        self, correlation: np.ndarray, parents: np.ndarray, n_rows: int
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """z, p and sign (pre, post) of each pair's strongest link."""
        from scipy.special import ndtr

        n = parents.shape[1]
        of = [[lag * n + pre for lag, pre in zip(*np.nonzero(parents[:, :, unit]), strict=True)] for unit in range(n)]
        z = np.zeros((self.max_lag, n, n))
        for lag, pre, post in np.ndindex(z.shape):
            cause = (lag + 1) * n + pre
            # P(x(t)) are columns from n on; those of a variable l bins ago stand l n columns further
            given = {n + parent for parent in of[post]} | {(lag + 2) * n + parent for parent in of[pre]}
            z[lag, pre, post] = fisher_z(correlation, cause, post, sorted(given - {cause}), n_rows)
        best = np.abs(z).argmax(axis=0)[None]
        strongest = np.take_along_axis(z, best, axis=0)[0]
        p = np.minimum(1.0, 2 * self.max_lag * ndtr(-np.abs(strongest)))
        return np.abs(strongest), p, np.sign(strongest)


def unfit(trace: np.ndarray, live: np.ndarray, n_rows: int, max_lag: int) -> str:
    """Why partial correlations of (trial, sample, unit) `live` and their past would say nothing; empty if they can."""
    if not np.isfinite(trace).all():
        return "the signals hold values that are not finite: drop or fill those samples"
    n_columns = (2 * max_lag + 1) * live.size
    if live.size < 2 or n_rows < 2 * n_columns:
        return f"{n_rows} samples of {live.size} changing units are too few for {n_columns} lagged variables"
    alike = np.abs(np.corrcoef(trace.reshape(-1, trace.shape[2])[:, live].T)) > 1 - 1e-9
    if alike.sum() > live.size:
        return "two units are copies of each other, and given one the other is independent of everything: drop one"
    return ""


def lagged(trace: np.ndarray, n_lags: int) -> np.ndarray:
    """Rows (sample, lag x unit) of all that was 0..n_lags samples ago, from (trial, time, unit); within trials."""
    n_samples = trace.shape[1]
    if n_samples <= n_lags:
        return np.zeros((0, (n_lags + 1) * trace.shape[2]))
    back = [trace[:, n_lags - lag : n_samples - lag] for lag in range(n_lags + 1)]
    return np.concatenate(back, axis=2).reshape(-1, (n_lags + 1) * trace.shape[2])


def fisher_z(correlation: np.ndarray, first: int, second: int, given: list[int], n_rows: int) -> float:
    """Fisher's z of a partial correlation, in its standard deviations if there is none."""
    chosen = [first, second, *given]
    # a whisper of ridge: a parent of both is in twice over where trends make columns all but alike
    precision = np.linalg.inv(correlation[np.ix_(chosen, chosen)] + 1e-10 * np.eye(len(chosen)))
    partial = -precision[0, 1] / np.sqrt(precision[0, 0] * precision[1, 1])
    return float(np.arctanh(np.clip(partial, -1 + 1e-12, 1 - 1e-12)) * np.sqrt(n_rows - len(given) - 3))
