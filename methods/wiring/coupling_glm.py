"""Coupling GLM: each unit's spikes explained by everybody's recent spikes at once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, Any, ClassVar

import numpy as np
import xarray as xr

from methods.wiring._lagged_design import LaggedDesign
from methods.wiring._pairs import SPIKE_TRAINS, abstention, edges, on_grid
from methods.wiring._poisson import fit_couplings
from simlab.contracts import Finding, Needs
from simlab.rules import Within, check_fields, require
from simlab.rules.quantities import Level, Repeats, Width


@dataclass(frozen=True)
class CouplingGLM:
    """Poisson regression with history and coupling filters, a Wald test per coupling.

    The count of unit i in bin t is Poisson with mean exp(b_i + sum_j sum_l f_ij(l) n_j(t - l)), l = 1..window,
    its filters on raised cosines in logarithmic time (Pillow et al. 2008, Nature 454:995); f_ii is the unit's own
    history. All pairs are fitted together, so that what a third recorded unit explains is not held for a
    connection. An edge j -> i is tested by the Wald statistic of f_ij's weights, chi-square with n_basis degrees
    of freedom; its sign is that of the filter's sum.
    """

    name: ClassVar[str] = "coupling_glm"
    question: ClassVar[str] = "connectivity"
    family: ClassVar[str] = "regression"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = SPIKE_TRAINS

    alpha: Level = 0.05
    """False discovery rate of decided edges (Benjamini & Hochberg 1995)."""
    bin_width: Width = 0.001
    """Bins of the spike counts [s]."""
    window: Width = 0.02
    """Length of the filters [s]: delay, rise and decay of a postsynaptic potential."""
    n_basis: Annotated[int, Within(1, 1000)] = 4
    """Raised cosines per filter (Pillow et al. 2008: 4 per coupling)."""
    ridge: Annotated[float, Within(0, 1e9)] = 1.0
    """Penalty ridge/2 |weights|^2, a Gaussian prior of variance 1/ridge on log gains: keeps filters finite where
    two units never fired together. 0 is plain maximum likelihood."""
    max_iterations: Repeats = 30
    """Newton steps at most."""
    tolerance: Level = 1e-3
    """Newton decrement at which a fit is done: then all parameters are within 3% of their standard errors."""

    def __post_init__(self) -> None:
        check_fields(self)
        require(
            self.bin_width < self.window,
            f"the GLM needs bin_width < window, got {self.bin_width} and {self.window} s: take finer bins",
        )

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """Graded, decided and signed edges (pre, post); abstains without spikes."""
        from scipy.stats import chi2

        if reason := abstention(recording, self.needs):
            return Finding.abstain(reason)
        ticks = on_grid(recording, self.bin_width)
        n_lags = round(self.window / self.bin_width)
        if not ticks.outlast(2 * n_lags):
            return Finding.abstain(
                f"trials of {recording.attrs['duration']} s are too short for {self.window} s filters"
            )
        basis = raised_cosines(n_lags, min(self.n_basis, n_lags))
        found = fit_couplings(
            LaggedDesign(ticks, n_lags),
            basis,
            ridge=self.ridge,
            max_iterations=self.max_iterations,
            tolerance=self.tolerance,
        )
        sign = np.einsum("lb,jbi->ji", basis, found.weights)
        p = chi2.sf(found.wald, basis.shape[1])
        notes: dict[str, Any] = {"iterations": found.iterations, "converged": found.converged}
        return edges(np.sqrt(found.wald), p, sign, self.alpha, weight=sign, **notes)

    def at_resolution(self, interval: float) -> CouplingGLM:
        """The same model for spike times known only to `interval` [s]: coarser bins, filters of at least 4 of them."""
        width = max(self.bin_width, interval)
        return replace(self, bin_width=width, window=max(self.window, 4 * width))


def raised_cosines(n_lags: int, n_basis: int) -> np.ndarray:
    """Bumps (lag, basis), 4 spacings wide, evenly spaced in log(lag + 2) from the first lag to half the window."""
    warped = np.log(np.arange(1, n_lags + 1) + 2.0)
    if n_basis == 1:
        return np.ones((n_lags, 1))
    centres = np.linspace(np.log(3.0), np.log(max(n_lags / 2, 2.0) + 2.0), n_basis)
    phase = (warped[:, None] - centres) * np.pi / (2 * (centres[1] - centres[0]))
    return 0.5 * (1 + np.cos(np.clip(phase, -np.pi, np.pi)))
