"""Inverse Ising: the pairwise maximum entropy model of who fires in the same bin."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import numpy as np
import xarray as xr

from methods.wiring._correlations import embedded
from methods.wiring._pairs import SPIKE_TRAINS, abstention, edges
from simlab.contracts import Finding, Needs
from simlab.data import bin_spikes, durations
from simlab.rules import Within, check_fields
from simlab.rules.quantities import Level, Width

BLOCKS = 50
"""Stretches that are taken for independent, at least: where there are fewer trials, each is cut."""


@dataclass(frozen=True)
class InverseIsing:
    """Couplings of p(s) = exp(sum_i h_i s_i + sum_{i<j} J_ij s_i s_j) / Z, s_i = 1 if unit i fired in the bin, else 0.

    The model of greatest entropy among those with the same rates and coincidences (Schneidman et al. 2006, Nature
    440:1007). Fitted by pseudo-likelihood: of each unit a logistic regression on all others in the same bin,
    logit p(s_i = 1) = h_i + sum_j J_ij s_j, and J_ij the mean of the two fits (Aurell & Ekeberg 2012, Phys Rev Lett
    108:090201); a coupling is a log odds ratio given all others.
    `l2`: z = J_ij / s.e. by the sandwich covariance of the mean of both fits, trials being its independent
    parts (Liang & Zeger 1986, Biometrika 73:13), so that bursts within a trial do not count as evidence over and over;
    t with parts - 1 degrees of freedom. Conservative where units hardly ever fire together.
    `l1`: penalty lambda_i = Phi^-1(1 - alpha / (2 n^2)) sqrt(q_i (1 - q_i) / N) on standardised units, q_i the chance
    to fire, which keeps all false couplings out with probability 1 - alpha where bins are independent (after Banerjee
    et al. 2008, J Mach Learn Res 9:485); decided where both fits keep the coupling (Ravikumar et al. 2010, Ann Stat
    38:1287); no p-values. Rates that drift from trial to trial together count as couplings. Symmetric. Independent
    units, Poisson or bursty, had an edge in 11 of 120 recordings (`l1`: 5).
    Cost: O(bins x units^3) per step of Newton: 3 s for 50 units x 100 trials x 2 s.
    """

    name: ClassVar[str] = "inverse_ising"
    question: ClassVar[str] = "connectivity"
    family: ClassVar[str] = "maximum entropy"
    library: ClassVar[str] = "scikit-learn"
    needs: ClassVar[Needs] = SPIKE_TRAINS

    alpha: Level = 0.05
    """False discovery rate of decided edges (Benjamini & Hochberg 1995); with `l1`, rate of any false one."""
    bin_width: Width = 0.02
    """Bins of the words [s] (Schneidman et al. 2006: 20 ms)."""
    penalty: Literal["l2", "l1"] = "l2"
    """Of the regressions: a Gaussian prior on couplings, or sparseness (Aurell & Ekeberg 2012 try both)."""
    ridge: Annotated[float, Within(1e-9, 1e9)] = 1.0
    """`l2`: ridge/2 J^2, a prior of variance 1/ridge on log odds ratios: keeps those without coincidences finite."""

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """Symmetric edges (pre, post) with the sign of the coupling; abstains without spikes."""
        from scipy.special import stdtr

        if reason := abstention(recording, self.needs):
            return Finding.abstain(reason)
        if durations(recording).max() < 2 * self.bin_width:
            return Finding.abstain(f"trials of {durations(recording).max()} s hold fewer than 2 bins")
        words, block = binary_words(recording, self.bin_width)
        live = np.flatnonzero((words.mean(axis=0) > 0) & (words.mean(axis=0) < 1))
        if live.size < 2 or len(words) < 2 * live.size:
            return Finding.abstain(f"{len(words)} words of {live.size} units that change are too few")
        words, n_units = words[:, live], recording.sizes["unit"]
        if self.penalty == "l1":
            return _sparse(lasso_couplings(words, self.alpha), live, n_units)
        coupling, error, parts = couplings(words, block, self.ridge)
        z = coupling / np.maximum(error, 1e-300)
        p = embedded(2 * stdtr(parts - 1, -np.abs(z)), live, n_units, 1.0)
        z = embedded(z, live, n_units)
        return edges(np.abs(z), p, z, self.alpha, weight=embedded(coupling, live, n_units), parts=parts)


def binary_words(recording: xr.Dataset, width: float) -> tuple[np.ndarray, np.ndarray]:
    """Who fired in each bin that lies within its trial (bin, unit), and the part of the recording (bin,) it is of."""
    counts = bin_spikes(recording, width).values
    n_trials, n_bins, n_units = counts.shape
    cuts = max(1, min(-(-BLOCKS // n_trials), n_bins // 10))
    block = np.arange(n_trials)[:, None] * cuts + np.arange(n_bins) * cuts // n_bins
    inside = np.isfinite(counts[:, :, 0]).ravel()
    words = (counts.reshape(-1, n_units)[inside] > 0).astype(float)
    return words, np.unique(block.ravel()[inside], return_inverse=True)[1]


def couplings(words: np.ndarray, block: np.ndarray, ridge: float) -> tuple[np.ndarray, np.ndarray, int]:
    """Couplings (unit, unit) by ridge logistic regressions, their standard errors, and how many parts there are."""
    from scipy.sparse import csr_array

    n_units, parts = words.shape[1], int(block.max()) + 1
    within = csr_array((np.ones(len(block)), (block, np.arange(len(block)))), (parts, len(block)))
    found = np.zeros((n_units, n_units))
    influence = np.zeros((n_units, parts, n_units))  # of each part on each coupling, from the fit of the first unit
    for unit in range(n_units):
        others = np.delete(np.arange(n_units), unit)
        found[unit, others], influence[unit][:, others] = _regression(words, unit, others, within, ridge)
    both = (influence + influence.transpose(2, 1, 0)) / 2
    error = np.sqrt(np.einsum("ibj,ibj->ij", both, both) * parts / max(parts - 1, 1))
    return (found + found.T) / 2, error, parts


def _regression(
    words: np.ndarray, unit: int, others: np.ndarray, within: object, ridge: float
) -> tuple[np.ndarray, np.ndarray]:
    """Weights of all others on one unit, and how much each part of the recording moves them (part, other)."""
    from scipy.special import expit
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=1 / ridge, solver="newton-cholesky", tol=1e-6).fit(words[:, others], words[:, unit])
    design = np.column_stack([np.ones(len(words)), words[:, others]])
    chance = expit(design @ np.r_[model.intercept_, model.coef_[0]])
    prior = np.diag(np.r_[0.0, np.full(len(others), ridge)])
    information = (design * (chance * (1 - chance))[:, None]).T @ design + prior
    score = within @ (design * (words[:, unit] - chance)[:, None])  # type: ignore[operator]
    return model.coef_[0], np.linalg.solve(information, score.T).T[:, 1:]


def lasso_couplings(words: np.ndarray, alpha: float) -> np.ndarray:
    """Weights (unit, other) of sparse logistic regressions, each other's on itself; 0 where the penalty holds them."""
    from scipy.special import ndtri
    from sklearn.linear_model import LogisticRegression

    n_bins, n_units = words.shape
    chance = words.mean(axis=0)
    spread = np.sqrt(chance * (1 - chance))
    standard = (words - chance) / spread
    found = np.zeros((n_units, n_units))
    for unit in range(n_units):
        others = np.delete(np.arange(n_units), unit)
        total = -ndtri(alpha / (2 * n_units**2)) * spread[unit] * np.sqrt(n_bins)
        # a constant of 100 makes the penalty on the intercept, which this solver does not spare, too small to matter
        model = LogisticRegression(C=1 / total, l1_ratio=1, solver="liblinear", intercept_scaling=100, random_state=0)
        found[unit, others] = model.fit(standard[:, others], words[:, unit]).coef_[0] / spread[others]
    return found


def _sparse(found: np.ndarray, live: np.ndarray, n_units: int) -> Finding:
    """The answer of sparse regressions: edges where both directions keep a coupling, graded by their mean."""
    coupling = embedded((found + found.T) / 2, live, n_units)
    decided = embedded((found != 0) & (found.T != 0), live, n_units)
    sign = np.sign(coupling).astype(int)
    return Finding({"score": np.abs(coupling), "decided": decided, "sign": sign, "weight": coupling})
