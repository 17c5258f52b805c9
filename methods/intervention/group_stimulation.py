"""Group testing: pulse random groups and let a sparse regression say whose pulses mattered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from methods.intervention._pulses import (
    RESPONSES,
    Lead,
    Pulse,
    Trials,
    pulse_groups,
)
from simlab.contracts import Finding, Needs, Rig
from simlab.rules import check_fields
from simlab.rules.quantities import Level, Repeats, Share

ROUNDS = 2
"""Fits of the lasso: the second knows the noise that the first has left."""


@dataclass(frozen=True)
class GroupStimulation:
    """Pulses into random groups of units; the lasso of each unit's responses on who was pulsed, refitted unpenalised.

        y_j(trial) = b_j + sum_i A_ij x_i(trial) + noise,   x_i: whether unit i was in the trial's group

    Compressed sensing of connections (Hu & Chklovskii 2009, NIPS 22; Shababo et al. 2013, NIPS 26; Draelos & Pearson
    2020, NeurIPS 33; Triplett et al. 2022, NeurIPS 35): each trial tells of several units at once, and few of them
    matter for any j. The penalty is sigma_j z / sqrt(trials), sigma_j the standard deviation of y_j at first and of the
    residuals then (Sun & Zhang 2012, Biometrika 99:879), z what the largest of n (n - 1) chance correlations exceeds
    with probability `alpha` (Bonferroni; the universal threshold sqrt(2 ln) of Donoho & Johnstone 1994, Biometrika
    81:425, is exceeded in one null network of five). Units that the lasso keeps have an effect, of the size that least
    squares on them alone gives. Responses are taken as additive.

    Light that spreads enters as correlated columns: a pulsed neighbour's effect is shared out among units that are
    close. Cost: its trials; of n units each is pulsed in `group_share` of them, against 1/n one at a time.
    """

    name: ClassVar[str] = "group_stimulation"
    question: ClassVar[str] = "effect"
    family: ClassVar[str] = "perturbation"
    library: ClassVar[str] = "scikit-learn"
    needs: ClassVar[Needs] = RESPONSES

    alpha: Level = 0.05
    """Probability of deciding any effect in a network without one."""
    group_share: Share = 0.1
    """Of the units, pulsed together in a trial (Draelos & Pearson 2020; Triplett et al. 2022: about 10 cells)."""
    lead: Lead = 0.01
    """What is recorded before a pulse [s]."""
    least_trials: Repeats = 50
    """Without which it abstains."""
    most_trials: Trials = 50_000
    """Asked for, however large the budget."""

    def __post_init__(self) -> None:
        check_fields(self)

    def investigate(self, rig: Rig, rng: np.random.Generator) -> Finding:
        """One session; the notes give the mean size of the groups."""
        limits = self.least_trials, self.most_trials
        pulsed = pulse_groups(rig, Pulse.told(rig.brief), self.lead, self.group_share, limits, rng)
        if isinstance(pulsed, Finding):
            return pulsed
        response, kept = sparse_regression(pulsed.aimed, pulsed.response, self.alpha)
        return Finding({"response": response, "decided": kept}, notes={"group": float(pulsed.aimed.sum(axis=1).mean())})


def sparse_regression(aimed: np.ndarray, response: np.ndarray, alpha: float) -> tuple[np.ndarray, np.ndarray]:
    """Coefficients (pre, post) of responses (trial, post) on who was pulsed (trial, pre), and which were kept.

    alpha: probability of keeping any where there is none.
    """
    from scipy.special import ndtri
    from sklearn.linear_model import Lasso

    design, seen = aimed - aimed.mean(axis=0), response - response.mean(axis=0)
    spread = np.maximum(design.std(axis=0), 1e-12)
    n_trials, n_units = design.shape
    penalty = -ndtri(alpha / (2 * n_units * max(n_units - 1, 1))) / np.sqrt(n_trials)
    residual, kept = seen, np.zeros((n_units, n_units), dtype=bool)
    for _ in range(ROUNDS):
        noise = np.where(residual.std(axis=0) > 0, residual.std(axis=0), 1.0)
        fit = Lasso(alpha=penalty, fit_intercept=False, max_iter=10_000).fit(design / spread, seen / noise)
        kept = fit.coef_.reshape(n_units, n_units).T != 0
        coefficients = _least_squares(design, seen, kept)
        residual = seen - design @ coefficients
    return coefficients, kept & ~np.eye(n_units, dtype=bool)


def _least_squares(design: np.ndarray, seen: np.ndarray, kept: np.ndarray) -> np.ndarray:
    """(pre, post): each post's regression on the units that are kept for it; 0 for the rest."""
    coefficients = np.zeros(kept.shape)
    for post, mine in enumerate(kept.T):
        if mine.any():
            coefficients[mine, post] = np.linalg.lstsq(design[:, mine], seen[:, post], rcond=None)[0]
    return coefficients
