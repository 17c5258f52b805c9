"""Whether stated confidences are earned: scores of them, and the points of a reliability diagram."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from simlab.statistics.measured import share
from simlab.statistics.verdicts import right, stand_in, subject_of

if TYPE_CHECKING:
    import pandas as pd

NAN = float("nan")

FEWEST = 5
"""A share of fewer answers than this is no point of a diagram."""


def calibration(table: pd.DataFrame, bins: int = 10) -> dict[str, Any]:
    """Whether stated confidences are earned: `brier`, `calibration_error` (expected) and `n_confidence`.

    Over answers of circuits (right: recovered) and rivals (right: no false recovery) that state a confidence.
    brier: mean squared difference of confidence and outcome, 0 the best, 0.25 what always saying 0.5 gets.
    calibration_error: mean over `bins` even bins of confidence, weighted by their number, of the distance between
    mean confidence and share right (Guo et al. 2017); it is above 0 by chance alone in small numbers.
    """
    cells = _stated(table)
    return earned(cells["confidence"], cells["right"], bins)


def earned(stated: Any, outcomes: Any, bins: int = 10) -> dict[str, Any]:
    """`calibration` of stated confidences (cell,) in answers right or not (cell,); NaN in either: left out."""
    confidence, outcome = np.asarray(stated, dtype=float), np.asarray(outcomes, dtype=float)
    known = ~np.isnan(confidence) & ~np.isnan(outcome)
    confidence, outcome = confidence[known], outcome[known]
    if not known.any():
        return {"brier": NAN, "calibration_error": NAN, "n_confidence": 0}
    gap = np.bincount(_bins(confidence, bins), weights=confidence - outcome, minlength=bins)
    return {
        "brier": float(np.mean((confidence - outcome) ** 2)),
        "calibration_error": float(np.abs(gap).sum() / len(outcome)),
        "n_confidence": len(outcome),
    }


def calibration_points(table: pd.DataFrame, question: str, bins: int = 5) -> pd.DataFrame:
    """Stated confidence against the share of right answers, in even bins, for each method that states one.

    On rivals an answer is right that claims no mechanism. Columns: line, confidence, recovery with its interval, n.
    """
    import pandas as pd

    cells = _stated(table[(table["question"] == question) & ~stand_in(table)])
    cells = cells.assign(bin=_bins(cells["confidence"].to_numpy(dtype=float), bins))
    rows = []
    for (line, _), group in cells.groupby(["method_label", "bin"]):
        if len(group) >= FEWEST:
            found = share(group["right"], subject_of(group))
            rows.append((line, group["confidence"].mean(), found.value, found.low, found.high, found.n))
    return pd.DataFrame(rows, columns=["line", "confidence", "recovery", "recovery_low", "recovery_high", "n"])


def _stated(table: pd.DataFrame) -> pd.DataFrame:
    """The cells that state a confidence in an answer of which it is known whether it was right (column `right`)."""
    cells = table[table["role"] != "ceiling"]
    return cells.assign(right=right(cells)).dropna(subset=["confidence", "right"])


def _bins(confidence: np.ndarray, bins: int) -> np.ndarray:
    return np.minimum((confidence * bins).astype(int), bins - 1)
