"""What a critical reader asks of wiring besides the headline: by pair, by sign, and whether p-values are what they say.

Pairs (pre, post) are bool matrices of what is asked about, of what is an edge and of what was decided.
"""

from __future__ import annotations

import numpy as np
import xarray as xr

from simlab.questions import ranking

LEVELS = (0.05, 0.01)
"""At which the p-values of unconnected pairs are counted."""


def unordered(edge: np.ndarray, decided: np.ndarray, score: np.ndarray, asked: np.ndarray) -> dict[str, float]:
    """Scores of unordered pairs: is there an edge either way? The only fair question to a symmetric analysis.

    A pair has the better of its two scores, is decided where either way is, and is left out where either is not asked.
    """
    once = np.triu(asked & asked.T, k=1)
    truth, chosen = (edge | edge.T)[once], (decided | decided.T)[once]
    evidence = np.maximum(score, score.T)[once]
    return {
        "pair_mcc": ranking.matthews(truth, chosen),
        "pair_auroc": ranking.auroc(truth, evidence),
        "pair_auprc": ranking.average_precision(truth, evidence),
    }


def chance_of_unordered(edge: np.ndarray, asked: np.ndarray) -> dict[str, float]:
    """What random scores get of the same."""
    once = np.triu(asked & asked.T, k=1)
    truth = (edge | edge.T)[once]
    n_true, n = int(truth.sum()), int(truth.size)
    known = 0 < n_true < n
    return {
        "pair_mcc": 0.0 if known else float("nan"),
        "pair_auroc": 0.5 if known else float("nan"),
        "pair_auprc": ranking.chance_average_precision(n_true, n),
    }


def by_sign(truth: xr.Dataset, decided: np.ndarray, score: np.ndarray, asked: np.ndarray) -> dict[str, float]:
    """Recall, and AUROC against all unconnected pairs, of excitatory and of inhibitory edges apart."""
    edge, sign = truth["edge"].values, truth["sign"].values
    found: dict[str, float] = {}
    for name, chosen in (("excitatory", sign > 0), ("inhibitory", sign < 0)):
        these = edge & asked & chosen
        against = asked & (these | ~edge)
        found[f"recall_{name}"] = float(decided[these].mean()) if these.any() else float("nan")
        found[f"auroc_{name}"] = ranking.auroc(these[against], score[against])
    return found


def of_p_values(p: np.ndarray | None, edge: np.ndarray, asked: np.ndarray) -> dict[str, float]:
    """Share of the unconnected pairs whose p-value is at or below each of `LEVELS`; NaN where no p-values are stated.

    A pair is unconnected where there is an edge neither way, so that symmetric answers can be right as well.
    """
    null = asked & ~edge & ~edge.T
    stated = p is not None and bool(null.any())
    return {
        f"p_below_{level:g}".replace("0.", ""): float(np.mean(p[null] <= level)) if stated else float("nan")  # type: ignore[index]
        for level in LEVELS
    }


def of_weights(weight: np.ndarray | None, truth: xr.Dataset, asked: np.ndarray) -> dict[str, float]:
    """How estimated weights go with the true ones; NaN where none are stated, or they or the true ones are all alike.

    weight_correlation: Pearson's, over pairs. weight_error: min over a of |W - a J| / |W| (Das & Fiete 2020), over
    pairs. profile_error: the same of means over pairs at one distance, where distances repeat, as around a ring.
    """
    found = dict.fromkeys(("weight_correlation", "weight_error", "profile_error"), float("nan"))
    true = truth["weight"].values[asked]
    if weight is None or not true.any():
        return found
    given = weight[asked]
    if np.ptp(true) > 0 and np.ptp(given) > 0:
        found["weight_correlation"] = float(np.corrcoef(true, given)[0, 1])
    found["weight_error"] = _relative_error(true, given)
    if "distance" in truth:
        found["profile_error"] = _profile_error(true, given, truth["distance"].values[asked])
    return found


def _relative_error(true: np.ndarray, given: np.ndarray) -> float:
    power = float(given @ given)
    scale = float(true @ given) / power if power > 0 else 0.0
    return float(np.linalg.norm(true - scale * given) / np.linalg.norm(true))


def _profile_error(true: np.ndarray, given: np.ndarray, distance: np.ndarray) -> float:
    apart, which, count = np.unique(np.round(distance, 9), return_inverse=True, return_counts=True)
    if len(apart) < 3 or count.min() < 3:
        return float("nan")
    true_mean, given_mean = (np.bincount(which, values) / count for values in (true, given))
    return _relative_error(true_mean, given_mean) if true_mean.any() else float("nan")
