"""Trials of two senses and a context that says which of them counts: what was shown, and what the units made of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from simlab.contracts import Finding
from simlab.data import in_window

SELECTED, GATED = "recurrent selection", "input gating"
"""Mechanisms of a choice by context."""

FEWEST = 20
"""Trials of either context."""


@dataclass(frozen=True, eq=False)
class Senses:
    """Of each trial: activity (trial, unit), means of the senses shown (trial, sense), which is counting (trial,)."""

    activity: np.ndarray
    shown: np.ndarray
    counting: np.ndarray
    onset: float  # s, of the senses


def told_apart(brief: Mapping[str, Any]) -> Finding | None:
    """An abstention where the two mechanisms are not both candidates."""
    candidates = tuple(str(name) for name in brief.get("candidates", ()))
    if {SELECTED, GATED} <= set(candidates):
        return None
    return Finding.abstain(f"tells {SELECTED} from {GATED}; the candidates are {', '.join(candidates) or 'none'}")


def senses(recording: xr.Dataset) -> Senses | Finding:
    """The last feature shown is taken for the context, positive where the first counts, the first two for senses."""
    shown = recording["stimulus"].values.astype(float)
    if shown.shape[2] != 3:
        return Finding.abstain(f"takes two senses and a context, got {shown.shape[2]} features")
    times, seen = recording["time"].values, np.isfinite(shown[:, :, :2]).all(axis=(0, 2))
    told = np.nan_to_num(shown[:, :, 2]).mean(axis=1)
    if not seen.any() or not np.isfinite(told).all():
        return Finding.abstain("no time at which both senses are shown in every trial")
    counting = np.where(told > 0, 0, 1)
    few = min(int((counting == k).sum()) for k in (0, 1))
    if few < FEWEST:
        return Finding.abstain(f"{few} trials of one of the contexts; this needs {FEWEST} of either")
    onset = float(times[seen][0])
    length = float(recording.attrs["duration"]) - onset
    activity = np.asarray(in_window(recording, onset, length), dtype=float)
    return Senses(activity, shown[:, seen, :2].mean(axis=1), counting, onset)
