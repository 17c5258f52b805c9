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
