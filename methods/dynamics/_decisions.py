"""Shared by the analyses of decisions: counts from the evidence's onset, conditions, and verdicts among mechanisms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from simlab.contracts import Finding
from simlab.data import bin_spikes

RAMPING, STEPPING, ATTRACTOR = "ramping", "stepping", "attractor decision"
"""Mechanisms of a decision that these methods tell apart."""

LEAST, MOST = 0.01, 0.99
"""Of a stated probability: no analysis of a few trials is surer."""


def onset(recording: xr.Dataset) -> float:
    """When the stimulus begins [s]; 0 where there is none, or it is always on."""
    if "stimulus" not in recording:
        return 0.0
    shown = np.isfinite(recording["stimulus"].values).any(axis=(0, 2))
    return float(recording["time"].values[np.argmax(shown)]) if shown.any() else 0.0


def counts_from(recording: xr.Dataset, width: float, start: float) -> np.ndarray:
    """Counts (trial, bin, unit) in whole bins of `width` [s] from `start` [s] on to the trials' end."""
    moved = recording.assign(spike_time=recording["spike_time"] - start)
    kept = np.flatnonzero(moved["spike_time"].values >= 0)
    moved = moved.isel(spike=kept).assign_attrs(duration=float(recording.attrs["duration"]) - start)
    return bin_spikes(moved, width).values.astype(float)


def conditions(recording: xr.Dataset) -> np.ndarray:
    """(trial,) number of each trial's condition, from 0 on; all 0 where none are stated."""
    if "condition" not in recording:
        return np.zeros(recording.sizes["trial"], dtype=int)
    return np.unique(recording["condition"].values, return_inverse=True)[1]


def active(recording: xr.Dataset, least: int) -> Finding | None:
    """An abstention where fewer units than `least` fire at all; else None."""
    n_active = len(np.unique(recording["spike_unit"].values))
    if n_active < least:
        return Finding.abstain(f"{n_active} of {recording.sizes['unit']} units are active; this needs {least}")
    return None


def choice_axis(late: np.ndarray) -> np.ndarray:
    """(unit,) of length 1: the first principal component of the square roots of late counts (trial, unit)."""
    spread = np.sqrt(late) - np.sqrt(late).mean(axis=0)
    return np.linalg.svd(spread, full_matrices=False)[2][0]


def among(
    brief: Mapping[str, Any], weights: Mapping[str, float], notes: Mapping[str, object], told: tuple[str, ...]
) -> Finding:
    """The finding of these probabilities by mechanism, over the candidates of a `mechanism` brief.

    told: the mechanisms that the method tells apart; where fewer than two of them are candidates there is nothing to
    tell, and it abstains. What a mechanism that is no candidate would get goes to the others in proportion.
    """
    candidates = tuple(str(name) for name in brief.get("candidates", ()))
    known = [name for name in told if name in candidates]
    if len(known) < 2:
        return Finding.abstain(
            f"tells {', '.join(told)} from one another; the candidates are {', '.join(candidates) or 'none'}"
        )
    given = np.array([max(weights.get(name, 0.0), 0.0) if name in known else 0.0 for name in candidates])
    probability = given / given.sum() if given.sum() > 0 else np.isin(candidates, known) / len(known)
    best = int(np.argmax(probability))
    return Finding(
        {"label": candidates[best], "probability": probability}, confidence=float(probability[best]), notes=dict(notes)
    )


def folds(condition: np.ndarray, n_folds: int, rng: np.random.Generator) -> np.ndarray:
    """(trial,) the fold of each trial: every condition is spread evenly over all."""
    found = np.empty(len(condition), dtype=int)
    start = 0
    for level in np.unique(condition):
        mine = rng.permutation(np.flatnonzero(condition == level))
        found[mine] = (np.arange(len(mine)) + start) % n_folds
        start += len(mine)
    return found


SEGMENTS = 6
"""Of a trial, in each of which rates without a latent stand still: more would fit noise, and be easily beaten."""


def without_latent(train: np.ndarray, test: np.ndarray, exposure: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """(trial,) log likelihood of held-out counts (trial, bin, unit) if each unit had one time course in all trials.

    The better one of a steady rate and of one in segments; exposure: (trial, unit) of the former and of the latter.
    """
    found = []
    for n in (1, min(SEGMENTS, train.shape[1])):
        course = np.concatenate(
            [
                np.broadcast_to(
                    (part.sum((0, 1)) + 0.5) / (part.shape[1] * exposure[0].sum(axis=0) + 1.0), part.shape[1:]
                )
                for part in np.array_split(train, n, axis=1)
            ]
        )
        expected = course * exposure[1][:, None]
        found.append((test * np.log(expected) - expected).sum((1, 2)))
    return max(found, key=lambda values: float(values.sum()))


def mean_and_z(values: np.ndarray) -> tuple[float, float]:
    """Mean over trials, and that over its standard error."""
    error = values.std(ddof=1) / np.sqrt(len(values))
    return float(values.mean()), float(values.mean() / max(error, 1e-9))
