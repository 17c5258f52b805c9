"""How well evidence picks out the positives: AUROC, AUPRC, true positives at a low false-positive rate, MCC.

Written in a few lines of NumPy because importing scikit-learn takes seconds; the tests hold each against it.
Everywhere `positive` is bool (item,) and `score` is float (item,), tied scores sharing one threshold.
NaN stands where a figure is undefined: there are no positives, or nothing else.
"""

from __future__ import annotations

import numpy as np


def ratio(part: float, whole: float) -> float:
    """NaN where there is nothing to take a share of."""
    return float(part / whole) if whole else float("nan")


def _roc(positive: np.ndarray, score: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """True and false positives (threshold,) when all items that score at least the threshold are taken."""
    order = np.argsort(-score, kind="stable")
    ranked = score[order]
    last_of_tie = np.append(ranked[1:] != ranked[:-1], True)
    hits = np.cumsum(positive[order])[last_of_tie]
    return hits, np.flatnonzero(last_of_tie) + 1 - hits


def _one_sided(positive: np.ndarray) -> bool:
    return bool(positive.all() or not positive.any())


def auroc(positive: np.ndarray, score: np.ndarray) -> float:
    """Area under the ROC curve: the probability that a positive outscores a negative, ties counting half."""
    if _one_sided(positive):
        return float("nan")
    hits, false = (np.insert(counts, 0, 0) for counts in _roc(positive, score))
    return float(np.trapezoid(hits, false) / (hits[-1] * false[-1]))


def average_precision(positive: np.ndarray, score: np.ndarray) -> float:
    """Area under the precision-recall curve: the sum of precision x gain in recall, without interpolation."""
    if _one_sided(positive):
        return float("nan")
    hits, false = _roc(positive, score)
    return float(np.sum(np.diff(hits, prepend=0) * hits / (hits + false)) / hits[-1])


def tpr_at_fpr(positive: np.ndarray, score: np.ndarray, fpr: float = 0.01) -> float:
    """The largest true-positive rate that any threshold reaches with at most this false-positive rate."""
    if _one_sided(positive):
        return float("nan")
    hits, false = _roc(positive, score)
    allowed = hits[false <= fpr * false[-1]]
    return float(allowed.max(initial=0) / hits[-1])


def matthews(positive: np.ndarray, decided: np.ndarray) -> float:
    """Matthews' correlation of decision and truth; 0 where all or none are decided, which tells nothing."""
    if _one_sided(positive):
        return float("nan")
    if _one_sided(decided):
        return 0.0
    return float(np.corrcoef(positive, decided)[0, 1])


def chance_average_precision(n_positive: int, n: int) -> float:
    """Expected average precision of a random ranking without ties, exact.

    Rank k holds a positive with probability P/n, and then on average 1 + (k-1)(P-1)/(n-1) of the first k are
    positive; summed over k that is [H_n + (P-1)/(n-1) (n - H_n)] / n, with H_n the harmonic number. It
    exceeds the density P/n, its limit for large n.
    """
    if n_positive in (0, n):
        return float("nan")
    harmonic = np.sum(1.0 / np.arange(1, n + 1))
    return float((harmonic + (n_positive - 1) / (n - 1) * (n - harmonic)) / n)


def chance_tpr_at_fpr(n_positive: int, n: int, fpr: float = 0.01) -> float:
    """Expected `tpr_at_fpr` of a random ranking without ties, exact.

    A positive counts if at most k = floor(fpr x negatives) negatives outrank it, which holds in k+1 of the
    equally likely negatives+1 places; that exceeds fpr where there are few negatives.
    """
    if n_positive in (0, n):
        return float("nan")
    negatives = n - n_positive
    return float((np.floor(fpr * negatives) + 1) / (negatives + 1))


def false_discoveries(edge: np.ndarray, decided: np.ndarray, asked: np.ndarray) -> tuple[int, int]:
    """(false, all) discoveries among the pairs that are asked about, all (pre, post) and bool.

    A symmetric answer says of each pair once that there is something between the two: it counts once, and is false
    where there is an edge neither way.
    """
    if not np.array_equal(decided, decided.T):
        found = decided & asked
        return int((found & ~edge).sum()), int(found.sum())
    found = np.triu(decided & asked & asked.T, k=1)
    return int((found & ~(edge | edge.T)).sum()), int(found.sum())
