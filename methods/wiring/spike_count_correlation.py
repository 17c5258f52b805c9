"""Spike-count correlation: who rises and falls together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import xarray as xr

from methods.wiring._correlations import centred_signals, correlation, degrees_of_freedom, fisher_z, inflation
from methods.wiring._pairs import edges
from simlab.contracts import Finding, Needs
from simlab.rules import check_fields
from simlab.rules.quantities import Level, Width


@dataclass(frozen=True)
class SpikeCountCorrelation:
    """Pearson correlation of binned counts (or of a continuous signal), tested with Fisher's z.

    Each trial's mean is taken out, so that drifts from trial to trial do not count. Autocorrelated signals hold fewer
    independent samples than they have: N_eff = N / sum_k rho_a(k) rho_b(k) over lags k (Bartlett 1946, J R Stat
    Soc Suppl 8:27; Afyouni et al. 2019, NeuroImage 199:609), and so do trials of unlike variance, by a further
    mean(v_a v_b) / (mean(v_a) mean(v_b)) over trials; z = atanh(r) sqrt(N_eff - 3). Symmetric: it says nothing of
    direction (review: Cohen & Kohn 2011, Nat Neurosci 14:811).
    """

    name: ClassVar[str] = "spike_count_correlation"
    question: ClassVar[str] = "connectivity"
    family: ClassVar[str] = "correlation"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = Needs(units=2)

    alpha: Level = 0.05
    """False discovery rate of decided edges (Benjamini & Hochberg 1995)."""
    bin_width: Width = 0.02
    """Bins of the counts [s]; ignored for continuous signals, which keep their sampling."""

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """Symmetric edges (pre, post) with the sign of the correlation; works on any signal."""
        from scipy.special import ndtr

        trace, reason = centred_signals(recording, self.needs, self.bin_width)
        if reason:
            return Finding.abstain(reason)
        independent = np.maximum(degrees_of_freedom(trace) / inflation(trace), 4.0)
        z = fisher_z(correlation(trace), independent - 3)
        return edges(np.abs(z), 2 * ndtr(-np.abs(z)), z, self.alpha, test="Fisher z, Bartlett's effective samples")
