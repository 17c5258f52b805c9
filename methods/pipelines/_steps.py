"""What a preprocessing step is, and what the steps share: putting spikes or a signal in the place of what was seen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, ClassVar, Protocol

import numpy as np
import xarray as xr

from simlab.contracts import Needs, SimlabError
from simlab.data import continuous, durations, modality
from simlab.data import recording as build_recording


class Unusable(SimlabError):
    """A recording that a step cannot work on: why the pipeline abstains."""


class Step(Protocol):
    """One preprocessing: a Recording in, a Recording out.

    A step that drops units also has `restore(finding, recording)`, which turns an answer about the units that it left
    into one about those of the recording that it was given.
    """

    name: ClassVar[str]
    library: ClassVar[str]  # whose implementation runs; "own" where none does

    def apply(self, recording: xr.Dataset, rng: np.random.Generator) -> xr.Dataset:
        """Raises Unusable, with the reason, on a recording that it cannot work on."""

    def before(self, needs: Needs) -> Needs:
        """What a recording must hold for the step's result to hold what `needs` asks for."""


def accepting(step: Step, needs: Needs, becomes: Mapping[str, str], *, others: bool = False) -> Needs:
    """`needs`, in terms of what a step takes: each modality that it turns into one that is asked for.

    becomes: modality taken: modality made of it. others: whether all further modalities pass through as they are.
    Raises SimlabError where nothing that the step makes is of use.
    """
    asked = needs.modalities
    if not asked and others:
        return needs
    taken = [seen for seen, made in becomes.items() if not asked or made in asked]
    taken += [name for name in asked if others and name not in becomes]
    if not taken:
        raise SimlabError(
            f"{step.name} makes {' or '.join(dict.fromkeys(becomes.values()))}, and what follows it needs "
            f"{' or '.join(asked)}: order the steps so that each gets what it takes"
        )
    return replace(needs, modalities=tuple(taken))


def with_spikes(recording: xr.Dataset, spikes: tuple[np.ndarray, np.ndarray, np.ndarray]) -> xr.Dataset:
    """The recording with these spikes, (trial, time [s], unit) columns, in the place of all that was measured."""
    return _measured(recording, spikes=spikes)


def with_signal(recording: xr.Dataset, values: np.ndarray, times: np.ndarray, kind: str, units: str = "") -> xr.Dataset:
    """The recording with a signal in the place of all that was measured.

    values: (trial, sample, unit), of modality `kind`, measured in `units`; times: (sample,) [s]. With its spikes goes
    the resolution of their times.
    """
    found = _measured(recording, signal=values, modality=kind, signal_units=units, sample_time=times)
    found.attrs.pop("resolution", None)
    return found


def _measured(recording: xr.Dataset, **seen: Any) -> xr.Dataset:
    made = build_recording(
        duration=durations(recording), n_units=recording.sizes["unit"], n_trials=recording.sizes["trial"], **seen
    )
    old = ("spike_trial", "spike_time", "spike_unit", "signal", "sample_time")
    rest = recording.drop_vars([name for name in old if name in recording])
    return rest.assign({name: variable.variable for name, variable in made.data_vars.items()})


def signal_of(recording: xr.Dataset, step: Step) -> xr.DataArray:
    """The signal (trial, time, unit) of a recording that must hold one; its attrs have `modality` and `units`.

    Raises Unusable where spikes or nothing were measured.
    """
    if modality(recording) in ("", "spikes") or "unit" not in recording["signal"].dims:
        raise Unusable(
            f"{step.name} needs a signal of the units, and this recording holds {modality(recording) or 'none'}: "
            "put a step before it that bins or smooths spikes"
        )
    return continuous(recording)


def sampling_interval(times: np.ndarray) -> float:
    """The step [s] between sample times (sample,); infinite if there is only one."""
    return float(np.median(np.diff(times))) if len(times) > 1 else float("inf")


def within_trials(values: np.ndarray) -> Iterator[tuple[int, int]]:
    """Each trial of (trial, sample, unit) and how many samples it has before those past its end, which are NaN in
    every unit."""
    seen = ~np.isnan(values).all(axis=2)
    for trial, samples in enumerate(seen):
        yield trial, int(np.flatnonzero(samples)[-1]) + 1 if samples.any() else 0
