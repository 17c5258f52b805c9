"""PCMCI: momentary conditional independence as its authors' own program has it, which is under the GPL and optional."""

from __future__ import annotations

from dataclasses import dataclass, replace
from importlib.util import find_spec
from typing import Annotated, ClassVar

import numpy as np
import xarray as xr

from methods.wiring._pairs import abstention, edges
from methods.wiring.conditional_independence import unfit
from simlab.contracts import Finding, Needs
from simlab.data import is_spiking, signals
from simlab.rules import Within, check_fields
from simlab.rules.quantities import Level, Width


@dataclass(frozen=True)
class PCMCI:
    """Causal discovery in time series by tigramite: parents by PC1, then momentary conditional independence (MCI).

    Of lagged variables x_j(t - l), l = 1..max_lag, the first step keeps for each unit a superset of its parents P: the
    links that stay significant at `parent_level` when the strongest neighbours are conditioned on, one more in each
    round. The second tests each link by a partial correlation (ParCorr, Student's t),

        x_j(t - l), x_i(t) | P(x_i(t)) without x_j(t - l), P(x_j(t - l)),

    both as in Runge et al. 2019, Sci Adv 5:eaau4996, at their published defaults. A pair's p is the least over lags,
    times max_lag; a false discovery rate over pairs decides. Trials are laid end to end with gaps that no lag bridges.

    **Licence.** tigramite is under the GPL, version 3; simlab is not, and neither holds nor installs it unless asked:
    `pip install simlab[pcmci]`, an extra that `all` leaves out. Without it this method abstains and says so.
    `conditional_independence` answers the same question by a library under the MIT licence.

    As there, effects within a bin are not seen, common input that is not recorded stays, and counts are not Gaussian.
    Cost: O(units^2 x lags) regressions of all samples on the parents, in Python: 10 s for 10 units and 40,000 samples;
    20 units x 100 trials x 2 s were not done after 400 s on a busy machine: by far the slowest of its question.
    """

    name: ClassVar[str] = "pcmci"
    question: ClassVar[str] = "connectivity"
    family: ClassVar[str] = "causal discovery"
    library: ClassVar[str] = "tigramite"
    needs: ClassVar[Needs] = Needs(units=2)

    alpha: Level = 0.05
    """False discovery rate of decided edges (Benjamini & Hochberg 1995)."""
    bin_width: Width = 0.005
    """Bins of the spike counts [s]; ignored for continuous signals, which keep their sampling."""
    max_lag: Annotated[int, Within(1, 20)] = 2
    """Longest lag in bins: 10 ms, some two delays and rises of a postsynaptic potential."""
    parent_level: Level = 0.2
    """Level of the tests that make a parent: the default of tigramite, which wants too many rather than too few."""

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """Graded, decided and signed edges (pre, post); works on spikes and on any signal."""
        if reason := abstention(recording, self.needs):
            return Finding.abstain(reason)
        if find_spec("tigramite") is None:
            return Finding.abstain(
                "needs the module 'tigramite', which is under the GPL and no part of simlab: install simlab[pcmci], or "
                "use conditional_independence"
            )
        if is_spiking(recording) and recording.attrs["duration"] < 2 * self.bin_width:
            return Finding.abstain(f"trials of {recording.attrs['duration']} s hold fewer than 2 bins")
        trace = signals(recording, self.bin_width).values.astype(float)
        live, n = np.flatnonzero(np.ptp(trace, axis=(0, 1)) > 0), trace.shape[2]
        n_rows = trace.shape[0] * max(trace.shape[1] - 2 * self.max_lag, 0)
        if reason := unfit(trace, live, n_rows, self.max_lag):
            return Finding.abstain(reason)
        value, p = self._links(trace[:, :, live])
        best = np.abs(value).argmax(axis=2)[:, :, None]
        strongest = np.zeros((n, n))
        least = np.ones((n, n))
        among = np.ix_(live, live)
        strongest[among] = np.take_along_axis(value, best, axis=2)[:, :, 0]
        least[among] = np.minimum(1.0, self.max_lag * p.min(axis=2))
        return edges(np.abs(strongest), least, strongest, self.alpha, weight=strongest)

    def at_resolution(self, interval: float) -> PCMCI:
        """The same for spike times known only to `interval` [s]."""
        return replace(self, bin_width=max(self.bin_width, interval))

    def _links(self, trace: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Partial correlation and p (pre, post, lag) of (trial, sample, unit)."""
        from tigramite.data_processing import DataFrame
        from tigramite.independence_tests.parcorr import ParCorr
        from tigramite.pcmci import PCMCI as Tigramite

        gap = float(trace.min()) - 1.0  # a value that no sample has
        found = Tigramite(
            DataFrame(laid_end_to_end(trace, 2 * self.max_lag, gap), missing_flag=gap), ParCorr(), verbosity=0
        ).run_pcmci(tau_min=1, tau_max=self.max_lag, pc_alpha=self.parent_level)
        return found["val_matrix"][:, :, 1:], found["p_matrix"][:, :, 1:]


def laid_end_to_end(trace: np.ndarray, gap: int, value: float) -> np.ndarray:
    """Rows (sample, unit) of all trials of (trial, sample, unit), each followed by `gap` rows of `value`."""
    apart = np.full((trace.shape[0], gap, trace.shape[2]), value)
    return np.concatenate([trace, apart], axis=1).reshape(-1, trace.shape[2])
