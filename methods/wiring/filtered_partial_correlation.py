"""Filtered partial correlation: who starts together, as the Connectomics challenge was won."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import numpy as np
import xarray as xr

from methods.wiring._correlations import centred_signals, embedded, partial, rotated
from methods.wiring._pairs import edges, surrogate_p
from simlab.contracts import Finding, Needs
from simlab.data import is_spiking
from simlab.rules import Within, check_fields
from simlab.rules.quantities import Count, Level, Share, Width

LOW_PASS = {"symmetric": (1.0, 1.0, 1.0), "causal": (1.0, 1.0, 0.8, 0.4)}
"""Weights in f_1 and f_2 of the latest sample, the one before it ...; that f_1 is centred shifts all units alike."""
MIN_LENGTH = 12
"""Samples of a trial below which rotations are too few to make surrogates."""
TRANSIENT = 0.14
"""Height of one spike's transient in the challenge's units: 50 of 350 uM (Stetter et al. 2012, Ca / (Ca + 300 uM))."""
TRANSIENT_NOISE = 0.03 * 2**0.5
"""Deviation of the noise of g(f(x)) there: both filters leave two samples of deviation .03 (Stetter et al. 2012)."""
PRECEDENCE = (0.2, 0.5)
"""By how much a unit must surpass what another did one sample before, to count as following it (phi_1, phi_2)."""


@dataclass(frozen=True)
class FilteredPartialCorrelation:
    """Partial correlations of the onsets in fluorescence (or of counts), after Sutera et al. 2014 (arXiv:1406.7865).

    Of each trace: low pass f(x_t) = x_{t-1} + x_t + x_{t+1} (their f_1; f_2 = .4 x_{t-3} + .8 x_{t-2} + x_{t-1} + x_t),
    difference g(x_t) = x_t - x_{t-1}, threshold h(x) = x where x >= tau, else 0, and w(x_i) = (x_i + 1)^(1 + 1 / sum_j
    x_j), which takes weight from times when everybody is active; then -P_ij / sqrt(P_ii P_jj) from the precision P of a
    probabilistic PCA with a share of .8 of the components. Theirs is a ranking only, of the signed values, for networks
    without inhibition. Here pairs are ranked by the size of the excess over surrogates, in which each unit is rotated
    in each trial by an amount of its own (w alone makes independent units anticorrelate), and decided by p-values of
    all pairs' surrogates together. Symmetric, but for a share `direction` of the ranking, which says who follows whom:
    z_ij = s_ij - s_ji, s_ij counting the t with x_j(t+1) - x_i(t) between .2 and .5; mostly it points to the more
    active unit, and single spikes in counts are too small to move it. Their simplified method is what runs here (they
    call the tuned one overfitted), with neither its average over many tau nor w's tuned exponents. tau was .1 to .21 in
    the challenge's units, where noise was .03 and a spike .14: a trace is scaled to have that noise, counts to have
    that spike; and as w falls with the sum over 1000 neurons, the mean of the recorded ones stands for it (their plain
    sum would make w of few neurons so steep that coincidences count for less than spikes alone: AUROC .57 in place of
    .74 on 20 units of a balanced network). Independent units, Poisson, bursty or slow, had an edge in 12 of 180
    recordings.
    Cost: O(samples x units^2 x surrogates): 1 s for 50 units x 100 trials x 2 s.
    """

    name: ClassVar[str] = "filtered_partial_correlation"
    question: ClassVar[str] = "connectivity"
    family: ClassVar[str] = "correlation"
    library: ClassVar[str] = "scikit-learn"
    needs: ClassVar[Needs] = Needs(units=3)

    alpha: Level = 0.05
    """False discovery rate of decided edges (Benjamini & Hochberg 1995)."""
    bin_width: Width = 0.02
    """Bins of the counts [s]: the challenge's frame; ignored for continuous signals, which keep their sampling."""
    low_pass: Literal["symmetric", "causal"] = "symmetric"
    """f_1 or f_2 of the paper."""
    threshold: Annotated[float, Within(0, 10, excluding=(0,))] = 0.11
    """tau, in the challenge's units (Sutera et al. 2014: .1 to .21; here 2.6 deviations of the noise)."""
    components: Annotated[float, Within(0, 1, excluding=(0,))] = 0.8
    """Share of the principal components that are kept (Sutera et al. 2014)."""
    network_size: Count = 1000
    """Neurons whose summed activity w was made for (the challenge's networks): the recorded sum is scaled up to it."""
    direction: Share = 0.003
    """Share of who follows whom in the ranking (Sutera et al. 2014)."""
    surrogates: Annotated[int, Within(2, 10_000)] = 20
    """Rotations that make the null distribution: p-values are multiples of 1 / (surrogates n (n - 1) + 1)."""

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """Edges (pre, post), symmetric but for the ranking, with the sign of the partial correlation; any signal."""
        trace, reason = centred_signals(recording, self.needs, self.bin_width)
        if reason:
            return Finding.abstain(reason)
        if trace.shape[1] < MIN_LENGTH:
            return Finding.abstain(f"needs trials of at least {MIN_LENGTH} samples, got {trace.shape[1]}")
        scale = np.full(trace.shape[2], TRANSIENT) if is_spiking(recording) else None
        rises = onsets(trace, self.low_pass, self.threshold, scale)
        live, n_units = np.flatnonzero(rises.any(axis=(0, 1))), trace.shape[2]
        if live.size < 3:
            return Finding.abstain(f"only {live.size} of {n_units} units show any onset above the threshold")
        rises = rises[:, :, live]
        observed = self._partial(rises)
        null = np.stack([self._partial(rotated(rises, rng)) for _ in range(self.surrogates)])
        excess, above = surrogate_p(observed, null)
        _, below = surrogate_p(-observed, -null)
        p = embedded(np.minimum(2 * np.minimum(above, below), 1.0), live, n_units, 1.0)
        score = (1 - self.direction) * _unit_range(np.abs(excess)) + self.direction * _unit_range(precedence(rises))
        return edges(embedded(score, live, n_units), p, embedded(excess, live, n_units), self.alpha)

    def _partial(self, rises: np.ndarray) -> np.ndarray:
        """Partial correlations (unit, unit) of the weighted onsets by the leading components; the diagonal is 1."""
        from scipy.linalg import pinvh
        from sklearn.decomposition import PCA

        rows = weighted(rises.reshape(-1, rises.shape[2]), self.network_size)
        kept = max(1, min(int(self.components * rows.shape[1]), rows.shape[1] - 1))
        model = PCA(n_components=kept, svd_solver="covariance_eigh").fit(rows)
        return partial(pinvh(model.get_covariance()))  # pseudo-inverse: units that are alike have no inverse


def onsets(trace: np.ndarray, low_pass: str, threshold: float, scale: np.ndarray | None) -> np.ndarray:
    """h(g(f(x))) of (trial, sample, unit), in the challenge's units; a trial's first and last samples are dropped.

    scale: units per unit of the trace (unit,); None: what makes the noise that of the challenge, its deviation being
    1.48 times the median absolute deviation of g(f(x)).
    """
    weights = LOW_PASS[low_pass]
    n_kept = trace.shape[1] - len(weights) + 1
    smooth = sum(w * trace[:, len(weights) - 1 - k :][:, :n_kept] for k, w in enumerate(weights))
    rise = np.diff(np.asarray(smooth), axis=1)
    if scale is None:
        deviation = 1.4826 * np.median(np.abs(rise - np.median(rise, axis=(0, 1))), axis=(0, 1))
        spread = np.where(deviation > 0, deviation, rise.std(axis=(0, 1)))
        scale = TRANSIENT_NOISE / np.where(spread > 0, spread, np.inf)
    rise *= scale
    return np.where(rise >= threshold, rise, 0.0)


def weighted(rows: np.ndarray, network_size: float) -> np.ndarray:
    """w of (sample, unit): (x + 1)^(1 + 1 / sum of so many neurons' x), and 1 where nobody is active."""
    total = rows.mean(axis=1) * network_size
    result = np.ones_like(rows)
    sample, unit = np.nonzero(rows)
    result[sample, unit] = (rows[sample, unit] + 1) ** (1 + 1 / total[sample])
    return result


def precedence(rises: np.ndarray) -> np.ndarray:
    """How much more often post follows pre than pre follows post (pre, post), from onsets to the power of .9."""
    softened = rises**0.9
    found = np.zeros((rises.shape[2],) * 2)
    for pre in range(len(found)):
        ahead = softened[:, 1:] - softened[:, :-1, pre : pre + 1]
        found[pre] = ((ahead >= PRECEDENCE[0]) & (ahead <= PRECEDENCE[1])).sum(axis=(0, 1))
    return found - found.T


def _unit_range(values: np.ndarray) -> np.ndarray:
    """Values (pre, post) off the diagonal scaled to 0..1."""
    off = values[~np.eye(len(values), dtype=bool)]
    span = off.max() - off.min()
    return (values - off.min()) / span if span > 0 else np.zeros_like(values)
