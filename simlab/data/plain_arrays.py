"""A Recording of anybody's spikes, given as plain arrays."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import xarray as xr

from simlab.contracts import SimlabError
from simlab.data.building import recording

MOST_TRIALS = 10_000_000
"""Trials that a count made from the largest index may have: beyond, it is rather a time or an identifier."""


def from_arrays(
    times: np.ndarray,
    ids: np.ndarray,
    *,
    duration: float | np.ndarray | None = None,
    trials: np.ndarray | None = None,
    n_trials: int | None = None,
    units: Sequence[Any] | None = None,
) -> xr.Dataset:
    """A Recording of anybody's spikes: `times` (spike,) [s], `ids` (spike,) any labels, `trials` (spike,) indices.

    units: the labels of all units, in the order that they shall have, silent ones among them; by default the sorted
    ids that occur. The labels stand along `unit` as the coordinate `unit_label`. duration [s], one or (trial,): by
    default just past the last spike. trials count from 0. n_trials: how many there were, for the sake of those without
    spikes; by default as many as durations, else up to the last one with a spike, if the first one, 0, has any. Raises
    SimlabError for a spike of a unit, or in a trial, that is not there, and for values that say nothing (NaN).
    """
    when = _times(times)
    names = _ids(ids, len(when))
    if len(when) == 0 and (units is None or duration is None):
        raise SimlabError("a recording needs at least one spike, got none: or give its units and its duration")
    labels, unit = _labelled(names, None if units is None else _units(units))
    trial = _trials(trials, len(when))
    length = _duration(duration, when)
    found = recording(
        duration=length,
        n_units=len(labels),
        n_trials=_count(trial, length, n_trials, given=trials is not None),
        spikes=(trial, when, unit),
    )
    return found.assign_coords(unit_label=("unit", np.array([str(label) for label in labels], dtype=object)))


def _column(values: Any, what: str, fix: str) -> np.ndarray:
    """One value per spike; raises SimlabError for anything else."""
    try:
        array = np.asarray(values)
    except ValueError:
        raise SimlabError(f"{what} must be one column, got lists of unequal length: {fix}") from None
    if array.ndim != 1:
        raise SimlabError(f"{what} must be one column (spike,), got shape {array.shape}: {fix}")
    return array


def _times(times: Any) -> np.ndarray:
    fix = "give seconds from each trial's onset, one per spike"
    array = _column(times, "times", fix)
    if array.size and array.dtype.kind not in "iuf":
        raise SimlabError(f"times must be numbers [s], got {array[0]!r} of dtype {array.dtype}: {fix}")
    return array.astype(float)


def _ids(ids: Any, n_spikes: int) -> np.ndarray:
    fix = "give the label of each spike's unit"
    array = _column(ids, "ids", fix)
    if len(array) != n_spikes:
        raise SimlabError(f"ids must be as many as times, got {len(array)} for {n_spikes} spikes: {fix}")
    _refuse_nameless(array.tolist(), "ids", "leave those spikes out, or give them a unit")
    return array


def _units(units: Any) -> list[Any]:
    fix = "give a list with one label per unit, such as range(12)"
    if isinstance(units, str | bytes | set | frozenset) or not isinstance(units, Iterable):
        raise SimlabError(f"units must be the labels of all units, in order, got {units!r}: {fix}")
    labels = [label.item() if isinstance(label, np.generic) else label for label in units]
    _refuse_nameless(labels, "units", fix)
    texts = [str(label) for label in labels]
    if not texts or len(set(texts)) < len(texts):
        raise SimlabError(f"units must have labels of their own, got {labels[:10]} with repeats or without any: {fix}")
    return labels


def _refuse_nameless(labels: list[Any], what: str, fix: str) -> None:
    """NaN is a hole in a table, and equal to nothing, itself included; so is None; lists are no labels."""
    holes = [label for label in labels if label is None or not isinstance(label, str | bytes | bool | int | float)]
    holes += [label for label in labels if isinstance(label, float) and not np.isfinite(label)]
    if holes:
        raise SimlabError(f"{what} must be whole numbers or text, got {len(holes)} such as {holes[0]!r}: {fix}")
    if len({isinstance(label, str | bytes) for label in labels}) > 1:
        raise SimlabError(f"{what} must be all numbers or all text, got both: write them all one way")


def _labelled(ids: np.ndarray, units: list[Any] | None) -> tuple[list[Any], np.ndarray]:
    """The units' labels, and the unit (spike,) of each spike."""
    found, unit = np.unique(ids, return_inverse=True)
    if units is None:
        return found.tolist(), unit
    place = {label: i for i, label in enumerate(units)}
    if strangers := [label for label in found.tolist() if label not in place]:
        raise SimlabError(f"every spike must come from one of the units, got spikes of {strangers[:5]}: list them too")
    order = np.array([place[label] for label in found.tolist()], dtype=int)
    return units, order[unit] if len(order) else unit.astype(int)


def _trials(trials: Any, n_spikes: int) -> np.ndarray:
    if trials is None:
        return np.zeros(n_spikes, dtype=int)
    rule, fix = "trials must be whole numbers counted from 0, one per spike", "give the index of each spike's trial"
    array = _column(trials, "trials", fix)
    if len(array) != n_spikes:
        raise SimlabError(f"{rule}, got {len(array)} for {n_spikes} spikes: {fix}")
    if array.size and array.dtype.kind not in "iuf":
        raise SimlabError(f"{rule}, got {array[0]!r} of dtype {array.dtype}: {fix}")
    wrong = array[~(np.isfinite(array) & (array >= 0) & (array == np.floor(array)) & (array < 2**31))]
    if wrong.size:
        raise SimlabError(f"{rule}, got {wrong[0]}: {fix}")
    return array.astype(int)


def _duration(duration: Any, times: np.ndarray) -> float | np.ndarray:
    """As given, or just past the last spike."""
    if duration is None:
        finite = times[np.isfinite(times)]
        last = float(finite.max(initial=0.0))
        return float(np.nextafter(last, np.inf)) if last > 0 else 1.0
    rule, fix = "a recording's duration must be finite and > 0 s", "give the length of every trial, or one for each"
    try:
        length = np.asarray(duration, dtype=float)
    except (TypeError, ValueError):
        raise SimlabError(f"{rule}, got {duration!r}: {fix}") from None
    if length.ndim > 1 or not length.size or not (np.isfinite(length) & (length > 0)).all():
        raise SimlabError(f"{rule}, got {duration}: {fix}")
    return length if length.ndim else float(length)


def _count(trial: np.ndarray, length: float | np.ndarray, n_trials: Any, *, given: bool) -> int:
    """How many trials there were; raises SimlabError where the spikes' trials count from 1, or might."""
    if n_trials is not None and (not isinstance(n_trials, int | np.integer) or isinstance(n_trials, bool)):
        raise SimlabError(f"n_trials must be a whole number >= 1, got {n_trials!r}: leave it out, or count the trials")
    counts = {int(n_trials)} if n_trials is not None else set()
    counts |= {len(length)} if isinstance(length, np.ndarray) else set()
    if len(counts) > 1 or min(counts, default=1) < 1:
        raise SimlabError(f"n_trials must be >= 1 and as many as durations, got {sorted(counts)}: mend one of them")
    first, last = (int(trial.min()), int(trial.max())) if trial.size else (0, 0)
    if not counts:
        if given and first > 0:
            raise SimlabError(
                f"trials must be counted from 0, got {first}..{last}: subtract {first}, or give n_trials if the first "
                "trials have no spikes"
            )
        counts = {last + 1}
    count = counts.pop()
    if last >= count:
        hint = "they seem to count from 1: subtract 1" if first > 0 and last == count else "give all trials"
        raise SimlabError(f"trials must be counted from 0 to {count - 1}, got {first}..{last}: {hint}")
    if count > MOST_TRIALS:
        raise SimlabError(f"a recording holds at most {MOST_TRIALS} trials, got {count}: count trials from 0 on")
    return count
