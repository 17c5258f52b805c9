"""Partial correlation: who varies together once everybody else is known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import xarray as xr

from methods.wiring._correlations import (
    centred_signals,
    changing,
    degrees_of_freedom,
    embedded,
    fisher_z,
    inflation,
    partial,
    standardised,
)
from methods.wiring._pairs import edges
from simlab.contracts import Finding, Needs
from simlab.rules import check_fields
from simlab.rules.quantities import Level, Width

MOST_SHRINKAGE = 0.999
"""Beyond it nothing would be left to rank; r / (1 - a) then is the plain correlation."""


@dataclass(frozen=True)
class PartialCorrelation:
    """Correlation of two units given all others that are recorded, by a shrunken inverse covariance and Fisher's z.

    r_ij = -P_ij / sqrt(P_ii P_jj), P the inverse of the correlation matrix S drawn towards independence, (1 - a) S + a
    I, a chosen for least expected squared error (Ledoit & Wolf 2004, J Multivar Anal 88:365; Chen et al. 2010, IEEE
    Trans Signal Process 58:5016; for networks: Schafer & Strimmer 2005, Stat Appl Genet Mol Biol 4:32). It removes what
    a recorded third unit explains, and adds a spurious link between two units that drive the same third. Without a link
    r / (1 - a) is distributed as an unshrunken partial correlation (Bernal et al. 2019, Bioinformatics 35:5011), so z =
    atanh(r / (1 - a)) sqrt(N_eff - (n - 2) - 3): n - 2 units are conditioned on (Fisher 1924), N_eff are the
    independent samples after Bartlett, as for the spike-count correlation, but with the autocorrelations of what the
    other units leave of each (the rows of P x). Symmetric: it says nothing of direction. Independent units had an edge
    in 2 of 180 recordings of Poisson, 11 of 180 of bursty and 18 of 180 of very slow ones.
    Cost: O(samples x units^2): below .1 s for 50 units x 100 trials x 2 s.
    """

    name: ClassVar[str] = "partial_correlation"
    question: ClassVar[str] = "connectivity"
    family: ClassVar[str] = "correlation"
    library: ClassVar[str] = "scikit-learn"
    needs: ClassVar[Needs] = Needs(units=2)

    alpha: Level = 0.05
    """False discovery rate of decided edges (Benjamini & Hochberg 1995)."""
    bin_width: Width = 0.02
    """Bins of the counts [s]; ignored for continuous signals, which keep their sampling. As for correlations."""
    shrinkage: Literal["ledoit_wolf", "oas"] = "ledoit_wolf"
    """How the amount of shrinkage is chosen: after Ledoit & Wolf, or oracle approximating (Chen et al. 2010)."""

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """Symmetric edges (pre, post) with the sign of the partial correlation; works on any signal."""
        from scipy.special import ndtr

        trace, reason = centred_signals(recording, self.needs, self.bin_width)
        if reason:
            return Finding.abstain(reason)
        live, n_units = changing(trace), trace.shape[2]
        if live.size < 2:
            return Finding.abstain(f"only {live.size} of {n_units} units ever change")
        rows = standardised(trace[:, :, live])
        amount = min(_amount(self.shrinkage, rows), MOST_SHRINKAGE)
        precision = np.linalg.inv((1 - amount) * rows.T @ rows / len(rows) + (amount + 1e-10) * np.eye(live.size))
        residuals = (rows @ precision).reshape(*trace.shape[:2], live.size)
        freedom = degrees_of_freedom(trace) / inflation(residuals) - (live.size - 2) - 3
        if freedom.max() <= 0:
            return Finding.abstain(f"too few independent samples to hold {live.size - 2} units fixed")
        found = partial(precision) / (1 - amount)
        z, weight = embedded(fisher_z(found, freedom), live, n_units), embedded(found, live, n_units)
        return edges(np.abs(z), 2 * ndtr(-np.abs(z)), z, self.alpha, weight=weight, shrinkage=amount)


def _amount(shrinkage: str, rows: np.ndarray) -> float:
    """How far the correlation matrix is drawn towards independence, 0 to 1."""
    from sklearn.covariance import ledoit_wolf_shrinkage, oas

    if shrinkage == "oas":
        return float(oas(rows, assume_centered=True)[1])
    return float(ledoit_wolf_shrinkage(rows, assume_centered=True))
