"""Graphical lasso: the sparsest network of partial correlations that still explains who varies with whom."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import numpy as np
import xarray as xr

from methods.wiring._correlations import centred_signals, changing, embedded, partial, standardised
from simlab.contracts import Finding, Needs
from simlab.rules import Within, check_fields
from simlab.rules.quantities import Repeats, Width

BLOCKS = 20
"""Pieces that subsamples are drawn from, at least: where there are fewer trials, each is cut."""
PENALTIES = 40
"""Penalties tried per subsample, from that of the first edge down to a thirtieth of it."""
ZERO = 1e-9
"""Partial correlations that rounding leaves of an entry that the penalty has set to zero."""

TOLERANCE = 1e-3
"""Duality gap that will do in a subsample: ten times the default, for the same edges in a tenth of the time."""


@dataclass(frozen=True)
class GraphicalLasso:
    """Sparse inverse covariance by an L1 penalty; an edge is an entry that is not zero.

    P maximises log det P - tr(S P) - lambda sum_{i != j} |P_ij|, S the correlations of counts or signals less each
    trial's mean (Friedman et al. 2008, Biostatistics 9:432; neurons: Yatsenko et al. 2015, PLoS Comput Biol
    11:e1004083). `cross_validation`, as the field does it: lambda of best likelihood in five held-out parts, graded by
    the partial correlations -P_ij / sqrt(P_ii P_jj). What predicts best holds too many edges, however long one records
    (Meinshausen & Buhlmann 2006, Ann Stat 34:1436), and so some where there are none: among 3, 8 or 20 independent
    units, Poisson, bursty or slow, in 64 of 180 recordings (by stability in 5).
    `stability`: in each of `subsamples` random halves of the trials the first q edges enter as lambda falls; decided
    are those that enter in at least a share `threshold` of the halves, and graded by that share. No more than q^2 / ((2
    threshold - 1) pairs) = `false_edges` false ones are expected (Meinshausen & Buhlmann 2010, J R Stat Soc B 72:417,
    theorem 1), which limits q, and so the discoveries, to sqrt((2 threshold - 1) false_edges pairs). Neither has
    p-values. Symmetric. Cost: O(units^3) per lambda: 1 s for 50 units x 100 trials x 2 s, 6 s by stability.
    """

    name: ClassVar[str] = "graphical_lasso"
    question: ClassVar[str] = "connectivity"
    family: ClassVar[str] = "correlation"
    library: ClassVar[str] = "scikit-learn"
    needs: ClassVar[Needs] = Needs(units=2)

    bin_width: Width = 0.02
    """Bins of the counts [s]; ignored for continuous signals, which keep their sampling. As for correlations."""
    selection: Literal["cross_validation", "stability"] = "cross_validation"
    """How the penalty, and with it the edges, are chosen."""
    subsamples: Repeats = 100
    """Halves of the data that stability is judged by (Meinshausen & Buhlmann 2010: 100)."""
    threshold: Annotated[float, Within(0.5, 1, excluding=(0.5,))] = 0.9
    """Share of the halves in which a stable edge enters (Meinshausen & Buhlmann 2010: .6 to .9)."""
    false_edges: Annotated[float, Within(1e-3, 1000)] = 1.0
    """Pairs falsely connected by stability that are allowed for on average (Meinshausen & Buhlmann 2010: 1)."""

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """Symmetric edges (pre, post) with the sign of the partial correlation; works on any signal."""
        trace, reason = centred_signals(recording, self.needs, self.bin_width)
        if reason:
            return Finding.abstain(reason)
        live, n_units = changing(trace), trace.shape[2]
        if live.size < 2:
            return Finding.abstain(f"only {live.size} of {n_units} units ever change")
        trace = trace[:, :, live]
        try:
            with warnings.catch_warnings():  # of slow convergence, far from the penalty that is chosen
                warnings.simplefilter("ignore")
                if self.selection == "cross_validation":
                    return _finding(*_cross_validated(trace), live, n_units)
                return self._stable(trace, live, n_units, rng)
        except FloatingPointError:
            return Finding.abstain("some units are too nearly twins for an inverse covariance")

    def _stable(self, trace: np.ndarray, live: np.ndarray, n_units: int, rng: np.random.Generator) -> Finding:
        pairs = live.size * (live.size - 1) / 2
        most = int(np.sqrt((2 * self.threshold - 1) * self.false_edges * pairs) + 1e-9)
        if not 1 <= most < pairs:
            return Finding.abstain(f"{pairs:.0f} pairs are too few to bound the false edges by {self.false_edges:g}")
        moments = _moments(trace)
        half = len(moments) // 2
        found = np.zeros((live.size, live.size))
        share = np.zeros_like(found)
        for _ in range(self.subsamples):
            chosen = rng.choice(len(moments), half, replace=False)
            first = _first_edges(moments[chosen].sum(axis=0), most)
            found += first / self.subsamples
            share += (first != 0) / self.subsamples
        return _finding(share, share >= self.threshold - 1e-9, found, live, n_units, most=most)


def _finding(
    score: np.ndarray, decided: np.ndarray, sign: np.ndarray, live: np.ndarray, n_units: int, **notes: float
) -> Finding:
    """The answer over all units of what was found among those that change."""
    for matrix in (score, decided, sign):
        np.fill_diagonal(matrix, 0)
    estimate = {
        "score": embedded(score, live, n_units),
        "decided": embedded(decided, live, n_units),
        "sign": np.sign(embedded(sign, live, n_units)).astype(int),
    }
    return Finding(estimate, notes=notes)


def _cross_validated(trace: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Strength, edges and signed strength (unit, unit) at the penalty of best likelihood in data held out."""
    from sklearn.covariance import GraphicalLassoCV

    found = _without_rounding(partial(GraphicalLassoCV(assume_centered=True).fit(standardised(trace)).precision_))
    return np.abs(found), found != 0, found


def _without_rounding(found: np.ndarray) -> np.ndarray:
    return np.where(np.abs(found) > ZERO, found, 0.0)


def _moments(trace: np.ndarray) -> np.ndarray:
    """Sums of products (piece, unit, unit) of the trials, each cut so that there are `BLOCKS` of them at least."""
    cuts = max(1, min(-(-BLOCKS // len(trace)), trace.shape[1] // 2))
    pieces = [piece for part in np.array_split(trace, cuts, axis=1) for piece in part]
    return np.stack([piece.T @ piece for piece in pieces])


def _first_edges(moments: np.ndarray, most: int) -> np.ndarray:
    """Partial correlations (unit, unit) of the first edges to enter as the penalty falls, `most` of them at most."""
    from sklearn.covariance import graphical_lasso

    scale = np.sqrt(np.maximum(np.diag(moments), 1e-12 * np.diag(moments).max()))
    correlation = (1 - 1e-3) * moments / np.outer(scale, scale)  # so that twins keep an inverse
    np.fill_diagonal(correlation, 1.0)  # also of a unit that stands still in this half
    highest = np.abs(correlation - np.eye(len(scale))).max()
    penalties = np.geomspace(max(highest, 1e-6), max(highest, 1e-6) / 30, PENALTIES)
    kept, low, high = np.zeros_like(correlation), 0, PENALTIES  # at `low` few enough have entered, at `high` too many
    while high - low > 1:
        middle = (low + high) // 2
        found = _without_rounding(partial(graphical_lasso(correlation, penalties[middle], tol=TOLERANCE)[1]))
        if np.count_nonzero(np.triu(found, 1)) > most:
            high = middle
        else:
            kept, low = found, middle
    return kept - np.diag(np.diag(kept))
