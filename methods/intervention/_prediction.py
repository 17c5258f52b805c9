"""What methods share that predict the outcomes of interventions which the brief lists and the rig does not do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from simlab.contracts import Finding

NORMAL_95 = 1.96
"""Standard errors to either side of a 95% interval."""


def to_predict(brief: Mapping[str, Any], n_units: int) -> np.ndarray | Finding:
    """(intervention, unit) bool: who is silenced in each intervention of the brief; an abstention without any."""
    sets = brief.get("interventions", ())
    if not sets:
        return Finding.abstain("the brief lists no interventions whose outcome could be predicted")
    silenced = np.zeros((len(sets), n_units), dtype=bool)
    for row, units in zip(silenced, sets, strict=True):
        row[list(units)] = True
    return silenced


def prediction(outcome: np.ndarray, error: np.ndarray, **notes: Any) -> Finding:
    """Outcomes (intervention,) with 95% intervals by their standard errors, all within 0..1."""
    low, high = outcome - NORMAL_95 * error, outcome + NORMAL_95 * error
    estimate = {"outcome": outcome, "low": low, "high": high}
    return Finding({name: np.clip(values, 0.0, 1.0) for name, values in estimate.items()}, notes=notes)


def among(silenced: np.ndarray, others: np.ndarray) -> np.ndarray:
    """(set,) bool: which sets of units (set, unit) are one of the others (other, unit)."""
    if not len(others):
        return np.zeros(len(silenced), dtype=bool)
    return (silenced[:, None, :] == others[None, :, :]).all(axis=2).any(axis=1)
