"""Point-process Granger causality: whose past spikes raise the likelihood of whose spikes, given everybody else's."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, ClassVar

import numpy as np
import xarray as xr

from methods.wiring._lagged_design import LaggedDesign
from methods.wiring._pairs import SPIKE_TRAINS, abstention, edges, on_grid
from methods.wiring._poisson import GROUP_ENTRIES, Regression, State
from simlab.contracts import Finding, Needs
from simlab.rules import Within, check_fields
from simlab.rules.quantities import Level, Repeats, Width


@dataclass(frozen=True)
class PointProcessGranger:
    """Likelihood ratio of a unit's point-process model with and without one other unit (Kim et al. 2011, PLoS Comput
    Biol 7:e1001110).

    The log rate of unit i is b_i + sum_j sum_m g_ij,m R_j,m(t), with R_j,m the spikes of j in the m-th of `n_windows`
    adjoining windows of length `window` before t; j = i is i's own history. Without trigger j the maximum likelihood
    falls, and twice the fall, the deviance, is chi-square with n_windows degrees of freedom if j adds nothing to what
    all others tell of i. The influence is excitatory or inhibitory as sum_m g_ij,m is above or below 0.

    Deviances are those of the exact likelihood at the reduced model one Newton step from the full one, which reuses the
    full model's information instead of fitting n (n - 1) models anew. This overstates large ones a little and hits the
    small ones on which decisions hang (a test holds them against refits). Kim et al. choose n_windows for each unit by
    Akaike's criterion; here it is one number for all. `coupling_glm` tests smooth filters over twice the time by Wald's
    statistic instead.

    What the windows do not describe of a unit's own history is held for influence: of 45 recordings of 4 to 20
    independent units, 28 had a false edge where units fire bursts of 1 to 5 spikes some 4 ms apart, which last longer
    than 10 ms (3 of 45 Poisson, 1 of 45 refractory, 2 of 45 slowly fluctuating units).
    Cost: that of the coupling GLM, and n passes over its rows: spikes x lags x units^2.
    """

    name: ClassVar[str] = "point_process_granger"
    question: ClassVar[str] = "connectivity"
    family: ClassVar[str] = "regression"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = SPIKE_TRAINS

    alpha: Level = 0.05
    """False discovery rate of decided edges (Benjamini & Hochberg 1995; so in Kim et al. 2011)."""
    bin_width: Width = 0.001
    """Bins of the spike counts [s] (Kim et al. 2011)."""
    window: Width = 0.002
    """Length of one window of history [s] (Kim et al. 2011: 2 ms in their simulated networks)."""
    n_windows: Annotated[int, Within(1, 1000)] = 5
    """Windows of history (Kim et al. 2011 try 1 to 5 of 2 ms there)."""
    ridge: Annotated[float, Within(0, 1e9, excluding=(0,))] = 0.01
    """Penalty ridge/2 |g|^2: keeps finite what plain maximum likelihood sends to infinity where two units never fired
    together, and is too weak to matter elsewhere."""
    max_iterations: Repeats = 30
    """Newton steps at most."""
    tolerance: Level = 1e-3
    """Newton decrement at which a fit is done: then its deviance is right to this."""

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """Graded, decided and signed edges (pre, post); abstains without spikes."""
        from scipy.stats import chi2

        if reason := abstention(recording, self.needs):
            return Finding.abstain(reason)
        ticks = on_grid(recording, self.bin_width)
        per_window = max(1, round(self.window / self.bin_width))
        n_lags = per_window * self.n_windows
        if not ticks.outlast(2 * n_lags):
            return Finding.abstain(
                f"trials of {recording.attrs['duration']} s are too short for {n_lags * self.bin_width:g} s of history"
            )
        basis = np.repeat(np.eye(self.n_windows), per_window, axis=0)
        deviance, total, converged = self._deviances(LaggedDesign(ticks, n_lags), basis)
        p = chi2.sf(deviance, self.n_windows)
        return edges(np.sqrt(deviance), p, total, self.alpha, deviance=deviance, converged=converged)

    def at_resolution(self, interval: float) -> PointProcessGranger:
        """The same model for spike times known only to `interval` [s]: as many windows of at least one bin each."""
        width = max(self.bin_width, interval)
        return replace(self, bin_width=width, window=max(self.window, width))

    def _deviances(self, design: LaggedDesign, basis: np.ndarray) -> tuple[np.ndarray, np.ndarray, bool]:
        """Deviance of leaving out (pre, post), the sum of g (pre, post), and whether all models converged.

        Targets go in groups that fit in memory. A unit without spikes has no model, and zeros.
        """
        n = design.ticks.n_units
        deviance, total, converged = np.zeros((n, n)), np.zeros((n, n)), True
        fired = np.flatnonzero(design.spikes)
        size = max(1, GROUP_ENTRIES // design.n_cells)
        for start in range(0, len(fired), size):
            targets = fired[start : start + size]
            model = Regression(design, basis, self.ridge, targets)
            state, _, done = model.fit(max_iterations=self.max_iterations, tolerance=self.tolerance)
            deviance[:, targets] = deviances(design, basis, targets, state, *reduced(model, state, self.ridge))
            total[:, targets], converged = state.weights.sum(axis=1), converged and done
        return deviance, total, converged


def reduced(model: Regression, state: State, ridge: float) -> tuple[np.ndarray, np.ndarray]:
    """Intercepts (left out, target) and weights (left out, pre, basis, target) of the models without one unit each.

    The maximum of the full model's quadratic approximation under g_j = 0: with C the inverse information, all
    parameters move by -C[:, j] C[j, j]^-1 g_j.
    """
    n, n_basis, n_targets = state.weights.shape
    intercepts, weights = np.zeros((n, n_targets)), np.zeros((n, n, n_basis, n_targets))
    for target in range(n_targets):
        information = model.information(state, target)
        slope = np.arange(1, len(information))
        information[slope, slope] += ridge
        inverse = np.linalg.inv(information)
        columns = inverse[:, 1:].reshape(-1, n, n_basis)  # (parameter, left out, basis)
        own = columns[1:].reshape(n, n_basis, n, n_basis)[np.arange(n), :, np.arange(n), :]
        push = np.linalg.solve(own, state.weights[:, :, target, None])[:, :, 0]  # (left out, basis)
        moved = -np.einsum("pjb,jb->jp", columns, push)
        intercepts[:, target] = state.intercept[target] + moved[:, 0]
        weights[:, :, :, target] = state.weights[:, :, target] + moved[:, 1:].reshape(n, n, n_basis)
    return intercepts, weights


def deviances(
    design: LaggedDesign,
    basis: np.ndarray,
    targets: np.ndarray,
    state: State,
    intercepts: np.ndarray,
    weights: np.ndarray,
) -> np.ndarray:
    """Twice the full models' log likelihood less that of the models without one unit each: (left out, target)."""
    n = len(weights)
    seen = np.einsum("lb,jli->jbi", basis, design.events[:, targets].reshape(n, len(basis), -1))
    spikes = design.spikes[targets]
    full = (state.weights * seen).sum(axis=(0, 1)) + state.intercept * spikes - state.moments.total
    filters = np.einsum("lb,kjbi->kjli", basis, weights).reshape(n, n * len(basis), len(targets))
    less = np.einsum("kjbi,jbi->ki", weights, seen) + intercepts * spikes
    expected = design.expected(intercepts.ravel(), np.concatenate(list(filters), axis=1), np.tile(targets, n))
    return np.maximum(2 * (full - less + expected.reshape(n, -1)), 0.0)
