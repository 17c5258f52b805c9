"""From evidence about the sign of each unit to labels: shared by the methods that look at what units do to others."""

from __future__ import annotations

from typing import Any

import numpy as np

from simlab.contracts import Finding


def pooled(deviates: np.ndarray) -> np.ndarray:
    """Of a unit's effects on all others (pre, post), standard normal where there are none, the like for the unit.

    Stouffer's sum (unit,): n - 1 independent deviates sum to one of variance n - 1, which is divided out.
    """
    off = ~np.eye(len(deviates), dtype=bool)
    return np.where(off, deviates, 0.0).sum(axis=1) / np.sqrt(max(len(deviates) - 1, 1))


def significant(z: np.ndarray, alpha: float) -> np.ndarray:
    """Labels (unit,) of deviates (unit,): E or I where the two-sided p survives Benjamini & Hochberg (1995), else ?."""
    from scipy.stats import false_discovery_control, norm

    sure = false_discovery_control(2 * norm.sf(np.abs(z))) <= alpha
    return np.where(sure, np.where(z < 0, "I", "E"), "?").astype(object)


def p_inhibitory(z: np.ndarray, prior: float) -> np.ndarray:
    """Probability (unit,) that the effect behind a deviate is negative, `prior` at z = 0.

    Were all sizes of effect as likely as one another, those below 0 would have the share Phi(-z) of the posterior.
    """
    from scipy.special import expit, log_ndtr

    return expit(np.log(prior / (1 - prior)) + log_ndtr(-z) - log_ndtr(z))


def typed(label: np.ndarray, z: np.ndarray, prior: float, **notes: Any) -> Finding:
    """The finding of these labels, with the probability that the deviates give."""
    return Finding({"label": label, "score": p_inhibitory(z, prior)}, notes={"deviates": z, **notes})
