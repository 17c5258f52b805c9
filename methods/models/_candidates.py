"""What candidate models do beside what was recorded, bin by bin of the models' steps, and rankings of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import xarray as xr

from simlab.contracts import Finding, Needs
from simlab.data import bin_signal, bin_spikes, is_spiking, missing

NEEDS = Needs(units=2, seconds=5.0, models=True)
"""What a choice among models cannot do without."""

LEAST_SAMPLES = 50
"""Bins, over all trials."""


class Beside(NamedTuple):
    """Activity and what every candidate did in the same bins."""

    units: np.ndarray  # (sample, unit), those that vary alone
    models: tuple[np.ndarray | None, ...]  # (sample, unit of the model) of each candidate; None: it did not see this
    trial: np.ndarray  # (sample,) that each bin is of
    bin: np.ndarray  # (sample,) within its trial
    step: float  # s, of a bin
    individuals: tuple[np.ndarray, ...]  # (unit of the model,) whose each is, of each candidate
    varied: np.ndarray  # (unit of the recording,) which of them are here


def beside(recording: xr.Dataset, needs: Needs = NEEDS, *, every_unit: bool = False) -> Beside | Finding:
    """Both in the models' bins, trials laid end to end; an abstention where there is too little of either.

    every_unit: those that never change as well.
    """
    if reason := missing(recording, needs):
        return Finding.abstain(reason)
    response, owner = recording["model_response"].values, recording["model"].values
    activity = _in_bins(recording)
    bins = min(response.shape[1], activity.shape[1])
    units, theirs = (part[:, :bins].reshape(-1, part.shape[2]).astype(float) for part in (activity, response))
    trial, place = (part.ravel() for part in np.indices((len(response), bins)))
    seen = np.isfinite(units).all(axis=1) & np.isfinite(theirs).all(axis=1)
    if seen.sum() < LEAST_SAMPLES:
        return Finding.abstain(f"{int(seen.sum())} bins are too few to hold models against: it takes {LEAST_SAMPLES}")
    units = units[seen]
    varied = (np.ptp(units, axis=0) > 0) | every_unit
    if varied.sum() < needs.units:
        return Finding.abstain(f"{int(varied.sum())} units vary at all, and it takes {needs.units}")
    n = max(len(recording.attrs.get("brief", {}).get("candidates", ())), int(owner.max(initial=-1)) + 1)
    models = tuple(theirs[seen][:, owner == k] if (owner == k).any() else None for k in range(n))
    number = recording["model_individual"].values
    individuals = tuple(number[owner == k] for k in range(n))
    return Beside(units[:, varied], models, trial[seen], place[seen], _step(recording), individuals, varied)


def _step(recording: xr.Dataset) -> float:
    """The models' [s]."""
    time = recording["model_time"].values
    return float(np.diff(time).mean()) if len(time) > 1 else float(recording.attrs["duration"])


def _in_bins(recording: xr.Dataset) -> np.ndarray:
    """(trial, bin, unit): spike counts, or means of a signal, in the bins of the models."""
    step = _step(recording)
    return np.asarray(bin_spikes(recording, step).values) if is_spiking(recording) else bin_signal(recording, step)


def ranked(found: Beside, score: Callable[[np.ndarray], float | None]) -> Finding:
    """Every candidate's score; one that did not see what was shown, or has none, is last. Abstains without any."""
    return ranking([None if model is None else score(model) for model in found.models])


def ranking(
    scores: Sequence[float | None], fits: Sequence[bool] | None = None, confidence: float | None = None
) -> Finding:
    """The same of scores that are there; fits: of each candidate, whether it is held to share the mechanism."""
    known = [value for value in scores if value is not None and np.isfinite(value)]
    if not known:
        return Finding.abstain("no candidate that saw what was shown could be scored")
    last = min(known) - 1.0
    told = [last if value is None or not np.isfinite(value) else value for value in scores]
    estimate: dict[str, np.ndarray] = {"score": np.array(told, dtype=float)}
    if fits is not None:
        estimate["fits"] = np.array(fits, dtype=bool)
    return Finding(estimate, confidence, notes={"unscored": len(scores) - len(known)})


def folds(trial: np.ndarray, number: int) -> np.ndarray:
    """(sample,) the fold of each: whole trials where there are enough, else blocks of neighbours."""
    names, place = np.unique(trial, return_inverse=True)
    n, place = (len(names), place) if len(names) >= number else (len(trial), np.arange(len(trial)))
    return np.minimum(place * number // n, number - 1)


def shown_alike(recording: xr.Dataset, found: Beside) -> np.ndarray:
    """(sample,) the number of what was shown there: bins of trials of one condition, or of the very same stimulus."""
    n_trials = recording.sizes["trial"]
    if "condition" in recording:
        kind = np.unique(recording["condition"].values, return_inverse=True)[1]
    elif "stimulus" in recording:
        kind = np.unique(recording["stimulus"].values.reshape(n_trials, -1), axis=0, return_inverse=True)[1].ravel()
    else:
        kind = np.zeros(n_trials, dtype=int)
    together = kind[found.trial] * (int(found.bin.max()) + 1) + found.bin
    return np.asarray(np.unique(together, return_inverse=True)[1])


def averaged(values: np.ndarray, shown: np.ndarray) -> np.ndarray:
    """(stimulus, unit): means of values (sample, unit) over the times that each was shown."""
    order = np.argsort(shown, kind="stable")
    begins = np.flatnonzero(np.diff(shown[order], prepend=-1))
    return np.asarray(np.add.reduceat(values[order], begins, axis=0) / np.diff(np.append(begins, len(shown)))[:, None])


def repeated(values: np.ndarray, shown: np.ndarray, least: int = 2) -> np.ndarray | None:
    """(repeat, stimulus, unit) of values (sample, unit): as often as all were shown; None if less than `least`."""
    counts = np.bincount(shown)
    number = int(counts.min())
    if number < least:
        return None
    order = np.argsort(shown, kind="stable")
    begins = np.append(0, np.cumsum(counts)[:-1])
    return np.asarray(np.stack([values[order[begins + k]] for k in range(number)]))


def varying(features: np.ndarray) -> np.ndarray:
    """(sample, feature): those that vary, about their mean; numbers of one value in all but rounding do not."""
    spread = np.ptp(features, axis=0)
    moved = features[:, spread > 1e-9 * np.abs(features).max(axis=0, initial=0.0) + 1e-300]
    return np.asarray(moved - moved.mean(axis=0))


def correlations(said: np.ndarray, true: np.ndarray) -> np.ndarray:
    """(unit,): of two tables (sample, unit); 0 where one is constant."""
    a, b = said - said.mean(axis=0), true - true.mean(axis=0)
    size = np.sqrt((a**2).sum(axis=0) * (b**2).sum(axis=0))
    return np.divide((a * b).sum(axis=0), size, out=np.zeros(a.shape[1]), where=size > 1e-12)
