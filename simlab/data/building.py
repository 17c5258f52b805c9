"""Builders of Activity and Recording, and of a Recording's bare copy for the blind."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import xarray as xr

from simlab.contracts import SimlabError
from simlab.data.checking import check_activity, check_contacts, check_recording
from simlab.data.clock import on_clock
from simlab.data.vocabulary import ACTIVITY, DTYPES, RECORDING, UNITS
from simlab.session import Session


def _dataset(
    vocabulary: Mapping[str, tuple[str, ...]],
    variables: Mapping[str, Any],
    coords: Mapping[str, Any],
    duration: float,
) -> xr.Dataset:
    data = {}
    for name, values in variables.items():
        if values is None:
            continue
        if name not in vocabulary:
            raise SimlabError(f"no variable {name!r} in the vocabulary; it holds {', '.join(vocabulary)}")
        array = _typed(name, values)
        if array.ndim != len(vocabulary[name]):
            raise SimlabError(f"{name} must have dims {vocabulary[name]}, got an array of shape {array.shape}")
        data[name] = (vocabulary[name], array, {"units": UNITS[name]} if name in UNITS else {})
    with _agreeing():
        return xr.Dataset(data, dict(coords), {"duration": float(duration)})


@contextmanager
def _agreeing() -> Iterator[None]:
    try:
        yield
    except ValueError as misfit:
        raise SimlabError(f"variables must agree on the sizes of their dims, got {misfit}: complete them") from None


def _typed(name: str, values: Any) -> np.ndarray:
    """As the vocabulary stores it; raises SimlabError where that would cut off what stands behind the point."""
    wanted, array = DTYPES.get(name), np.asarray(values)
    if wanted is None or array.dtype == wanted:
        return array
    whole = array.dtype.kind in "biu" or (array.dtype.kind == "f" and np.array_equal(array, np.round(array)))
    if array.size and not whole:
        raise SimlabError(f"{name} must hold whole numbers, got {array.ravel()[0]!r} ...: count or code them from 0")
    return array.astype(wanted)


def _sorted_spikes(trial: np.ndarray, time: np.ndarray, cell: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    trial, time, cell = (np.asarray(a) for a in (trial, time, cell))
    if odd := [a.dtype for a in (trial, time, cell) if a.size and a.dtype.kind not in "biuf"]:
        raise SimlabError(f"a spike table needs columns of numbers, got dtype {odd[0]}: number trials and units from 0")
    if not trial.shape == time.shape == cell.shape or trial.ndim != 1:
        raise SimlabError(
            f"a spike table needs three columns of one length, got shapes {trial.shape}, {time.shape}, {cell.shape}"
        )
    later, at_once = _steps(trial, time)
    if not (later | at_once).all() or cell.dtype.kind not in "iu":
        order = np.lexsort((cell, time, trial))
        return trial[order], time[order].astype(float), cell[order]
    in_order = (later | (cell[1:] >= cell[:-1])).all()
    return trial, time.astype(float, copy=False), cell if in_order else _by_cell(later, cell)


def _steps(trial: np.ndarray, time: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(spike - 1,) whether each spike but the first comes later than the one before it, or at the same moment."""
    same = trial[1:] == trial[:-1]
    return (trial[1:] > trial[:-1]) | (same & (time[1:] > time[:-1])), same & (time[1:] == time[:-1])


def _by_cell(later: np.ndarray, cell: np.ndarray) -> np.ndarray:
    """Cells of spikes in order of trial and time, sorted among those of one moment, as renumbered units need.

    later: (spike - 1,) whether a spike comes later than the one before. One sort of numbers, that of the moment and of
    the cell together, is an order of magnitude faster than one of three columns.
    """
    low, high = int(cell.min()), int(cell.max())
    span = high - low + 1
    begins = np.concatenate([[0], np.flatnonzero(later) + 1, [len(cell)]])
    kind = np.int32 if len(begins) * span + abs(low) < 2**31 else np.int64
    moment = np.repeat(np.arange(len(begins) - 1).astype(kind) * span, np.diff(begins))
    both = moment + cell.astype(kind, copy=False)
    both.sort()  # of numbers that are alike where they are equal: any order is as good
    both -= moment
    return both.astype(cell.dtype, copy=False)


def _clocked_spikes(
    spikes: tuple[np.ndarray, np.ndarray, np.ndarray], duration: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Spike columns on the lab's clock, in order; a neuron fires at most once in a tick."""
    trial, time, cell = spikes
    trial, time, cell = _sorted_spikes(trial, on_clock(time, duration), cell)
    again = (np.diff(trial) == 0) & (np.diff(time) == 0) & (np.diff(cell) == 0)
    first = np.concatenate([np.ones(min(len(time), 1), bool), ~again])
    return trial[first], time[first], cell[first]


def activity(
    session: Session,
    n_neurons: int,
    *,
    spikes: tuple[np.ndarray, np.ndarray, np.ndarray] | None = None,
    rate: np.ndarray | None = None,
    time: np.ndarray | None = None,
    latent: np.ndarray | None = None,
    behaviour: np.ndarray | None = None,
    factors: Sequence[str] | None = None,
    outcome: np.ndarray | None = None,
) -> xr.Dataset:
    """An Activity from (trial, time [s], neuron) spike columns in any order and/or `rate` (trial, time, neuron).

    Spikes are put on the lab's clock (`simlab.data.clock`), one per neuron and tick at most. `time` [s] labels the
    samples of rate, latent and behaviour. `latent` (trial, time, factor), what rates are a function of, is kept for
    truths and never recorded. `factors` names what `behaviour` (trial, time, factor) holds. `outcome` (trial,) says
    how well each trial's behaviour served its task, from 0 to 1 (the share of it that was right). The session's
    stimulus is resampled onto `time` when that is given, and keeps its
    own steps otherwise. Raises SimlabError where the parts do not fit one another.
    """
    shown: dict[str, Any] = {"behaviour": behaviour, "condition": session.conditions, "outcome": outcome}
    variables: dict[str, Any] = {"rate": rate, "latent": latent} | shown
    coords: dict[str, Any] = {"trial": np.arange(session.trials), "neuron": np.arange(n_neurons)}
    if spikes is not None:
        trial, when, neuron = _clocked_spikes(spikes, session.duration)
        variables.update(spike_trial=trial, spike_time=when, spike_neuron=neuron)
    if session.stimulus is not None:
        values, interval = session.stimulus.values, session.stimulus.interval
        if time is None:
            time = np.arange(values.shape[1]) * interval
        step = np.minimum((np.asarray(time) / interval + 1e-9).astype(int), values.shape[1] - 1)
        variables["stimulus"] = values[:, step]
        coords["feature"] = list(session.stimulus.features)
    if factors is not None:
        coords["factor"] = list(factors)
    if time is not None:
        coords["time"] = ("time", np.asarray(time, dtype=float), {"units": "s"})
    result = _dataset(ACTIVITY, variables, coords, session.duration)
    check_activity(result)
    return result


def recording(
    *,
    duration: float | np.ndarray,
    n_units: int,
    n_trials: int,
    spikes: tuple[np.ndarray, np.ndarray, np.ndarray] | None = None,
    signal: np.ndarray | None = None,
    modality: str = "",
    signal_units: str = "",
    over: str = "unit",
    like: xr.Dataset | None = None,
    time: np.ndarray | None = None,
    names: Mapping[str, tuple[str, np.ndarray]] | None = None,
    **variables: Any,
) -> xr.Dataset:
    """A Recording from (trial, time [s], unit) spike columns, a signal, and/or named variables of the vocabulary.

    duration [s]: of every trial, or (trial,). signal: (trial, sample, unit), with its `modality` ("fluorescence"),
    `signal_units` ("dF/F") and `sample_time` (sample,) [s]; over="channel" where it was measured beside the units.
    names: coordinates of names, each with the dim that it stands along. `like`: an Activity whose stimulus, behaviour,
    condition, outcome and time are passed on, as the experimenter knows them.
    Raises SimlabError where the parts do not fit one another.
    """
    if n_trials < 1 or n_units < 0:
        raise SimlabError(f"a recording needs at least one trial, got {n_trials}, and {n_units} units: count again")
    coords: dict[str, Any] = {"trial": np.arange(n_trials), "unit": np.arange(n_units)} | dict(names or {})
    length = np.asarray(duration, dtype=float)
    if length.shape not in ((), (1,), (n_trials,)) or not (np.isfinite(length) & (length > 0)).all():
        raise SimlabError(f"durations must be finite and > 0 s, one or {n_trials}, got {duration}: give every trial's")
    length = np.broadcast_to(length, (n_trials,))
    if np.ptp(length) > 0:
        variables["trial_duration"] = length
    if spikes is not None:
        trial, when, unit = _sorted_spikes(*spikes)
        variables.update(spike_trial=trial, spike_time=when, spike_unit=unit)
    if like is not None:
        _pass_on(like, variables, coords)
        time = like["time"].values if time is None and "time" in like.coords else time
    if time is not None and any(variables.get(name) is not None for name in ("stimulus", "behaviour")):
        coords["time"] = ("time", np.asarray(time, dtype=float), {"units": "s"})
    result = _dataset(RECORDING, variables, coords, float(length.max()))
    if signal is not None:
        attrs = {"modality": modality, "units": signal_units}
        with _agreeing():
            result["signal"] = (("trial", "sample", over), np.asarray(signal), attrs)
    check_recording(result)
    return result


def _pass_on(like: xr.Dataset, variables: dict[str, Any], coords: dict[str, Any]) -> None:
    """What the experimenter knows of the trials, from an Activity."""
    for name in ("stimulus", "behaviour", "condition", "outcome"):
        if name in like:
            variables.setdefault(name, like[name].values)
    for name in ("feature", "factor"):
        if name in like.coords:
            coords[name] = like[name].values


def anatomy(
    position: np.ndarray,
    cell_type: Sequence[str],
    region: Sequence[str] | str = "cortex",
    contacts: np.ndarray | None = None,
) -> xr.Dataset:
    """What one may aim at: `position` (neuron, 3) [m], cell type and region of each neuron.

    contacts: (pre, post) how many synapses each neuron makes onto each other one, where the circuit says so. That is
    wiring: the lab shows it to instruments alone that need the modality `connectome` (`simlab.pairing`).
    """
    n_neurons = len(position)
    regions = [region] * n_neurons if isinstance(region, str) else list(region)
    known = xr.Dataset(
        {axis: ("neuron", np.asarray(position)[:, i], {"units": "m"}) for i, axis in enumerate("xyz")}
        | {
            "cell_type": ("neuron", np.array(cell_type, dtype=object)),
            "region": ("neuron", np.array(regions, object)),
        },
        {"neuron": np.arange(n_neurons)},
    )
    if contacts is not None:
        known["contacts"] = (RECORDING["contacts"], _typed("contacts", contacts))
        check_contacts(known, "an anatomy", "neuron")
    return known
